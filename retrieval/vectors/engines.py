"""Which engine searches."""

import importlib.util
import logging
from typing import Literal, get_args

from retrieval.errors import UsageError
from retrieval.ports import VectorIndex
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table

log = logging.getLogger(__name__)

Engine = Literal["auto", "exact", "faiss-cpu", "faiss-gpu"]
"""What can be asked for; "auto" is the fastest that is here."""


def index_over(table: Table, engine: Engine = "auto") -> VectorIndex:
    """Open an engine over a table. All of them give the same answers.

    "auto" takes FAISS on a GPU where FAISS sees one, else FAISS on the CPU
    where FAISS is installed, else NumPy. An empty table needs no engine.

    Raises
    ------
    UsageError
        The engine asked for is not to be had on this machine.
    MaskIgnored
        The engine does not honour masks.
    """
    chosen = choose(engine)
    log.info("searching %d vectors with %s", len(table), chosen)
    if chosen == "exact" or not len(table):
        return ExactIndex(table)
    from retrieval.vectors.faiss_index import CpuScanner, FaissIndex, GpuScanner

    scanner = GpuScanner if chosen == "faiss-gpu" else CpuScanner
    return FaissIndex(table, scanner(table.vectors))


def choose(engine: str) -> Engine:
    """Resolve "auto", and refuse what this machine does not have."""
    if engine not in get_args(Engine):
        raise UsageError(f"no engine {engine!r}; there are {', '.join(get_args(Engine))}")
    if engine == "exact":
        return "exact"
    gpus = _gpus()
    if engine == "faiss-gpu" and not gpus:
        raise UsageError("faiss-gpu was asked for, but FAISS sees no GPU; use auto")
    if gpus is None:
        if engine == "faiss-cpu":
            raise UsageError("FAISS is not installed; install cineseek[cpu] or cineseek[gpu]")
        return "exact"
    return "faiss-gpu" if gpus and engine != "faiss-cpu" else "faiss-cpu"


def _gpus() -> int | None:
    """How many GPUs FAISS sees; None where FAISS is not installed."""
    if importlib.util.find_spec("faiss") is None:
        return None
    import faiss

    return int(faiss.get_num_gpus()) if hasattr(faiss, "get_num_gpus") else 0
