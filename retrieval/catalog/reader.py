"""The reading side of the catalog. Every method sees one moment, through one access."""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from retrieval.catalog import fulltext, statements
from retrieval.catalog.conditions import clip_meets, eligible, visible
from retrieval.catalog.engine import Database
from retrieval.catalog.facets import count_facets
from retrieval.catalog.rows import (
    clip_value,
    finding_value,
    machine_finding_value,
    measurement_value,
    study_value,
)
from retrieval.catalog.standing import standing_of
from retrieval.catalog.tables import (
    ClipRow,
    EmbeddingRow,
    EstimateRow,
    FindingRow,
    MachineFindingRow,
    MeasurementRow,
    ReportRow,
    SeriesRow,
    StudyRow,
    VersionRow,
)
from retrieval.errors import ClipNotFound, StudyNotFound
from retrieval.ports import Counts
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.embedding import EncoderId
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.machine_finding import MachineFinding
from retrieval.values.measurement import Measurement
from retrieval.values.query import Access, Filter
from retrieval.values.report import Report
from retrieval.values.standing import Standing
from retrieval.values.study import Study, StudyId, Technique, View

_MOST_NAMES = 10_000
"""Values in one IN (...): SQLite takes 32,766 parameters, PostgreSQL 65,535."""

_T = TypeVar("_T", bound=str)


