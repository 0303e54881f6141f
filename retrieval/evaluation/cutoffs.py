"""Numbers of a ranking whose cut-off goes by how many studies are relevant, over resamplings.

Like those of `retrieval.evaluation.resample`: a resampling is a row of weights,
and studies that tie count as a random order of them would on average. A
resampling that drew nothing relevant has no number (NaN).
"""

import numpy as np

from retrieval.evaluation.resample import Floats, Sorted

AT = 10
"""Places that a reader looks at."""


def precision_capped(ranking: Sorted, weights: Floats, k: int = AT) -> Floats:
    """(B,) share of relevant studies among the first k, or the first R where only R are relevant.

    So 1 can be reached whatever is asked.
    """
    found, others = ranking.groups(weights)
    places = np.minimum(found.sum(axis=1), k)
    return _share(found_within(found, others, places), places)


def recall_at_relevant(ranking: Sorted, weights: Floats) -> Floats:
    """(B,) share of the R relevant studies that are among the first R (R-precision)."""
    found, others = ranking.groups(weights)
    places = found.sum(axis=1)
    return _share(found_within(found, others, places), places)


def ndcg(ranking: Sorted, weights: Floats, k: int = AT) -> Floats:
    """(B,) normalised discounted gain of the first k; gains 0 or 1, discount log2(1 + rank)."""
    found, others = ranking.groups(weights)
    size = found + others
    end = np.cumsum(size, axis=1)
    discounts = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    upto, before = (discounts[np.minimum(x, k).astype(np.int64)] for x in (end, end - size))
    gained = (_share(found, size, empty=0.0) * (upto - before)).sum(axis=1)
    return _share(gained, discounts[np.minimum(found.sum(axis=1), k).astype(np.int64)])


def found_within(found: Floats, others: Floats, places: Floats) -> Floats:
    """(B,) expected number of relevant studies in the first `places` (B,) of each resampling."""
    size = found + others
    before = np.cumsum(size, axis=1) - size
    taken = np.clip(places[:, None] - before, 0, size)
    return (_share(found, size, empty=0.0) * taken).sum(axis=1)


def _share(part: Floats, whole: Floats, *, empty: float = np.nan) -> Floats:
    return np.divide(part, whole, out=np.full_like(whole, empty, dtype=float), where=whole > 0)
