"""Scores are a property of the vectors, not of the way the sum was taken."""

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from retrieval.values.embedding import unit_rows
from retrieval.vectors import order
from tests.doubles import exact_score


@settings(deadline=None)
@given(data=st.data())
def test_scores_are_the_rational_sum_rounded_once(data: st.DataObject):
    dim = data.draw(st.integers(1, 40))
    elements = st.floats(-1, 1, width=32)
    rows = data.draw(
        npst.arrays(np.float32, (data.draw(st.integers(1, 6)), dim), elements=elements)
    )
    query = data.draw(npst.arrays(np.float32, (1, dim), elements=elements))
    found = order.scores_of(rows, query)
    assert found.tolist() == [[exact_score(row, query[0]) for row in rows]]


def test_a_sum_that_lies_on_a_rounding_step_does_not_depend_on_its_order():
    rng = np.random.default_rng(0)
    terms = rng.normal(size=64).astype(np.float32)
    query = np.ones((1, 65), dtype=np.float32)
    half = np.float32(0)
    rows = np.zeros((200, 65), dtype=np.float32)
    for i in range(len(rows)):
        shuffled = rng.permutation(terms)
        # the last term brings the true sum to within rounding error of half a step
        target = np.round(float(shuffled.astype(np.float64).sum()), 3) + 0.5e-6
        half = np.float32(target - shuffled.astype(np.float64).sum())
        rows[i] = [*shuffled, half]
    found = order.scores_of(rows, query)[0]
    assert found.tolist() == [exact_score(row, query[0]) for row in rows]
    assert len(set(found.tolist())) == 1


def test_blocks_leave_no_trace(monkeypatch):
    rows = unit_rows(np.random.default_rng(1).normal(size=(100, 7)))
    whole = order.scores_of(rows, rows[:3])
    monkeypatch.setattr(order, "_BLOCK", 9)
    assert np.array_equal(order.scores_of(rows, rows[:3]), whole)


@settings(deadline=None)
@given(
    scores=st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.300001]), min_size=1, max_size=30),
    k=st.one_of(st.none(), st.integers(1, 40)),
    seed=st.integers(0, 99),
)
def test_rank_sorts_by_score_and_then_by_key(scores: list[float], k: int | None, seed: int):
    keys = np.random.default_rng(seed).permutation(len(scores)).astype(np.int64)
    found = order.rank(keys, np.array(scores), k)
    expected = sorted(zip((-s for s in scores), keys.tolist(), strict=True))[:k]
    assert found.keys.tolist() == [key for _, key in expected]
    assert found.scores.tolist() == [-s for s, _ in expected]
