"""Compact codes: what the bound leaves open is scored, so that nothing is ever lost."""

from collections.abc import Iterator

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from retrieval.errors import EngineInexact, MaskIgnored
from retrieval.values.embedding import Embeddings, Vectors, unit_rows
from retrieval.vectors import compact
from retrieval.vectors.compact import CompactScanner
from retrieval.vectors.engines import index_over
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.faiss_index import FaissIndex
from retrieval.vectors.scanners import Scan
from retrieval.vectors.table import Rows, Table
from tests.doubles import ENCODER

SHARES = (1.0, 0.9, 0.5, 0.13, 0.1, 0.01, 0.001, 0.0001)


@pytest.fixture(autouse=True, scope="module")
def small_shards() -> Iterator[None]:
    """Several shards in tables that are quick to search exhaustively."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "_SHARD", 64)
        yield


def table_of(rows: Vectors) -> Table:
    keys = np.sort(np.random.default_rng(len(rows)).choice(2**40, size=len(rows), replace=False))
    return Table(keys, Embeddings(ENCODER, rows), generation="g1")


def asking(queries: np.ndarray) -> Embeddings:
    return Embeddings(ENCODER, unit_rows(queries))


def same(found, expected) -> bool:
    return all(
        a.keys.tolist() == b.keys.tolist() and a.scores.tolist() == b.scores.tolist()
        for a, b in zip(found, expected, strict=True)
    )


def approximate(scanner: CompactScanner, query: np.ndarray, count: int) -> np.ndarray:
    """What a scan says of every row, in the order of rows."""
    scores, found = scanner.nearest(query[None], count, None)
    by_row = np.empty(count)
    by_row[found[0]] = scores[0]
    return by_row


def twins(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows[rng.integers(max(1, len(rows) // 20), size=len(rows))]


def near_ties(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rows[:1] + rng.choice([1e-3, 1e-5, 1e-7], size=(len(rows), 1)) * rows


def mostly_zero(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    sparse = np.where(rng.random(rows.shape) < 0.9, 0, rows)
    sparse[:, 0] += 1e-3
    return sparse


def constant_dims(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # behind the rest, so that scaling to length 1 makes them nearly, not exactly, constant
    rows = unit_rows(rows).astype(np.float64)
    return np.concatenate([rows, np.full((len(rows), 2), [0.25, -3.0])], axis=1)


def one_huge_dim(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    rows[:, 0] *= 1000
    return rows


def one_odd_row(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    near = rows[:1] + 1e-2 * rows
    near[0] = np.eye(rows.shape[1])[-1]
    return near


def in_corners(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.sign(rows)


KINDS = (
    lambda rows, rng: rows,
    twins,
    near_ties,
    mostly_zero,
    constant_dims,
    one_huge_dim,
    one_odd_row,
    in_corners,
)


@settings(deadline=None, max_examples=300)
@given(
    kind=st.sampled_from(KINDS),
    count=st.integers(1, 500),
    dim=st.sampled_from([1, 2, 3, 31, 32, 33, 64]),
    seed=st.integers(0, 2**32 - 1),
    share=st.one_of(st.none(), st.sampled_from(SHARES)),
    k=st.one_of(st.integers(1, 30), st.integers(1, 600)),
    slack=st.sampled_from([1, 5, CompactScanner.slack]),
    threads=st.integers(1, 3),
)
def test_set_order_and_scores_are_the_judges(kind, count, dim, seed, share, k, slack, threads):
    rng = np.random.default_rng(seed)
    table = table_of(unit_rows(kind(rng.normal(size=(count, dim)), rng)))
    index = FaissIndex(table, CompactScanner(table.vectors, threads=threads), slack=slack, few=0)
    near = table.vectors[rng.integers(count, size=3)]
    queries = asking(near + rng.choice([0, 1e-3, 1], size=(3, 1)) * rng.normal(size=near.shape))
    allowed = None if share is None else rng.random(count) < share
    found = index.search(queries, k=k, allowed=allowed)
    assert same(found, ExactIndex(table).search(queries, k=k, allowed=allowed))


@pytest.fixture(scope="module")
def large() -> Table:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(100, 96))[rng.integers(100, size=20_000)]
    return table_of(unit_rows(2 * centres + rng.normal(size=(20_000, 96))))


@pytest.fixture(scope="module")
def index(large: Table) -> FaissIndex:
    return FaissIndex(large, CompactScanner(large.vectors), few=0)


@pytest.mark.parametrize("k", [1, 12, 1000])
@pytest.mark.parametrize("share", SHARES)
def test_any_share_may_be_eligible(large: Table, index: FaissIndex, share: float, k: int):
    rng = np.random.default_rng(6)
    allowed = rng.permutation(len(large)) < max(1, round(share * len(large)))
    queries = asking(large.vectors[[7, 11_111]] + 0.05 * rng.normal(size=(2, 96)))
    found = index.search(queries, k=k, allowed=allowed)
    assert same(found, ExactIndex(large).search(queries, k=k, allowed=allowed))


@pytest.mark.parametrize("forbidden", [300, 3000, 15_000])
def test_a_mask_may_forbid_just_the_best(large: Table, index: FaissIndex, forbidden: int):
    query = asking(large.vectors[:1])
    left = ExactIndex(large).search(query, k=None)[0].keys[forbidden:]
    found = index.search(query, k=12, allowed=np.isin(large.keys, left))
    assert found[0].keys.tolist() == left[:12].tolist()


def test_the_bound_holds_for_the_query_that_is_worst_for_a_row():
    rows = unit_rows(np.random.default_rng(0).normal(size=(2000, 512)))
    scanner = CompactScanner(rows)
    wide = rows.astype(np.float64)
    codes = np.concatenate([s.index.reconstruct_n(0, s.stop - s.start) for s in scanner._shards])
    residual = wide - scanner._middle - scanner._step.astype(np.float64) * codes
    for row in (3, 1234):
        (query,) = unit_rows(residual[row : row + 1])
        error = np.abs(wide @ query - approximate(scanner, query, len(rows)))
        assert 0.5 * scanner.error(query) < error[row] <= error.max() <= scanner.error(query)
        assert scanner.error(query) < 0.02


def test_sums_beyond_the_whole_numbers_of_float32_stay_within_the_bound():
    rng = np.random.default_rng(1)
    signs = np.ones((400, 1536))
    for i, row in enumerate(signs):
        row[rng.choice(1536, size=i % 5, replace=False)] *= -1
    nudged = signs * (1 + 1e-6 * rng.integers(-3, 4, size=signs.shape))
    nudged[-1] *= -1
    table = table_of(unit_rows(nudged))
    scanner = CompactScanner(table.vectors)
    query = asking(np.ones((1, 1536)))
    assert scanner._asked(query.vectors[0]).whole.sum() * 127 > 2**24
    true = table.vectors.astype(np.float64) @ query.vectors[0].astype(np.float64)
    off = np.abs(true - approximate(scanner, query.vectors[0], len(table)))
    assert off.max() <= scanner.error(query.vectors[0]) < 3e-4
    index = FaissIndex(table, scanner, slack=1)
    for k in (1, 100):
        assert same(index.search(query, k=k), ExactIndex(table).search(query, k=k))


def test_codes_that_are_not_those_of_their_vectors_do_not_start(monkeypatch):
    def spoiled(self: CompactScanner, codes):
        codes[len(codes) // 2, 3] ^= 2
        return holding(self, codes)

    holding = CompactScanner._holding
    rows = unit_rows(np.random.default_rng(2).normal(size=(200, 16)))
    monkeypatch.setattr(CompactScanner, "_prove_sums", lambda self: None)
    monkeypatch.setattr(CompactScanner, "_holding", spoiled)
    with pytest.raises(EngineInexact, match="compact cannot be trusted: a code is off by"):
        CompactScanner(rows)


def test_a_kernel_that_saturates_does_not_start(monkeypatch):
    class Saturating:
        def __init__(self, index):
            self._index = index

        def search(self, queries: Vectors, k: int) -> Scan:
            scores, found = self._index.search(queries, k)
            return np.clip(scores, -(2**15), 2**15 - 1), found

    holding = CompactScanner._holding
    monkeypatch.setattr(CompactScanner, "_holding", lambda s, codes: Saturating(holding(s, codes)))
    with pytest.raises(EngineInexact, match="does not sum products of bytes"):
        CompactScanner(unit_rows(np.random.default_rng(2).normal(size=(9, 32))))


def test_codes_that_change_later_are_noticed_where_they_are_read():
    table = table_of(unit_rows(np.random.default_rng(3).normal(size=(300, 32))))
    scanner = CompactScanner(table.vectors)
    index = FaissIndex(table, scanner)
    shard = scanner._shards[1]
    codes = shard.index.reconstruct_n(0, shard.stop - shard.start)
    codes[5] = -codes[5]
    spoiled = scanner._holding((codes + 128).astype(np.uint8))
    scanner._shards[1] = shard._replace(index=spoiled)
    with pytest.raises(EngineInexact, match="a score is off by"):
        index.search(asking(-table.vectors[shard.start + 5][None]), k=3)


def test_a_bound_that_is_too_tight_is_noticed():
    table = table_of(unit_rows(np.random.default_rng(4).normal(size=(300, 32))))
    scanner = CompactScanner(table.vectors)
    index = FaissIndex(table, scanner)
    scanner._rest = scanner._reach = 0.0
    with pytest.raises(EngineInexact, match="a score is off by"):
        index.search(asking(table.vectors[:1]), k=3)


def test_codes_scanned_without_their_mask_do_not_start():
    class Deaf(CompactScanner):
        def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
            return super().nearest(queries, k, None)

    class HalfDeaf(CompactScanner):
        def reaching(self, query, floor: float, rows: Rows | None) -> Rows:
            return super().reaching(query, floor, None)

    table = table_of(unit_rows(np.random.default_rng(4).normal(size=(300, 32))))
    for scanner in (Deaf, HalfDeaf):
        with pytest.raises(MaskIgnored, match="compact returned a result that the mask forbids"):
            FaissIndex(table, scanner(table.vectors))


def test_it_is_opened_by_its_name():
    table = table_of(unit_rows(np.random.default_rng(4).normal(size=(3, 32))))
    assert getattr(index_over(table, "compact"), "engine", "") == "compact"
