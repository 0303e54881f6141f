"""Simulated studies for training: hearts drawn, imaged and described, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retrieval.encoder.phantom.contract import MAP_CEILING_MS, TECHNIQUES, VIEWS
from retrieval.encoder.phantom.geometry import ES, REGIONS
from retrieval.encoder.phantom.network import MEASUREMENTS, SEGMENTATION_STRIDE, TYPICAL
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.appearance import Appearance, sample_appearance
from retrieval.phantom.physiology import Hearts, Mix, sample_hearts
from retrieval.phantom.planes import Planes, long_axes, sample_operators, short_axis
from retrieval.phantom.render import LABELS, label, render
from retrieval.phantom.rhythm import end_systole
from retrieval.phantom.sentences import degrees, margins
from retrieval.phantom.truth import HeartTruth
from retrieval.training.captions import STATEMENTS
from retrieval.training.config import TrainConfig
from retrieval.training.shards import GREY_LEVELS, MARGIN_PX, Shard
from retrieval.values.study import Technique, View

AT_ONCE = 32
"""Hearts rendered together."""

CINE_SLICES, LGE_SLICES, OTHER_SLICES = 9, 5, 3
CINE_GAP_MM, LGE_GAP_MM, OTHER_GAP_MM = (7.0, 12.0), (9.0, 19.0), (12.0, 26.0)
LONG_AXES = (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)
LGE_LONG_AXES = 2
OTHER_TECHNIQUES = TECHNIQUES[2:]
"""One of these in turn beside cine and late enhancement."""

WHITE_AT = {t: MAP_CEILING_MS.get(t, 1.0) for t in TECHNIQUES}
"""Rendered value that is stored as brightness 1; of maps, in ms."""

_LABEL_OF = {"LV cavity": "lv blood", "LV wall": "lv muscle", "RV": "rv blood"}
"""What the simulator calls a part; the others have one name."""

_DRAWN = tuple((image, LABELS.index(_LABEL_OF.get(part, part))) for image, part in REGIONS)
"""Which image and label each of REGIONS is."""


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
        margins=torch.from_numpy(margins(STATEMENTS, truths).astype(np.float32)),
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
    other_gap = uniform(*OTHER_GAP_MM)
    other = OTHER_TECHNIQUES[turn % len(OTHER_TECHNIQUES)]
    looks = {
        t: sample_appearance(count, generator, technique=t)
        for t in (Technique.CINE, Technique.LGE, other)
    }
    passing = looks[other].first_pass
    moments = uniform(0, 0.9)[:, None] if passing is None else passing.peaks()
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
        _Group(other, (View.SHORT_AXIS,) * OTHER_SLICES, other_gap,
               stack(slices=OTHER_SLICES, gap_mm=other_gap), moments),
    ]  # fmt: skip
    shown = [_show(anatomy, group, looks, generator) for group in groups]
    return {name: torch.cat([s[name] for s in shown], dim=1) for name in shown[0]}


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Planes imaged together. `gap_mm` (n,) of a stack, None for single planes.

    `phases` are the moments of the two images, or of the only one.
    """

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
    passing = looks[group.technique].first_pass
    beat = group.phases if passing is None else passing.trigger[:, None]
    shares = label(anatomy, coarse, beat)
    last, latest = group.phases.shape[1] - 1, beat.shape[1] - 1
    regions = [shares[:, :, latest if image == ES else 0, c] for image, c in _DRAWN]
    steps = torch.arange(clips, device=anatomy.device) - (clips - 1) / 2
    gap = torch.zeros(count, device=anatomy.device) if group.gap_mm is None else group.gap_mm
    return {
        "images": _bytes(images[:, :, [0, last]] / WHITE_AT[group.technique], GREY_LEVELS),
        "regions": _bytes(torch.stack(regions, dim=2), 255.0),
        "technique": torch.full((count, clips), TECHNIQUES.index(group.technique)),
        "view": torch.tensor([VIEWS.index(v) for v in group.views]).expand(count, -1),
        "position_mm": steps * gap[:, None],
        "gap_mm": gap[:, None].expand(-1, clips),
    }


def _bytes(values: Tensor, levels: float) -> Tensor:
    return (values * levels).round().clamp(0, 255).to(torch.uint8)
