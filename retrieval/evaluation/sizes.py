"""Queries about sizes, held against measurements by rank."""

from dataclasses import dataclass

import numpy as np

from retrieval.evaluation import resample
from retrieval.evaluation.bylabel import weights_of
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.measurements import Floats
from retrieval.evaluation.prompts import SizeQuery
from retrieval.evaluation.resample import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeScore:
    """Spearman's rank correlation of a query's scores with what was measured.

    Attributes
    ----------
    against
        The quantity; "-" where small ones should rank first.
    studies
        Those with the measurement.
    rho
        Positive where the order is as it should be.
    """

    query: str
    against: str
    studies: int
    rho: Estimate


def correlate(size: SizeQuery, scores: Floats, cohort: Cohort, draws: int) -> SizeScore:
    """Hold (N,) scores against the quantity of a size query."""
    values = cohort.measured[size.quantity] * size.sign
    known = np.isfinite(values)
    weights = weights_of(cohort.only(known), draws)
    return SizeScore(
        query=size.query,
        against=size.quantity if size.sign > 0 else f"-{size.quantity}",
        studies=int(known.sum()),
        rho=resample.estimated(
            lambda drawn: resample.spearman(scores[known], values[known], drawn), weights
        ),
    )
