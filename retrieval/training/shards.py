"""Simulated studies in portions, as arrays on disk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from retrieval.durable import replace_file
from retrieval.encoder.phantom.network import VideoTower
from retrieval.encoder.phantom.seen import Clips
from retrieval.training.augment import Batch

MARGIN_PX = 4
"""Rendered beyond the input's square, so that shifting it brings in anatomy."""

GREY_LEVELS = 150.0
"""Brightness 1 in the stored 8-bit images."""


class Stored:
    """Base of dataclasses of tensors that are kept as safetensors."""

    __slots__ = ()

    def tensors(self) -> dict[str, Tensor]:
        """Fields by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # pyright: ignore[reportArgumentType]

    @classmethod
    def kept(cls, path: Path, make: Callable[[], Self]) -> Self:
        """What a file holds, made and written first if there is none."""
        if not path.exists():
            tensors = {k: v.contiguous() for k, v in make().tensors().items()}
            replace_file(path, lambda fresh: save_file(tensors, fresh))
        return cls.read(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What a file holds that is there."""
        return cls(**load_file(path))


@dataclass(frozen=True, slots=True, eq=False)
class Shard(Stored):
    """S studies of K clips each.

    Attributes
    ----------
    images
        (S, K, 2, H, H) uint8, `GREY_LEVELS` to 1.
    regions
        (S, K, R, h, h) uint8 shares, 255 for a full cell.
    technique, view
        (S, K) int64.
    position_mm, gap_mm
        (S, K) float32.
    degrees
        (S, C) float32, one column per statement.
    margins
        (S, C) float32, how far beyond its limit; NaN for statements without one.
    measurements
        (S, M) float32, standardised.
    """

    images: Tensor
    regions: Tensor
    technique: Tensor
    view: Tensor
    position_mm: Tensor
    gap_mm: Tensor
    degrees: Tensor
    margins: Tensor
    measurements: Tensor

    def __len__(self) -> int:
        return len(self.degrees)


@dataclass(frozen=True, slots=True, eq=False)
class SeenShard(Stored):
    """S studies of K clips each as the trunk saw them; see `Clips` and `Shard`."""

    features: Tensor
    geometry: Tensor
    tissue: Tensor
    technique: Tensor
    view: Tensor
    position_mm: Tensor
    gap_mm: Tensor
    degrees: Tensor
    margins: Tensor
    measurements: Tensor

    def clips(self, index: Tensor, present: Tensor) -> Clips:
        """The studies at `index`, of each the clips that are `present` (B, K)."""
        return Clips(
            features=self.features[index].float(),
            geometry=self.geometry[index].float(),
            tissue=self.tissue[index].float(),
            present=present,
            technique=self.technique[index],
            view=self.view[index],
            position_mm=self.position_mm[index],
            gap_mm=self.gap_mm[index],
        )


def gather(picks: Sequence[tuple[Shard, int]], stay: Tensor) -> Batch:
    """Bring B studies, each given by its shard and place in it, into one batch.

    Parameters
    ----------
    stay
        (B, K) bool, the clips to take of each; at least one.
    """

    def clips(name: str) -> Tensor:
        rows = zip(picks, stay, strict=True)
        return torch.cat([getattr(shard, name)[i][mask] for (shard, i), mask in rows])

    def studies(name: str) -> Tensor:
        return torch.stack([getattr(shard, name)[i] for shard, i in picks])

    return Batch(
        study=stay.nonzero()[:, 0],
        images=clips("images").float() / GREY_LEVELS,
        regions=clips("regions").float() / 255,
        technique=clips("technique"),
        view=clips("view"),
        position_mm=clips("position_mm"),
        gap_mm=clips("gap_mm"),
        degrees=studies("degrees"),
        margins=studies("margins"),
        measurements=studies("measurements"),
    )


def arrange(video: VideoTower, batch: Batch) -> tuple[Clips, Tensor]:
    """Look at the N clips of a batch: (B, K) of them, and region logits (N, R, h, h)."""
    seen = video.see(batch.images, batch.technique, batch.view)
    clips = video.arrange(
        seen, batch.study, batch.technique, batch.view, batch.position_mm, batch.gap_mm
    )
    return clips, seen.regions
