"""What every VectorIndex must do with many vectors, under masks that keep 0.01 to 100 %."""

import math
from collections.abc import Callable
from functools import cache

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from retrieval.ports import VectorIndex
from retrieval.values.embedding import Embeddings, Mask, Vectors, unit_rows
from retrieval.vectors import scanners
from retrieval.vectors.compact import CompactScanner
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.faiss_index import FaissIndex
from retrieval.vectors.scanners import MAX_SCAN, CpuScanner, GpuScanner
from retrieval.vectors.table import Table
from tests import gpu_stand_in
from tests.doubles import ENCODER

COUNT, DIM = 10_000, 33

Rows = np.ndarray
Make = Callable[[Table], VectorIndex]


def on_the_stand_in(searched: Table) -> FaissIndex:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanners, "faiss_library", lambda: gpu_stand_in)
        return FaissIndex(searched, GpuScanner(searched.vectors))


def hurried(searched: Table) -> FaissIndex:
    """Scans where it need not, and too little of it at first."""
    return FaissIndex(searched, CompactScanner(searched.vectors, threads=2), slack=1, few=0)


ENGINES: dict[str, Make] = {
    "exact": ExactIndex,
    "faiss-cpu": lambda searched: FaissIndex(searched, CpuScanner(searched.vectors)),
    "compact": lambda searched: FaissIndex(searched, CompactScanner(searched.vectors)),
    "compact, hurried": hurried,
    "faiss-gpu, stand-in": on_the_stand_in,
    "faiss-gpu": lambda searched: FaissIndex(searched, GpuScanner(searched.vectors)),
}

every = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=[pytest.mark.gpu] if name == "faiss-gpu" else [])
        for name in ENGINES
    ],
)


def spread(rng: np.random.Generator) -> Rows:
    return rng.normal(size=(COUNT, DIM))


def groups(rng: np.random.Generator) -> Rows:
    return 3 * rng.normal(size=(20, DIM))[rng.integers(20, size=COUNT)] + spread(rng)


def twins(rng: np.random.Generator) -> Rows:
    """Each vector some hundred times: most of what competes is equal."""
    return rng.normal(size=(100, DIM))[rng.integers(100, size=COUNT)]


def near_ties(rng: np.random.Generator) -> Rows:
    return rng.normal(size=DIM) + rng.choice([1e-2, 1e-5, 1e-7], size=(COUNT, 1)) * spread(rng)


KINDS = {"spread": spread, "groups": groups, "twins": twins, "near ties": near_ties}


@cache
def table_of(kind: str) -> Table:
    rng = np.random.default_rng(len(kind))
    keys = rng.choice(2**62, size=COUNT, replace=False)
    return Table(keys, Embeddings(ENCODER, unit_rows(KINDS[kind](rng))), generation="g1")


@cache
def index_of(engine: str, kind: str) -> VectorIndex:
    return ENGINES[engine](table_of(kind))


def brute_force(table: Table, rows: Rows, query: Vectors, k: int | None) -> list[tuple[int, float]]:
    """Score each row without any error of summing, and sort."""
    products = table.vectors[rows].astype(np.float64) * query.astype(np.float64)
    scores = [round(math.fsum(product) * 1e6) / 1e6 + 0.0 for product in products.tolist()]
    scored = zip(table.keys[rows].tolist(), scores, strict=True)
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:k]


def eligible(how: str, table: Table, query: Vectors, count: int, rng: np.random.Generator) -> Rows:
    if how == "neighbours in the table":
        return np.arange(count) + rng.integers(COUNT - count + 1)
    if how == "the worst":
        return np.sort(np.argsort(table.vectors @ query[0], kind="stable")[:count])
    return np.sort(rng.choice(COUNT, size=count, replace=False))


def mask_of(rows: Rows) -> Mask:
    mask = np.zeros(COUNT, dtype=bool)
    mask[rows] = True
    return mask


def answered(index: VectorIndex, query: Vectors, k: int | None, allowed: Mask | None) -> list:
    (found,) = index.search(Embeddings(ENCODER, query), k=k, allowed=allowed)
    return list(zip(found.keys.tolist(), found.scores.tolist(), strict=True))


@every
@settings(deadline=None, max_examples=40)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    share=st.one_of(
        st.sampled_from([1e-4, 1e-3, 1e-2, 0.1, 0.3, 0.7, 1.0]),
        st.floats(-4, 0).map(lambda e: 10**e),
    ),
    how=st.sampled_from(["any", "neighbours in the table", "the worst"]),
    k=st.one_of(st.integers(1, 30), st.integers(MAX_SCAN - 20, MAX_SCAN + 20), st.none()),
    off=st.sampled_from([0, 1e-4, 1e-1, 1]),
    seed=st.integers(0, 2**32 - 1),
)
def test_set_order_and_scores_are_those_of_brute_force(engine, kind, share, how, k, off, seed):
    table, rng = table_of(kind), np.random.default_rng(seed)
    query = unit_rows(table.vectors[[rng.integers(COUNT)]] + off * rng.normal(size=(1, DIM)))
    rows = eligible(how, table, query, max(1, round(share * COUNT)), rng)
    allowed = None if len(rows) == COUNT else mask_of(rows)
    found = answered(index_of(engine, kind), query, k, allowed)
    assert found == brute_force(table, rows, query, k)


@every
@pytest.mark.parametrize("k", [7, MAX_SCAN - 1, MAX_SCAN, MAX_SCAN + 1, 5000])
@pytest.mark.parametrize("kept", [1, 10, 100, 1000, 5000, COUNT])
def test_equals_come_by_key_however_many_are_asked_for(engine: str, kept: int, k: int):
    table = table_of("twins")
    rows = np.sort(np.random.default_rng(kept).choice(COUNT, size=kept, replace=False))
    query = table.vectors[rows[:1]].copy()
    found = answered(index_of(engine, "twins"), query, k, mask_of(rows))
    assert found == brute_force(table, rows, query, k)
    assert len(found) == min(k, kept)
