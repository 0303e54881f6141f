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

from retrieval.encoder.phantom.inputs import TECHNIQUES, VIEWS, InputContract
from retrieval.values.study import Technique, View

CINE = TECHNIQUES.index(Technique.CINE)
LGE = TECHNIQUES.index(Technique.LGE)
SHORT_AXIS = VIEWS.index(View.SHORT_AXIS)
OTHER_VIEW = VIEWS.index(View.OTHER)

TURN_DEGREES = 25.0
CENTRE_SIGMA_MM = 6.0
CLIP_SIGMA_MM = 2.0
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
    degrees
        (B, C) truth of every concept.
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
    measurements: Tensor

    def to(self, device: str) -> Self:
        """The same batch on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def augment(batch: Batch, contract: InputContract, generator: torch.Generator) -> Batch:
    """One random variant of each study, cut to the contract's size and standardised."""
    images, regions = _move(batch, contract, generator)
    flip = _uniform(len(batch.degrees), generator)[batch.study] < FLIP_STACK
    forget = _uniform(len(images), generator) < FORGET_VIEW
    return replace(
        batch,
        images=standardise(_degrade(images, batch.study, generator), contract),
        regions=regions,
        view=torch.where(forget, OTHER_VIEW, batch.view),
        position_mm=torch.where(flip, -batch.position_mm, batch.position_mm),
    )


def centre_crop(batch: Batch, contract: InputContract) -> Batch:
    """The same without any randomness: for validation."""
    margin = (batch.images.shape[-1] - contract.size_px) // 2
    inner = slice(margin, margin + contract.size_px)
    return replace(batch, images=standardise(batch.images[..., inner, inner], contract))


def standardise(images: Tensor, contract: InputContract) -> Tensor:
    """The contract's `standardise` for (..., 2, size, size) at once, on any device."""
    step = contract.sample_step
    sample = images[..., ::step, ::step].flatten(-3)
    share = torch.tensor(contract.percentiles, device=images.device) / 100
    low, high = torch.quantile(sample, share, dim=-1)[..., None, None, None]
    scale = (high - low).clamp(min=torch.finfo(torch.float32).tiny)
    return ((images - low) / scale).clamp(0, contract.ceiling)


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


def glimpse(batch: Batch, generator: torch.Generator) -> Tensor:
    """(N,) bool: a small part of each study, one clip or one view of one technique."""
    count = len(batch.degrees)
    lottery = _uniform(len(batch.study), generator) + batch.study
    first = torch.searchsorted(batch.study, torch.arange(count, device=batch.study.device))
    order = torch.argsort(lottery)[first]
    one = torch.zeros_like(batch.study, dtype=torch.bool)
    one[order] = True
    kind = batch.technique * len(VIEWS) + batch.view
    alike = kind == kind[order][batch.study]
    alone = _uniform(count, generator)[batch.study] < 0.6
    return torch.where(alone, one, alike)


def _uniform(shape: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device)


def _move(
    batch: Batch, contract: InputContract, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Turn and shift images and their regions alike; short-axis slices of a study together."""
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
    images = _resample(batch.images, turn, shift, contract.size_px, contract.spacing_mm)
    cells = contract.size_px * batch.regions.shape[-1] // batch.images.shape[-1]
    cell_mm = contract.spacing_mm * batch.images.shape[-1] / batch.regions.shape[-1]
    return images, _resample(batch.regions, turn, shift, cells, cell_mm)


def _resample(pictures: Tensor, angle: Tensor, shift_mm: Tensor, size: int, mm: float) -> Tensor:
    """(N, C, H, H) -> (N, C, size, size), each turned and shifted, same scale."""
    count, channels, height, _ = pictures.shape
    rows = [torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)]
    turn = torch.stack(rows, dim=-1).view(count, 2, 2) * (size / height)
    shift = (shift_mm / mm * 2 / height).view(count, 2, 1)
    theta = torch.cat([turn, shift], dim=2)
    grid = functional.affine_grid(theta, [count, channels, size, size], align_corners=False)
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
