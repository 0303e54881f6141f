"""How far a score could go: what the experts' own measurements reach, scored in the same way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.evaluation import resample
from retrieval.evaluation.bylabel import ByLabel, area, probed, weights_of
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.measurements import signed
from retrieval.evaluation.prompts import Prompts
from retrieval.evaluation.resample import DRAWS, Estimate
from retrieval.evaluation.sizes import SizeScore, correlate

JOINT = ("LVEDV/BSA", "LVEF", "LVmass/LVEDV", "RVEDV/BSA", "RVEF", "RVEDV/LVEDV")
"""Quantities that are probed together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """What measurements reach.

    Attributes
    ----------
    single
        AUC of one quantity alone, by label and quantity ("-": small ones rank first).
    joint
        AUC of a linear probe of all of `JOINT`, cross-validated like that of vectors.
    sizes
        Correlation of each size with what of it images alone can tell.
    """

    single: Mapping[str, Mapping[str, Estimate]]
    joint: ByLabel | None
    sizes: tuple[SizeScore, ...]


def ceilings(cohort: Cohort, prompts: Prompts, *, draws: int = DRAWS) -> Ceilings | None:
    """Score the measurements of the studies that have them; None where none has."""
    if not cohort.measured:
        return None
    everything = np.stack([cohort.measured[name] for name in JOINT], axis=1)
    known = np.all(np.isfinite(everything), axis=1)
    measured = cohort.only(known)
    weights = weights_of(measured, draws)
    single = {
        label: {
            name: resample.estimated(area(signed(measured.measured, name), member), weights)
            for name in prompts.of(label).ceilings
        }
        for label, member in zip(measured.labels, measured.member.T, strict=True)
    }
    sizes = tuple(
        correlate(size, measured.measured[size.seen] * size.sign, measured, draws)
        for size in prompts.sizes
    )
    return Ceilings(single=single, joint=probed(everything[known], measured, weights), sizes=sizes)
