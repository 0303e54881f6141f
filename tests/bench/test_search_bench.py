"""Masked search at archive sizes, engine beside engine. Prints; proves only that answers agree.

Run with: pytest -m bench -s tests/bench/test_search_bench.py
"""

import os
import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.vectors.engines import index_over
from retrieval.vectors.table import Table
from tests.doubles import ENCODER

DIM, K = 512, 12
SHARES = (1.0, 0.5, 0.05, 0.003)
ROUNDS = {"exact": 2, "faiss-cpu": 20}

pytestmark = pytest.mark.bench


def table_of(count: int) -> Table:
    """Vectors in 500 loose clusters, as an encoder that knows some diseases gives them."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(500, DIM)).astype(np.float32)
    rows = np.empty((count, DIM), dtype=np.float32)
    for start in range(0, count, 50_000):
        some = rows[start : start + 50_000]
        rng.standard_normal(out=some, dtype=np.float32)
        some += centres[rng.integers(500, size=len(some))]
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    keys = np.sort(rng.choice(2**40, size=count, replace=False))
    return Table(keys, Embeddings(ENCODER, rows), generation="bench")


def milliseconds(call: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 95th percentile."""
    call()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 95))


def streaming(count: int) -> float:
    """Milliseconds to read as many bytes as the vectors take in half precision, on one core."""
    words = np.ones(count * DIM * 2 // 8, dtype=np.uint64)
    return milliseconds(lambda: np.bitwise_xor.reduce(words), 5)[0]


@pytest.mark.parametrize("count", [100_000, 1_000_000])
def test_masked_search(count: int):
    table = table_of(count)
    rng = np.random.default_rng(1)
    query = Embeddings(ENCODER, unit_rows(table.vectors[7:8] + 0.05 * rng.normal(size=(1, DIM))))
    masks = {
        share: None
        if share == 1
        else np.sort(rng.choice(table.keys, size=int(share * count), replace=False))
        for share in SHARES
    }
    print(
        f"\n{count:,} x {DIM}, k = {K}, one query; {platform.processor() or platform.machine()}, "
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}; milliseconds"
    )
    print(f"{'engine':<10} {'eligible':>9} {'p50':>9} {'p95':>9}")
    answers = {}
    for engine, rounds in ROUNDS.items():
        index = index_over(table, engine)
        for share, allowed in masks.items():
            p50, p95 = milliseconds(partial(index.search, query, k=K, allowed=allowed), rounds)
            print(f"{engine:<10} {share:>9.1%} {p50:>9.1f} {p95:>9.1f}")
            (found,) = index.search(query, k=K, allowed=allowed)
            answers[engine, share] = (found.keys.tolist(), found.scores.tolist())
        del index
    print(f"{'streaming half precision once':<20} {streaming(count):>9.1f}")
    for share in SHARES:
        assert answers["faiss-cpu", share] == answers["exact", share]
