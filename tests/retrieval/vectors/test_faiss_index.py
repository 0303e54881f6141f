"""What FAISS could get wrong, and that it is noticed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from retrieval.errors import EngineInexact, MaskIgnored, UsageError
from retrieval.values.embedding import Embeddings, Vectors, unit_rows
from retrieval.vectors import engines, faiss_index, scanners
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.faiss_index import FaissIndex
from retrieval.vectors.scanners import CpuScanner, GpuScanner, Scan
from retrieval.vectors.table import Rows, Table
from tests import gpu_stand_in
from tests.doubles import ENCODER


def table_of(rows: Vectors) -> Table:
    return Table(np.arange(len(rows)), Embeddings(ENCODER, rows), generation="g1")


def random_rows(count: int, dim: int, seed: int = 0) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dim)))


def same(found, expected) -> bool:
    return all(
        a.keys.tolist() == b.keys.tolist() and a.scores.tolist() == b.scores.tolist()
        for a, b in zip(found, expected, strict=True)
    )


class Deaf(CpuScanner):
    """Takes a mask and ignores it, as the classic GPU indexes do."""

    engine = "deaf"

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        return super().nearest(queries, k, None)


class Sloppy(CpuScanner):
    """Sums with an error far beyond that of float32, as a 10-bit mantissa (TF32) would."""

    engine = "sloppy"

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        scores, found = super().nearest(queries, k, rows)
        return scores + np.float32(1e-3), found


class Forgetful(CpuScanner):
    """Loses what lies near the edge of a range."""

    engine = "forgetful"

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        return super().reaching(query, floor, rows)[1:]


class DeafToWideMasks(CpuScanner):
    """Honours a mask that leaves few rows and no other."""

    engine = "deaf to wide masks"

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        few = rows is not None and len(rows) < self._count // 4
        return super().nearest(queries, k, rows if few else None)


class Hasty(CpuScanner):
    """Never reads the rows at one end, unless a mask leaves few."""

    engine = "hasty"

    def __init__(self, vectors: Vectors, *, unread: int, masked: bool) -> None:
        super().__init__(vectors)
        self._read = np.delete(np.arange(len(vectors)), unread)
        self._masked = masked

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        if self._masked == (rows is not None) and (rows is None or len(rows) > self._count // 4):
            rows = self._read if rows is None else np.intersect1d(rows, self._read)
        return super().nearest(queries, k, rows)


class Graph(CpuScanner):
    """An approximate index: FAISS's graph, which honours a mask and loses what it cannot reach."""

    engine = "graph"

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(vectors)
        self._index = self._faiss.IndexHNSWFlat(
            vectors.shape[1], 8, self._faiss.METRIC_INNER_PRODUCT
        )
        self._index.add(vectors)

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        mask = self._mask(rows)
        selector = None if mask is None else mask.sel
        return self._index.search(
            queries, k, params=self._faiss.SearchParametersHNSW(sel=selector, efSearch=k)
        )


