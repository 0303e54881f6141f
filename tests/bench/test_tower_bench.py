"""The published tower against the same arithmetic written out plainly, in one run.

Run with: pytest -m bench -s tests/bench/test_tower_bench.py; on a machine with
CUDA it measures there too. Prints; proves only that the answers agree.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from rich.table import Table

pytestmark = pytest.mark.bench
ROOT = Path(__file__).parents[2]
CUDA = torch.cuda.is_available()
ON_CPU = [("plain", "fp32"), ("ours", "fp32"), ("ours", "bf16")]
ON_CUDA = [
    ("plain", "fp32"),
    ("ours", "fp32"),
    ("plain", "bf16"),
    ("ours", "bf16"),
    ("compiled", "bf16"),
]


def measured(way, precision, device):
    """Each way has a process of its own, so that none inherits another's memory."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.one_exam", way, precision, device],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def shown(device, found):
    where = "one thread, CPU seconds" if device == "cpu" else torch.cuda.get_device_name()
    table = Table(title=f"CMR-CLIP's video tower, one exam of 64 frames; {where}")
    for column in ("code", "s an exam", "times plain", "TFLOP/s", "of ceiling", "peak MB", "1-cos"):
        table.add_column(column)
    first = found[0]
    for one in found:
        table.add_row(
            f"{one['way']}, {one['precision']}",
            f"{one['seconds']:.3g}",
            f"{first['seconds'] / one['seconds']:.2f}",
            f"{one['tera_per_second']:.3g}",
            f"{one['share_of_ceiling']:.0%}",
            f"{one['peak_mb']:.0f}",
            f"{distance(first, one):.1e}",
        )
    Console(width=100).print(table)


def distance(one, other):
    """1 - cosine of two answers."""
    a, b = (np.array(found["vector"]) for found in (one, other))
    return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.mark.parametrize(
    ("device", "ways"),
    [
        ("cpu", ON_CPU),
        pytest.param(
            "cuda", ON_CUDA, marks=[pytest.mark.gpu, pytest.mark.skipif(not CUDA, reason="no CUDA")]
        ),
    ],
)
@pytest.mark.timeout(3600)
def test_the_published_tower(device, ways):
    found = [measured(way, precision, device) for way, precision in ways]
    shown(device, found)
    for one in found[1:]:
        assert distance(found[0], one) < (1e-6 if one["precision"] == "fp32" else 1e-2)
