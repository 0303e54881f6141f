"""What encoders made of studies: kept beside what it came from, gone when that changes."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from retrieval.catalog.rows import embedding_values, estimate_values, machine_finding_values
from retrieval.catalog.tables import (
    ClipRow,
    EmbeddedRow,
    EmbeddingRow,
    EstimateRow,
    MachineFindingRow,
    StudyRow,
)
from retrieval.errors import ClipNotFound, StudyNotFound
from retrieval.values.clip import ClipId
from retrieval.values.embedding import EncoderId, StoredEmbedding, StoredEstimate
from retrieval.values.machine_finding import StoredMachineFinding
from retrieval.values.study import StudyId


def put_vectors(session: Session, rows: Sequence[StoredEmbedding]) -> None:
    """Store vectors; a known key is left as it is.

    Raises
    ------
    StudyNotFound, ClipNotFound
        A vector belongs to a study or clip that is not (or no longer) here.
    """
    _require_sources(session, rows)
    known = _known_keys(session, {row.study for row in rows})
    new = {int(row.key): row for row in rows if row.key not in known}
    if new:
        session.execute(insert(EmbeddingRow), [embedding_values(row) for row in new.values()])


def put_estimates(session: Session, rows: Sequence[StoredEstimate]) -> None:
    """Store estimates; a quantity that is known of a study is left as it is.

    Raises
    ------
    StudyNotFound
        An estimate belongs to a study that is not here.
    """
    studies = {row.study for row in rows}
    require_studies(session, studies)
    known = _known_quantities(session, studies)
    new: dict[tuple[str, str, str], StoredEstimate] = {}
    for row in rows:
        name = (row.encoder_id, row.study, row.estimate.quantity)
        if name not in known:
            new.setdefault(name, row)
    if new:
        session.execute(insert(EstimateRow), [estimate_values(row) for row in new.values()])


def put_machine_findings(session: Session, rows: Sequence[StoredMachineFinding]) -> None:
    """Store machine findings in place of all that their encoders wrote under their names.

    Raises
    ------
    StudyNotFound
        A finding belongs to a study that is not here.
    """
    require_studies(session, {row.study for row in rows})
    for encoder_id, name in sorted({(row.encoder_id, row.finding.name) for row in rows}):
        session.execute(
            delete(MachineFindingRow).where(
                MachineFindingRow.encoder_id == encoder_id, MachineFindingRow.name == name
            )
        )
    if rows:
        session.execute(insert(MachineFindingRow), [machine_finding_values(row) for row in rows])


def mark_done(session: Session, pairs: Iterable[tuple[StudyId, EncoderId]]) -> None:
    """Note that an encoder has been through a study's clips as they are now."""
    for study, encoder_id in sorted(pairs):
        session.merge(EmbeddedRow(study=study, encoder_id=encoder_id))


def forget_whole(session: Session, study: StudyId) -> None:
    """Drop all that was made of a study as a whole: its set of clips has changed."""
    session.execute(
        delete(EmbeddingRow).where(EmbeddingRow.study == study, EmbeddingRow.clip.is_(None))
    )
    session.execute(delete(EstimateRow).where(EstimateRow.study == study))
    session.execute(delete(MachineFindingRow).where(MachineFindingRow.study == study))
    session.execute(delete(EmbeddedRow).where(EmbeddedRow.study == study))


def require_studies(session: Session, studies: Iterable[StudyId]) -> None:
    """Raise StudyNotFound for the first of `studies` that is not here."""
    for study in sorted(studies):
        if session.scalar(select(StudyRow.id).where(StudyRow.id == study)) is None:
            raise StudyNotFound(study)


def _require_sources(session: Session, rows: Sequence[StoredEmbedding]) -> None:
    """Raise unless every vector's study is here, and its clip is one of that study."""
    clips: set[tuple[StudyId, ClipId | None]] = set()
    studies = {row.study for row in rows}
    require_studies(session, studies)
    for study in studies:
        query = select(ClipRow.id).where(ClipRow.study == study)
        clips.update((study, ClipId(clip)) for clip in session.scalars(query))
    for row in rows:
        if row.clip is not None and (row.study, row.clip) not in clips:
            raise ClipNotFound(row.clip)


def _known_keys(session: Session, studies: Iterable[StudyId]) -> set[int]:
    known: set[int] = set()
    for study in studies:
        known.update(session.scalars(select(EmbeddingRow.key).where(EmbeddingRow.study == study)))
    return known


def _known_quantities(session: Session, studies: Iterable[StudyId]) -> set[tuple[str, str, str]]:
    name = (EstimateRow.encoder_id, EstimateRow.study, EstimateRow.quantity)
    known: set[tuple[str, str, str]] = set()
    for study in studies:
        found = session.execute(select(*name).where(EstimateRow.study == study))
        known.update((encoder_id, of, quantity) for encoder_id, of, quantity in found)
    return known
