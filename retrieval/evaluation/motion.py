"""What motion is worth: the same hearts with their phases in order, and shuffled."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.evaluation import resample
from retrieval.evaluation.resample import DRAWS, Estimate, Floats, Sorted
from retrieval.evaluation.seen import Seen
from retrieval.evaluation.truths import Truths
from retrieval.values.query import Access

WALL_MOTION = "wma"
"""How the names of statements about regional wall motion begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionCost:
    """What shuffling takes from one statement, in area under the curve over its wordings.

    Attributes
    ----------
    cost
        AUC in order less AUC shuffled, on the same resamplings of patients.
    """

    concept: str
    positives: int
    in_order: Estimate
    shuffled: Estimate
    cost: Estimate


def motion_costs(
    in_order: Seen,
    shuffled: Seen,
    truths: Truths,
    patients: Sequence[str],
    *,
    access: Access,
    draws: int = DRAWS,
) -> list[MotionCost]:
    """Compare the two on every statement about regional wall motion, and on their mean.

    Parameters
    ----------
    in_order, shuffled
        The same studies as one encoder sees them (`retrieval.evaluation.shuffle`).

    Returns
    -------
    list
        The last one is the mean, if there is anything to take it of.
    """
    found: list[MotionCost] = []
    drawn: list[tuple[Floats, Floats]] = []
    for concept, true in truths.true.items():
        if not concept.startswith(WALL_MOTION):
            continue
        weights = resample.by_patient(patients, true, draws=draws)
        weights = np.concatenate([resample.once(len(true)), weights])
        both = [
            np.mean(
                [
                    resample.area_under_roc(Sorted(row, true), weights)
                    for row in seen.scores(truths.wordings[concept], truths.studies, access=access)
                ],
                axis=0,
            )
            for seen in (in_order, shuffled)
        ]
        drawn.append((both[0], both[1]))
        found.append(_cost(concept, int(true.sum()), *both))
    if found:
        means = np.mean(drawn, axis=0)
        found.append(_cost("mean", sum(f.positives for f in found), *means))
    return found


def _cost(concept: str, positives: int, in_order: Floats, shuffled: Floats) -> MotionCost:
    """From (1 + B,) areas: all patients first, then resamplings."""
    first, second, cost = (
        resample.estimate(float(areas[0]), areas[1:])
        for areas in (in_order, shuffled, in_order - shuffled)
    )
    return MotionCost(
        concept=concept, positives=positives, in_order=first, shuffled=second, cost=cost
    )
