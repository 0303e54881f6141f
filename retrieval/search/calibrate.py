"""From scores to probabilities, whatever share of the studies at hand has the finding."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from retrieval.values.reliability import Calibration

Floats = NDArray[np.float64]

FAITH = 10.0
"""Studies that the prevalence known before counts for."""

ROUNDS, CLOSE = 200, 1e-7
"""Most rounds of the search for a prevalence, and how little it must move by then."""


def probabilities(scores: Floats, calibration: Calibration, prevalence: float) -> Floats:
    """Probabilities (N,) of scores (N,) where a share of `prevalence` has the finding.

    Bayes: the likelihood ratio stays what it was where the calibration was
    made, the odds before it change (Saerens, Latinne and Decaestecker, Neural
    Computation 2002;14:21).
    """
    odds = calibration.slope * scores + calibration.intercept
    return expit(odds - logit(calibration.prevalence) + logit(prevalence))


def prevalence_by_scores(scores: Floats, calibration: Calibration) -> float:
    """The share of studies with a finding that makes their scores (N,) most likely.

    By expectation maximisation as in Saerens et al. 2002, with the prevalence
    of the calibration as if known from `FAITH` more studies.
    """
    known = share = calibration.prevalence
    for _ in range(ROUNDS):
        found = probabilities(scores, calibration, share).sum()
        moved = (found + FAITH * known) / (len(scores) + FAITH)
        if abs(moved - share) < CLOSE:
            break
        share = moved
    return float(share)


def prevalence_by_reports(agreeing: int, judged: int, calibration: Calibration) -> float:
    """The share of studies with a finding among those whose report speaks of it."""
    return (agreeing + FAITH * calibration.prevalence) / (judged + FAITH)
