"""That the benchmark of rivals counts what it says it counts."""

from pathlib import Path

import numpy as np
import pytest

from tests.bench import test_rivals_bench
from tests.bench.rivals import collection, libraries, measure, milvus, postgres
from tests.bench.rivals.collection import ALL, BUCKETS, FILTERS, QUERIES, Collection, K, Where
from tests.bench.rivals.measure import Result, Row
from tests.bench.rivals.rival import InThisProcess, NotHere

COUNT = 2000
LIBRARIES = [libraries.Compact, libraries.Flat, libraries.Judge, libraries.NumPy]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rivals")


@pytest.fixture(scope="module")
def prepared(folder: Path) -> Collection:
    return collection.prepare(folder, COUNT)


class Planned(InThisProcess):
    """Knows the truth, and gives of it what a plan says: a slice of the ten for each query."""

    def __init__(self, prepared: Collection, plan: list[slice]) -> None:
        self._truth = {
            (where, query.tobytes()): best
            for where, places in zip(FILTERS, prepared.truth, strict=True)
            for query, best in zip(prepared.queries, places, strict=True)
        }
        self._plan, self._turn = plan, -1  # the first call only warms up

    def search(self, query, k, where, ef):
        best = self._truth[where, query.tobytes()]
        part = self._plan[self._turn % len(self._plan)]
        self._turn += 1
        return best[best >= 0][part]


def test_filters_keep_what_they_say_and_the_truth_is_brute_force(prepared: Collection):
    scores = prepared.queries.astype(np.float64) @ prepared.vectors.astype(np.float64).T
    scores = np.round(scores, 6)
    together = {
        column: prepared.vectors[prepared.mask(Where(column, 10))] for column in ("chance", "place")
    }
    likeness = {column: float((rows @ rows.T).mean()) for column, rows in together.items()}
    assert likeness["place"] > 0.4 > 0.2 > likeness["chance"]
    assert scores.max() < 1 - 1e-6, "a query is a row"
    for where, truth in zip(FILTERS, prepared.truth, strict=True):
        mask = prepared.mask(where)
        kept = np.arange(COUNT) if mask is None else np.flatnonzero(mask)
        assert len(kept) == COUNT * where.below // BUCKETS
        best = kept[np.argsort(-scores[:, kept], axis=1, kind="stable")[:, :K]]
        assert truth[:, : best.shape[1]].tolist() == prepared.keys[best].tolist()
        assert np.all(truth[:, best.shape[1] :] == -1)


def test_a_collection_is_made_once_and_one_cut_short_is_made_again(folder: Path, prepared):
    truth = folder / "truth.npy"
    stamp = truth.stat().st_mtime_ns
    collection.prepare(folder, COUNT)
    assert truth.stat().st_mtime_ns == stamp
    truth.unlink()
    again = collection.prepare(folder, COUNT)
    assert again.truth.tolist() == prepared.truth.tolist()


@pytest.mark.parametrize("rival", LIBRARIES)
def test_exact_rivals_find_the_truth_under_every_filter(
    rival: type[InThisProcess], prepared: Collection, tmp_path: Path
):
    running = rival(tmp_path)
    running.build(prepared)
    for where, places in zip(FILTERS, prepared.truth, strict=True):
        for query, best in zip(prepared.queries[:5], places, strict=False):
            found = running.search(query, K, where, None)
            assert sorted(found.tolist()) == sorted(best[best >= 0].tolist())


def test_a_graph_stays_within_the_filter(prepared: Collection, tmp_path: Path):
    graph = libraries.FaissHnsw(tmp_path)
    graph.build(prepared)
    for where in FILTERS[1:]:
        kept = set(prepared.keys[prepared.mask(where)].tolist())
        for query in prepared.queries[:5]:
            assert set(graph.search(query, K, where, 64).tolist()) <= kept


@pytest.mark.parametrize(
    ("plan", "recall", "short"),
    [
        ([slice(None)], 1.0, 0.0),
        ([slice(1, None)], 0.9, 1.0),
        ([slice(None), slice(0, 5)], 0.75, 0.5),
    ],
)
def test_what_is_missing_and_what_is_short_is_counted(prepared, plan, recall, short):
    row = measure.asked(Planned(prepared, plan), prepared, None, 0, 2 * QUERIES)
    assert (row.recall, row.short) == (pytest.approx(recall), pytest.approx(short))


def test_fewer_than_k_are_not_too_few_where_no_more_are_eligible(prepared: Collection):
    place = FILTERS.index(Where("place", 1))  # leaves 2 of 2000
    row = measure.asked(Planned(prepared, [slice(None)]), prepared, None, place, QUERIES)
    assert (row.recall, row.short) == (1.0, 0.0)


def test_what_did_not_run_has_a_line_that_says_why():
    row = Row(ef=64, where=ALL, p50=2.0, p95=3.5, streaming=4.0, recall=0.75, short=0.5)
    ran = Result(build_s=1.5, index_mb=20, resident_mb=30, rows=[row])
    lines = measure.table({"a": ran, "b": Result(not_run="no such thing")}).splitlines()
    assert (
        lines[2]
        == "| a, ef 64 | 100.0% | chance | 2.00 | 3.50 | 0.50 | 0.750 | 50% | 1.5 | 20 | 30 |"
    )
    assert lines[3] == "| b | not run: no such thing | | | | | | | | | |"
    assert {line.count("|") for line in lines} == {12}


@pytest.mark.parametrize("rival", [postgres.PgVector, milvus.LiteFlat, milvus.ServerFlat])
def test_a_rival_that_is_not_installed_is_not_here(rival, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotHere, match="is not installed"):
        rival(tmp_path).__enter__()


def test_milvus_does_not_start_where_the_network_could_reach_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    with pytest.raises(NotHere, match="a network namespace of its own"):
        milvus.ServerFlat(tmp_path).__enter__()


def test_a_process_that_fails_leaves_nothing_and_is_told(folder, prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(test_rivals_bench, "PYTHON", "false")
    file = tmp_path / "pgvector HNSW.json"
    result = test_rivals_bench.in_its_own_process("pgvector HNSW", folder, file)
    assert result.not_run == "exit 1, nothing said"
    assert not file.exists()


def test_a_result_that_is_kept_is_not_measured_again(folder, prepared, tmp_path, monkeypatch):
    asked: list[str] = []

    def measured(name: str, folder: Path, file: Path) -> Result:
        asked.append(name)
        measure.keep(Result(not_run="a stub"), file)
        return measure.read(file)

    monkeypatch.setattr(test_rivals_bench, "in_its_own_process", measured)
    for name in ("keys", "vectors", "chance", "place", "queries", "truth"):
        (tmp_path / f"{name}.npy").symlink_to(folder / f"{name}.npy")
    names = list(measure.RIVALS)
    measure.keep(Result(build_s=2.5), tmp_path / f"{names[3]}.json")
    results = test_rivals_bench.race(COUNT, tmp_path)
    assert asked == [name for name in names if name != names[3]]
    assert results[names[3]].build_s == 2.5
    assert test_rivals_bench.race(COUNT, tmp_path) == results
    assert len(asked) == len(names) - 1
