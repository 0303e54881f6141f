"""One number for each label and the mean over labels, all over the same resamplings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from retrieval.evaluation import resample
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.measurements import Floats
from retrieval.evaluation.probe import probe
from retrieval.evaluation.resample import Estimate, Sorted

Number = Callable[[Floats], Floats]
"""From weights (B, N) to a number for each resampling, (B,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLabel:
    """One number for each label, and the mean over those labels."""

    labels: Mapping[str, Estimate]
    mean: Estimate


def weights_of(cohort: Cohort, draws: int) -> Floats:
    """(draws, N) resamplings of the cohort's patients, stratified by class."""
    return resample.by_patient(cohort.patients, cohort.classes, draws=draws)


def area(scores: ArrayLike, relevant: ArrayLike) -> Number:
    """Area under the curve of these scores."""
    ranking = Sorted(scores, relevant)
    return lambda weights: resample.area_under_roc(ranking, weights)


def precision10(scores: ArrayLike, relevant: ArrayLike) -> Number:
    """Precision at 10 of these scores."""
    ranking = Sorted(scores, relevant)
    return lambda weights: resample.precision_at(ranking, weights)


def mean_of(values: Floats) -> Number:
    """Mean of (N,) values over the studies drawn that have one; NaN stands for none."""
    known = np.isfinite(values)
    return lambda weights: weights[:, known] @ values[known] / weights[:, known].sum(axis=1)


def by_label(numbers: Mapping[str, Number], weights: Floats) -> ByLabel:
    """Take one number or more over all resamplings."""
    drawn = np.stack([number(weights) for number in numbers.values()])
    once = resample.once(weights.shape[1])
    values = np.stack([number(once)[0] for number in numbers.values()])
    estimates = [resample.estimate(v, row) for v, row in zip(values, drawn, strict=True)]
    return ByLabel(
        labels=dict(zip(numbers, estimates, strict=True)),
        mean=resample.estimate(values.mean(), drawn.mean(axis=0)),
    )


def probed(vectors: Floats, cohort: Cohort, weights: Floats) -> ByLabel | None:
    """Probe each label that enough patients have and lack; None where there is none such.

    The intervals are those of scores out of fold; how much another split or
    training set would change the probes they do not say.
    """
    numbers: dict[str, Number] = {}
    for label, member in zip(cohort.labels, cohort.member.T, strict=True):
        scores = probe(vectors, member, cohort.patients)
        if scores is not None:
            numbers[label] = area(scores, member)
    return by_label(numbers, weights) if numbers else None
