"""Numbers whose cut-off goes by the relevant studies, against brute force over all orders."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.evaluation import metrics
from retrieval.evaluation.cutoffs import ndcg, precision_capped, recall_at_relevant
from retrieval.evaluation.resample import Sorted, once

RANKINGS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6).filter(
    lambda rows: any(relevant for _, relevant in rows)
)


def over_orders(rows, number) -> float:
    """The mean of a number over every order of the ties, each study told relevant or not."""
    orders = [o for o in permutations(rows) if [s for s, _ in o] == sorted(
        (s for s, _ in rows), reverse=True)]  # fmt: skip
    return float(np.mean([number([relevant for _, relevant in order]) for order in orders]))


def gain(order, k: int) -> float:
    return sum(1 / math.log2(i + 2) for i, relevant in enumerate(order[:k]) if relevant)


@settings(deadline=None, max_examples=80)
@given(RANKINGS, st.integers(1, 4))
def test_every_number_is_the_mean_over_all_orders_of_the_ties(rows, k):
    scores, relevant = zip(*rows, strict=True)
    ranking, weights = Sorted(scores, relevant), once(len(rows))
    total = sum(relevant)
    places = min(k, total)
    assert precision_capped(ranking, weights, k)[0] == pytest.approx(
        over_orders(rows, lambda order: sum(order[:places]) / places)
    )
    assert recall_at_relevant(ranking, weights)[0] == pytest.approx(
        over_orders(rows, lambda order: sum(order[:total]) / total)
    )
    ideal = gain([True] * total, k)
    assert ndcg(ranking, weights, k)[0] == pytest.approx(
        over_orders(rows, lambda order: gain(order, k) / ideal)
    )
    assert ndcg(ranking, weights, k)[0] == pytest.approx(
        metrics.ndcg_at(metrics.groups(scores, relevant), k)
    )


@settings(deadline=None, max_examples=60)
@given(RANKINGS, st.data())
def test_a_study_drawn_twice_counts_as_two_that_tie(rows, data):
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    scores, relevant = zip(*rows, strict=True)
    repeated = [row for row, count in zip(rows, counts, strict=True) for _ in range(count)]
    weights = np.array([counts], dtype=float)
    for number in (precision_capped, recall_at_relevant, ndcg):
        (found,) = number(Sorted(scores, relevant), weights)
        if not any(r for _, r in repeated):
            assert np.isnan(found)
            continue
        same, true = zip(*repeated, strict=True)
        assert found == pytest.approx(number(Sorted(same, true), once(len(repeated)))[0])


def test_a_perfect_order_has_one_and_a_constant_has_chance():
    relevant = np.arange(40) < 4
    for number in (precision_capped, recall_at_relevant, ndcg):
        assert number(Sorted(-np.arange(40), relevant), once(40))[0] == pytest.approx(1)
        assert number(Sorted(np.arange(40), relevant), once(40))[0] == 0
        constant = number(Sorted(np.zeros(40), relevant), once(40))[0]
        # Each of the first ten places gains by chance; an ideal order gains in four alone.
        spread = gain([True] * 10, 10) / gain([True] * 4, 10) if number is ndcg else 1
        assert constant == pytest.approx(0.1 * spread)
