"""Simulated studies in portions: rendered ahead by other processes, kept on disk."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from retrieval.encoder.phantom.inputs import TECHNIQUES, VIEWS
from retrieval.encoder.phantom.network import MEASUREMENTS, SEGMENTATION_STRIDE
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.appearance import Appearance, sample_appearance
from retrieval.phantom.physiology import Hearts, Mix, sample_hearts
from retrieval.phantom.planes import Planes, long_axes, sample_operators, short_axis
from retrieval.phantom.render import LABELS, label, render
from retrieval.phantom.rhythm import end_systole
from retrieval.phantom.sentences import degrees
from retrieval.phantom.truth import HeartTruth
from retrieval.training.augment import Batch, partial_study
from retrieval.training.captions import STATEMENTS
from retrieval.training.config import TrainConfig
from retrieval.values.study import Technique, View

MARGIN_PX = 4
"""Rendered beyond the input's square, so that shifting it brings in anatomy."""

GREY_LEVELS = 150.0
"""Brightness 1 in the stored 8-bit images."""

AT_ONCE = 32
"""Hearts rendered together."""

CINE_SLICES, LGE_SLICES = 9, 5
CINE_GAP_MM, LGE_GAP_MM = (7.0, 12.0), (9.0, 19.0)
LONG_AXES = (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)
LGE_LONG_AXES = 2

TYPICAL: dict[str, tuple[float, float]] = {
    "lvedv_ml": (170.0, 65.0),
    "lvesv_ml": (90.0, 65.0),
    "lvef_pct": (52.0, 16.0),
    "lv_mass_g": (130.0, 50.0),
    "wall_max_mm": (12.0, 4.5),
    "rvedv_ml": (170.0, 55.0),
    "rvesv_ml": (90.0, 45.0),
    "rvef_pct": (48.0, 12.0),
}
"""Mean and spread by which measurements are standardised."""

_LEFT, _MUSCLE, _RIGHT, _SCAR = (
    LABELS.index(name) for name in ("lv blood", "lv muscle", "rv blood", "scar")
)


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
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
    measurements: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}


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
        measurements=studies("measurements"),
    )


