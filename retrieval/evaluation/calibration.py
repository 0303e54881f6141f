"""Fit what scores mean, and say how well that holds for patients that were not fitted."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from retrieval.evaluation import resample
from retrieval.values.reliability import Calibration

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

FEWEST = 10
"""Patients with a finding, and without, that it takes to say anything of it."""

FOLDS = 5
DRAWS = 500
"""Of patients, behind an interval."""

BINS = 10

PENALTY = 2.0
"""C of the logistic regression of standardised scores: a hundred judged studies that scores
tell apart without a miss must not make it certain."""


def enough(positive: Truth, patients: NDArray[np.str_]) -> bool:
    """Whether there are enough patients of either kind."""
    return min(len(set(patients[positive])), len(set(patients[~positive]))) >= FEWEST


def calibrate(scores: Floats, positive: Truth, patients: NDArray[np.str_]) -> Calibration:
    """Calibrate by logistic regression; its own figures come from patients left out of the fit.

    Parameters
    ----------
    scores
        (N,) of the studies that were judged.
    positive
        (N,) which of them have the finding; see `enough`.
    patients
        (N,) whose study each is.
    """
    slope, intercept = _line(scores, positive)
    unseen = np.empty(len(scores))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for learn, test in folds.split(scores[:, None], positive, patients):
        its_slope, its_intercept = _line(scores[learn], positive[learn])
        unseen[test] = _probability(its_slope * scores[test] + its_intercept)
    ranking = resample.Sorted(scores, positive)
    area = resample.estimated(
        lambda weights: resample.area_under_roc(ranking, weights),
        resample.by_patient(patients, positive, draws=DRAWS),
    )
    return Calibration(
        positives=int(positive.sum()),
        negatives=int((~positive).sum()),
        slope=slope,
        intercept=intercept,
        auc=area.value,
        auc_low=area.low,
        auc_high=area.high,
        brier_skill=brier_skill(unseen, positive),
        error=calibration_error(unseen, positive),
        fold_slope=calibration_slope(unseen, positive),
    )


def brier_skill(probabilities: Floats, positive: Truth) -> float:
    """1 less the mean squared error, as a share of that of always saying the prevalence.

    Brier, Monthly Weather Review 1950;78:1. 1 is perfect, 0 useless, below that harmful.
    """
    error = np.mean((probabilities - positive) ** 2)
    return float(1 - error / np.mean((positive.mean() - positive) ** 2))


def calibration_error(probabilities: Floats, positive: Truth, bins: int = BINS) -> float:
    """Expected calibration error over bins of equal size.

    Naeini, Cooper and Hauskrecht, AAAI 2015: the mean distance, weighted by
    size, between what a bin was told and the share that has the finding.
    """
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(probabilities[part].mean() - positive[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(probabilities))


def calibration_slope(probabilities: Floats, positive: Truth) -> float:
    """Slope of a logistic regression of truth on log-odds (Cox, Biometrika 1958;45:562).

    1 is right; below 1 the probabilities are too sure, above 1 too timid.
    """
    told = np.clip(probabilities, 1e-9, 1 - 1e-9)
    odds = np.log(told / (1 - told))
    model = LogisticRegression(C=np.inf).fit(odds[:, None], positive)
    return float(model.coef_[0, 0])


def _line(scores: Floats, positive: Truth) -> tuple[float, float]:
    """Slope, at least 0, and intercept; scores are standardised while fitting."""
    middle, spread = scores.mean(), scores.std()
    share = positive.mean()
    flat = 0.0, float(np.log(share / (1 - share)))
    if not spread:
        return flat
    model = LogisticRegression(C=PENALTY).fit(((scores - middle) / spread)[:, None], positive)
    slope = float(model.coef_[0, 0] / spread)
    return (slope, float(model.intercept_[0] - slope * middle)) if slope > 0 else flat


def _probability(odds: Floats) -> Floats:
    return 1 / (1 + np.exp(-odds))
