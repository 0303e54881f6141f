"""What the newest reports state: findings and measurements of many studies in one query.

Of several statements in one report the impression's count, as that is what the
radiologist stands by; see `assertions` and `measurements` for the rest.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.orm import Session

from retrieval.catalog.rows import measurement_value
from retrieval.catalog.tables import FindingRow, MeasurementRow, ReportRow, StudyRow, VersionRow
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.measurement import LARGEST, Measurement

_STRONGEST_FIRST = (Polarity.PRESENT, Polarity.UNCERTAIN, Polarity.ABSENT)
"""What else there is says least."""


def assertions(
    session: Session, names: Collection[FindingName], conditions: Sequence[ColumnElement[bool]]
) -> dict[str, dict[FindingName, tuple[Polarity, str]]]:
    """What newest reports say of findings: polarity and sentence, by study and finding.

    The impression's statement wins over the others, then PRESENT over UNCERTAIN
    over ABSENT, then the first.
    """
    found: dict[str, dict[FindingName, tuple[Polarity, str]]] = {}
    ranks: dict[tuple[str, FindingName], tuple[bool, int]] = {}
    asked = FindingRow.name.in_(sorted(names))
    for row in _stated(session, FindingRow, asked, conditions):
        rank = (not row.concludes, _weakness(row.polarity))
        if (row.study, row.name) not in ranks or rank < ranks[row.study, row.name]:
            ranks[row.study, row.name] = rank
            found.setdefault(row.study, {})[row.name] = (row.polarity, _on_one_line(row.sentence))
    return found


def measurements(
    session: Session, quantities: Collection[str], conditions: Sequence[ColumnElement[bool]]
) -> dict[str, dict[str, tuple[Measurement, str]]]:
    """What newest reports state of quantities: measurement and sentence, by study and quantity.

    The impression's statement wins over the others. Of several there the
    largest counts for the quantities of `LARGEST`, else the last: readers
    correct and sum up at the end.
    """
    found: dict[str, dict[str, tuple[Measurement, str]]] = {}
    ranks: dict[tuple[str, str], tuple[bool, float]] = {}
    asked = MeasurementRow.quantity.in_(sorted(quantities))
    for row in _stated(session, MeasurementRow, asked, conditions):
        one = measurement_value(row)
        rank = (bool(row.concludes), _size(one) if one.quantity in LARGEST else 0.0)
        if (row.study, one.quantity) not in ranks or rank >= ranks[row.study, one.quantity]:
            ranks[row.study, one.quantity] = rank
            found.setdefault(row.study, {})[one.quantity] = (one, _on_one_line(row.sentence))
    return found


def _stated(
    session: Session,
    table: type[FindingRow | MeasurementRow],
    asked: ColumnElement[bool],
    conditions: Iterable[ColumnElement[bool]],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Walk statements: a table's columns, "study", "sentence" and "concludes".

    The last says whether the impression has it. Those of one report come in
    the order of its text. Columns and not objects, which would cost the most.
    """
    impression_at = _place_of(session, ReportRow.impression)
    sentence: ColumnElement[str] = func.substr(
        ReportRow.text, table.start_at + 1, table.end_at - table.start_at
    )
    concludes = and_(
        table.start_at + 1 >= impression_at,
        table.start_at + 1 < impression_at + func.length(ReportRow.impression),
    )
    query = (
        select(
            StudyRow.id.label("study"),
            *table.__table__.columns,
            sentence.label("sentence"),
            concludes.label("concludes"),
        )
        .join(VersionRow, VersionRow.chain == StudyRow.id)
        .join(ReportRow, ReportRow.arrival == VersionRow.report)
        .join(table, table.report == ReportRow.arrival)
        .where(VersionRow.newest.is_(True), asked, *conditions)
        .order_by(table.report, table.position)
    )
    yield from session.execute(query)


def _on_one_line(sentence: str) -> str:
    return " ".join(sentence.split())


def _place_of(session: Session, part: Any) -> ColumnElement[int]:  # noqa: ANN401  any text column
    """1-based place of a text in the report's."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    return (func.instr if sqlite else func.strpos)(ReportRow.text, part)


def _weakness(polarity: Polarity) -> int:
    if polarity in _STRONGEST_FIRST:
        return _STRONGEST_FIRST.index(polarity)
    return len(_STRONGEST_FIRST)


def _size(one: Measurement) -> float:
    ends = [end for end in (one.low, one.high) if end is not None]
    return max(ends)
