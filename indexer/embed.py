"""Embed every study that an encoder has not seen as it is now."""

from dataclasses import dataclass

from indexer.progress import Report as Progress
from retrieval.ports import Catalog, ClipStore, VideoEncoder
from retrieval.values.clip import Clip, ClipId
from retrieval.values.embedding import estimate_rows_of, rows_of
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import StudyId

BATCH = 4
"""Studies embedded, and committed, together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """What one embedding run did.

    Attributes
    ----------
    studies, vectors
        Studies embedded and vectors stored.
    unseen
        Indexed studies found to have no clip that this encoder can use; they
        are not asked about again until their clips change.
    """

    studies: int
    vectors: int
    unseen: tuple[StudyId, ...]


def embed(
    catalog: Catalog, clips: ClipStore, encoder: VideoEncoder, *, progress: Progress
) -> Embedded:
    """Embed what is missing, a few studies at a time, each batch one transaction."""
    missing = catalog.studies_without(encoder.encoder_id)
    usable = {study: _usable(study, catalog, encoder) for study in missing}
    unseen = tuple(study for study, ids in usable.items() if not ids)
    todo = [study for study, ids in usable.items() if ids]
    catalog.put_unembeddable(unseen, encoder.encoder_id)
    vectors = 0
    progress(0, len(todo))
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        inputs: list[list[Clip]] = [[clips.read(clip) for clip in usable[s]] for s in batch]
        said = encoder.encode_studies(inputs)
        rows = [row for e in said for row in rows_of(e)]
        catalog.put_embeddings(rows, [row for e in said for row in estimate_rows_of(e)])
        vectors += len(rows)
        progress(start + len(batch), len(todo))
    return Embedded(studies=len(todo), vectors=vectors, unseen=unseen)


def _usable(study: StudyId, catalog: Catalog, encoder: VideoEncoder) -> list[ClipId]:
    records = catalog.clips(study, access=LOCAL_OPERATOR)
    return [record.id for record in records if encoder.sees(record)]