class Counting(CpuScanner):
    """Remembers how many rows were asked for, and how many a second look found."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(vectors)
        self.asked: list[int] = []
        self.reached: list[int] = []

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        self.asked.append(k)
        return super().nearest(queries, k, rows)

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        found = super().reaching(query, floor, rows)
        self.reached.append(len(found))
        return found


def test_an_engine_that_ignores_masks_does_not_start():
    table = table_of(random_rows(30, 8))
    with pytest.raises(MaskIgnored, match="deaf returned a result that the mask forbids"):
        FaissIndex(table, Deaf(table.vectors))


def test_an_engine_that_turns_deaf_later_is_stopped_at_once():
    table = table_of(random_rows(60, 8))
    index = FaissIndex(table, CpuScanner(table.vectors), slack=1, few=0)
    index._scanner = Deaf(table.vectors)
    query = Embeddings(ENCODER, table.vectors[:1].copy())
    with pytest.raises(MaskIgnored):
        index.search(query, k=3, allowed=(np.arange(60) > 0) & (np.arange(60) < 30))


def test_an_engine_that_breaks_its_error_bound_does_not_start_and_is_stopped_later():
    table = table_of(random_rows(60, 8))
    with pytest.raises(EngineInexact, match=r"sloppy cannot be trusted: a score is off by 0\.001"):
        FaissIndex(table, Sloppy(table.vectors))
    index = FaissIndex(table, CpuScanner(table.vectors), slack=1)
    index._scanner = Sloppy(table.vectors)
    with pytest.raises(EngineInexact, match=r"a score is off by 0\.001"):
        index.search(Embeddings(ENCODER, table.vectors[:1].copy()), k=3)


def test_an_engine_that_loses_rows_of_a_range_does_not_start():
    table = table_of(random_rows(60, 8))
    with pytest.raises(EngineInexact, match=r"forgetful .* left out rows that reach far enough"):
        FaissIndex(table, Forgetful(table.vectors))


def test_an_engine_that_ignores_wide_masks_alone_does_not_start():
    table = table_of(random_rows(400, 8))
    with pytest.raises(MaskIgnored, match="deaf to wide masks returned a result that the mask"):
        FaissIndex(table, DeafToWideMasks(table.vectors))


@pytest.mark.parametrize("unread", [0, -1])
def test_an_engine_that_passes_over_rows_does_not_start(unread: int):
    table = table_of(random_rows(400, 8))
    scanner = Hasty(table.vectors, unread=unread, masked=False)
    with pytest.raises(EngineInexact, match=r"hasty .* passed over a row better than one it"):
        FaissIndex(table, scanner)


@pytest.mark.parametrize(("unread", "end"), [(19, 0), (6, -1)])
def test_an_engine_that_passes_over_rows_of_a_wide_mask_does_not_start(unread: int, end: int):
    rows = random_rows(400, 8)
    rows[unread] = rows[end]  # one of those that the proof looks for, and now the best of all
    table = table_of(rows)
    scanner = Hasty(rows, unread=unread, masked=True)
    with pytest.raises(EngineInexact, match=r"hasty .* passed over a row better than one it"):
        FaissIndex(table, scanner)


def test_a_gpu_index_that_is_handed_a_mask_ignores_it_and_does_not_start(monkeypatch):
    class Selecting(GpuScanner):
        def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
            return self._index.search(queries, k, params=rows)

    monkeypatch.setattr(scanners, "faiss_library", lambda: gpu_stand_in)
    table = table_of(random_rows(30, 8))
    assert FaissIndex(table, GpuScanner(table.vectors)).engine == "faiss-gpu"
    with pytest.raises(MaskIgnored, match="faiss-gpu returned a result that the mask forbids"):
        FaissIndex(table, Selecting(table.vectors))


def test_an_approximate_index_does_not_start():
    table = table_of(random_rows(1000, 32))
    with pytest.raises(EngineInexact, match="graph cannot be trusted"):
        FaissIndex(table, Graph(table.vectors))


@pytest.mark.parametrize("spread", [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4])
@pytest.mark.parametrize("masked", [False, True])
def test_near_ties_beyond_the_first_scan_are_not_lost(spread: float, masked: bool):
    rng = np.random.default_rng(1)
    centre = rng.normal(size=512)
    rows = unit_rows(centre + spread * rng.normal(size=(1500, 512)))
    table = table_of(rows)
    query = Embeddings(ENCODER, unit_rows(centre[None] + 0.1 * rng.normal(size=(1, 512))))
    allowed = np.arange(1500) % 2 == 0 if masked else None
    index = FaissIndex(table, CpuScanner(rows), slack=4, few=0)
    found = index.search(query, k=10, allowed=allowed)
    assert same(found, ExactIndex(table).search(query, k=10, allowed=allowed))


def test_scores_apart_need_one_scan_and_scores_together_another():
    rows = random_rows(400, 16)
    scanner = Counting(rows)
    index = FaissIndex(table_of(rows), scanner, slack=4)
    scanner.asked.clear()
    scanner.reached.clear()
    index.search(Embeddings(ENCODER, rows[:1].copy()), k=10)
    assert (scanner.asked, scanner.reached) == ([14], [])

    alike = np.repeat(rows[:2], 200, axis=0)
    scanner = Counting(alike)
    index = FaissIndex(table_of(alike), scanner, slack=4)
    scanner.asked.clear()
    scanner.reached.clear()
    (found,) = index.search(Embeddings(ENCODER, rows[:1].copy()), k=10)
    assert (scanner.asked, scanner.reached) == ([14], [200])
    assert found.keys.tolist() == list(range(10))


def test_few_eligible_rows_are_scored_without_a_scan():
    rows = random_rows(2000, 8)
    scanner = Counting(rows)
    index = FaissIndex(table_of(rows), scanner)
    for count, scans in ((512, 0), (513, 1)):
        scanner.asked.clear()
        allowed = (np.arange(2000) >= 3) & (np.arange(2000) < 3 + count)
        query = Embeddings(ENCODER, rows[:1].copy())
        found = index.search(query, k=5, allowed=allowed)
        assert len(scanner.asked) == scans
        assert same(found, ExactIndex(table_of(rows)).search(query, k=5, allowed=allowed))


def test_beyond_the_largest_scan_every_row_is_scored(monkeypatch):
    monkeypatch.setattr(faiss_index, "MAX_SCAN", 32)
    rows = np.tile(random_rows(1, 8), (100, 1))
    table = table_of(rows)
    index = FaissIndex(table, CpuScanner(rows), slack=1)
    query = Embeddings(ENCODER, rows[:1].copy())
    for k in (5, 40):
        assert same(index.search(query, k=k), ExactIndex(table).search(query, k=k))


def test_the_error_bound_holds_and_is_not_absurd():
    rows = random_rows(2000, 512)
    index = FaissIndex(table_of(rows), CpuScanner(rows))
    query = random_rows(1, 512, seed=9)
    approximate, found = index._scan(query, 500, None)
    true = rows[found[0]].astype(np.float64) @ query[0].astype(np.float64)
    assert np.abs(true - approximate[0]).max() <= index._scanner.error(query[0]) < 1e-4


def test_one_vector_is_enough():
    table = table_of(random_rows(1, 4))
    index = engines.index_over(table, "faiss-cpu")
    (found,) = index.search(Embeddings(ENCODER, table.vectors.copy()), k=3)
    assert found.keys.tolist() == [0]
    assert found.scores.tolist() == [1.0]


def test_keys_and_vectors_must_belong_together():
    rows = random_rows(3, 4)
    with pytest.raises(ValueError, match="2 keys do not name 3 vectors"):
        Table(np.arange(2), Embeddings(ENCODER, rows), generation="g1")
    with pytest.raises(ValueError, match="a key names two vectors"):
        Table(np.array([5, 1, 5]), Embeddings(ENCODER, rows), generation="g1")


def test_queries_of_another_dimension_are_refused():
    index = ExactIndex(table_of(random_rows(3, 4)))
    with pytest.raises(ValueError, match="queries have 5 dimensions; this index has 4"):
        index.search(Embeddings(ENCODER, random_rows(1, 5)), k=1)


@pytest.mark.parametrize(
    ("asked", "gpus", "count", "chosen"),
    [
        ("auto", None, 1_000_000, "exact"),
        ("auto", 1, 0, "exact"),
        ("auto", 0, engines.COMPACT_FROM - 1, "faiss-cpu"),
        ("auto", 0, engines.COMPACT_FROM, "compact"),
        ("auto", 1, 1_000_000, "faiss-gpu"),
        ("faiss-cpu", 1, 1_000_000, "faiss-cpu"),
        ("compact", 1, 10, "compact"),
        ("faiss-gpu", 2, 10, "faiss-gpu"),
        ("exact", 1, 10, "exact"),
    ],
)
def test_auto_takes_the_fastest_engine_there_is(monkeypatch, asked, gpus, count, chosen):
    monkeypatch.setattr(engines, "_gpus", lambda: gpus)
    assert engines.choose(asked, count) == chosen


@pytest.mark.parametrize(
    ("asked", "gpus", "message"),
    [
        ("faiss-gpu", 0, "FAISS sees no GPU"),
        ("faiss-gpu", None, "FAISS sees no GPU"),
        ("faiss-cpu", None, "FAISS is not installed"),
        ("compact", None, "FAISS is not installed"),
        ("hnsw", 0, "there are auto, exact, compact, faiss-cpu, faiss-gpu"),
    ],
)
def test_an_engine_that_is_not_to_be_had_is_refused(monkeypatch, asked, gpus, message):
    monkeypatch.setattr(engines, "_gpus", lambda: gpus)
    with pytest.raises(UsageError, match=message):
        engines.choose(asked, 10)
