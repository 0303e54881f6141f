"""Numbers over many resamplings of the same studies at once.

A resampling is a row of weights: how often each study was drawn. Scores are
sorted once, ties stand together, and every row is then a sum along that order.
With all weights 1 each number is the one of `retrieval.evaluation.metrics`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]

DRAWS = 2000
"""Resamplings behind an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number and its 95 % interval (low to high), by percentile bootstrap (Efron 1979).

    What was drawn anew, questions or patients, the place that makes it says.
    """

    value: float
    low: float
    high: float


def estimate(value: float, draws: Floats) -> Estimate:
    """Put the interval of resampled values (B,) around a value; NaN gives NaN."""
    low, high = np.percentile(draws, (2.5, 97.5))
    return Estimate(value=float(value), low=float(low), high=float(high))


def by_patient(
    patients: ArrayLike, classes: ArrayLike, *, draws: int = DRAWS, seed: int = 0
) -> Floats:
    """Draw patients with replacement, as many of each class as there are.

    Parameters
    ----------
    patients
        (N,) whose study each is; all studies of a patient are drawn together.
    classes
        (N,) the class of each study. A patient with studies of several classes
        stands with those of the same mixture.

    Returns
    -------
    (draws, N) array
        How often each study was drawn.
    """
    _, place = np.unique(np.asarray(patients), return_inverse=True)
    mixtures: list[set[str]] = [set() for _ in range(int(place.max()) + 1)]
    for patient, its_class in zip(place.tolist(), np.asarray(classes).tolist(), strict=True):
        mixtures[patient].add(str(its_class))
    strata: dict[tuple[str, ...], list[int]] = {}
    for patient, mixture in enumerate(mixtures):
        strata.setdefault(tuple(sorted(mixture)), []).append(patient)
    rng = np.random.default_rng(seed)
    counts = np.zeros((draws, len(mixtures)))
    for members in strata.values():
        size = len(members)
        counts[:, members] = rng.multinomial(size, np.full(size, 1 / size), size=draws)
    return counts[:, place]


def once(count: int) -> Floats:
    """The one resampling (1, count) that draws every study once."""
    return np.ones((1, count))


class Sorted:
    """Studies in the order of one score, best first, equal scores together.

    Parameters
    ----------
    scores
        (N,) larger is better.
    relevant
        (N,) booleans.
    """

    def __init__(self, scores: ArrayLike, relevant: ArrayLike) -> None:
        values = np.asarray(scores, dtype=float)
        self._order = np.argsort(-values, kind="stable")
        ordered = values[self._order]
        self._starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._relevant = np.asarray(relevant, dtype=bool)[self._order]

    def groups(self, weights: Floats) -> tuple[Floats, Floats]:
        """(B, G) relevant and other studies drawn of each group of equal scores."""
        drawn = weights[:, self._order]
        found = np.add.reduceat(drawn * self._relevant, self._starts, axis=1)
        others = np.add.reduceat(drawn * ~self._relevant, self._starts, axis=1)
        return found, others


def area_under_roc(ranking: Sorted, weights: Floats) -> Floats:
    """(B,) chance that a relevant study scores above another, ties counting half."""
    found, others = ranking.groups(weights)
    below = others.sum(axis=1, keepdims=True) - np.cumsum(others, axis=1)
    pairs = found.sum(axis=1) * others.sum(axis=1)
    return (found * (below + others / 2)).sum(axis=1) / pairs


def precision_at(ranking: Sorted, weights: Floats, k: int = 10) -> Floats:
    """(B,) expected share of relevant studies among the first k drawn."""
    found, others = ranking.groups(weights)
    size = found + others
    before = np.cumsum(size, axis=1) - size
    drawn = size > 0
    share = np.clip((k - before) / np.where(drawn, size, 1), 0, 1) * drawn
    return (share * found).sum(axis=1) / k


def average_precision(ranking: Sorted, weights: Floats) -> Floats:
    """(B,) precision where each relevant study is found, averaged over those.

    Studies that tie are found together, at the end of their group; a constant
    score has the prevalence.
    """
    found, others = ranking.groups(weights)
    so_far, seen = np.cumsum(found, axis=1), np.cumsum(found + others, axis=1)
    precision = so_far / np.where(seen > 0, seen, 1)
    return (found * precision).sum(axis=1) / found.sum(axis=1)


def spearman(scores: ArrayLike, values: ArrayLike, weights: Floats) -> Floats:
    """(B,) rank correlation, ties at their mean rank; NaN where one of the two is constant."""
    a, b = (_ranks(np.asarray(x, dtype=float), weights) for x in (scores, values))
    total = weights.sum(axis=1, keepdims=True)
    a = a - (weights * a).sum(axis=1, keepdims=True) / total
    b = b - (weights * b).sum(axis=1, keepdims=True) / total
    spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    together = (weights * a * b).sum(axis=1)
    return np.divide(together, spread, out=np.full_like(spread, np.nan), where=spread > 0)


def _ranks(values: Floats, weights: Floats) -> Floats:
    """(B, N) rank of each study among those drawn, from the least."""
    place = rankdata(values, method="dense") - 1
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    size = np.add.reduceat(weights[:, order], starts, axis=1)
    middle = np.cumsum(size, axis=1) - size / 2 + 0.5
    return middle[:, place]


def estimated(number: Callable[[Floats], Floats], weights: Floats) -> Estimate:
    """The number on all studies as they are, with its interval over resamplings."""
    return estimate(float(number(once(weights.shape[1]))[0]), number(weights))
