"""Few-shot reading: a label from a handful of examples, by two methods on the same draws.

The published protocol (Nakashima et al., Nature Communications 2026,
doi:10.1038/s41467-026-73022-2, and its code): 30 % of the studies are held
out; in each of 100 episodes as many examples with and without the label are
drawn, with replacement, and the others are scored from them
(`retrieval.classify.examples`, where both methods are). What it leaves open is
settled here: the hold-out is of whole patients and stratified by label, and
every episode's draw follows from the seed alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from retrieval.classify.examples import METHODS, Floats, centred

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
    kind = np.repeat([True, False], shots)
    examples, queries = centred(vectors[drawn], kind, vectors[test])
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
