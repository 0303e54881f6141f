"""Making one rendered study into many: never zoomed (size is the message), never mirrored.

What is varied is what differs between the simulator and a scanner archive:
where the heart was taken to be, how the plane was turned, brightness, shading,
noise, sharpness, which clips there are. All randomness from one generator.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.phantom.contract import (
    MAP_CEILING_MS,
    TECHNIQUES,
    VIEWS,
    InputContract,
)
from retrieval.encoder.phantom.geometry import (
    REGIONS,
    RING_REGIONS,
    SECTOR_FEATURES,
    SECTORS,
)
from retrieval.encoder.phantom.seen import Clips
from retrieval.training.texture import closed, textured
from retrieval.values.study import Technique, View

CINE = TECHNIQUES.index(Technique.CINE)
LGE = TECHNIQUES.index(Technique.LGE)
SHORT_AXIS = VIEWS.index(View.SHORT_AXIS)
MAPS = torch.tensor([TECHNIQUES.index(t) for t in MAP_CEILING_MS])
OTHER_VIEW = VIEWS.index(View.OTHER)

TURN_DEGREES = 45.0
CENTRE_SIGMA_MM = 10.0
CLIP_SIGMA_MM = 2.0
BEND_SIGMA_MM, BEND_KNOTS = 2.0, (6, 6)
"""Elastic deformation: at most so many mm at each knot (one standard deviation)."""
MASK_SIGMA = 0.06
"""Error of a mask's area, of a stack and again of each clip, and of lengths, as a share."""
FLIP_STACK = 0.3
FORGET_VIEW = 0.04


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """N clips of B studies, the clips of one study together.

    Attributes
    ----------
    study
        (N,) int64, which of the B studies a clip belongs to; never decreasing.
    images
        (N, 2, H, H) float32; H may exceed the contract's size before augmentation.
    regions
        (N, R, h, h) share of each segmentation cell that a region fills.
    technique, view
        (N,) int64.
    position_mm, gap_mm
        (N,) float32.
    degrees, margins
        (B, C) truth of every concept, and how far beyond its limit (NaN without one).
    measurements
        (B, M) standardised.
    """

    study: Tensor
    images: Tensor
    regions: Tensor
    technique: Tensor
    view: Tensor
    position_mm: Tensor
    gap_mm: Tensor
    degrees: Tensor
    margins: Tensor
    measurements: Tensor

    def to(self, device: str) -> Self:
        """The same batch on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def augment(batch: Batch, contract: InputContract, generator: torch.Generator) -> Batch:
    """One random variant of each study, cut to the contract's size and standardised."""
    images, regions = _move(batch, contract, generator)
    of_map = torch.isin(batch.technique, MAPS.to(batch.technique.device))
    cell_mm = contract.spacing_mm * contract.size_px / regions.shape[-1]
    images = textured(images, regions, cell_mm, of_map, generator)
    flip = _uniform(len(batch.degrees), generator)[batch.study] < FLIP_STACK
    forget = _uniform(len(images), generator) < FORGET_VIEW
    return replace(
        batch,
        images=_shown(_degrade(images, batch.study, generator), images, batch.technique, contract),
        regions=regions,
        view=torch.where(forget, OTHER_VIEW, batch.view),
        position_mm=torch.where(flip, -batch.position_mm, batch.position_mm),
    )


def with_closed_cavities(
    batch: Batch, contract: InputContract, generator: torch.Generator
) -> Batch:
    """Clips some of whose small cavities are closed: for learning to see, not to measure."""
    cell_mm = contract.spacing_mm * batch.images.shape[-1] / batch.regions.shape[-1]
    cine = batch.technique == CINE
    images, regions = closed(batch.images, batch.regions, cell_mm, cine, generator)
    return replace(batch, images=images, regions=regions)


