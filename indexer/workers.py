"""Prepare many studies at once, in processes that may crash."""

import multiprocessing
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from indexer.prepare import Prepared, prepare
from indexer.sources.folder import StudyFiles
from retrieval.clips.store import FolderClipStore
from retrieval.vault.keys import Keys
from retrieval.vault.pseudonyms import Pseudonyms

AHEAD = 2
"""Studies handed out per worker: enough to keep it busy, few enough to bound memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every worker needs to know."""

    keys: Keys
    clips: Path
    site: str
    workers: int


def prepare_all(
    studies: Sequence[StudyFiles], workshop: Workshop
) -> Iterator[tuple[StudyFiles, Prepared | None]]:
    """Prepare studies in parallel and yield them as they are done, each exactly once.

    None stands for a study that took its process down with it (a codec that
    crashed, memory that ran out): after such a crash the studies that were in
    hand are tried again one at a time, so that only the culprit is lost.
    """
    queue = deque(studies)
    while queue:
        suspects = yield from _in_pool(queue, workshop)
        for files in suspects:
            yield files, _alone(files, workshop)


def _in_pool(
    queue: deque[StudyFiles], workshop: Workshop
) -> Generator[tuple[StudyFiles, Prepared], None, list[StudyFiles]]:
    """Work the queue down; return the studies that were in hand when a worker died."""
    running: dict[Future[Prepared], StudyFiles] = {}
    with _pool(min(workshop.workers, len(queue))) as pool:
        while queue or running:
            while queue and len(running) < AHEAD * workshop.workers:
                try:
                    running[pool.submit(_prepare, queue[0], workshop)] = queue[0]
                except BrokenProcessPool:
                    return list(running.values())
                queue.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                try:
                    prepared = future.result()
                except BrokenProcessPool:
                    return list(running.values())
                yield running.pop(future), prepared
    return []


def _alone(files: StudyFiles, workshop: Workshop) -> Prepared | None:
    with _pool(1) as pool:
        try:
            return pool.submit(_prepare, files, workshop).result()
        except BrokenProcessPool:
            return None


def _pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes: a forked one would inherit locks that other threads hold."""
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _prepare(files: StudyFiles, workshop: Workshop) -> Prepared:
    return prepare(
        files,
        pseudonyms=Pseudonyms(workshop.keys),
        clips=FolderClipStore(workshop.clips),
        site=workshop.site,
    )
