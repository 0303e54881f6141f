"""Finding studies in folders of any layout."""

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.raw import RawFile
from indexer.sources.sniff import sniff
from retrieval.errors import ArchiveNotFound

DUPLICATE = "duplicate SOPInstanceUID"
"""Why an instance that was seen before, on an earlier path, is unused."""

_CHUNK = 64
"""Files sent to a process at a time: about 30 ms of work."""

Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """The files of one study, in the order of their paths; duplicates are marked unused."""

    uid: str
    files: tuple[RawFile, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Every file seen, exactly once.

    Attributes
    ----------
    studies
        In the order of their UIDs.
    loose
        Files of no study, each with why it is unused, in the order of their paths.
    """

    studies: tuple[StudyFiles, ...]
    loose: tuple[RawFile, ...]


def _silent(done: int, total: int) -> None:
    """Report no progress."""


def find(roots: Sequence[Path], *, workers: int = 1, progress: Progress = _silent) -> Found:
    """Look at every file under `roots` and group the instances by study.

    The result depends on the files and their paths only, not on `workers` nor
    on the order of `roots`. Of instances with one SOPInstanceUID the first by
    path is used.

    Parameters
    ----------
    roots
        Folders, or files. Folders reached twice (through links, or because
        one root lies in another) are walked once.
    workers
        Processes that read headers; 1 reads in this process.

    Raises
    ------
    ArchiveNotFound
        A root does not exist.
    """
    paths, closed = _walk(roots)
    seen: list[RawFile] = list(closed)
    for files in _sniffed(paths, workers):
        seen.extend(files)
        progress(len(seen) - len(closed), len(paths))
    return _group(sorted(seen, key=lambda file: file.path))


def _walk(roots: Iterable[Path]) -> tuple[list[Path], list[RawFile]]:
    """Return the files under `roots`, sorted, and a mark for each folder that stayed closed."""
    waiting = sorted({Path(os.path.abspath(root)) for root in roots}, reverse=True)  # noqa: PTH100
    for root in waiting:
        if not os.path.lexists(root):
            raise ArchiveNotFound(root)
    files: set[Path] = set()
    closed: list[RawFile] = []
    visited: set[tuple[int, int]] = set()
    while waiting:
        path = waiting.pop()
        if not path.is_dir():  # a broken link, too, is a file seen
            files.add(path)
            continue
        status = path.stat()
        if (status.st_dev, status.st_ino) in visited:
            continue
        visited.add((status.st_dev, status.st_ino))
        try:
            waiting.extend(sorted(path.iterdir(), reverse=True))
        except OSError as error:
            reason = f"folder cannot be listed: {error.strerror}"
            closed.append(RawFile(path=path, size=0, modified_ns=0, unused=reason))
    return sorted(files), closed


def _sniffed(paths: Sequence[Path], workers: int) -> Iterator[list[RawFile]]:
    """Yield what each file is, chunk by chunk, in order."""
    chunks = [paths[i : i + _CHUNK] for i in range(0, len(paths), _CHUNK)]
    if workers <= 1 or len(chunks) < 2 * workers:
        yield from map(_sniff_all, chunks)
        return
    # spawned, not forked: the caller may hold threads (torch, a progress bar)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(_sniff_all, chunks)


def _sniff_all(paths: Sequence[Path]) -> list[RawFile]:
    return [sniff(path) for path in paths]


def _group(files: Iterable[RawFile]) -> Found:
    """Sort files (in the order of their paths) into studies; mark repeated instances."""
    loose: list[RawFile] = []
    studies: defaultdict[str, list[RawFile]] = defaultdict(list)
    instances: set[str] = set()
    for file in files:
        if not file.study_uid:
            loose.append(file)
            continue
        repeated = file.instance_uid in instances and not file.unused
        instances.add(file.instance_uid)
        studies[file.study_uid].append(replace(file, unused=DUPLICATE) if repeated else file)
    return Found(
        studies=tuple(StudyFiles(uid, tuple(its)) for uid, its in sorted(studies.items())),
        loose=tuple(loose),
    )
