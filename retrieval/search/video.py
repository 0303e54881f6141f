"""The video channel: studies ranked by vectors, evidence from the vectors of their clips."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from retrieval.ports import VectorIndex
from retrieval.search.collapse import copies
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, Keys, unit_rows
from retrieval.values.study import StudyId

Owner = tuple[StudyId, ClipId | None]
"""Whom a vector belongs to: a study as a whole, or one of its clips."""


class Pool:
    """The vectors that may answer one query.

    A study that has a vector of its own competes with that one, any other with
    each of its clips, of which the best counts.

    Parameters
    ----------
    index
        Where the vectors are.
    owners
        Embedding keys that passed filter and permissions. Those that the index
        does not hold (embedded after it was published) are left out.
    """

    def __init__(self, index: VectorIndex, owners: Mapping[int, Owner]) -> None:
        self._index = index
        held = index.known(_keys(owners)).tolist()
        self._owners = {key: owners[key] for key in held}
        whole = {study for study, clip in self._owners.values() if clip is None}
        self._competing = _keys(
            key for key, (study, clip) in self._owners.items() if clip is None or study not in whole
        )

    def studies(self) -> frozenset[StudyId]:
        """The studies that at least one vector speaks for."""
        return frozenset(study for study, _ in self._owners.values())

    def nearest(self, query: Embeddings, limit: int | None) -> list[tuple[StudyId, float]]:
        """Rank studies for one query vector, the best `limit` of them (None: all).

        Equal scores are in the order of the keys (design: one order).
        """
        k = limit
        while True:
            (found,) = self._index.search(query, k=k, allowed=self._competing)
            best: dict[StudyId, float] = {}
            for key, score in zip(found.keys.tolist(), found.scores.tolist(), strict=True):
                best.setdefault(self._owners[key][0], score)
            if k is None or len(found) < k or limit is None or len(best) >= limit:
                return list(best.items())[:limit]
            k *= 4  # several clips of one study stood in the way of others

    def best_clips(
        self, query: Embeddings, studies: Collection[StudyId]
    ) -> dict[StudyId, tuple[ClipId, float]]:
        """The clip of each study that is nearest to the query, with its own score.

        Only clips that met the filter compete; studies of which no clip has a
        vector are missing from the answer.
        """
        wanted = frozenset(studies)
        clips = {k: (s, c) for k, (s, c) in self._owners.items() if c is not None and s in wanted}
        (found,) = self._index.search(query, k=None, allowed=_keys(clips))
        best: dict[StudyId, tuple[ClipId, float]] = {}
        for key, score in zip(found.keys.tolist(), found.scores.tolist(), strict=True):
            study, clip = clips[key]
            best.setdefault(study, (clip, score))
        return best

    def scores(self, query: Embeddings, studies: Collection[StudyId]) -> dict[StudyId, float]:
        """Score some studies as `nearest` does; those without a vector are left out."""
        wanted = frozenset(studies)
        keys = _keys(key for key in self._competing.tolist() if self._owners[key][0] in wanted)
        (found,) = self._index.search(query, k=None, allowed=keys)
        best: dict[StudyId, float] = {}
        for key, score in zip(found.keys.tolist(), found.scores.tolist(), strict=True):
            best.setdefault(self._owners[key][0], score)
        return best

    def copies(self) -> list[tuple[StudyId, StudyId]]:
        """Pairs of studies whose own vectors are practically equal."""
        own = {key: study for key, (study, clip) in self._owners.items() if clip is None}
        if len(own) < 2:
            return []
        return copies(list(own.values()), self._index.vectors(_keys(own)).vectors)

    def vector_of(self, study: StudyId) -> Embeddings | None:
        """The study's own vector, else the mean direction of its clips; None if there is none."""
        own = _keys(key for key, (s, c) in self._owners.items() if s == study and c is None)
        keys = own if len(own) else _keys(k for k, (s, _) in self._owners.items() if s == study)
        if not len(keys):
            return None
        rows = self._index.vectors(keys).vectors
        return Embeddings(self._index.encoder_id, unit_rows(rows.mean(axis=0, keepdims=True)))

    def vectors_of_studies(self) -> dict[StudyId, NDArray[np.float32]]:
        """What `vector_of` says of every study that has a vector, by study, in order."""
        owners = [self._owners[key][0] for key in self._competing.tolist()]
        if not owners:
            return {}
        rows = self._index.vectors(self._competing).vectors.astype(np.float64)
        studies, of, counts = np.unique(owners, return_inverse=True, return_counts=True)
        sums = np.zeros((len(studies), rows.shape[1]))
        np.add.at(sums, of, rows)
        means = unit_rows(sums / counts[:, None])
        return dict(zip(map(StudyId, studies.tolist()), means, strict=True))


def _keys(keys: Iterable[int]) -> Keys:
    return np.fromiter(keys, dtype=np.int64)
