"""Which report is which version of which study's report.

A report names its study, or an accession number, or both; the study wins. One
that names an accession number only belongs to every study with that number
(one order is sometimes read as several studies), and to the number itself
until such a study arrives. Versions follow the order of arrival; a text that
an earlier report of the chain has is no version of its own. All of it is
worked out again from the reports whenever one of the names involved changes,
so it does not matter whether studies or reports come first. That is why every
report is kept, a repeated text too: the study that it alone speaks of may come
later.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, delete, insert, or_, select
from sqlalchemy.orm import Session

from retrieval.catalog.tables import ReportRow, StudyRow, VersionRow
from retrieval.values.report import Report


def chains_of(session: Session, report: Report) -> list[str]:
    """The chains a report belongs to: its study, the studies of its number, or the number.

    Raises
    ------
    ValueError
        It names neither.
    """
    if report.study is not None:
        return [report.study]
    if report.accession_key is None:
        raise ValueError("a report must name a study or an accession number; this one has neither")
    return studies_with(session, [report.accession_key]) or [report.accession_key]


def arrived_before(session: Session, report: Report) -> bool:
    """Whether the same text has come under the same names."""
    query = select(ReportRow.arrival).where(
        ReportRow.digest == report.digest,
        ReportRow.study.is_not_distinct_from(report.study),
        ReportRow.accession_key.is_not_distinct_from(report.accession_key),
    )
    return session.scalar(query.limit(1)) is not None


def known_in(session: Session, digest: str, chains: Sequence[str]) -> bool:
    """Whether each of these chains already has a version with this text."""
    holding = session.scalars(
        select(VersionRow.chain)
        .join(ReportRow, VersionRow.report == ReportRow.arrival)
        .where(VersionRow.chain.in_(chains), ReportRow.digest == digest)
    )
    return set(holding) == set(chains)


def chain_again(session: Session, names: Iterable[str | None]) -> None:
    """Work out every chain that studies or accession numbers with these names touch."""
    given = sorted({name for name in names if name is not None})
    chains = sorted({*given, *studies_with(session, given)})
    session.execute(delete(VersionRow).where(VersionRow.chain.in_(chains)))
    for chain in chains:
        _number(session, chain, _members(session, chain))


def studies_with(session: Session, accession_keys: Sequence[str]) -> list[str]:
    """Studies that carry one of these accession numbers, in order."""
    query = select(StudyRow.id).where(StudyRow.accession_key.in_(accession_keys))
    return list(session.scalars(query.order_by(StudyRow.id)))


def _members(session: Session, chain: str) -> list[tuple[int, str]]:
    """Arrival and digest of the reports of one chain, in order of arrival."""
    own_number = select(StudyRow.accession_key).where(StudyRow.id == chain).scalar_subquery()
    taken = select(StudyRow.id).where(StudyRow.accession_key == chain).exists()
    by_number = or_(
        ReportRow.accession_key == own_number, and_(ReportRow.accession_key == chain, ~taken)
    )
    query = (
        select(ReportRow.arrival, ReportRow.digest)
        .where(or_(ReportRow.study == chain, and_(ReportRow.study.is_(None), by_number)))
        .order_by(ReportRow.arrival)
    )
    return [(arrival, digest) for arrival, digest in session.execute(query)]


def _number(session: Session, chain: str, members: Sequence[tuple[int, str]]) -> None:
    first: dict[str, int] = {}
    for arrival, digest in members:
        first.setdefault(digest, arrival)
    if first:
        session.execute(
            insert(VersionRow),
            [
                {"chain": chain, "version": n, "report": arrival, "newest": n == len(first)}
                for n, arrival in enumerate(first.values(), start=1)
            ],
        )
