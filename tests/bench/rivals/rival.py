"""The one shape of every rival."""

import importlib.util
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tests.bench.rivals.collection import Collection, Where

M, EF_CONSTRUCTION = 16, 100
"""Of every graph: neighbours a row, and how widely they were looked for."""

EFS = (64, 256)
"""How widely a graph is searched: its choice between speed and recall."""


class NotHere(Exception):
    """This rival cannot run on this machine; the message says why."""


def installed(*packages: str) -> None:
    """Raise NotHere for the first of `packages` that is not."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise NotHere(f"{package} is not installed")


class Rival(Protocol):
    """A way of searching: started, built once, asked many times, stopped.

    Attributes
    ----------
    efs
        Widths of search to measure; (None,) for one that has no such choice.
    """

    efs: tuple[int | None, ...]

    def __init__(self, folder: Path) -> None:
        """Work in `folder`, which is empty."""
        ...

    def __enter__(self) -> Self:
        """Start what must run before anything can be built; NotHere if it cannot be."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def build(self, collection: Collection) -> int:
        """Take in all rows, ready to search, and return the bytes of the index."""
        ...

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """Keys of the k nearest rows that `where` keeps, by a filter of its own.

        `query` is (D,). Fewer keys than k come back where it found fewer.
        """
        ...

    def processes(self) -> list[int]:
        """Ids of the processes that hold the index."""
        ...


class InThisProcess:
    """What all libraries share: no server to start or stop."""

    efs: tuple[int | None, ...] = (None,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def processes(self) -> list[int]:
        """Ids of the processes that hold the index."""
        return []
