"""What scores mean, fitted; the figures of the fit against slow computations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from retrieval.evaluation.calibration import (
    FEWEST,
    brier_skill,
    calibrate,
    calibration_error,
    calibration_slope,
    enough,
)


def archive(count=400, apart=2.0, seed=0):
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.3
    scores = 0.1 * rng.normal(positive * apart, 1)
    return scores, positive, np.array([f"p{i}" for i in range(count)])


def test_the_fit_finds_the_odds_that_made_the_truth():
    rng = np.random.default_rng(1)
    scores = rng.normal(0.3, 0.1, 6000)
    positive = rng.random(6000) < 1 / (1 + np.exp(-(20 * scores - 7)))
    found = calibrate(scores, positive, np.arange(6000).astype(str))
    assert found.slope == pytest.approx(20, rel=0.08)
    assert found.intercept == pytest.approx(-7, rel=0.08)
    assert found.fold_slope == pytest.approx(1, abs=0.08)
    assert found.error < 0.02
    assert found.positives == positive.sum()
    assert found.positives + found.negatives == 6000


def test_the_area_is_that_of_the_scores_and_lies_in_its_interval():
    scores, positive, people = archive()
    found = calibrate(scores, positive, people)
    assert found.auc == pytest.approx(roc_auc_score(positive, scores))
    assert found.auc_low < found.auc < found.auc_high
    wider = calibrate(scores[:60], positive[:60], people[:60])
    assert wider.auc_high - wider.auc_low > found.auc_high - found.auc_low


def test_scores_that_say_nothing_or_the_opposite_give_everyone_the_prevalence():
    scores, positive, people = archive()
    for useless in (np.full(400, 0.5), -scores):
        found = calibrate(useless, positive, people)
        assert found.slope == 0
        share = 1 / (1 + np.exp(-found.intercept))
        assert share == pytest.approx(positive.mean())
        assert found.brier_skill <= 0


def test_a_patient_scanned_twice_is_not_judged_by_his_own_scan():
    """Each patient has a score of his own: only who has seen it could tell."""
    rng = np.random.default_rng(3)
    positive = np.repeat(rng.random(60) < 0.5, 2)
    people = np.repeat(np.arange(60), 2).astype(str)
    scores = np.repeat(rng.random(60), 2)
    assert calibrate(scores, positive, people).brier_skill < 0.1


def test_enough_counts_patients_and_not_studies():
    positive = np.repeat([True, False], FEWEST)
    assert enough(positive, np.arange(2 * FEWEST).astype(str))
    again = np.arange(2 * FEWEST)
    again[1] = again[0]
    assert not enough(positive, again.astype(str))
    assert not enough(np.zeros(100, dtype=bool), np.arange(100).astype(str))


@given(hnp.arrays(float, st.integers(2, 60), elements=st.floats(0, 1)), st.randoms())
def test_the_error_is_the_mean_gap_of_ten_bins(told, random):
    truth = np.array([random.random() < 0.5 for _ in told])
    order = sorted(range(len(told)), key=lambda i: (told[i], i))
    bins, start = [], 0
    for k in range(10):
        size = len(told) // 10 + (k < len(told) % 10)
        bins.append(order[start : start + size])
        start += size
    expected = sum(abs(sum(told[i] - truth[i] for i in part)) for part in bins) / len(told)
    assert calibration_error(told, truth) == pytest.approx(expected, abs=1e-9)


def test_brier_skill_of_known_forecasts():
    truth = np.array([True, False, False, False])
    assert brier_skill(truth.astype(float), truth) == 1
    assert brier_skill(np.full(4, 0.25), truth) == pytest.approx(0)
    assert brier_skill(1 - truth.astype(float), truth) < 0


def test_the_slope_tells_too_sure_from_too_timid():
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.5, 20000)
    truth = rng.random(20000) < 1 / (1 + np.exp(-odds))
    for factor in (0.5, 1.0, 2.0):
        told = 1 / (1 + np.exp(-factor * odds))
        assert calibration_slope(told, truth) == pytest.approx(1 / factor, rel=0.06)
