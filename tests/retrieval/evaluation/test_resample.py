"""Resampled numbers against the plain ones on studies really repeated."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from retrieval.evaluation import metrics, resample
from retrieval.evaluation.resample import Sorted

SCORES = st.sampled_from([0.1, 0.2, 0.3, metrics.LAST])
DRAWN = st.lists(
    st.tuples(SCORES, st.booleans(), st.integers(0, 3), st.integers(0, 4)), min_size=2, max_size=12
)


def repeated(drawn):
    """(scores, relevance, values) with each study as often as it was drawn."""
    rows = [(s, r, v) for s, r, times, v in drawn for _ in range(times)]
    return [np.array(column) for column in zip(*rows, strict=True)]


@settings(deadline=None, max_examples=80)
@given(DRAWN)
def test_weights_say_what_repeating_a_study_says(drawn):
    scores, relevant, times, _ = (np.array(c) for c in zip(*drawn, strict=True))
    assume(0 < (times * relevant).sum() < times.sum())
    again, true, _ = repeated(drawn)
    plain = metrics.groups(again, true)
    ranking, weights = Sorted(scores, relevant), times[None].astype(float)
    assert resample.area_under_roc(ranking, weights) == pytest.approx(metrics.area_under_roc(plain))
    for k in (1, 3, 10):
        assert resample.precision_at(ranking, weights, k) == pytest.approx(
            metrics.precision_at(plain, k)
        )
    finite = np.where(np.isfinite(again), again, -9.0)
    assert resample.average_precision(ranking, weights) == pytest.approx(
        average_precision_score(true, finite)
    )


@settings(deadline=None, max_examples=80)
@given(DRAWN)
def test_rank_correlation_agrees_with_scipy_on_repeated_studies(drawn):
    scores, _, times, values = (np.array(c) for c in zip(*drawn, strict=True))
    finite = np.where(np.isfinite(scores), scores, -9.0)
    kept = times > 0
    assume(len(set(finite[kept])) > 1 and len(set(values[kept])) > 1)
    again, _, measured = repeated(drawn)
    expected = spearmanr(np.where(np.isfinite(again), again, -9.0), measured).statistic
    (found,) = resample.spearman(scores, values, times[None].astype(float))
    assert found == pytest.approx(expected)


def test_a_constant_score_has_chance_and_no_correlation():
    weights = resample.by_patient(range(40), np.arange(40) < 8, draws=50)
    ranking = Sorted(np.zeros(40), np.arange(40) < 8)
    assert resample.area_under_roc(ranking, weights) == pytest.approx(0.5)
    assert resample.precision_at(ranking, weights) == pytest.approx(0.2)
    assert resample.average_precision(ranking, weights) == pytest.approx(0.2)
    assert np.isnan(resample.spearman(np.zeros(40), np.arange(40), weights)).all()


def test_patients_are_drawn_whole_and_each_class_keeps_its_number():
    patients = ["a", "a", "b", "c", "d", "d", "e"]
    classes = ["x", "x", "x", "x", "y", "y", "y"]
    weights = resample.by_patient(patients, classes, draws=300)
    assert weights.shape == (300, 7)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (weights[:, [4, 6]].sum(axis=1) == 2).all()
    assert len({tuple(row) for row in weights}) > 20
    assert (weights == resample.by_patient(patients, classes, draws=300)).all()


def test_a_patient_of_two_classes_is_drawn_with_its_like():
    weights = resample.by_patient(["a", "a", "b", "c"], ["x", "y", "x", "x"], draws=100)
    assert (weights[:, :2] == 1).all()  # alone in its stratum
    assert (weights[:, 2:].sum(axis=1) == 2).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    true_area, covered = 0.76025, 0  # two normal distributions one standard deviation apart
    relevant = np.arange(100) < 50
    for _ in range(60):
        scores = rng.normal(size=100) + relevant
        weights = resample.by_patient(range(100), relevant, draws=300)
        found = resample.estimated(
            lambda w, s=scores: resample.area_under_roc(Sorted(s, relevant), w), weights
        )
        covered += found.low <= true_area <= found.high
    assert 51 <= covered <= 60  # 0.95 of 60 is 57; 51 is three standard deviations below
