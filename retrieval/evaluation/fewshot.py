"""Few-shot reading: a label from a handful of examples, by two methods on the same draws.

The published protocol (Nakashima et al., Nature Communications 2026,
doi:10.1038/s41467-026-73022-2, and its code): 30 % of the studies are held
out; in each of 100 episodes as many examples with and without the label are
drawn, with replacement; vectors are centred on the mean of the examples and
scaled to length 1; each side's mean is its prototype; a study's score is its
distance to the negative prototype, in the 3-norm, as a share of both distances.
What it leaves open is settled here: the hold-out is of whole patients and
stratified by label, and every episode's draw follows from the seed alone.

The second method sees the same examples and fits a logistic regression to
them. All episodes are computed at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.model_selection import train_test_split

Floats = NDArray[np.float64]

SHOTS = (1, 2, 4, 8, 16, 32)
EPISODES = 100
HELD_OUT = 0.3
SEED = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Episodes:
    """Areas under the curve of one method, one label, one number of shots.

    Attributes
    ----------
    mean
        Over the episodes.
    low, high
        Between which 95 % of the episodes lie: the luck of the draw of
        examples, on one fixed hold-out.
    """

    mean: float
    low: float
    high: float


Curve = dict[int, Episodes]
"""By number of examples of each kind."""


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


def centred(examples: Floats, queries: Floats) -> tuple[Floats, Floats]:
    """Take the mean of each episode's examples off both, and scale all rows to length 1.

    Parameters
    ----------
    examples
        (E, K, D).
    queries
        (M, D).

    Returns
    -------
    tuple
        (E, K, D) and (E, M, D); a row that is its episode's mean stays 0.
    """
    centre = examples.mean(axis=1, keepdims=True)
    return _unit(examples - centre), _unit(queries - centre)


METHODS: Mapping[str, Callable[[Floats, NDArray[np.bool_], Floats], Floats]] = {
    "prototypes": prototypes,
    "logistic": logistic,
}


def hold_out(
    patients: Sequence[str], classes: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the studies to learn from and of those to test on, split by patient.

    Stratified by the class of each patient's first study where every class has
    two patients or more.
    """
    people, first, of = np.unique(np.asarray(patients), return_index=True, return_inverse=True)
    kinds = np.asarray(classes)[first]
    _, counts = np.unique(kinds, return_counts=True)
    learn, test = train_test_split(
        np.arange(len(people)),
        test_size=HELD_OUT,
        random_state=SEED,
        stratify=kinds if counts.min() > 1 else None,
    )
    return np.flatnonzero(np.isin(of, learn)), np.flatnonzero(np.isin(of, test))


def areas(
    vectors: Floats,
    positive: NDArray[np.bool_],
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
    shots: int,
) -> dict[str, Floats]:
    """Areas under the curve (EPISODES,) by method, all methods on the same examples.

    Parameters
    ----------
    vectors
        (N, D).
    positive
        (N,) which studies have the label; both kinds on both sides of the split.
    """
    learn, test = split
    rng = np.random.default_rng((SEED, shots))
    sides = [
        rng.choice(learn[positive[learn] == kind], (EPISODES, shots)) for kind in (True, False)
    ]
    drawn = np.concatenate(sides, axis=1)
    examples, queries = centred(vectors[drawn], vectors[test])
    kind = np.repeat([True, False], shots)
    return {
        name: _areas_under_roc(method(examples, kind, queries), positive[test])
        for name, method in METHODS.items()
    }


def _areas_under_roc(scores: Floats, relevant: NDArray[np.bool_]) -> Floats:
    """(E,) from (E, M) scores, rounded to 1e-9; ties count half."""
    rounded = np.round(scores, 9)
    above = rounded[:, relevant, None] - rounded[:, None, ~relevant]
    return (np.sign(above).mean(axis=(1, 2)) + 1) / 2


def episodes(values: Floats) -> Episodes:
    """Sum up the areas of the episodes."""
    low, high = np.percentile(values, (2.5, 97.5))
    return Episodes(mean=float(values.mean()), low=float(low), high=float(high))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-12)


def _distance3(rows: Floats, point: Floats) -> Floats:
    return (np.abs(rows - point) ** 3).sum(axis=-1) ** (1 / 3)