def centre_crop(batch: Batch, contract: InputContract) -> Batch:
    """The same without any randomness: for validation."""
    share = contract.size_px / batch.images.shape[-1]
    images, regions = (_middle(part, share) for part in (batch.images, batch.regions))
    shown = _shown(images, images, batch.technique, contract)
    return replace(batch, images=shown, regions=regions)


def _middle(pictures: Tensor, share: float) -> Tensor:
    side = round(pictures.shape[-1] * share)
    margin = (pictures.shape[-1] - side) // 2
    inner = slice(margin, margin + side)
    return pictures[..., inner, inner]


def standardise(images: Tensor, contract: InputContract) -> Tensor:
    """The contract's `standardise` for (..., 2, size, size) at once, on any device."""
    step = contract.sample_step
    sample = images[..., ::step, ::step].flatten(-3)
    share = torch.tensor(contract.percentiles, device=images.device) / 100
    low, high = torch.quantile(sample, share, dim=-1)[..., None, None, None]
    scale = (high - low).clamp(min=torch.finfo(torch.float32).tiny)
    return ((images - low) / scale).clamp(0, contract.ceiling)


def _shown(images: Tensor, measured: Tensor, technique: Tensor, contract: InputContract) -> Tensor:
    """What the network gets: brightness standardised, of maps also the values as `measured`."""
    shown = standardise(images, contract)
    absolute = measured[:, 0].clamp(0, contract.ceiling)
    of_map = torch.isin(technique, MAPS.to(technique.device))[:, None, None]
    second = torch.where(of_map, absolute, shown[:, 1])
    return torch.stack([shown[:, 0], second], dim=1)


def partial_study(technique: Tensor, view: Tensor, generator: torch.Generator) -> Tensor:
    """Which clips stay when some acquisitions are taken away from each study.

    Parameters
    ----------
    technique, view
        (B, K) int64.

    Returns
    -------
    Tensor
        (B, K) bool, at least one True per study.
    """
    count, clips = technique.shape
    cine, sax = technique == CINE, view == SHORT_AXIS
    fate = _uniform((count, 1), generator)
    stay = ~((fate < 0.18) & ~cine)
    stay &= ~((fate > 0.12) & (fate < 0.30) & ~sax)
    stay &= ~((fate > 0.95) & cine)
    stay |= ~stay.any(dim=1, keepdim=True)
    thinning = 0.75 * _uniform((count, 1), generator)
    thinned = stay & (_uniform((count, clips), generator) > thinning)
    return torch.where(thinned.any(dim=1, keepdim=True), thinned, stay)


def glimpse(clips: Clips, generator: torch.Generator) -> Tensor:
    """(B, K) bool: a small part of each study, one clip or one view of one technique."""
    count, most = clips.present.shape
    lottery = _uniform((count, most), generator).masked_fill(~clips.present, -1)
    drawn = lottery.argmax(1, keepdim=True)
    one = torch.zeros_like(clips.present).scatter(1, drawn, value=True)
    kind = clips.technique * len(VIEWS) + clips.view
    alike = clips.present & (kind == kind.gather(1, drawn))
    return torch.where(_uniform((count, 1), generator) < 0.6, one, alike)


def misjudged(clips: Clips, generator: torch.Generator) -> Clips:
    """Clips whose masks are a little too large or small, here and there and as a whole.

    Masks of real hearts are less exact than those of simulated ones; what reads
    them is not to rely on the last millimetre.
    """
    regions = len(REGIONS)
    shape = (*clips.geometry.shape[:2], regions)
    off = MASK_SIGMA * (_normal((shape[0], 1, regions), generator) + _normal(shape, generator))
    areas = clips.geometry[..., :regions] * off.exp()
    logs = torch.log1p(areas * 20)
    ring = clips.geometry[..., 3 * regions :].unflatten(-1, (SECTORS, SECTOR_FEATURES))
    rays = MASK_SIGMA * _normal((*ring.shape[:-1], len(RING_REGIONS)), generator)
    lengths = ring[..., : len(RING_REGIONS)] * (off[..., None, RING_REGIONS] / 2 + rays).exp()
    ring = torch.cat([lengths, ring[..., len(RING_REGIONS) :]], dim=-1)
    highest = clips.geometry[..., 2 * regions : 3 * regions]
    return replace(clips, geometry=torch.cat([areas, logs, highest, ring.flatten(-2)], dim=-1))


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)


