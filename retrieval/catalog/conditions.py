"""Who may see what, and what a filter allows, as SQL. Said once, used by every reader."""

from sqlalchemy import ColumnElement, select

from retrieval.catalog.tables import ClipRow, StudyRow
from retrieval.values.query import Access, Filter
from retrieval.values.study import State

Conditions = list[ColumnElement[bool]]


def visible(access: Access) -> Conditions:
    """Studies that `access` may see at all, in any state."""
    conditions: Conditions = [StudyRow.deleted_at.is_(None)]
    if access.sites is not None:
        conditions.append(StudyRow.site.in_(sorted(access.sites)))
    if not access.unreleased:
        conditions.append(StudyRow.released.is_(True))
    return conditions


def eligible(where: Filter, access: Access) -> Conditions:
    """Studies that may answer a query. What a study does not say never passes."""
    conditions = visible(access) + matching(where)
    conditions.append(StudyRow.state == State.INDEXED)
    if where.views or where.techniques:
        one = select(ClipRow.id).where(ClipRow.study == StudyRow.id, *clip_meets(where))
        conditions.append(one.correlate(StudyRow).exists())
    return conditions


def matching(where: Filter) -> Conditions:
    """The part of a filter that binds the study itself."""
    conditions: Conditions = []
    for column, allowed in (
        (StudyRow.sex, where.sexes),
        (StudyRow.field_strength_t, where.field_strengths_t),
        (StudyRow.vendor, where.vendors),
    ):
        if allowed:
            conditions.append(column.in_(sorted(allowed)))
    for column, low, high in (
        (StudyRow.age_years, where.age_from, where.age_to),
        (StudyRow.year, where.year_from, where.year_to),
    ):
        if low is not None:
            conditions.append(column >= low)
        if high is not None:
            conditions.append(column <= high)
    return conditions


def clip_meets(where: Filter) -> Conditions:
    """The part of a filter that one clip must meet whole."""
    conditions: Conditions = []
    if where.views:
        conditions.append(ClipRow.view.in_(sorted(where.views)))
    if where.techniques:
        conditions.append(ClipRow.technique.in_(sorted(where.techniques)))
    return conditions
