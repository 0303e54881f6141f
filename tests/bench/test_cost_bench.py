"""What indexing costs: seconds a study, peak memory; and the published tower, fused or not.

make bench
"""

import resource
import time

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from indexer.embed import embed
from indexer.run import take_in
from indexer.simulate import write_archive
from indexer.station import opened
from retrieval.encoder import phantom
from retrieval.encoder.cmrclip.tower import TowerShape, VideoTower
from retrieval.settings import Settings

pytestmark = pytest.mark.bench
STUDIES = 6
PUBLISHED = TowerShape(dim=768, depth=12, heads=12, mlp=3072, patch=16, patches=196, frames=64)
ORIGINAL_S = 126.0
"""The original code's forward pass on one thread of such a machine, measured once elsewhere."""


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


def unfused(q, k, v):
    """Attention with its weights written out, as the original code does it."""
    return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v


@torch.inference_mode()
def test_the_published_tower_fused_and_not(monkeypatch):
    torch.manual_seed(0)
    tower = VideoTower(PUBLISHED).eval()
    video = torch.randn(1, 64, 3, 224, 224)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        began = time.perf_counter()
        ours = tower(video)
        fused = time.perf_counter() - began
        monkeypatch.setattr(functional, "scaled_dot_product_attention", unfused)
        began = time.perf_counter()
        plain = tower(video)
        written_out = time.perf_counter() - began
    finally:
        torch.set_num_threads(before)
    assert np.abs((ours - plain).numpy()).max() < 1e-4
    shown(
        "CMR-CLIP's video tower, 64 frames of 224 x 224, one thread",
        [
            ("code", "seconds an exam"),
            ("ours, fused attention", f"{fused:.1f}"),
            ("ours, attention written out", f"{written_out:.1f}"),
            ("original (noted, not run here)", f"{ORIGINAL_S:.0f}"),
            ("peak MB", peak_mb(resource.RUSAGE_SELF)),
        ],
    )
