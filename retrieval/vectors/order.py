"""The one order: how candidates are scored and sorted, whatever engine found them.

A score is a property of two stored float32 vectors, not of the machine: the
product of two float32 numbers is exact in float64, so only the sum rounds,
and where its rounding error could carry a score across a step of 1e-6 the sum
is taken again without error (Shewchuk 1997, as in `math.fsum`). Block sizes,
threads and instruction sets therefore leave no trace in a ranking.
"""

import math

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Keys, Neighbours, Vectors

STEP = 1e-6
"""Scores are whole multiples of this; closer than that, two vectors tie."""

_STEPS = 1e6
"""Steps in 1; exact in binary, as `STEP` is not."""

_BLOCK = 1 << 14
"""Rows held in float64 at a time: 64 MB at 512 dimensions."""


def scores_of(vectors: Vectors, queries: Vectors) -> NDArray[np.float64]:
    """Score every vector for every query.

    Parameters
    ----------
    vectors
        (C, D) float32.
    queries
        (N, D) float32.

    Returns
    -------
    ndarray
        (N, C) float64: dot products, correctly rounded to `STEP`.
    """
    scores = np.empty((len(queries), len(vectors)))
    wide = queries.astype(np.float64)
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        scores[:, start : start + _BLOCK] = _rounded(wide, block)
    return scores


def rank(keys: Keys, scores: NDArray[np.float64], k: int | None) -> Neighbours:
    """Sort by score, the best first, then by key, and keep the first k (None: all)."""
    if k is not None and k < len(keys):
        reach = np.partition(scores, len(scores) - k)[len(scores) - k]
        near = scores >= reach
        keys, scores = keys[near], scores[near]
    order = np.lexsort((keys, -scores))[:k]
    return Neighbours(keys=keys[order], scores=scores[order])


def _rounded(queries: NDArray[np.float64], block: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, C) products of (N, D) and (C, D), rounded to `STEP` as if summed without error."""
    raw = queries @ block.T
    steps = raw * _STEPS
    halfway = np.abs(steps - np.floor(steps) - 0.5)
    for i, j in np.argwhere(halfway < _doubt(block.shape[1])):
        raw[i, j] = math.fsum(queries[i] * block[j])
    return np.rint(raw * _STEPS) / _STEPS + 0.0  # + 0.0 turns -0.0 into 0.0


def _doubt(dim: int) -> float:
    """How far a float64 sum of `dim` products of unit vectors can be off, in steps.

    dim * 2^-53 for the sum (Higham 2002, §3.1) doubled for lengths a little
    over 1, and as much again for the scaling.
    """
    return (dim + 2) * 2.0**-51 * _STEPS
