"""How good a ranking is. Ties count as what they are: an order that nobody decided.

Every number is the expected value over a random order of the studies that
share a score. For one relevant study this makes its rank the mean of the
ranks it ties for; constant scores give what chance gives; and both directions
of a comparison are treated alike. Studies that a ranking leaves out tie for
last.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LAST = -np.inf
"""The score of a study that was not ranked."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """A ranking as groups of equal scores, best first.

    Attributes
    ----------
    before
        (G,) studies ranked above the group.
    size
        (G,) studies in the group.
    relevant
        (G,) how many of those are relevant.
    """

    before: NDArray[np.float64]
    size: NDArray[np.float64]
    relevant: NDArray[np.float64]


def groups(scores: ArrayLike, relevant: ArrayLike) -> Groups:
    """Group studies by score.

    Parameters
    ----------
    scores
        (N,) numbers, larger is better; `LAST` for a study that was not ranked.
    relevant
        (N,) booleans, at least one of them true.
    """
    values, truth = np.asarray(scores, dtype=float), np.asarray(relevant, dtype=bool)
    if values.shape != truth.shape or values.ndim != 1:
        raise ValueError(f"scores {values.shape} and relevance {truth.shape} must be of one length")
    if not truth.any():
        raise ValueError("no study is relevant, so no ranking is better than another")
    _, place, sizes = np.unique(-values, return_inverse=True, return_counts=True)
    size = sizes.astype(float)
    counts = np.bincount(place, weights=truth, minlength=len(size)).astype(float)
    return Groups(before=np.cumsum(size) - size, size=size, relevant=counts)


def found_at(ranking: Groups, k: int) -> float:
    """Expected number of relevant studies among the first k."""
    share = np.clip((k - ranking.before) / ranking.size, 0, 1)
    return float(share @ ranking.relevant)


def recall_at(ranking: Groups, k: int) -> float:
    """Share of the relevant studies that are among the first k.

    With a single relevant study this is the published R@k.
    """
    return found_at(ranking, k) / float(ranking.relevant.sum())


def precision_at(ranking: Groups, k: int) -> float:
    """Share of the first k that are relevant; k is the divisor even of a shorter ranking."""
    return found_at(ranking, k) / k


def first_rank(ranking: Groups) -> float:
    """Expected 1-based rank of the first relevant study.

    The least of r draws without replacement from 1..s is (s + 1) / (r + 1) on average.
    """
    first = int(np.flatnonzero(ranking.relevant)[0])
    size, relevant = ranking.size[first], ranking.relevant[first]
    return float(ranking.before[first] + (size + 1) / (relevant + 1))


def reciprocal_rank(ranking: Groups) -> float:
    """Expected reciprocal of the rank of the first relevant study."""
    first = int(np.flatnonzero(ranking.relevant)[0])
    before = ranking.before[first]
    size, relevant = int(ranking.size[first]), int(ranking.relevant[first])
    total, none_yet = 0.0, 1.0
    for place in range(1, size - relevant + 2):
        here = relevant / (size - place + 1)
        total += none_yet * here / (before + place)
        none_yet *= 1 - here
    return float(total)


def ndcg_at(ranking: Groups, k: int) -> float:
    """Normalised discounted cumulative gain of the first k; gains 0 or 1, discount log2(1 + rank).

    Järvelin and Kekäläinen, ACM TOIS 2002;20:422.
    """
    ranks = np.arange(1, k + 1)
    discounts = 1 / np.log2(1 + ranks)
    group = np.searchsorted(ranking.before, ranks - 1, side="right") - 1
    inside = ranks <= ranking.size.sum()
    gains = np.where(inside, (ranking.relevant / ranking.size)[group], 0)
    ideal = discounts[: int(min(k, ranking.relevant.sum()))].sum()
    return float(gains @ discounts / ideal)


def graded_ndcg_at(scores: ArrayLike, grades: ArrayLike, k: int) -> float:
    """Like `ndcg_at`, the gain of a study being its grade.

    Parameters
    ----------
    scores
        (N,) numbers, larger is better; `LAST` for a study that was not ranked.
    grades
        (N,) numbers of 0 or more, at least one above 0.
    """
    values, gains = np.asarray(scores, dtype=float), np.asarray(grades, dtype=float)
    if not gains.any():
        raise ValueError("every grade is 0, so no ranking is better than another")
    _, place, sizes = np.unique(-values, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=gains) / sizes
    expected = np.repeat(mean, sizes)[:k]
    discounts = 1 / np.log2(1 + np.arange(1, len(expected) + 1))
    ideal = np.sort(gains)[::-1][:k]
    return float(expected @ discounts / (ideal @ discounts))


def area_under_roc(ranking: Groups) -> float:
    """Chance that a relevant study scores above one that is not, ties counting half.

    NaN where every study is relevant.
    """
    others = ranking.size - ranking.relevant
    below = others.sum() - np.cumsum(others)
    pairs = ranking.relevant.sum() * others.sum()
    if not pairs:
        return float("nan")
    return float(ranking.relevant @ (below + others / 2) / pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Retrieval where each query has one right answer.

    Attributes
    ----------
    recall
        Share of queries whose answer is among the first k, by k.
    median_rank, mean_rank
        1-based, over queries.
    """

    recall: dict[int, float]
    median_rank: float
    mean_rank: float


def paired(similarity: NDArray[np.floating], *, ks: tuple[int, ...] = (1, 5, 10, 50)) -> Paired:
    """Score (Q, N) similarities where candidate i answers query i.

    For the other direction give the transpose.
    """
    rankings = [groups(row, np.arange(len(row)) == i) for i, row in enumerate(similarity)]
    ranks = [first_rank(r) for r in rankings]
    return Paired(
        recall={k: float(np.mean([recall_at(r, k) for r in rankings])) for k in ks},
        median_rank=float(np.median(ranks)),
        mean_rank=float(np.mean(ranks)),
    )
