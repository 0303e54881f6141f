"""How far a run is: bars on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def steps(first: int, last: int, *, quiet: bool) -> Iterator[int]:
    """Walk the steps from `first` up to `last`, with a bar."""
    with _bar(quiet=quiet) as bar:
        task = bar.add_task("train", total=last, completed=first)
        for step in range(first, last):
            yield step
            bar.advance(task)


@contextmanager
def counted(what: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to be told how many of how many are done."""
    with _bar(quiet=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _bar(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=quiet,
    )
