"""Which engine searches."""

import importlib.util
import logging
from typing import Literal, get_args

from retrieval.errors import UsageError
from retrieval.ports import VectorIndex
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table

log = logging.getLogger(__name__)

Engine = Literal["auto", "exact", "compact", "faiss-cpu", "faiss-gpu"]
"""What can be asked for; "auto" is the fastest that is here."""

COMPACT_FROM = 20_000
"""As many vectors are searched sooner by their codes than in float32 (benchmark)."""


def index_over(table: Table, engine: Engine = "auto") -> VectorIndex:
    """Open an engine over a table. All of them give the same answers.

    "auto" takes FAISS on a GPU where FAISS sees one, else, where FAISS is
    installed, compact codes for many vectors and flat float32 for few, else
    NumPy. An empty table needs no engine.

    Raises
    ------
    UsageError
        The engine asked for is not to be had on this machine.
    MaskIgnored, EngineInexact
        The engine does not honour masks, or computes otherwise than it should.
    """
    chosen = choose(engine, len(table))
    log.info("searching %d vectors with %s", len(table), chosen)
    if chosen == "exact" or not len(table):
        return ExactIndex(table)
    from retrieval.vectors.compact import CompactScanner
    from retrieval.vectors.faiss_index import FaissIndex
    from retrieval.vectors.scanners import CpuScanner, GpuScanner

    scanners = {"compact": CompactScanner, "faiss-cpu": CpuScanner, "faiss-gpu": GpuScanner}
    return FaissIndex(table, scanners[chosen](table.vectors))


def choose(engine: str, count: int) -> Engine:
    """Resolve "auto" for `count` vectors, and refuse what this machine does not have."""
    if engine not in get_args(Engine):
        raise UsageError(f"no engine {engine!r}; there are {', '.join(get_args(Engine))}")
    if engine == "exact" or (engine == "auto" and not count):
        return "exact"
    gpus = _gpus()
    if engine == "faiss-gpu" and not gpus:
        raise UsageError("faiss-gpu was asked for, but FAISS sees no GPU; use auto")
    if gpus is None:
        if engine != "auto":
            raise UsageError("FAISS is not installed; install cineseek[cpu] or cineseek[gpu]")
        return "exact"
    if engine in ("compact", "faiss-cpu"):
        return engine
    if gpus:
        return "faiss-gpu"
    return "compact" if count >= COMPACT_FROM else "faiss-cpu"


def _gpus() -> int | None:
    """How many GPUs FAISS sees; None where FAISS is not installed."""
    if importlib.util.find_spec("faiss") is None:
        return None
    import faiss

    return int(faiss.get_num_gpus()) if hasattr(faiss, "get_num_gpus") else 0