class SqlReader:
    """What search and the web UI may ask. Implements ports.CatalogReader."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def study(self, study: StudyId, *, access: Access) -> Study:
        """Return one study with its series.

        Raises
        ------
        StudyNotFound
            There is none, or none that `access` may see.
        """
        return self.studies([study], access=access)[0]

    def studies(self, ids: Sequence[StudyId], *, access: Access) -> list[Study]:
        """Return studies in the order asked for, or raise StudyNotFound."""
        with self._database.reading() as session:
            found: dict[str, Study] = {}
            for names in _chunks(sorted(set(ids))):
                here = [StudyRow.id.in_(names), *visible(access)]
                found.update((s.id, s) for s in _studies(session, here))
        return [found[_seen(study, found)] for study in ids]

    def eligible(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        """The indexed, not deleted studies that `where` and `access` allow."""
        with self._database.reading() as session:
            query = select(StudyRow.id).where(*eligible(where, access))
            return frozenset(StudyId(study) for study in session.scalars(query))

    def reported(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        """The eligible studies that have a report."""
        query = (
            select(VersionRow.chain)
            .join(StudyRow, StudyRow.id == VersionRow.chain)
            .where(VersionRow.newest.is_(True), *eligible(where, access))
        )
        with self._database.reading() as session:
            return frozenset(StudyId(study) for study in session.scalars(query))

    def keys(
        self, where: Filter, encoder_id: EncoderId, *, access: Access
    ) -> dict[int, tuple[StudyId, ClipId | None]]:
        """Every embedding key of the eligible studies and what it belongs to.

        Clip-level keys are limited to clips that meet the views and techniques
        of `where`. A study-level key has ClipId None.
        """
        query = (
            select(EmbeddingRow.key, EmbeddingRow.study, EmbeddingRow.clip)
            .join(StudyRow, EmbeddingRow.study == StudyRow.id)
            .where(EmbeddingRow.encoder_id == encoder_id, *eligible(where, access))
            .order_by(EmbeddingRow.key)
        )
        if meets := clip_meets(where):
            own = and_(EmbeddingRow.clip == ClipRow.id, EmbeddingRow.study == ClipRow.study)
            query = query.outerjoin(ClipRow, own)
            query = query.where(or_(EmbeddingRow.clip.is_(None), and_(*meets)))
        with self._database.reading() as session:
            return {
                key: (StudyId(study), None if clip is None else ClipId(clip))
                for key, study, clip in session.execute(query)
            }

    def standing(
        self, encoder_id: EncoderId, *, since: int | None, access: Access
    ) -> Standing | None:
        """All that masks are made of, as it has changed since a revision (None: all of it).

        None if nothing has. Revisions are raised by triggers, in the very
        transaction of the change, and read in that of the answer.
        """
        with self._database.reading() as session:
            return standing_of(session, encoder_id, since, access)

    def clips(self, study: StudyId, *, access: Access) -> list[ClipRecord]:
        """The clips of one study: by technique (cine first), view, series, slice, variant."""
        with self._database.reading() as session:
            _require(session, [study], access)
            rows = session.scalars(select(ClipRow).where(ClipRow.study == study))
            return sorted((clip_value(row) for row in rows), key=_place)

    def clips_named(self, ids: Sequence[ClipId], *, access: Access) -> list[ClipRecord]:
        """Return clips in the order asked for.

        Raises
        ------
        ClipNotFound
            There is no such clip, or it belongs to a study that `access` may
            not see.
        """
        found: dict[str, ClipRecord] = {}
        with self._database.reading() as session:
            for names in _chunks(sorted(set(ids))):
                query = (
                    select(ClipRow)
                    .join(StudyRow, ClipRow.study == StudyRow.id)
                    .where(ClipRow.id.in_(names), *visible(access))
                )
                found.update((row.id, clip_value(row)) for row in session.scalars(query))
        for clip in ids:
            if clip not in found:
                raise ClipNotFound(clip)
        return [found[clip] for clip in ids]

    def report(self, study: StudyId, *, access: Access) -> Report | None:
        """The newest version of a study's report; None if it has no report."""
        with self._database.reading() as session:
            _require(session, [study], access)
            query = (
                select(VersionRow, ReportRow)
                .join(ReportRow, VersionRow.report == ReportRow.arrival)
                .where(VersionRow.chain == study)
                .order_by(VersionRow.version.desc())
                .limit(2)
            )
            found = session.execute(query).all()
            if not found:
                return None
            version, newest = found[0]
            findings = session.scalars(
                select(FindingRow)
                .where(FindingRow.report == newest.arrival)
                .order_by(FindingRow.position)
            )
            measurements = session.scalars(
                select(MeasurementRow)
                .where(MeasurementRow.report == newest.arrival)
                .order_by(MeasurementRow.position)
            )
            return Report(
                digest=newest.digest,
                study=None if newest.study is None else StudyId(newest.study),
                accession_key=newest.accession_key,
                version=version.version,
                supersedes=found[1][1].digest if len(found) > 1 else None,
                text=newest.text,
                impression=newest.impression,
                findings=tuple(finding_value(row) for row in findings),
                measurements=tuple(measurement_value(row) for row in measurements),
                reader=newest.reader,
            )

    def impressions(self, ids: Sequence[StudyId], *, access: Access) -> dict[StudyId, str]:
        """Newest impressions of those studies that have one, or raise StudyNotFound."""
        found: dict[StudyId, str] = {}
        with self._database.reading() as session:
            _require(session, ids, access)
            for names in _chunks(sorted(set(ids))):
                query = (
                    select(VersionRow.chain, ReportRow.impression)
                    .join(ReportRow, VersionRow.report == ReportRow.arrival)
                    .where(VersionRow.chain.in_(names), VersionRow.newest.is_(True))
                )
                found.update((StudyId(s), text) for s, text in session.execute(query))
        return found

    def search_reports(
        self, text: str, where: Filter, *, limit: int | None, access: Access
    ) -> list[tuple[StudyId, float, str]]:
        """Full-text search in the newest reports: (study, score, best sentence), best first.

        Larger scores are better; equal scores order by study. Any of the words
        may match; words of the query never act as operators.
        """
        with self._database.reading() as session:
            found = fulltext.search_reports(session, text, eligible(where, access), limit)
        return [(StudyId(study), score, sentence) for study, score, sentence in found]

    def assertions(
        self, names: Collection[FindingName], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[FindingName, tuple[Polarity, str]]]:
        """What the newest report of each eligible study says of these findings.

        With each polarity comes its sentence, on one line. Of several
        statements the impression's counts, then PRESENT before UNCERTAIN before
        ABSENT, then the first. Studies and findings not mentioned are left out.
        """
        with self._database.reading() as session:
            found = statements.assertions(session, names, eligible(where, access))
        return {StudyId(study): said for study, said in found.items()}

    def measurements(
        self, quantities: Collection[str], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[str, tuple[Measurement, str]]]:
        """What the newest report of each eligible study measures of these quantities.

        With each measurement comes its sentence, on one line. Of several the
        impression's counts, then the largest of `LARGEST`'s quantities and the
        last of others. Studies and quantities not mentioned are left out.
        """
        with self._database.reading() as session:
            found = statements.measurements(session, quantities, eligible(where, access))
        return {StudyId(study): said for study, said in found.items()}

    def estimates(
        self, encoder_id: EncoderId, *, access: Access
    ) -> dict[StudyId, tuple[Estimate, ...]]:
        """What one encoder estimated of each eligible study, in the order of `Quantity`.

        Studies of which it estimated nothing are left out. No Filter sees these.
        """
        columns = (
            EstimateRow.study,
            EstimateRow.quantity,
            EstimateRow.value,
            EstimateRow.spread,
        )
        query = (
            select(*columns)
            .join(StudyRow, EstimateRow.study == StudyRow.id)
            .where(EstimateRow.encoder_id == encoder_id, *eligible(Filter(), access))
        )
        found: dict[StudyId, list[Estimate]] = {}
        with self._database.reading() as session:
            for study, quantity, value, spread in session.execute(query):
                estimate = Estimate(quantity=quantity, value=value, spread=spread)
                found.setdefault(StudyId(study), []).append(estimate)
        place = {quantity: n for n, quantity in enumerate(Quantity)}
        return {
            study: tuple(sorted(several, key=lambda e: place[e.quantity]))
            for study, several in found.items()
        }

    def machine_findings(
        self, study: StudyId, encoder_id: EncoderId, *, access: Access
    ) -> list[MachineFinding]:
        """What was written of one study by one encoder, by name and question."""
        query = select(MachineFindingRow).where(
            MachineFindingRow.study == study, MachineFindingRow.encoder_id == encoder_id
        )
        with self._database.reading() as session:
            _require(session, [study], access)
            found = [machine_finding_value(row) for row in session.scalars(query)]
        return sorted(found, key=lambda f: (f.name, f.question))

    def facets(self, where: Filter, *, access: Access) -> list[Counts]:
        """Counts for views, techniques, sexes, field strengths and vendors."""
        with self._database.reading() as session:
            return count_facets(session, where, access)

    def ledger(self, *, access: Access) -> list[Study]:
        """Every study that `access` may see, in every state, with its series, ordered by id."""
        with self._database.reading() as session:
            return sorted(_studies(session, visible(access)), key=lambda s: s.id)


