"""Why a study answers a query: its clips' own scores, and what in a clip they come from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from retrieval.errors import UsageError
from retrieval.geometry.heart import Point, heart_centre
from retrieval.ports import CatalogReader, ClipStore, VariantEncoder, VectorIndex, VideoEncoder
from retrieval.search.occlusion import COARSE, FINE, Grid, Reencoded, occlude
from retrieval.search.representative import meets, representative
from retrieval.search.searcher import Searcher
from retrieval.search.verdicts import shown_by
from retrieval.values.clip import Clip, ClipId, ClipRecord
from retrieval.values.embedding import Embeddings
from retrieval.values.occlusion import Occlusion
from retrieval.values.query import Access, Filter, Query
from retrieval.values.study import Study, StudyId, Technique, View

REMEMBERED = 64
"""Maps that are kept: a page asks for the same one again whenever anything on it is clicked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewScore:
    """How well one view by one technique matches the query.

    Attributes
    ----------
    clip
        The best of its clips, by whose cosine with the query it stands.
    clips
        How many of its clips have a score.
    """

    view: View
    technique: Technique
    clip: ClipRecord
    score: float
    clips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What speaks for a study, by images.

    Attributes
    ----------
    carried_by
        The clip that a search shows as evidence.
    score
        That clip's cosine with the query; None where the encoder gives clips no vector.
    whole
        The study's own cosine; None where the encoder gives it no vector.
    views
        The study's views and techniques, best first; none where clips have no vector.
    """

    study: Study
    carried_by: ClipRecord
    score: float | None
    whole: float | None
    views: tuple[ViewScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """What hiding parts of a clip does, and where its study's heart is.

    Attributes
    ----------
    centre
        (3,) mm; the middle of the study's previews.
    """

    occlusion: Occlusion
    centre: Point


class Explainer:
    """Says why studies answer a query, each as far as one reader may see it.

    Parameters
    ----------
    searcher
        Whose answers are explained.
    encoder
        The one that made the index.

    Raises
    ------
    EncoderMismatch
        It is not.
    """

    def __init__(
        self,
        searcher: Searcher,
        encoder: VideoEncoder,
        index: VectorIndex,
        catalog: CatalogReader,
        clips: ClipStore,
    ) -> None:
        self._searcher = searcher
        self._index = index
        self._catalog = catalog
        self._clips = clips
        quick = isinstance(encoder, VariantEncoder)
        self._encoder: VariantEncoder = encoder if quick else Reencoded(encoder)
        self._grid: Grid = FINE if quick else COARSE
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._map)

    def why(self, study: StudyId, query: Query, *, access: Access) -> Why:
        """Score a study's clips for a query, from the index.

        Raises
        ------
        StudyNotFound
            There is no such study that `access` may see.
        UsageError
            The query asks nothing of the images, or the study has no vectors
            in this generation.
        """
        found = self._catalog.study(study, access=access)
        planned, where, direction = self._searcher.aim(query, access=access)
        whole, scored = self._scores(found, direction, access)
        records = self._catalog.clips(study, access=access)
        by_id = {clip.id: clip for clip in records}
        ranked = [(by_id[clip], score) for clip, score in scored]
        showing = shown_by(planned.wanted)
        fitting = [one for one in ranked if meets(one[0], where)] or ranked
        fitting = [one for one in fitting if one[0].technique in showing] or fitting
        carried = fitting[0] if fitting else (representative(study, records, Filter()), None)
        return Why(
            study=found,
            carried_by=carried[0],
            score=carried[1],
            whole=whole,
            views=_by_view(ranked),
        )

    def map(self, study: StudyId, clip: ClipId, query: Query, *, access: Access) -> Map:
        """Hide parts of one of a study's clips, and score it again for a query.

        Raises
        ------
        StudyNotFound
            There is no such study that `access` may see.
        UsageError
            The study has no such clip, or the query asks nothing of the images.
        UnusableSeries
            The encoder does not look at that clip.
        """
        records = self._catalog.clips(study, access=access)
        if clip not in {record.id for record in records}:
            raise UsageError(
                f"study {study} has no clip {clip}; `cineseek show` lists those it has"
            )
        _, _, direction = self._searcher.aim(query, access=access)
        ids = tuple(record.id for record in records)
        return self._remembered(ids, clip, direction.vectors.tobytes())

    def _map(self, ids: tuple[ClipId, ...], of: ClipId, direction: bytes) -> Map:
        clips = [self._clips.read(one) for one in ids]
        vector = np.frombuffer(direction, np.float32)[None].copy()
        asked = Embeddings(self._index.encoder_id, vector)
        return hidden(self._encoder, clips, of, asked, self._grid)

    def _scores(
        self, study: Study, direction: Embeddings, access: Access
    ) -> tuple[float | None, list[tuple[ClipId, float]]]:
        """The study's own score, and its clips' best first."""
        scored = self._searcher.vectors_of(study.id, access=access).each(direction)
        if not scored:
            raise UsageError(
                f"study {study.id} ({study.state}) has no vector in generation "
                f"{self._index.generation}; choose an indexed study, or publish anew"
            )
        clips = [(clip, score) for clip, score in scored if clip is not None]
        return next((score for clip, score in scored if clip is None), None), clips


def hidden(
    encoder: VariantEncoder,
    clips: Sequence[Clip],
    of: ClipId,
    direction: Embeddings,
    grid: Grid,
) -> Map:
    """Draw a map around the middle that the study's previews have."""
    centre = heart_centre(clips)
    occlusion = occlude(encoder, clips, of, direction, centre=centre, grid=grid)
    return Map(occlusion=occlusion, centre=centre)


def _by_view(ranked: Sequence[tuple[ClipRecord, float]]) -> tuple[ViewScore, ...]:
    groups: dict[tuple[View, Technique], list[tuple[ClipRecord, float]]] = {}
    for clip, score in ranked:
        groups.setdefault((clip.view, clip.technique), []).append((clip, score))
    return tuple(
        ViewScore(view=view, technique=technique, clip=best[0], score=best[1], clips=len(group))
        for (view, technique), group in groups.items()
        for best in group[:1]
    )