def render_shard(config: TrainConfig, seed: int, studies: int, mix: Mix) -> Shard:
    """Simulate `studies` hearts and image them; the same arguments give the same shard."""
    generator = torch.Generator(config.device).manual_seed(seed)
    parts: list[dict[str, Tensor]] = []
    truths: list[HeartTruth] = []
    with torch.inference_mode():
        for first in range(0, studies, AT_ONCE):
            hearts = sample_hearts(
                min(AT_ONCE, studies - first), generator, device=config.device, mix=mix
            )
            anatomy = Anatomy(hearts)
            truths += anatomy.truths()
            parts.append(_image(anatomy, hearts, config, generator, turn=first // AT_ONCE))
    joined = {name: torch.cat([p[name] for p in parts]).cpu() for name in parts[0]}
    return Shard(
        **joined,
        degrees=torch.from_numpy(degrees(STATEMENTS, truths).astype(np.float32)),
        measurements=torch.from_numpy(measured(truths)),
    )


def measured(truths: list[HeartTruth]) -> NDArray[np.float32]:
    """(n, M) standardised measurements."""
    rows = [
        [(getattr(t, name) - TYPICAL[name][0]) / TYPICAL[name][1] for name in MEASUREMENTS]
        for t in truths
    ]
    return np.array(rows, np.float32)


def _image(
    anatomy: Anatomy, hearts: Hearts, config: TrainConfig, generator: torch.Generator, *, turn: int
) -> dict[str, Tensor]:
    """All clips of some hearts, as the fields of a shard."""
    count = len(anatomy)
    operator = sample_operators(count, generator)

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand(count, generator=generator, device=generator.device)
        return low + (high - low) * drawn

    def normal(spread: float) -> Tensor:
        return spread * torch.randn(count, generator=generator, device=generator.device)

    systole = (end_systole(hearts) + normal(0.03)).clamp(0.15, 0.65)
    beat = torch.stack([uniform(0, 0.03), systole], dim=1)
    still = uniform(0.55, 0.85)[:, None]
    cine_gap, lge_gap = uniform(*CINE_GAP_MM), uniform(*LGE_GAP_MM)
    some = tuple(LONG_AXES[(turn + i) % len(LONG_AXES)] for i in range(LGE_LONG_AXES))
    side = config.inputs.size_px + 2 * MARGIN_PX
    stack = partial(
        short_axis,
        anatomy,
        operator,
        generator,
        pixel_mm=config.inputs.spacing_mm,
        size=(side, side),
    )
    planes = partial(
        long_axes,
        anatomy,
        operator,
        generator,
        pixel_mm=config.inputs.spacing_mm,
        size=(side, side),
    )
    groups = [
        _Group(Technique.CINE, (View.SHORT_AXIS,) * CINE_SLICES, cine_gap,
               stack(slices=CINE_SLICES, gap_mm=cine_gap), beat),
        _Group(Technique.CINE, LONG_AXES, None, planes(views=LONG_AXES), beat),
        _Group(Technique.LGE, (View.SHORT_AXIS,) * LGE_SLICES, lge_gap,
               stack(slices=LGE_SLICES, gap_mm=lge_gap), still),
        _Group(Technique.LGE, some, None, planes(views=some), still),
    ]  # fmt: skip
    looks = {t: sample_appearance(count, generator, technique=t) for t in TECHNIQUES}
    shown = [_show(anatomy, group, looks, generator) for group in groups]
    return {name: torch.cat([s[name] for s in shown], dim=1) for name in shown[0]}


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Planes imaged together. `gap_mm` (n,) of a stack, None for single planes."""

    technique: Technique
    views: tuple[View, ...]
    gap_mm: Tensor | None
    planes: Planes
    phases: Tensor


def _show(
    anatomy: Anatomy,
    group: _Group,
    looks: Mapping[Technique, Appearance],
    generator: torch.Generator,
) -> dict[str, Tensor]:
    """Images, regions and side information of one group, (n, K, ...)."""
    count, clips = len(anatomy), len(group.views)
    images = render(
        anatomy,
        group.planes,
        group.phases,
        technique=group.technique,
        appearance=looks[group.technique],
        generator=generator,
    )
    coarse = group.planes.coarser(SEGMENTATION_STRIDE)
    shares = label(anatomy, coarse, group.phases)
    last = group.phases.shape[1] - 1
    regions = [shares[:, :, p, c] for p in (0, last) for c in (_LEFT, _MUSCLE, _RIGHT)]
    regions.append(shares[:, :, 0, _SCAR])
    steps = torch.arange(clips, device=anatomy.device) - (clips - 1) / 2
    gap = torch.zeros(count, device=anatomy.device) if group.gap_mm is None else group.gap_mm
    return {
        "images": _bytes(images[:, :, [0, last]], GREY_LEVELS),
        "regions": _bytes(torch.stack(regions, dim=2), 255.0),
        "technique": torch.full((count, clips), TECHNIQUES.index(group.technique)),
        "view": torch.tensor([VIEWS.index(v) for v in group.views]).expand(count, -1),
        "position_mm": steps * gap[:, None],
        "gap_mm": gap[:, None].expand(-1, clips),
    }


def _bytes(values: Tensor, levels: float) -> Tensor:
    return (values * levels).round().clamp(0, 255).to(torch.uint8)


def kept(path: Path, make: Callable[[], Shard]) -> Shard:
    """The shard of a file, made and written first if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = path.with_suffix(".partial")
        save_file({k: v.contiguous() for k, v in make().tensors().items()}, partial_path)
        partial_path.replace(path)
    return Shard(**load_file(path))


def _render_to(path: Path, config: TrainConfig, seed: int) -> None:
    """Worker: one thread, out of the way of the training process."""
    torch.set_num_threads(1)
    os.nice(max(0, 5 - os.nice(0)))
    kept(path, lambda: render_shard(config, seed, config.shard, "training"))


class ShardQueue:
    """Shards by number, some rendered ahead by worker processes."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._pending: dict[int, Future[None]] = {}
        self._workers = (
            ProcessPoolExecutor(config.render_workers, mp_context=get_context("spawn"))
            if config.render_workers
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

    def get(self, number: int) -> Shard:
        """Shard `number`; waits for it, and has the next ones begun."""
        path = self._path(number)
        if self._workers:
            for ahead in range(number, number + self._config.render_workers + 2):
                self._begin(self._workers, ahead)
            self._pending[number].result()
        seed = self._seed(number)
        return kept(path, lambda: render_shard(self._config, seed, self._config.shard, "training"))

    def drop(self, number: int) -> None:
        """A shard that is not needed any more."""
        self._path(number).unlink(missing_ok=True)

    def _begin(self, workers: ProcessPoolExecutor, number: int) -> None:
        if number not in self._pending:
            self._pending[number] = workers.submit(
                _render_to, self._path(number), self._config, self._seed(number)
            )

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:05d}.safetensors"

    def _seed(self, number: int) -> int:
        return self._config.seed * 100_003 + number


class Pool:
    """The shards that a step may draw from; which ones depends on the step alone."""

    def __init__(self, config: TrainConfig, queue: ShardQueue) -> None:
        self._config = config
        self._queue = queue
        self._shards: dict[int, Shard] = {}

    def shard(self, number: int) -> Shard:
        """One shard of the pool."""
        if number not in self._shards:
            self._shards[number] = self._queue.get(number)
        return self._shards[number]

    def draw(self, step: int, chooser: torch.Generator) -> Batch:
        """A batch for a step, on the configured device, some clips of each study taken away."""
        config = self._config
        newest = config.first_shards + step // config.steps_per_shard
        oldest = max(0, newest - config.pool_shards)
        for number in [n for n in self._shards if n < oldest]:
            del self._shards[number]
            self._queue.drop(number)
        shards = [self.shard(number) for number in range(oldest, newest)]
        where = torch.randint(len(shards), (config.batch,), generator=chooser)
        place = torch.randint(config.shard, (config.batch,), generator=chooser)
        picks = [(shards[int(w)], int(p)) for w, p in zip(where, place, strict=True)]
        technique = torch.stack([shard.technique[i] for shard, i in picks])
        view = torch.stack([shard.view[i] for shard, i in picks])
        return gather(picks, partial_study(technique, view, chooser)).to(config.device)
