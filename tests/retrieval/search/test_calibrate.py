"""Probabilities at other shares, against Bayes' rule worked out by hand."""

import numpy as np
import pytest
from scipy.stats import norm

from retrieval.search.calibrate import (
    FAITH,
    prevalence_by_reports,
    prevalence_by_scores,
    probabilities,
)
from retrieval.values.reliability import Badge, Calibration

HAVING, LACKING, SPREAD = 0.6, 0.2, 0.15


def calibration(positives=30, negatives=70, *, low=0.9) -> Calibration:
    """The true one of scores that are normal on both sides, with the same spread."""
    share = positives / (positives + negatives)
    slope = (HAVING - LACKING) / SPREAD**2
    middle = (HAVING + LACKING) / 2
    return Calibration(
        positives=positives,
        negatives=negatives,
        slope=slope,
        intercept=np.log(share / (1 - share)) - slope * middle,
        auc=0.97,
        auc_low=low,
        auc_high=1.0,
        brier_skill=0.5,
        error=0.01,
        fold_slope=1.0,
    )


def drawn(share: float, count: int = 4000) -> np.ndarray:
    rng = np.random.default_rng(int(share * 1000))
    having = rng.random(count) < share
    return rng.normal(np.where(having, HAVING, LACKING), SPREAD)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_a_probability_is_that_of_bayes(share):
    scores = np.linspace(-0.2, 1, 13)
    with_it, without = norm.pdf(scores, HAVING, SPREAD), norm.pdf(scores, LACKING, SPREAD)
    expected = share * with_it / (share * with_it + (1 - share) * without)
    assert probabilities(scores, calibration(), share) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.8])
def test_the_share_at_hand_is_found_from_the_scores(share):
    assert prevalence_by_scores(drawn(share), calibration()) == pytest.approx(share, abs=0.025)


def test_with_few_studies_the_share_stays_near_what_was_known():
    known = calibration().prevalence
    assert prevalence_by_scores(np.array([]), calibration()) == pytest.approx(known)
    few = prevalence_by_scores(drawn(0.0, 10), calibration())
    many = prevalence_by_scores(drawn(0.0, 1000), calibration())
    assert many < few < known
    assert few == pytest.approx(known * FAITH / (10 + FAITH), abs=0.05)


def test_reports_count_beside_what_was_known():
    known = calibration().prevalence
    assert prevalence_by_reports(0, 0, calibration()) == pytest.approx(known)
    assert prevalence_by_reports(90, 90, calibration()) == pytest.approx((90 + 3) / 100)


@pytest.mark.parametrize(
    ("low", "badge"),
    [(0.85, Badge.GOOD), (0.849, Badge.FAIR), (0.7, Badge.FAIR), (0.69, Badge.POOR)],
)
def test_a_badge_goes_by_the_lower_end_of_the_interval(low, badge):
    assert calibration(low=low).badge is badge
