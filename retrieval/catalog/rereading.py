"""What reports state, read again. A reading depends on the text alone, so texts name it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from retrieval.catalog.rows import finding_rows, measurement_rows
from retrieval.catalog.tables import FindingRow, MeasurementRow, ReportRow
from retrieval.values.report import Statements


def to_read(session: Session, reader: str) -> list[str]:
    """Digests of the texts that a reader has not read, each once, in order."""
    query = (
        select(ReportRow.digest)
        .where(ReportRow.reader.is_distinct_from(reader))
        .distinct()
        .order_by(ReportRow.digest)
    )
    return list(session.scalars(query))


def texts_of(session: Session, digests: Sequence[str]) -> dict[str, str]:
    """Texts by digest."""
    query = select(ReportRow.digest, ReportRow.text).where(ReportRow.digest.in_(digests))
    return dict(session.execute(query).all())


def put_statements(session: Session, stated: Mapping[str, Statements]) -> None:
    """Replace what reports with these texts state."""
    query = select(ReportRow.arrival, ReportRow.digest).where(ReportRow.digest.in_(sorted(stated)))
    reports = [(arrival, stated[digest]) for arrival, digest in session.execute(query)]
    arrivals = [arrival for arrival, _ in reports]
    for table in (FindingRow, MeasurementRow):
        session.execute(delete(table).where(table.report.in_(arrivals)))
    for arrival, one in reports:
        session.add_all(finding_rows(arrival, one.findings))
        session.add_all(measurement_rows(arrival, one.measurements))
        session.execute(
            update(ReportRow).where(ReportRow.arrival == arrival).values(reader=one.reader)
        )
