"""Exact search beside its rivals, in one run. Proves only that our engines lose nothing.

    python -m pytest -m bench -s tests/bench/test_rivals_bench.py

CINESEEK_BENCH_VECTORS says how many vectors (100,000), CINESEEK_BENCH_ROUNDS how
many queries are timed under each filter (100). pgvector and Milvus are no part of
what `make setup` installs: CINESEEK_RIVALS_PYTHON names a Python that has
cineseek[cpu,rivals], as `make rivals` makes it; what it lacks is told in the
table. Each rival has a process of its own, one after the other. It is cut off
from the network, since Milvus would listen on every interface.

`pytest -m long -s tests/bench/test_rivals_bench.py` does the same with a million,
which takes hours. In CINESEEK_BENCH_FOLDER (runs/rivals) it keeps the result of
each rival when it is done: started again, it goes on with the next.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.rivals import collection, measure
from tests.bench.rivals.measure import RIVALS, Result
from tests.bench.rivals.rival import InThisProcess
from tests.bench.yardstick import CORES

ROOT = Path(__file__).parents[2]
COUNT = int(os.environ.get("CINESEEK_BENCH_VECTORS", "100000"))
PYTHON = os.environ.get("CINESEEK_RIVALS_PYTHON", sys.executable)
KEPT = Path(os.environ.get("CINESEEK_BENCH_FOLDER", "runs/rivals"))

ALONE = ("unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
"""A network namespace in which there is nothing but 127.0.0.1."""


def in_its_own_process(name: str, folder: Path, file: Path) -> Result:
    """Measure one rival; a process that fails leaves no file, so that it is tried again."""
    python = sys.executable if issubclass(RIVALS[name], InThisProcess) else PYTHON
    command = [python, "-m", "tests.bench.rivals.measure", name, str(folder), str(file)]
    if shutil.which("unshare") and not subprocess.run([*ALONE, "true"], check=False).returncode:
        command = [*ALONE, *command]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        return Result(not_run=f"exit {done.returncode}, {last}")
    return measure.read(file)


def race(count: int, folder: Path) -> dict[str, Result]:
    """Measure every rival whose result is not in `folder` yet, and print the table."""
    collection.prepare(folder, count)
    results: dict[str, Result] = {}
    for name in RIVALS:
        file = folder / f"{name}.json"
        if not file.exists():
            print(f"{name} ...", flush=True)
            results[name] = in_its_own_process(name, folder, file)
        else:
            results[name] = measure.read(file)
    loads = [load for result in results.values() for load in result.load if result.rows] or [0.0]
    versions = {item for result in results.values() for item in result.versions.items()}
    print(
        f"\n{count:,} x {collection.DIM}, {collection.QUERIES} queries one at a time, "
        f"{measure.ROUNDS} rounds; {CORES} cores, load {min(loads):.1f} to {max(loads):.1f}, "
        f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}; "
        + ", ".join(f"{package} {version}" for package, version in sorted(versions))
    )
    print(measure.table(results))
    if not results["FAISS flat on a GPU (CineSeek)"].rows:
        print("\nGPU: not run")
    return results


def nothing_was_lost(results: dict[str, Result]) -> None:
    for name in ("compact (CineSeek)", "FAISS flat (CineSeek)", "NumPy float64, the judge"):
        assert [(row.recall, row.short) for row in results[name].rows] == [(1, 0)] * 7, name


@pytest.mark.bench
@pytest.mark.timeout(0)
def test_rivals(tmp_path: Path):
    nothing_was_lost(race(COUNT, tmp_path))


@pytest.mark.long
@pytest.mark.timeout(0)
def test_rivals_at_a_million():
    nothing_was_lost(race(1_000_000, KEPT))
