"""Reciprocal rank fusion: one ranking out of several whose scores do not compare."""

from collections.abc import Sequence

from retrieval.values.study import StudyId

RRF_K = 60
"""Cormack, Clarke and Buettcher, SIGIR 2009: flat between 20 and 100."""


def fuse(*rankings: Sequence[StudyId]) -> list[tuple[StudyId, float]]:
    """Merge rankings, best first; equal sums in the order of the study's id.

    A study scores the sum of 1 / (`RRF_K` + rank), rank 1-based, over the
    rankings that have it.

    >>> fuse(["a", "b"], ["b"])[0][0]
    'b'
    """
    scores: dict[StudyId, float] = {}
    for ranking in rankings:
        for rank, study in enumerate(ranking, start=1):
            scores[study] = scores.get(study, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))
