"""Shards rendered ahead by other processes, and which of them a step may draw from."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from retrieval.encoder.phantom.geometry import ED, REGIONS
from retrieval.training.augment import Batch, partial_study
from retrieval.training.config import TrainConfig
from retrieval.training.objective import known_regions
from retrieval.training.shards import Shard, gather
from retrieval.training.simulated import render_shard

RARE_LESIONS = ("oedema", "defect")
"""So few clips show them that a trunk left to chance hardly learns what they are."""

Make = Callable[[Path, int], None]
"""Writes the file of one number, unless it is there."""


class Queue:
    """Files by number, some made ahead by worker processes.

    Parameters
    ----------
    make
        Picklable.
    workers
        0 makes each file when it is asked for, in this process.
    """

    def __init__(self, folder: Path, make: Make, *, workers: int) -> None:
        self._folder = folder
        self._make = make
        self._ahead = workers + 2 if workers else 0
        self._pending: dict[int, Future[None]] = {}
        self._workers = (
            ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_aside)
            if workers
            else None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._workers:
            self._workers.shutdown(wait=True, cancel_futures=True)

    def get(self, number: int, *, last: int | None = None) -> Path:
        """File `number`; waits for it, and has the next ones (up to `last`) begun."""
        path = self._path(number)
        if self._workers is None:
            self._make(path, number)
            return path
        end = number + self._ahead if last is None else min(number + self._ahead, last + 1)
        for ahead in range(number, end):
            if ahead not in self._pending:
                self._pending[ahead] = self._workers.submit(self._make, self._path(ahead), ahead)
        self._pending[number].result()
        return path

    def drop(self, number: int) -> None:
        """A file that is not needed any more."""
        self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05d}.safetensors"


def shard_seed(config: TrainConfig, number: int) -> int:
    """Seed of one training shard."""
    return config.seed * 100_003 + number


def pool_at(config: TrainConfig, step: int) -> range:
    """Numbers of the shards that a step of the first stage may draw from."""
    newest = config.first_shards + step // config.steps_per_shard
    return range(max(0, newest - config.pool_shards), newest)


class RenderShard:
    """Makes training shards."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config

    def __call__(self, path: Path, number: int) -> None:
        """Render shard `number` into `path`."""
        config, seed = self._config, shard_seed(self._config, number)
        Shard.kept(path, lambda: render_shard(config, seed, config.shard, "training"))


class Pool:
    """The shards that a step may draw from; which ones depends on the step alone."""

    def __init__(self, config: TrainConfig, queue: Queue) -> None:
        self._config = config
        self._queue = queue
        self._shards: dict[int, Shard] = {}
        self._rare: dict[int, Tensor] = {}

    def shard(self, number: int) -> Shard:
        """One shard of the pool."""
        if number not in self._shards:
            self._shards[number] = Shard.read(self._queue.get(number))
            self._rare[number] = with_rare_lesions(self._shards[number])
        return self._shards[number]

    def draw(self, step: int, chooser: torch.Generator) -> Batch:
        """A batch for a step, on the configured device, some clips of each study taken away."""
        config = self._config
        numbers = pool_at(config, step)
        for number in [n for n in self._shards if n not in numbers]:
            del self._shards[number], self._rare[number]
            self._queue.drop(number)
        shards = [self.shard(number) for number in numbers]
        where = torch.randint(len(shards), (config.batch,), generator=chooser)
        place = torch.randint(config.shard, (config.batch,), generator=chooser)
        seldom = torch.rand(config.batch, generator=chooser) < config.rare
        for i, number in enumerate(numbers[w] for w in where.tolist()):
            among = self._rare[number]
            if seldom[i] and len(among):
                place[i] = among[place[i] % len(among)]
        picks = [(shards[int(w)], int(p)) for w, p in zip(where, place, strict=True)]
        technique = torch.stack([shard.technique[i] for shard, i in picks])
        view = torch.stack([shard.view[i] for shard, i in picks])
        return gather(picks, partial_study(technique, view, chooser)).to(config.device)


def with_rare_lesions(shard: Shard) -> Tensor:
    """Places of the studies of which a clip shows one of `RARE_LESIONS`, (n,)."""
    places = [REGIONS.index((ED, lesion)) for lesion in RARE_LESIONS]
    known = known_regions(shard.technique.flatten())[:, places] > 0
    there = (shard.regions[:, :, places] > 127).flatten(3).any(3)
    return (there & known.view_as(there)).flatten(1).any(1).nonzero()[:, 0]


def _aside() -> None:
    """Worker: one thread, out of the way of the training process, and gone when that is gone."""
    torch.set_num_threads(1)
    os.nice(max(0, 5 - os.nice(0)))
    threading.Thread(target=_follow_to_the_grave, daemon=True).start()


def _follow_to_the_grave() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # a killed trainer tells nobody; there is nothing to clean up