def _uniform(shape: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device)


def _move(
    batch: Batch, contract: InputContract, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Turn, shift and bend images and their regions alike; a stack's slices together."""
    count, clips = len(batch.degrees), len(batch.study)
    device = generator.device
    sax = batch.view == SHORT_AXIS
    shared = torch.randn((count, 2), generator=generator, device=device)[batch.study]
    single = torch.randn((clips, 2), generator=generator, device=device)
    free = torch.randn((clips, 2), generator=generator, device=device)
    shift = CLIP_SIGMA_MM * single + CENTRE_SIGMA_MM * torch.where(sax[:, None], shared, free)
    together = 2 * _uniform(count, generator)[batch.study] - 1
    alone = 2 * _uniform(clips, generator) - 1
    turn = torch.where(sax, together + 0.15 * alone, 0.6 * alone) * math.radians(TURN_DEGREES)
    side_mm = contract.spacing_mm * batch.images.shape[-1]
    knots = torch.randn((clips, 2, *BEND_KNOTS), generator=generator, device=device)
    amount = BEND_SIGMA_MM * _uniform(count, generator)[batch.study]
    bend = knots * (amount * 2 / side_mm)[:, None, None, None]
    share = contract.size_px / batch.images.shape[-1]
    pose = _pose(turn, shift * 2 / side_mm, share)
    cells = contract.size_px * batch.regions.shape[-1] // batch.images.shape[-1]
    images = _resample(batch.images, pose, bend, contract.size_px)
    return images, _resample(batch.regions, pose, bend, cells)


def _pose(angle: Tensor, shift: Tensor, share: float) -> Tensor:
    """(N, 2, 3) turn about the middle and shift, in halves of the picture's side."""
    rows = [torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)]
    turn = torch.stack(rows, dim=-1).view(-1, 2, 2) * share
    return torch.cat([turn, shift[:, :, None]], dim=2)


def _resample(pictures: Tensor, pose: Tensor, bend: Tensor, size: int) -> Tensor:
    """(N, C, H, H) -> (N, C, size, size) of the same scale, posed and smoothly bent."""
    count, channels = pictures.shape[:2]
    grid = functional.affine_grid(pose, [count, channels, size, size], align_corners=False)
    smooth = functional.interpolate(bend, (size, size), mode="bicubic", align_corners=True)
    grid = grid + smooth.permute(0, 2, 3, 1)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _degrade(images: Tensor, study: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, shading, sharpness and noise of (N, 2, S, S) in about [0, 1]."""
    clips, _, size, _ = images.shape
    studies = int(study[-1]) + 1

    def per_study(low: float, high: float) -> Tensor:
        drawn = _uniform(studies, generator)[study]
        return (low + (high - low) * drawn).view(-1, 1, 1, 1)

    # A monotone curve through 0 and 1, bent either way: cheaper than a power.
    bend = per_study(-0.6, 0.6)
    out = images * (1 + bend * (1 - images))
    field = torch.randn((clips, 1, 3, 3), generator=generator, device=generator.device)
    shading = functional.interpolate(
        1 + 0.25 * per_study(0, 1) * field, size=(size, size), mode="bilinear", align_corners=True
    )
    out = out * shading.clamp(min=0.3)
    soft = functional.avg_pool2d(out, 3, 1, 1, count_include_pad=False)
    out = torch.lerp(out, soft, per_study(-0.4, 0.9).clamp(min=0))
    noise = torch.randn(out.shape, generator=generator, device=generator.device)
    return out + noise * per_study(0, 0.06)
