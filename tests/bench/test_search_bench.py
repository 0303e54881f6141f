"""Masked search at archive sizes, engine beside engine, in one run. Proves only that answers agree.

Run with: CINESEEK_BENCH_VECTORS=1000000 pytest -m bench -s tests/bench/test_search_bench.py

Every round times everything once, in turn, so that what else the machine does
falls on all alike. Two clocks: the wall, and the processor time of all threads
together, which tells on a busy machine too. Ratios are to streaming: reading
once, on all cores, as many bytes as the vectors take in half precision.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss
import numpy as np
import pytest
import torch

from retrieval.values.embedding import Embeddings, Mask, Neighbours, unit_rows
from retrieval.vectors.compact import CompactScanner
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.faiss_index import FaissIndex
from retrieval.vectors.scanners import CpuScanner, GpuScanner
from retrieval.vectors.table import Table
from tests.bench.yardstick import CORES, resident, streaming
from tests.doubles import ENCODER

COUNT = int(os.environ.get("CINESEEK_BENCH_VECTORS", "50000"))
ROUNDS = int(os.environ.get("CINESEEK_BENCH_ROUNDS", "50"))
DIM, K, QUERIES = 512, 12, 16
SHARES = (1.0, 0.5, 0.1, 0.01, 0.001)

pytestmark = pytest.mark.bench

Times = dict[str, list[tuple[float, float]]]
"""Of each contestant, for every round: wall and processor seconds."""


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


def queries_near(table: Table) -> list[Embeddings]:
    rng = np.random.default_rng(1)
    rows = table.vectors[rng.integers(len(table), size=QUERIES)]
    near = unit_rows(rows + 0.05 * rng.normal(size=rows.shape))
    return [Embeddings(ENCODER, near[i : i + 1].copy()) for i in range(QUERIES)]


def built(name: str, make: Callable[[], Any]) -> Any:
    """Make an engine and say what it cost."""
    before, start, worked = resident(), time.perf_counter(), time.process_time()
    made = make()
    print(
        f"{name:<24} built in {time.perf_counter() - start:6.1f} s "
        f"({time.process_time() - worked:.1f} s of processor), {resident() - before:7.0f} MB"
    )
    return made


def asked(
    index: FaissIndex, queries: list[Embeddings], allowed: Mask | None = None
) -> Callable[[int], object]:
    return lambda i: index.search(queries[i], k=K, allowed=allowed)


def half_precision(table: Table, queries: list[Embeddings]) -> Callable[[int], object]:
    rows = torch.from_numpy(np.array(table.vectors)).half()
    wanted = [torch.from_numpy(query.vectors.copy()).half().T for query in queries]
    return lambda i: torch.topk((rows @ wanted[i])[:, 0], K)


def in_float32(table: Table, queries: list[Embeddings]) -> Callable[[int], object]:
    return lambda i: np.argpartition(table.vectors @ queries[i].vectors[0], -K)[-K:]


def scalar_quantised(table: Table, queries: list[Embeddings]) -> Callable[[int], object]:
    index = faiss.IndexScalarQuantizer(
        DIM, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(table.vectors[:1000])
    index.add(table.vectors)
    return lambda i: index.search(queries[i].vectors, K)


def race(contestants: dict[str, Callable[[int], object]], rounds: int) -> Times:
    times: Times = {name: [] for name in contestants}
    for turn in range(-1, rounds):
        for name, call in contestants.items():
            start, worked = time.perf_counter(), time.process_time()
            call(turn % QUERIES)
            taken = time.perf_counter() - start, time.process_time() - worked
            if turn >= 0:  # the first round only warms up
                times[name].append(taken)
    return times


def show(times: Times, base: str) -> None:
    typical = {name: np.median(taken, axis=0) * 1000 for name, taken in times.items()}
    print(
        f"\n{'milliseconds':<24} {'p50':>8} {'p95':>8} {'/ stream':>9} {'p95 / stream':>13} "
        f"{'processor':>10} {'/ stream':>9}"
    )
    for name, taken in times.items():
        wall, worked = typical[name]
        p95 = float(np.percentile([w for w, _ in taken], 95)) * 1000
        print(
            f"{name:<24} {wall:>8.2f} {p95:>8.2f} {wall / typical[base][0]:>9.2f} "
            f"{p95 / typical[base][0]:>13.2f} {worked:>10.2f} {worked / typical[base][1]:>9.2f}"
        )


def answers(found: list[Neighbours]) -> list[tuple[list[int], list[float]]]:
    return [(n.keys.tolist(), n.scores.tolist()) for n in found]


def test_masked_search():
    table = table_of(COUNT)
    queries = queries_near(table)
    rng = np.random.default_rng(2)
    masks = {
        share: None if share == 1 else rng.permutation(COUNT) < max(1, int(share * COUNT))
        for share in SHARES
    }
    print(
        f"\n{COUNT:,} x {DIM}, k = {K}, one query at a time, {ROUNDS} rounds; {CORES} cores, "
        f"load {os.getloadavg()[0]:.1f}, torch on {torch.get_num_threads()} threads, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}"
    )
    with ThreadPoolExecutor(CORES) as pool:
        stream = streaming(COUNT, DIM, pool)
        compact = built("compact", lambda: FaissIndex(table, CompactScanner(table.vectors)))
        contestants = {"streaming": stream, "streaming, one core": streaming(COUNT, DIM, None)}
        contestants |= {
            f"compact {share:.1%}": asked(compact, queries, mask) for share, mask in masks.items()
        }
        contestants["rows of all but one"] = lambda _: table.rows(np.arange(COUNT) > 0)
        show(race(contestants, ROUNDS), "streaming")

        # one after the other, so that a million vectors fit: each beside streaming
        others: dict[str, Callable[[], Callable[[int], object]]] = {
            "torch half product": lambda: half_precision(table, queries),
            "NumPy float32": lambda: in_float32(table, queries),
            "FAISS fp16": lambda: scalar_quantised(table, queries),
            "FAISS flat, exact": lambda: asked(
                FaissIndex(table, CpuScanner(table.vectors)), queries
            ),
        }
        if faiss.get_num_gpus():
            others["FAISS flat on a GPU, exact"] = lambda: asked(
                FaissIndex(table, GpuScanner(table.vectors)), queries
            )
        else:
            print("GPU: not run")
        for name, make in others.items():
            one = built(name, make)
            whole = contestants["compact 100.0%"]
            show(race({"streaming": stream, name: one, "compact": whole}, ROUNDS), "streaming")
            del one

    judge = ExactIndex(table)
    batch = Embeddings(ENCODER, np.concatenate([query.vectors for query in queries[:2]]))
    for mask in masks.values():
        expected = answers(judge.search(batch, k=K, allowed=mask))
        assert answers(compact.search(batch, k=K, allowed=mask)) == expected


def test_where_compact_codes_begin_to_pay():
    """The size from which "auto" should choose them."""
    print()
    for count in (1000, 3000, 10_000, 30_000):
        table = table_of(count)
        queries = queries_near(table)
        engines = {
            "faiss-cpu": FaissIndex(table, CpuScanner(table.vectors)),
            "compact": FaissIndex(table, CompactScanner(table.vectors)),
        }
        print(f"{count:,} vectors", end="")
        contestants = {name: asked(index, queries) for name, index in engines.items()}
        show(race(contestants, ROUNDS), "faiss-cpu")
