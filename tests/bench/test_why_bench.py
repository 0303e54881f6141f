"""What "why" costs on one thread: the map of one clip of a simulated study, reading included.

make bench
"""

import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from rich.console import Console
from rich.table import Table

from indexer.embed import embed
from indexer.run import take_in
from indexer.simulate import write_archive
from indexer.station import opened
from retrieval.clips.store import FolderClipStore
from retrieval.encoder import phantom
from retrieval.geometry.heart import heart_centre
from retrieval.search.occlusion import FINE, occlude
from retrieval.settings import Settings
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import Technique, View

pytestmark = pytest.mark.bench

STUDIES, REPEATS = 2, 3


def silent(done, total):
    """Progress that nobody watches."""


def timed(clips: FolderClipStore, records, encoder, asked):
    """Seconds of processor time to read a study, to find its heart, and to draw the map."""
    of = next(r for r in records if r.technique is Technique.CINE and r.view is View.SHORT_AXIS)
    marks = [time.process_time()]
    read = [clips.read(r.id) for r in records]
    marks.append(time.process_time())
    centre = heart_centre(read)
    marks.append(time.process_time())
    occlude(encoder, read, of.id, asked, centre=centre, grid=FINE)
    marks.append(time.process_time())
    return [b - a for a, b in pairwise(marks)]


def test_seconds_a_map(tmp_path: Path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    write_archive(tmp_path / "archive", studies=STUDIES, seed=5, workers=1)
    home = opened(Settings(home=tmp_path / "home", key_file=tmp_path / "key/key"), create=True)
    take_in(home, [tmp_path / "archive"], retry=False, quiet=True)
    encoder = phantom.load()
    embed(home.catalog, home.clips, encoder, progress=silent)
    asked = encoder.encode_texts(["dilated left ventricle"])
    table = Table("clips", "read", "find the heart", "hide and score", "all", title="CPU seconds")
    for study in home.catalog.ledger(access=LOCAL_OPERATOR):
        records = home.catalog.clips(study.id, access=LOCAL_OPERATOR)
        best = min((timed(home.clips, records, encoder, asked) for _ in range(REPEATS)), key=sum)
        table.add_row(str(len(records)), *(f"{s:.2f}" for s in (*best, sum(best))))
    Console(width=100).print(table)
    torch.set_num_threads(threads)
