"""Scores from a handful of examples, by two methods; all episodes are computed at once.

Prototypes as published (Nakashima et al., Nature Communications 2026,
doi:10.1038/s41467-026-73022-2, and its code): vectors are centred between the
examples with and without a label and scaled to length 1; each side's mean is
its prototype; a score is the distance to the negative prototype, in the
3-norm, as a share of both distances. The second method sees the same examples
and fits a logistic regression to them.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

STEPS, TOLERANCE = 100, 1e-8
"""Most Newton steps of the logistic regression, and how exact it must have become by then."""


def prototypes(examples: Floats, positive: NDArray[np.bool_], queries: Floats) -> Floats:
    """Score queries by their distances to the two prototypes.

    Parameters
    ----------
    examples, queries
        (E, K, D), centred and of length 1, see `centred`.
    positive
        (K,) which examples have the label, in every episode.

    Returns
    -------
    (E, M) array
        0 to 1.
    """
    to_positive, to_negative = (
        _distance3(queries, examples[:, side].mean(axis=1, keepdims=True))
        for side in (positive, ~positive)
    )
    both = to_positive + to_negative
    return np.divide(to_negative, both, out=np.full_like(both, 0.5), where=both > 0)


def logistic(examples: Floats, positive: NDArray[np.bool_], queries: Floats) -> Floats:
    """Score queries by logistic regression with an L2 penalty, C = 1: (E, M) log-odds.

    Vectors of length 1 are scaled by the root of their dimension, as if
    standardised. Solved in the space of the examples by Newton's method
    (iteratively reweighted least squares): the weight of an example is what
    remains unexplained of it.

    Raises
    ------
    ArithmeticError
        The method does not converge.
    """
    scale = examples.shape[2]
    kernel = examples @ examples.transpose(0, 2, 1) * scale
    target = positive.astype(float)
    weight, offset = np.zeros(kernel.shape[:2]), np.zeros((len(kernel), 1))
    for _ in range(STEPS):
        logit = _apply(kernel, weight) + offset
        chance = expit(logit)
        if np.abs(target - chance - weight).max() < TOLERANCE:
            return _apply(queries @ examples.transpose(0, 2, 1) * scale, weight) + offset
        weight, offset = _newton(kernel, logit, target - chance, chance * (1 - chance))
    raise ArithmeticError(f"logistic regression did not converge in {STEPS} steps")


def _newton(kernel: Floats, logit: Floats, rest: Floats, curve: Floats) -> tuple[Floats, Floats]:
    """Weights (E, K) that sum to 0, and offsets (E, 1), from one weighted least squares fit."""
    root = np.sqrt(np.maximum(curve, 1e-12))[:, :, None]
    inner = np.eye(kernel.shape[1]) + root * kernel * root.transpose(0, 2, 1)
    wanted = root[:, :, 0] * logit + rest / root[:, :, 0]
    solved = np.linalg.solve(inner, np.stack([wanted, root[:, :, 0]], axis=2))
    by_target, by_one = (root[:, :, 0] * solved[:, :, k] for k in (0, 1))
    offset = by_target.sum(axis=1, keepdims=True) / by_one.sum(axis=1, keepdims=True)
    return by_target - offset * by_one, offset


def _apply(matrices: Floats, vectors: Floats) -> Floats:
    return (matrices @ vectors[:, :, None])[:, :, 0]


def centred(
    examples: Floats, positive: NDArray[np.bool_], queries: Floats
) -> tuple[Floats, Floats]:
    """Take the middle of each episode's two sides off all rows, and scale those to length 1.

    The middle of the sides' means is the mean of the examples where there are
    as many of each, as published. Where there are not, the mean would lie
    near the larger side and leave of it little but its noise.

    Parameters
    ----------
    examples
        (E, K, D).
    positive
        (K,) which examples have the label, in every episode; some do and some do not.
    queries
        (M, D).

    Returns
    -------
    tuple
        (E, K, D) and (E, M, D); a row that is its episode's middle stays 0.
    """
    sides = [examples[:, side].mean(axis=1, keepdims=True) for side in (positive, ~positive)]
    centre = (sides[0] + sides[1]) / 2
    return _unit(examples - centre), _unit(queries - centre)


METHODS: Mapping[str, Callable[[Floats, NDArray[np.bool_], Floats], Floats]] = {
    "prototypes": prototypes,
    "logistic": logistic,
}


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-12)


def _distance3(rows: Floats, point: Floats) -> Floats:
    gap = np.abs(rows - point)
    return (gap * gap * gap).sum(axis=-1) ** (1 / 3)
