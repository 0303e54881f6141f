"""Machine estimates against what experts measured: how well they rank, and how far off they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from retrieval.evaluation import resample
from retrieval.evaluation.bylabel import weights_of
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.resample import Estimate
from retrieval.evaluation.seen import Seen
from retrieval.values.estimate import Quantity

MEASURED_AS: Mapping[Quantity, str] = MappingProxyType(
    {
        Quantity.LVEDV: "LVEDV",
        Quantity.LVESV: "LVESV",
        Quantity.LVEF: "LVEF",
        Quantity.LV_MASS: "LVmass",
        Quantity.RVEDV: "RVEDV",
        Quantity.RVEF: "RVEF",
    }
)
"""The measurement that each estimated quantity is held against."""

FEWEST = 10
"""Studies with both that a comparison needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateScore:
    """One estimated quantity against its measurement.

    Attributes
    ----------
    studies
        Those with both.
    rho
        Spearman's rank correlation.
    bias
        Mean of estimate less measurement, in the measurement's unit.
    scatter
        Standard deviation of that difference.
    """

    quantity: str
    studies: int
    rho: Estimate
    bias: Estimate
    scatter: float


def hold_against(seen: Seen, cohort: Cohort, draws: int) -> tuple[EstimateScore, ...]:
    """Compare every quantity that enough studies have both an estimate and a measurement of."""
    return tuple(
        score
        for quantity, name in MEASURED_AS.items()
        if name in cohort.measured
        and (score := _compare(quantity, name, seen, cohort, draws)) is not None
    )


def _compare(
    quantity: Quantity, name: str, seen: Seen, cohort: Cohort, draws: int
) -> EstimateScore | None:
    made = {
        study: estimate.value
        for study, its in seen.estimates.items()
        for estimate in its
        if estimate.quantity is quantity
    }
    values = np.array([made.get(study, np.nan) for study in cohort.studies])
    difference = values - cohort.measured[name]
    known = np.isfinite(difference)
    if known.sum() < FEWEST:
        return None
    weights = weights_of(cohort.only(known), draws)
    truth, found, off = cohort.measured[name][known], values[known], difference[known]
    return EstimateScore(
        quantity=name,
        studies=int(known.sum()),
        rho=resample.estimated(lambda drawn: resample.spearman(found, truth, drawn), weights),
        bias=resample.estimated(lambda drawn: drawn @ off / drawn.sum(axis=1), weights),
        scatter=float(off.std(ddof=1)),
    )
