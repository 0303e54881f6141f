"""Reciprocal rank fusion: one ranking out of several whose scores do not compare."""

from collections.abc import Mapping, Sequence

from retrieval.values.study import StudyId

RRF_K = 60
"""Cormack, Clarke and Buettcher, SIGIR 2009: flat between 20 and 100."""


def fuse(*rankings: Mapping[StudyId, int]) -> list[tuple[StudyId, float]]:
    """Merge rankings, best first; equal sums in the order of the study's id.

    A study scores the sum of 1 / (`RRF_K` + rank), rank 1-based, over the
    rankings that have it. Studies may share a rank.

    >>> fuse(ranks(["a", "b"]), {"b": 1})[0][0]
    'b'
    """
    scores: dict[StudyId, float] = {}
    for ranking in rankings:
        for study, rank in ranking.items():
            scores[study] = scores.get(study, 0.0) + 1 / (RRF_K + rank)
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))


def ranks(ordered: Sequence[StudyId]) -> dict[StudyId, int]:
    """Ranks of studies in order, the best first."""
    return {study: rank for rank, study in enumerate(ordered, start=1)}


def shared_ranks(scores: Mapping[StudyId, float]) -> dict[StudyId, int]:
    """Ranks by score; equal scores share the better rank: 1, 1, 3."""
    better: dict[float, int] = {}
    for place, score in enumerate(sorted(scores.values(), reverse=True), start=1):
        better.setdefault(score, place)
    return {study: better[score] for study, score in scores.items()}


def merge(
    rankings: Mapping[str, Mapping[StudyId, float]], demoted: Mapping[StudyId, int]
) -> list[tuple[StudyId, float]]:
    """One ranking keeps its scores, several are fused; the more demoted, the later."""
    if len(rankings) == 1:
        (scores,) = rankings.values()
        merged = list(scores.items())
    else:
        merged = fuse(*(shared_ranks(scores) for scores in rankings.values()))
    return sorted(merged, key=lambda item: demoted.get(item[0], 0))
