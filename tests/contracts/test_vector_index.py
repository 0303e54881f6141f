"""What every VectorIndex must do. Rational arithmetic is the judge of them all."""

from collections.abc import Callable

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from retrieval.errors import EncoderMismatch
from retrieval.ports import VectorIndex
from retrieval.values.embedding import Embeddings, EncoderId, unit_rows
from retrieval.vectors.compact import CompactScanner
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.faiss_index import FaissIndex
from retrieval.vectors.scanners import CpuScanner, GpuScanner, Scanner
from retrieval.vectors.table import Table
from tests.doubles import ENCODER, DictIndex, exact_score

Make = Callable[[np.ndarray, np.ndarray], VectorIndex]


def table(keys: np.ndarray, rows: np.ndarray) -> Table:
    return Table(keys, Embeddings(ENCODER, rows), generation="g1")


def scanned(keys: np.ndarray, rows: np.ndarray, scanner: Callable[..., Scanner]) -> FaissIndex:
    """An engine that scans even the smallest table, and too little of it at first."""
    searched = table(keys, rows)
    return FaissIndex(searched, scanner(searched.vectors), slack=1, few=0)


IMPLEMENTATIONS = [
    pytest.param(lambda k, v: DictIndex(dict(zip(k.tolist(), v, strict=True))), id="dict"),
    pytest.param(lambda k, v: ExactIndex(table(k, v)), id="exact"),
    pytest.param(lambda k, v: scanned(k, v, CpuScanner), id="faiss-cpu"),
    pytest.param(lambda k, v: scanned(k, v, CompactScanner), id="compact"),
    pytest.param(lambda k, v: scanned(k, v, GpuScanner), id="faiss-gpu", marks=pytest.mark.gpu),
]
every = pytest.mark.parametrize("make", IMPLEMENTATIONS)


