"""Studies as one encoder sees them: the published index, or vectors made for one evaluation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.metrics import LAST
from retrieval.evaluation.scores import Ranks
from retrieval.ports import CatalogReader, ClipStore, TextEncoder, VectorIndex, VideoEncoder
from retrieval.search.moments import Moments
from retrieval.search.searcher import Order
from retrieval.values.clip import Clip
from retrieval.values.embedding import EncoderId, StudyEmbedding, unit_rows
from retrieval.values.estimate import Estimate
from retrieval.values.query import Access, Channel, Filter, Query
from retrieval.values.study import StudyId


class Encoder(TextEncoder, VideoEncoder, Protocol):
    """Words and hearts in one space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an encoder makes of studies.

    Attributes
    ----------
    ranks
        Answers queries in words.
    vectors
        One of length 1 per study that has any: its own, or the mean direction
        of its clips'.
    estimates
        What the encoder estimates of each study, where it does.
    """

    encoder_id: EncoderId
    ranks: Ranks
    vectors: Mapping[StudyId, NDArray[np.float32]]
    estimates: Mapping[StudyId, tuple[Estimate, ...]]

    def scores(
        self, texts: Sequence[str], studies: Sequence[StudyId], *, access: Access
    ) -> NDArray[np.float64]:
        """(T, N) score of each study for each text; `LAST` for one that is not ranked."""
        rows: list[list[float]] = []
        for text in texts:
            query = Query(text=text, literal=True, limit=None, channel=Channel.VIDEO)
            found = dict(self.ranks.rank(query, access=access).studies)
            rows.append([found.get(study, LAST) for study in studies])
        return np.array(rows, dtype=float).reshape(len(texts), len(studies))


def published(
    ranks: Ranks,
    index: VectorIndex,
    catalog: CatalogReader,
    studies: Iterable[StudyId],
    *,
    access: Access,
) -> Seen:
    """See studies through the live generation, as a search does."""
    asked = frozenset(studies)
    pool = Moments(index, catalog).now(access).pool(Filter(), asked)
    estimates = catalog.estimates(index.encoder_id, access=access)
    return Seen(
        encoder_id=index.encoder_id,
        ranks=ranks,
        vectors=pool.vectors_of_studies(),
        estimates={study: its for study, its in estimates.items() if study in asked},
    )


def embedded(
    encoders: Sequence[Encoder],
    studies: Iterable[StudyId],
    catalog: CatalogReader,
    store: ClipStore,
    *,
    access: Access,
) -> list[Seen]:
    """Embed studies by each encoder, for this once; each study's clips are read once."""
    found: list[list[StudyEmbedding]] = [[] for _ in encoders]
    asked = list(studies)
    for study in asked:
        records = catalog.clips(study, access=access)
        clips = {r.id: store.read(r.id) for r in records if any(e.sees(r) for e in encoders)}
        for encoder, its in zip(encoders, found, strict=True):
            its += embed_one(encoder, list(clips.values()))
    return [
        from_embeddings(encoder, its, eligible=len(asked))
        for encoder, its in zip(encoders, found, strict=True)
    ]


def embed_one(encoder: VideoEncoder, clips: Sequence[Clip]) -> list[StudyEmbedding]:
    """Embed one study; nothing comes of one that has no clip this encoder can use."""
    usable = [clip for clip in clips if encoder.sees(clip.record)]
    return encoder.encode_studies([usable]) if usable else []


def from_embeddings(
    encoder: TextEncoder, embeddings: Iterable[StudyEmbedding], *, eligible: int
) -> Seen:
    """See studies through vectors that are at hand, of so many that could have one."""
    made = list(embeddings)
    rows = {e.study: _rows(e) for e in made}
    return Seen(
        encoder_id=encoder.encoder_id,
        ranks=_InMemory(encoder, rows, eligible),
        vectors={study: unit_rows(r.mean(axis=0, keepdims=True))[0] for study, r in rows.items()},
        estimates={e.study: e.estimates for e in made if e.estimates},
    )


def _rows(embedding: StudyEmbedding) -> NDArray[np.float64]:
    """(M, D) the vectors that compete for a study: its own, else its clips' (`search.video`)."""
    whole = embedding.whole
    rows = list(embedding.clips.values()) if whole is None else [whole]
    return np.stack(rows).astype(np.float64)


class _InMemory:
    """Ranks by exact dot products, rounded as every index rounds; equal scores by study."""

    def __init__(
        self,
        encoder: TextEncoder,
        rows: Mapping[StudyId, NDArray[np.float64]],
        eligible: int,
    ) -> None:
        self._encoder = encoder
        self._rows = rows
        self._eligible = eligible

    def rank(self, query: Query, *, access: Access) -> Order:  # noqa: ARG002 - the embedder's
        """Rank every study that was embedded."""
        text = self._encoder.encode_texts([query.text]).vectors[0].astype(np.float64)
        scored = {study: round(float((r @ text).max()), 6) for study, r in self._rows.items()}
        best = sorted(scored.items(), key=lambda pair: (-pair[1], pair[0]))
        return Order(
            studies=tuple(best[: query.limit]),
            eligible=self._eligible,
            missing=self._eligible - len(best),
        )
