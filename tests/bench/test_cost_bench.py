"""What indexing costs: seconds a study, peak memory.

make bench
"""

import resource
import time

import pytest
from rich.console import Console
from rich.table import Table

from indexer.embed import embed
from indexer.run import take_in
from indexer.simulate import write_archive
from indexer.station import opened
from retrieval.encoder import phantom
from retrieval.settings import Settings

pytestmark = pytest.mark.bench
STUDIES = 6


def silent(done, total):
    """Progress that nobody watches."""


def shown(title, rows):
    table = Table(*rows[0], title=title)
    for row in rows[1:]:
        table.add_row(*map(str, row))
    Console(width=100).print(table)


def peak_mb(who):
    return round(resource.getrusage(who).ru_maxrss / 1024)


def test_seconds_a_study(tmp_path):
    began = time.perf_counter()
    write_archive(tmp_path / "archive", studies=STUDIES, seed=5, workers=2)
    simulated = time.perf_counter() - began
    settings = Settings(home=tmp_path / "home", key_file=tmp_path / "key/key")
    home = opened(settings, create=True)
    began = time.perf_counter()
    done = take_in(home, [tmp_path / "archive"], retry=False, quiet=True)
    read = time.perf_counter() - began
    began = time.perf_counter()
    made = embed(home.catalog, home.clips, phantom.load(), progress=silent)
    embedded = time.perf_counter() - began
    assert done.read == made.studies == STUDIES
    workers = settings.worker_count
    shown(
        f"{STUDIES} simulated studies, {done.clips} clips",
        [
            ("stage", "seconds a study", "processes", "peak MB a process"),
            ("simulate", f"{simulated / STUDIES:.2f}", 2, peak_mb(resource.RUSAGE_CHILDREN)),
            ("ingest", f"{read / STUDIES:.2f}", workers, peak_mb(resource.RUSAGE_CHILDREN)),
            ("embed, phantom", f"{embedded / STUDIES:.2f}", 1, peak_mb(resource.RUSAGE_SELF)),
        ],
    )