def _studies(session: Session, conditions: Sequence[object]) -> Iterator[Study]:
    """Walk studies with their series, in two queries however many they are."""
    chosen = select(StudyRow).where(*conditions)  # pyright: ignore[reportArgumentType]
    ids = chosen.with_only_columns(StudyRow.id)
    series: dict[str, list[SeriesRow]] = {}
    for row in session.scalars(
        select(SeriesRow)
        .where(SeriesRow.study.in_(ids))
        .order_by(SeriesRow.study, SeriesRow.position)
    ):
        series.setdefault(row.study, []).append(row)
    for row in session.scalars(chosen):
        yield study_value(row, series.get(row.id, []))


def _require(session: Session, ids: Sequence[StudyId], access: Access) -> None:
    """Raise StudyNotFound for the first of `ids` that `access` may not see."""
    found: set[str] = set()
    for names in _chunks(sorted(set(ids))):
        found.update(
            session.scalars(select(StudyRow.id).where(StudyRow.id.in_(names), *visible(access)))
        )
    for study in ids:
        _seen(study, found)


def _seen(study: StudyId, found: dict[str, Study] | set[str]) -> StudyId:
    if study not in found:
        raise StudyNotFound(study)
    return study


def _place(clip: ClipRecord) -> tuple[int, int, str, int, str, str]:
    return (
        list(Technique).index(clip.technique),
        list(View).index(clip.view),
        clip.series,
        clip.slice_index,
        clip.variant,
        clip.id,
    )


def _chunks(names: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(names), _MOST_NAMES):
        yield names[start : start + _MOST_NAMES]
