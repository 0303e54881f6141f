"""The two methods that learn from examples: the published score, and scikit-learn's regression."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.linear_model import LogisticRegression

from retrieval.classify.examples import METHODS, centred, logistic, prototypes


def test_the_published_score():
    given_, asked = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([[3.0, 0.5]])
    kind = np.array([True, False])
    examples, queries = centred(given_[None], kind, asked)
    score = prototypes(examples, kind, queries)
    centre = np.array([1.0, 1.0])
    unit = [(v - centre) / np.linalg.norm(v - centre) for v in (*given_, *asked)]
    to_positive, to_negative = (np.sum(np.abs(unit[2] - u) ** 3) ** (1 / 3) for u in unit[:2])
    assert score[0] == pytest.approx(to_negative / (to_negative + to_positive))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_prototypes_are_those_of_ten_lines(with_it, without, seed):
    rng = np.random.default_rng(seed)
    examples, asked = rng.normal(size=(with_it + without, 6)), rng.normal(size=(4, 6))
    kind = np.arange(with_it + without) < with_it
    known, queries = centred(examples[None], kind, asked)
    found = prototypes(known, kind, queries)[0]

    def unit(vector):
        return vector / np.linalg.norm(vector)

    centre = (examples[kind].mean(axis=0) + examples[~kind].mean(axis=0)) / 2
    yes, no = (
        np.mean([unit(v - centre) for v in examples[side]], axis=0) for side in (kind, ~kind)
    )
    for query, ours in zip(asked, found, strict=True):
        to_yes, to_no = (np.linalg.norm(unit(query - centre) - p, ord=3) for p in (yes, no))
        assert ours == pytest.approx(to_no / (to_yes + to_no))


def test_as_many_of_each_are_centred_on_their_mean_as_published():
    rng = np.random.default_rng(3)
    examples, kind = rng.normal(size=(2, 6, 4)), np.arange(6) < 3
    found, _ = centred(examples, kind, rng.normal(size=(1, 4)))
    expected = examples - examples.mean(axis=1, keepdims=True)
    expected /= np.linalg.norm(expected, axis=2, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("with_it", "without"), [(1, 1), (2, 2), (8, 8), (32, 32), (9, 2), (1, 12)]
)
def test_the_regression_is_that_of_scikit_learn(with_it: int, without: int):
    rng = np.random.default_rng(with_it)
    kind = np.arange(with_it + without) < with_it
    known = rng.normal(size=(5, with_it + without, 20)) + kind[:, None] * rng.normal(size=20)
    known[:, 0] = known[:, with_it - 1]  # drawn with replacement
    examples, queries = centred(known, kind, rng.normal(size=(9, 20)))
    found = logistic(examples, kind, queries)
    for its, asked, ours in zip(examples, queries, found, strict=True):
        model = LogisticRegression(C=1.0, tol=1e-10, solver="newton-cholesky", max_iter=1000)
        model.fit(its * np.sqrt(20), kind)
        expected = model.decision_function(asked * np.sqrt(20))
        np.testing.assert_allclose(ours, expected, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_examples_that_are_all_alike_decide_nothing(method: str):
    kind = np.arange(4) < 2
    examples, queries = centred(np.ones((1, 4, 3)), kind, np.eye(3))
    scores = METHODS[method](examples, kind, queries)
    assert np.ptp(np.round(scores, 12)) == 0
