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
them, which is the better use of more than a few.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from retrieval.evaluation import metrics

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


def prototypes(examples: Floats, positive: NDArray[np.bool_], queries: Floats) -> Floats:
    """Score (M, D) queries by their distances to the two prototypes: (M,), 0 to 1."""
    centre = examples.mean(axis=0)
    known, asked = _unit(examples - centre), _unit(queries - centre)
    to_positive, to_negative = (
        _distance3(asked, known[side].mean(axis=0)) for side in (positive, ~positive)
    )
    both = to_positive + to_negative
    return np.divide(to_negative, both, out=np.full_like(both, 0.5), where=both > 0)


def logistic(examples: Floats, positive: NDArray[np.bool_], queries: Floats) -> Floats:
    """Score (M, D) queries by logistic regression with an L2 penalty, C = 1: (M,) log-odds.

    Vectors are centred and scaled like the prototypes', then turned into the
    space that the examples span, in which the solution lies.
    """
    centre = examples.mean(axis=0)
    known, asked = _unit(examples - centre), _unit(queries - centre)
    _, spread, axes = np.linalg.svd(known, full_matrices=False)
    axes = axes[spread > spread.max(initial=0) * 1e-9]
    if not len(axes):
        return np.zeros(len(queries))
    scale = np.sqrt(known.shape[1])
    model = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=1000)
    model.fit(known @ axes.T * scale, positive)
    return model.decision_function(asked @ axes.T * scale)


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
    with_label, without = learn[positive[learn]], learn[~positive[learn]]
    kind = np.repeat([True, False], shots)
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    for _ in range(EPISODES):
        drawn = np.concatenate([rng.choice(with_label, shots), rng.choice(without, shots)])
        for name, method in METHODS.items():
            scores = method(vectors[drawn], kind, vectors[test])
            ranking = metrics.groups(scores, positive[test])
            found[name].append(metrics.area_under_roc(ranking))
    return {name: np.array(values) for name, values in found.items()}


def episodes(values: Floats) -> Episodes:
    """Sum up the areas of the episodes."""
    low, high = np.percentile(values, (2.5, 97.5))
    return Episodes(mean=float(values.mean()), low=float(low), high=float(high))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def _distance3(rows: Floats, point: Floats) -> Floats:
    return (np.abs(rows - point) ** 3).sum(axis=1) ** (1 / 3)
