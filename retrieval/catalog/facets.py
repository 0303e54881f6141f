"""How many studies each choice of a filter would leave."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import distinct, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from retrieval.catalog.conditions import clip_meets, eligible
from retrieval.catalog.tables import ClipRow, StudyRow
from retrieval.ports import Counts
from retrieval.values.query import Access, Filter
from retrieval.values.study import Sex, Technique, View

_OF_CLIPS: dict[str, InstrumentedAttribute[Any]] = {
    "views": ClipRow.view,
    "techniques": ClipRow.technique,
}
_OF_STUDIES: dict[str, InstrumentedAttribute[Any]] = {
    "sexes": StudyRow.sex,
    "field_strengths_t": StudyRow.field_strength_t,
    "vendors": StudyRow.vendor,
}


def count_facets(session: Session, where: Filter, access: Access) -> list[Counts]:
    """Count every facet, each without its own choice; choices that no study has are left out.

    Views, techniques and sexes come in their own order, the others by value.
    """
    return [
        *(_by_clip(session, name, where, access) for name in _OF_CLIPS),
        *(_by_study(session, name, where, access) for name in _OF_STUDIES),
    ]


def _by_clip(session: Session, facet: str, where: Filter, access: Access) -> Counts:
    column, open_ = _OF_CLIPS[facet], replace(where, **{facet: frozenset()})
    query = (
        select(column, func.count(distinct(StudyRow.id)))
        .join(StudyRow, ClipRow.study == StudyRow.id)
        .where(*clip_meets(open_), *eligible(open_, access))
        .group_by(column)
    )
    return _counts(facet, [(value, n) for value, n in session.execute(query)])


def _by_study(session: Session, facet: str, where: Filter, access: Access) -> Counts:
    column, open_ = _OF_STUDIES[facet], replace(where, **{facet: frozenset()})
    query = (
        select(column, func.count())
        .where(*eligible(open_, access), column.is_not(None))
        .group_by(column)
    )
    return _counts(facet, [(value, n) for value, n in session.execute(query)])


def _counts(facet: str, found: Sequence[tuple[Any, int]]) -> Counts:
    return Counts(
        facet=facet,
        counts={_as_text(value): n for value, n in sorted(found, key=lambda f: _place(f[0]))},
    )


def _place(value: View | Technique | Sex | str | float) -> str | float:
    for kind in (View, Technique, Sex):
        if isinstance(value, kind):
            return list(kind).index(value)
    return value


def _as_text(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