@st.composite
def collections(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Keys in any order and vectors with exact ties and ties that are nearly so."""
    dim = draw(st.integers(2, 9))
    shape = (draw(st.integers(1, 30)), dim)
    coarse = draw(npst.arrays(np.int8, shape, elements=st.integers(-2, 2)))
    coarse[:, 0] = np.where(np.any(coarse != 0, axis=1), coarse[:, 0], 1)
    nudge = draw(npst.arrays(np.int8, shape, elements=st.sampled_from([0, 0, 0, 1, -1, 10])))
    rows = unit_rows(coarse.astype(np.float64) + nudge * draw(st.sampled_from([1e-6, 1e-7, 3e-7])))
    keys = draw(
        st.lists(st.integers(0, 2**63 - 1), min_size=shape[0], max_size=shape[0], unique=True)
    )
    return np.array(keys, dtype=np.int64), rows


def expected(
    keys: np.ndarray, rows: np.ndarray, query: np.ndarray, allowed: set[int], k: int | None
) -> list[tuple[int, float]]:
    scored = [(int(key), exact_score(row, query)) for key, row in zip(keys, rows, strict=True)]
    return sorted((s for s in scored if s[0] in allowed), key=lambda s: (-s[1], s[0]))[:k]


@every
@settings(deadline=None, max_examples=120)
@given(data=st.data())
def test_order_and_scores_are_exactly_the_judges_under_any_mask(make: Make, data: st.DataObject):
    keys, rows = data.draw(collections())
    query = rows[data.draw(st.integers(0, len(rows) - 1))]
    mask = data.draw(
        st.one_of(
            st.none(),
            st.lists(st.sampled_from(keys.tolist()), unique=True),
            st.just(keys.tolist()),
        )
    )
    k = data.draw(st.one_of(st.none(), st.integers(1, 40)))
    allowed = None if mask is None else np.isin(np.sort(keys), np.array(mask, dtype=np.int64))

    (found,) = make(keys, rows).search(
        Embeddings(ENCODER, query[None].copy()), k=k, allowed=allowed
    )

    eligible = set(keys.tolist() if mask is None else mask)
    got = list(zip(found.keys.tolist(), found.scores.tolist(), strict=True))
    assert got == expected(keys, rows, query, eligible, k)


@every
def test_fewer_than_k_come_back_only_if_fewer_are_allowed(make: Make):
    rows = unit_rows(np.random.default_rng(0).normal(size=(50, 8)))
    index = make(np.arange(50), rows)
    queries = Embeddings(ENCODER, rows[:3].copy())
    first = np.arange(50)
    for allowed, k, count in [(None, 80, 50), (first < 20, 7, 7), (first < 5, 7, 5)]:
        assert [len(n) for n in index.search(queries, k=k, allowed=allowed)] == [count] * 3
    nobody = np.zeros(50, dtype=bool)
    assert [len(n) for n in index.search(queries, k=7, allowed=nobody)] == [0, 0, 0]


@every
def test_answers_each_query_of_a_batch_as_if_alone(make: Make):
    rows = unit_rows(np.random.default_rng(1).normal(size=(300, 6)))
    index = make(np.arange(300) * 3, rows)
    queries = unit_rows(np.random.default_rng(2).normal(size=(40, 6)))
    allowed = np.arange(300) % 2 == 0
    together = index.search(Embeddings(ENCODER, queries), k=5, allowed=allowed)
    for query, found in zip(queries, together, strict=True):
        (alone,) = index.search(Embeddings(ENCODER, query[None].copy()), k=5, allowed=allowed)
        assert found.keys.tolist() == alone.keys.tolist()
        assert found.scores.tolist() == alone.scores.tolist()


@every
def test_equal_vectors_come_in_the_order_of_their_keys(make: Make):
    rows = np.tile(unit_rows(np.array([[1.0, 2.0, 3.0]])), (40, 1))
    keys = np.random.default_rng(3).permutation(40).astype(np.int64)
    (found,) = make(keys, rows).search(Embeddings(ENCODER, rows[:1].copy()), k=7)
    assert found.keys.tolist() == list(range(7))


@every
def test_returns_stored_vectors_in_the_order_asked_for(make: Make):
    rows = unit_rows(np.random.default_rng(4).normal(size=(6, 4)))
    index = make(np.array([50, 10, 40, 20, 30, 60]), rows)
    wanted = index.vectors(np.array([20, 50, 20]))
    assert wanted.encoder_id == ENCODER
    np.testing.assert_array_equal(wanted.vectors, rows[[3, 0, 3]])
    with pytest.raises(KeyError):
        index.vectors(np.array([20, 21]))
    with pytest.raises(KeyError):
        index.vectors(np.array([99]))


@every
def test_says_whose_its_rows_are(make: Make):
    rows = unit_rows(np.random.default_rng(5).normal(size=(3, 4)))
    index = make(np.array([30, 10, 20]), rows)
    assert index.keys.tolist() == [10, 20, 30]
    assert len(index) == 3
    assert index.generation == "g1"
    assert index.encoder_id == ENCODER


@every
def test_refuses_a_query_of_another_encoder(make: Make):
    rows = unit_rows(np.eye(4))
    other = Embeddings(EncoderId("other@2"), rows[:1].copy())
    with pytest.raises(EncoderMismatch, match="the query uses other@2"):
        make(np.arange(4), rows).search(other, k=1)


@every
@pytest.mark.parametrize("mask", [np.ones(3, bool), np.ones(5, bool), np.arange(4)])
def test_refuses_a_mask_that_is_not_one_of_its_rows(make: Make, mask: np.ndarray):
    rows = unit_rows(np.eye(4))
    with pytest.raises(ValueError, match="mask"):
        make(np.arange(4), rows).search(Embeddings(ENCODER, rows[:1].copy()), k=1, allowed=mask)


@every
@pytest.mark.parametrize("k", [0, -3])
def test_refuses_a_number_of_results_that_means_nothing(make: Make, k: int):
    rows = unit_rows(np.eye(4))
    with pytest.raises(ValueError, match=f"k is {k}"):
        make(np.arange(4), rows).search(Embeddings(ENCODER, rows[:1].copy()), k=k)
