"""The video channel: studies ranked by vectors, evidence from the vectors of their clips."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from retrieval.ports import VectorIndex
from retrieval.search.members import Studies, bitmap_of
from retrieval.search.roster import Roster
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, Mask, Neighbours, unit_rows
from retrieval.values.study import StudyId


class Pool:
    """The vectors that may answer one query.

    A study that has a vector of its own competes with that one, any other with
    each of its clips, of which the best counts.

    Parameters
    ----------
    index
        Where the vectors are.
    roster
        Whose they are.
    rows
        (N,) those that passed filter and permissions.
    """

    def __init__(self, index: VectorIndex, roster: Roster, rows: Mask) -> None:
        self._index = index
        self._roster = roster
        self._rows = rows

    def studies(self) -> Studies:
        """The studies that at least one vector speaks for."""
        return Studies(self._roster, self._roster.having(self._rows))

    def nearest(self, query: Embeddings, limit: int | None) -> list[tuple[StudyId, float]]:
        """Rank studies for one query vector, the best `limit` of them (None: all).

        Equal scores are in the order of the keys (design: one order).
        """
        competing = self._rows & self._roster.competing
        k = limit
        while True:
            (found,) = self._index.search(query, k=k, allowed=competing)
            owners, scores, _ = self._best(found)
            if k is None or len(found) < k or limit is None or len(owners) >= limit:
                return [
                    (self._roster.ids[owner], score)
                    for owner, score in zip(owners[:limit], scores[:limit], strict=True)
                ]
            k *= 4  # several clips of one study stood in the way of others

    def best_clips(
        self, query: Embeddings, studies: Collection[StudyId]
    ) -> dict[StudyId, tuple[ClipId, float]]:
        """The clip of each study that is nearest to the query, with its own score.

        Only clips that met the filter compete; studies of which no clip has a
        vector are missing from the answer.
        """
        clips = self._rows & ~self._roster.whole
        clips &= self._roster.of(bitmap_of(self._roster, studies))
        (found,) = self._index.search(query, k=None, allowed=clips)
        return {
            self._roster.ids[owner]: (ClipId(clip.decode("ascii")), score)
            for owner, score, clip in zip(*self._best(found), strict=True)
        }

    def scores(self, query: Embeddings, studies: Collection[StudyId]) -> dict[StudyId, float]:
        """Score some studies as `nearest` does; those without a vector are left out."""
        rows = self._rows & self._roster.competing
        rows &= self._roster.of(bitmap_of(self._roster, studies))
        (found,) = self._index.search(query, k=None, allowed=rows)
        owners, scores, _ = self._best(found)
        return {self._roster.ids[n]: score for n, score in zip(owners, scores, strict=True)}

    def each(self, query: Embeddings) -> list[tuple[ClipId | None, float]]:
        """Score every vector, the best first: its clip, or None for a study as a whole."""
        (found,) = self._index.search(query, k=None, allowed=self._rows)
        rows = np.searchsorted(self._index.keys, found.keys)
        named = zip(
            self._roster.clips[rows].tolist(), self._roster.whole[rows].tolist(), strict=True
        )
        return [
            (None if whole else ClipId(clip.decode("ascii")), score)
            for (clip, whole), score in zip(named, found.scores.tolist(), strict=True)
        ]

    def vector_of(self, study: StudyId) -> Embeddings | None:
        """The study's own vector, else the mean direction of its clips; None if there is none."""
        its = self._rows & self._roster.of(bitmap_of(self._roster, [study]))
        own = its & self._roster.whole
        keys = self._index.keys[own if own.any() else its]
        if not len(keys):
            return None
        rows = self._index.vectors(keys).vectors
        return Embeddings(self._index.encoder_id, unit_rows(rows.mean(axis=0, keepdims=True)))

    def vectors_of_studies(self) -> dict[StudyId, NDArray[np.float32]]:
        """What `vector_of` says of every study that has a vector, by study, in order."""
        rows = np.flatnonzero(self._rows & self._roster.competing)
        if not len(rows):
            return {}
        vectors = self._index.vectors(self._index.keys[rows]).vectors.astype(np.float64)
        owners, of, counts = np.unique(
            self._roster.owners[rows], return_inverse=True, return_counts=True
        )
        sums = np.zeros((len(owners), vectors.shape[1]))
        np.add.at(sums, of, vectors)
        means = unit_rows(sums / counts[:, None])
        named = zip((self._roster.ids[owner] for owner in owners.tolist()), means, strict=True)
        return dict(sorted(named, key=lambda item: item[0]))

    def _best(self, found: Neighbours) -> tuple[list[int], list[float], list[bytes]]:
        """Each study's first place: its number, its score and the clip that was found."""
        rows = np.searchsorted(self._index.keys, found.keys)
        _, first = np.unique(self._roster.owners[rows], return_index=True)
        first.sort()
        rows = rows[first]
        return (
            self._roster.owners[rows].tolist(),
            found.scores[first].tolist(),
            self._roster.clips[rows].tolist(),
        )
