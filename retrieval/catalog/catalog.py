"""The whole catalog, for the indexer: everything a reader may do, and writing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from retrieval.catalog import migrate
from retrieval.catalog.digest import digest_of
from retrieval.catalog.embedded import (
    forget_whole,
    mark_done,
    put_estimates,
    put_machine_findings,
    put_vectors,
    require_studies,
)
from retrieval.catalog.engine import Database
from retrieval.catalog.reader import SqlReader
from retrieval.catalog.rereading import put_statements, texts_of, to_read
from retrieval.catalog.rows import (
    clip_values,
    embeddings_value,
    file_values,
    finding_rows,
    measurement_rows,
    report_row,
    series_rows,
    study_row,
)
from retrieval.catalog.tables import (
    ClipRow,
    EmbeddedRow,
    EmbeddingRow,
    FileRow,
    ReportRow,
    SeriesRow,
    StudyRow,
    VersionRow,
)
from retrieval.catalog.versions import (
    arrived_before,
    chain_again,
    chains_of,
    known_in,
    studies_with,
)
from retrieval.errors import SchemaOutOfDate
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, EncoderId, Keys, StoredEmbedding, StoredEstimate
from retrieval.values.intake import FileSeen, StudyEntry
from retrieval.values.machine_finding import StoredMachineFinding
from retrieval.values.report import Report, Statements
from retrieval.values.study import State, StudyId

_BATCH = 4096
"""Vectors in one batch of a walk: 8 MiB at 512 dimensions."""


class SqlCatalog(SqlReader):
    """The catalog in one SQL database. Implements ports.Catalog.

    Safe to share between threads; not between processes, which open their own.
    """

    @classmethod
    def open(cls, url: str, *, migrate: bool) -> Self:
        """Open the catalog at `url` (sqlite:////path or postgresql://...).

        With `migrate` its schema is created or brought up to date first, and a
        missing folder for an SQLite file is made. Without, nothing is ever
        created.

        Raises
        ------
        SchemaOutOfDate
            The schema is not the one this code was written for (without
            `migrate`), or one from a newer CineSeek.
        CatalogUnusable
            The database cannot be opened or reached.
        UsageError
            The URL is no URL of SQLite or PostgreSQL.
        """
        database = Database(url)
        with ExitStack() as undo:
            undo.callback(database.close)
            _prepare(database, create=migrate)
            undo.pop_all()
        return cls(database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def put_study(self, entry: StudyEntry) -> None:
        """Record a study, its series, clips and files, replacing what was known of it.

        Embeddings of clips that are still there stay; others go, and with any
        change of the set of clips also those of the study as a whole and its
        estimates. A deleted study stays deleted.
        """
        study = entry.study.id
        with self._database.writing() as session:
            before = session.get(StudyRow, study)
            names = {study, entry.accession_key, before and before.accession_key}
            session.merge(study_row(entry))
            for row in series_rows(entry.study):
                session.merge(row)
            session.flush()
            _replace_clips(session, entry)
            session.execute(
                delete(SeriesRow).where(
                    SeriesRow.study == study,
                    SeriesRow.id.not_in([s.id for s in entry.study.series]),
                )
            )
            session.execute(delete(FileRow).where(FileRow.study == study))
            _put_files(session, entry.files)
            chain_again(session, names)

    def source_digests(self) -> dict[StudyId, tuple[State, str]]:
        """State and source digest of every study known, deleted ones too."""
        with self._database.reading() as session:
            query = select(StudyRow.id, StudyRow.state, StudyRow.source_digest)
            return {StudyId(s): (state, digest) for s, state, digest in session.execute(query)}

    def put_loose_files(self, files: Sequence[FileSeen]) -> None:
        """Record files that belong to no study (not DICOM, empty, ...)."""
        with self._database.writing() as session:
            _put_files(session, files)

    def file_counts(self) -> tuple[int, int, dict[str, int]]:
        """(used, unused, unused by reason) over the whole archive."""
        with self._database.reading() as session:
            grouped = select(FileRow.used, FileRow.reason, func.count()).group_by(
                FileRow.used, FileRow.reason
            )
            found = [(used, reason, n) for used, reason, n in session.execute(grouped)]
        reasons = {reason: n for used, reason, n in sorted(found) if not used}
        return sum(n for used, _, n in found if used), sum(reasons.values()), reasons

    def studies_of(self, accession_key: str) -> list[StudyId]:
        """Studies read under one accession number, by its keyed pseudonym, in order."""
        with self._database.reading() as session:
            return [StudyId(study) for study in studies_with(session, [accession_key])]

    def put_report(self, report: Report) -> str:
        """Keep a report: "matched", "unmatched" (no study yet) or "known" (no new version).

        Version and supersedes are set from what is already there: a later
        arrival supersedes the earlier ones of its study. A text that any
        version of that study's report already has makes no new version; the
        same text under the same names changes nothing, so that a file of
        reports can be given again.
        """
        with self._database.writing() as session:
            chains = chains_of(session, report)
            known = known_in(session, report.digest, chains)
            if arrived_before(session, report):
                return "known"
            row = report_row(report)
            session.add(row)
            session.flush()
            session.add_all(finding_rows(row.arrival, report.findings))
            session.add_all(measurement_rows(row.arrival, report.measurements))
            session.flush()
            chain_again(session, chains)
            if known:
                return "known"
            matched = select(StudyRow.id).where(StudyRow.id.in_(chains)).limit(1)
            return "unmatched" if session.scalar(matched) is None else "matched"

    def reports_to_read(self, reader: str) -> list[str]:
        """Digests of the texts that this reader has not read, each once, in order."""
        with self._database.reading() as session:
            return to_read(session, reader)

    def report_texts(self, digests: Sequence[str]) -> dict[str, str]:
        """Texts of reports by digest; at most 1000 at a time."""
        with self._database.reading() as session:
            return texts_of(session, digests)

    def put_statements(self, stated: Mapping[str, Statements]) -> None:
        """Replace what reports state, given by the digest of their text; texts stay."""
        with self._database.writing() as session:
            put_statements(session, stated)

    def studies_without(self, encoder_id: EncoderId) -> list[StudyId]:
        """Indexed studies whose clips, as they are now, this encoder has not been through."""
        done = select(EmbeddedRow.study).where(EmbeddedRow.encoder_id == encoder_id)
        query = select(StudyRow.id).where(
            StudyRow.state == State.INDEXED,
            StudyRow.deleted_at.is_(None),
            StudyRow.id.not_in(done),
        )
        with self._database.reading() as session:
            return sorted(StudyId(study) for study in session.scalars(query))

    def put_embeddings(
        self, rows: Sequence[StoredEmbedding], estimates: Sequence[StoredEstimate] = ()
    ) -> None:
        """Store vectors beside what they came from; a known key is left as it is.

        All vectors that one encoder makes of one study's clips, as they are
        now, come in one call: the study then counts as done for that encoder.
        Its estimates come with them, and go with the vector of the study as a
        whole; a quantity that is known of a study is left as it is.

        Raises
        ------
        StudyNotFound, ClipNotFound
            One belongs to a study or clip that is not (or no longer) here.
        """
        with self._database.writing() as session:
            put_vectors(session, rows)
            put_estimates(session, estimates)
            mark_done(session, {(row.study, row.encoder_id) for row in rows})

    def put_unembeddable(self, studies: Sequence[StudyId], encoder_id: EncoderId) -> None:
        """Note studies of which this encoder knows no clip: done, until their clips change."""
        with self._database.writing() as session:
            require_studies(session, set(studies))
            mark_done(session, {(study, encoder_id) for study in studies})

    def put_machine_findings(self, rows: Sequence[StoredMachineFinding]) -> None:
        """Store machine findings in place of all that their encoders wrote under their names."""
        with self._database.writing() as session:
            put_machine_findings(session, rows)

    def embeddings(self, encoder_id: EncoderId) -> Iterator[tuple[Keys, Embeddings]]:
        """Walk the current vectors of one encoder in key order, in batches.

        Vectors of deleted studies and studies not indexed are left out. All
        batches see the catalog at one moment, that of the first.
        """
        current = (
            select(EmbeddingRow)
            .join(StudyRow, EmbeddingRow.study == StudyRow.id)
            .where(
                EmbeddingRow.encoder_id == encoder_id,
                StudyRow.state == State.INDEXED,
                StudyRow.deleted_at.is_(None),
            )
            .order_by(EmbeddingRow.key)
            .limit(_BATCH)
        )
        last = -1
        with self._database.reading() as session:
            while rows := session.scalars(current.where(EmbeddingRow.key > last)).all():
                last = rows[-1].key
                keys = np.array([row.key for row in rows], dtype=np.int64)
                yield keys, embeddings_value(encoder_id, rows)
                session.expunge_all()

    def clip_ids(self) -> Iterator[ClipId]:
        """Walk every clip that a row names, those of deleted studies too, in order."""
        with self._database.reading() as session:
            for clip in session.scalars(select(ClipRow.id).order_by(ClipRow.id)):
                yield ClipId(clip)

    def counts(self) -> dict[str, int]:
        """Totals over the whole archive, deleted studies included.

        Keys: the five states, "clips", "embeddings" (of every encoder),
        "reports_seen" = "reports_matched" + "reports_unmatched", and
        "reports_superseded", which are among these: versions that are
        nowhere the newest.
        """
        with self._database.reading() as session:

            def total(query: object) -> int:
                return session.scalar(query) or 0  # pyright: ignore[reportCallIssue, reportArgumentType]

            states = select(StudyRow.state, func.count()).group_by(StudyRow.state)
            of_state = {str(state): n for state, n in session.execute(states)}
            studies = select(StudyRow.id)
            numbers = select(StudyRow.accession_key).where(StudyRow.accession_key.is_not(None))
            by_number = and_(ReportRow.study.is_(None), ReportRow.accession_key.in_(numbers))
            matched = select(ReportRow.arrival).where(or_(ReportRow.study.in_(studies), by_number))
            placed = select(VersionRow.report)
            newest = select(VersionRow.report).where(VersionRow.newest.is_(True))
            reports = select(func.count()).select_from(ReportRow)
            return {
                **{state.value: of_state.get(state.value, 0) for state in State},
                "clips": total(select(func.count()).select_from(ClipRow)),
                "embeddings": total(select(func.count()).select_from(EmbeddingRow)),
                "reports_seen": total(reports),
                "reports_matched": total(reports.where(ReportRow.arrival.in_(matched))),
                "reports_unmatched": total(reports.where(ReportRow.arrival.not_in(matched))),
                "reports_superseded": total(
                    reports.where(ReportRow.arrival.in_(placed), ReportRow.arrival.not_in(newest))
                ),
            }

    def set_deleted(self, studies: Iterable[StudyId], *, deleted: bool) -> None:
        """Take studies out of every answer, or back in; all of them or, if one is unknown, none.

        Raises
        ------
        StudyNotFound
            One of them is not here.
        """
        named = sorted(set(studies))
        when = func.coalesce(StudyRow.deleted_at, datetime.now(UTC)) if deleted else None
        with self._database.writing() as session:
            require_studies(session, set(named))
            for study in named:
                session.execute(
                    update(StudyRow).where(StudyRow.id == study).values(deleted_at=when)
                )

    def digest(self) -> str:
        """SHA-256 over all the catalog says, times and order of arrival left out."""
        with self._database.reading() as session:
            return digest_of(session)


def _prepare(database: Database, *, create: bool) -> None:
    if database.dialect == "sqlite":
        path = Path(str(database.url.database))
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.exists():  # opening it would create it
            raise SchemaOutOfDate(None, migrate.head())
    if create:
        migrate.upgrade(database)
    else:
        migrate.require_current(database)


def _replace_clips(session: Session, entry: StudyEntry) -> None:
    """Bring a study's clips to those of `entry`; a clip of the same id is the same clip."""
    study = entry.study.id
    before = set(session.scalars(select(ClipRow.id).where(ClipRow.study == study)))
    after = {clip.id: clip for clip in entry.clips}
    if before == set(after):
        return
    forget_whole(session, study)
    _each(session, delete(ClipRow).where(ClipRow.id == bindparam("one")), before - set(after))
    new = [clip_values(clip) for name, clip in sorted(after.items()) if name not in before]
    if new:
        session.execute(insert(ClipRow), new)


def _put_files(session: Session, files: Sequence[FileSeen]) -> None:
    """Record files, each once, replacing what was known of them wherever they belonged."""
    latest = {file.key: file for file in files}
    _each(session, delete(FileRow).where(FileRow.key == bindparam("one")), latest)
    if latest:
        session.execute(insert(FileRow), [file_values(file) for file in latest.values()])


def _each(session: Session, statement: object, values: Iterable[str]) -> None:
    """Run a Core statement once per value of its parameter `one`, as one batch."""
    batch = [{"one": value} for value in sorted(values)]
    if batch:
        session.connection().execute(statement, batch)  # pyright: ignore[reportArgumentType, reportCallIssue]
