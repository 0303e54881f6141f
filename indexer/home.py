"""The folder that holds all state, and the lock that lets one indexer at a time work on it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import HomeLocked


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the home's lock; it is gone with the process, however that ends.

    Raises
    ------
    HomeLocked
        Another process holds it; the message says which.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise HomeLocked(home, f"process {file.read().strip() or 'unknown'}") from error
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
