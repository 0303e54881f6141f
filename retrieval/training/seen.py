"""What a finished trunk sees in many simulated studies: the second stage's material."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from retrieval.durable import replace_file
from retrieval.encoder.phantom.encoder import build
from retrieval.encoder.phantom.network import Trunk, VideoTower
from retrieval.encoder.phantom.seen import Clips
from retrieval.training.augment import augment, partial_study
from retrieval.training.config import TrainConfig, mixed_precision
from retrieval.training.pool import Queue, RenderShard, pool_at, shard_seed
from retrieval.training.shards import SeenShard, Shard, arrange, gather

AT_ONCE = 16
GROWTH = 0.6
"""Share of the stage in which the pool grows to its full size."""


class SeeShard:
    """Varies studies, and keeps what the trunk sees of all their clips.

    The first are those that the first stage had last, which are rendered already.

    Parameters
    ----------
    folder
        Of the run.
    """

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        self._config = config
        self._weights = folder / "trunk.safetensors"
        self._shards = folder / "shards"
        self._first = pool_at(config, max(0, config.steps - 1)).start

    def keep(self, trunk: Trunk) -> None:
        """Write the trunk that is to look, unless that was done before."""
        if not self._weights.exists():
            tensors = {k: v.cpu().contiguous() for k, v in trunk.state_dict().items()}
            replace_file(self._weights, lambda fresh: save_file(tensors, fresh))

    def __call__(self, path: Path, number: int) -> None:
        """Make file `number`."""
        SeenShard.kept(path, lambda: self._see(number))

    @cached_property
    def _video(self) -> VideoTower:
        video = build(self._config.architecture, self._config.inputs).video
        video.trunk.load_state_dict(load_file(self._weights))
        return video.to(self._config.device).eval()

    @torch.inference_mode()
    def _see(self, number: int) -> SeenShard:
        config, number = self._config, self._first + number
        rendered = self._shards / f"{number:05d}.safetensors"
        RenderShard(config)(rendered, number)
        shard = Shard.read(rendered)
        rendered.unlink()
        generator = torch.Generator(config.device).manual_seed(shard_seed(config, number))
        parts: list[dict[str, Tensor]] = []
        for _ in range(config.read_variants):
            for first in range(0, len(shard), AT_ONCE):
                rows = range(first, min(first + AT_ONCE, len(shard)))
                parts.append(self._variant(shard, rows, generator))
        return SeenShard(**{k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]})

    def _variant(self, shard: Shard, rows: range, generator: torch.Generator) -> dict[str, Tensor]:
        config = self._config
        everything = torch.ones(len(rows), shard.technique.shape[1], dtype=torch.bool)
        picks = [(shard, i) for i in rows]
        batch = augment(gather(picks, everything).to(config.device), config.inputs, generator)
        with mixed_precision(config):
            clips, _ = arrange(self._video, batch)
        return {
            "features": clips.features.half(),
            "geometry": clips.geometry.half(),
            "tissue": clips.tissue.half(),
            "technique": clips.technique,
            "view": clips.view,
            "position_mm": clips.position_mm,
            "gap_mm": clips.gap_mm,
            "degrees": batch.degrees,
            "margins": batch.margins,
            "measurements": batch.measurements,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SeenTruth:
    """What is known of the studies of a batch; see `Shard`."""

    degrees: Tensor
    margins: Tensor
    measurements: Tensor

    def to(self, device: str) -> Self:
        """The same on another device."""
        return type(self)(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


class SeenPool:
    """The seen studies that a step may draw from; which ones depends on the step alone."""

    def __init__(self, config: TrainConfig, queue: Queue) -> None:
        self._config = config
        self._queue = queue
        self._shards: list[SeenShard] = []

    def first(self) -> Clips:
        """All clips of the first shard's studies."""
        shard = SeenShard.read(self._queue.get(0, last=self._config.read_shards - 1))
        everything = torch.ones(shard.view.shape, dtype=torch.bool)
        return shard.clips(torch.arange(len(everything)), everything)

    def draw(self, step: int, chooser: torch.Generator) -> tuple[Clips, SeenTruth]:
        """A batch for a step of the second stage, some clips of each study taken away."""
        config = self._config
        grown = min(1.0, step / (GROWTH * config.read_steps))
        first = min(config.first_shards, config.read_shards)
        wanted = first + round(grown * (config.read_shards - first))
        while len(self._shards) < wanted:
            path = self._queue.get(len(self._shards), last=config.read_shards - 1)
            self._shards.append(SeenShard.read(path))
        which = torch.randint(wanted, (config.read_batch,), generator=chooser)
        per_shard = config.shard * config.read_variants
        place = torch.randint(per_shard, (config.read_batch,), generator=chooser)
        parts = [self._take(s, place[which == s], chooser) for s in which.unique().tolist()]
        clips = Clips(**_joined([p[0] for p in parts], Clips))
        truth = SeenTruth(**_joined([p[1] for p in parts], SeenTruth))
        return clips, truth

    def _take(
        self, number: int, index: Tensor, chooser: torch.Generator
    ) -> tuple[Clips, SeenTruth]:
        shard = self._shards[number]
        stay = partial_study(shard.technique[index], shard.view[index], chooser)
        truth = SeenTruth(shard.degrees[index], shard.margins[index], shard.measurements[index])
        return shard.clips(index, stay), truth


def _joined(parts: list[Clips] | list[SeenTruth], kind: type) -> dict[str, Tensor]:
    return {name: torch.cat([getattr(p, name) for p in parts]) for name in kind.__slots__}
