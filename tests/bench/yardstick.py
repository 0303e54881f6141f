"""What benchmarks measure themselves by: reading memory once, and what a process holds."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

CORES = len(os.sched_getaffinity(0))


def streaming(count: int, dim: int, pool: ThreadPoolExecutor | None) -> Callable[[int], object]:
    """Read as many bytes as `count` vectors take in half precision; None: on one core."""
    words = np.ones(count * dim * 2 // 8, dtype=np.uint64)
    if pool is None:
        return lambda _: np.bitwise_xor.reduce(words)
    parts = np.array_split(words, CORES)
    return lambda _: list(pool.map(np.bitwise_xor.reduce, parts))


def resident(pid: int | str = "self") -> float:
    """Megabytes of a process in memory; what it shares with others counts in part."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (line,) = (line for line in rollup.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024 / 1e6


def descendants(pid: int) -> list[int]:
    """A process and all that it started, and they, in turn."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for file in children for child in file.read_text().split()]
    return [pid, *(one for child in found for one in descendants(child))]
