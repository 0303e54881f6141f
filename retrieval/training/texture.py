"""What scans of real hearts hold and simulated ones lack, painted onto simulated clips.

Real cavities are ragged: trabeculae and papillary muscles lie against the wall
and count as cavity all the same. Their blood is of uneven brightness, and
around the heart lies a body that no simulator draws. Masks stay as they are, but
where a cavity is closed.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.phantom.geometry import ED, ES, REGIONS

TRABECULATED = ("LV cavity", "RV")

SMALL_CM2, LARGE_CM2 = 12.0, 25.0
"""No trabeculae stand apart from the wall of a small cavity; more and more do as it grows large."""

CLOSING = 0.35
"""Share of the clips whose smallest cavities are closed."""

CLOSED_CM2 = 12.0
"""Larger cavities never close."""

CORE = 0.35
"""A closed cavity is brighter than the wall by at most this share of what blood would be."""

SMOOTH = 0.35
"""Share of clips without trabeculae beyond those of the simulator."""

UNEVEN = 0.25
"""Blood is brighter or darker by at most this share (one standard deviation) here and there."""

ELSEWHERE = 0.4
"""Share of clips whose surroundings are taken from another clip."""

NEAR_CELLS = 2
"""What lies as near to the heart as this many cells stays."""


def textured(
    images: Tensor, regions: Tensor, cell_mm: float, of_map: Tensor, generator: torch.Generator
) -> Tensor:
    """Paint trabeculae, uneven blood and other surroundings.

    Parameters
    ----------
    images
        (N, 2, S, S).
    regions
        (N, R, S/2, S/2) share of each cell that a region fills.
    cell_mm
        Side of a cell.
    of_map
        (N,) bool, clips whose values are times: blood and surroundings keep theirs.
    """
    wall = _pair(regions, "LV wall")
    muscle = _brightness(images, wall)
    for cavity in TRABECULATED:
        inside = _pair(regions, cavity)
        images = _uneven(images, inside, of_map, generator)
        images = torch.lerp(images, muscle, _trabeculae(inside, cell_mm, generator))
    return _elsewhere(images, regions, of_map, generator)


def closed(
    images: Tensor, regions: Tensor, cell_mm: float, cine: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Press the blood out of some small left ventricular cavities of cines; all is wall then.

    Walls of hypertrophic hearts meet at end-systole, even in the middle of the
    ventricle, and leave a core of trabeculae that is hardly brighter. Whoever
    has only seen open cavities finds one there.

    Parameters
    ----------
    images
        (N, 2, S, S).
    regions
        (N, R, S/2, S/2).
    cell_mm
        Side of a cell.
    cine
        (N,) bool, clips whose blood is bright.

    Returns
    -------
    tuple of Tensor
        Images and regions, of which none was changed in place.
    """
    count = len(images)
    cavity, wall = _pair(regions, "LV cavity"), _pair(regions, "LV wall")
    area = cavity.sum((2, 3), keepdim=True) * (cell_mm / 10) ** 2
    limit = CLOSED_CM2 * _uniform(count, generator)[:, None, None, None]
    some = (_uniform(count, generator) < CLOSING) & cine
    closes = ((area < limit) & some[:, None, None, None]).to(images.dtype)
    muscle = _brightness(images, wall)
    core = CORE * _uniform(count, generator)[:, None, None, None]
    filled = torch.lerp(muscle.expand_as(images), images, core)
    # The rim of the cavity is blood mixed with wall: what is filled reaches a cell further.
    inside = _finer(functional.max_pool2d(cavity, 3, 1, 1))
    images = torch.where(images > filled, torch.lerp(images, filled, inside * closes), images)
    drawn = regions.clone()
    for image in (ED, ES):
        lost = cavity[:, image] * closes[:, image]
        drawn[:, REGIONS.index((image, "LV cavity"))] -= lost
        drawn[:, REGIONS.index((image, "LV wall"))] += lost
    return images, drawn


def _pair(regions: Tensor, part: str) -> Tensor:
    """(N, 2, h, h) of a part that is known in both images."""
    return regions[:, [REGIONS.index((ED, part)), REGIONS.index((ES, part))]]


def _brightness(images: Tensor, inside: Tensor) -> Tensor:
    """(N, 2, 1, 1) mean brightness where a part is; of the whole image where there is none."""
    small = functional.avg_pool2d(images, 2)
    weight = inside + 1e-4
    return (small * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)


def _trabeculae(inside: Tensor, cell_mm: float, generator: torch.Generator) -> Tensor:
    """(N, 2, S, S) how much muscle is laid over blood: in patches along the wall."""
    count = len(inside)
    core = functional.avg_pool2d(inside, 5, 1, 2)
    rim = inside * (2.5 * (1 - core)).clamp(0, 1)
    patches = functional.avg_pool2d(_normal(inside.shape, generator), 3, 1, 1) * 3
    amount = _uniform(count, generator)
    threshold = 1.3 - 1.5 * amount[:, None, None, None]
    area = inside.sum((2, 3), keepdim=True) * (cell_mm / 10) ** 2
    room = ((area - SMALL_CM2) / (LARGE_CM2 - SMALL_CM2)).clamp(0, 1)
    there = (_uniform(count, generator) > SMOOTH).to(inside.dtype)[:, None, None, None]
    painted = torch.sigmoid(4 * (patches - threshold)) * rim * room * there
    return _finer(painted)


def _uneven(images: Tensor, inside: Tensor, of_map: Tensor, generator: torch.Generator) -> Tensor:
    side = images.shape[-1]
    knots = _normal((len(images), 2, 8, 8), generator)
    field = functional.interpolate(knots, (side, side), mode="bicubic", align_corners=True)
    amount = (UNEVEN * _uniform(len(images), generator) * ~of_map)[:, None, None, None]
    return images * (1 + amount * field * _finer(inside)).clamp(min=0.3)


def _elsewhere(
    images: Tensor, regions: Tensor, of_map: Tensor, generator: torch.Generator
) -> Tensor:
    """Put hearts into the surroundings of other clips, whose own hearts come to lie far off."""
    count, _, side, _ = images.shape
    device = images.device
    order = torch.randperm(count, generator=generator, device=device)
    steps = torch.randint(-side // 8, side // 8, (2,), generator=generator, device=device)
    others = images[order].roll((side // 2 + int(steps[0]), side // 2 + int(steps[1])), (2, 3))
    heart = regions.amax(1, keepdim=True)
    near = functional.max_pool2d(heart, 2 * NEAR_CELLS + 1, 1, NEAR_CELLS)
    moved = (_uniform(count, generator) < ELSEWHERE) & ~of_map & ~of_map[order]
    beyond = _finer(functional.avg_pool2d(1 - near, 3, 1, 1, count_include_pad=False))
    return torch.lerp(images, others, beyond * moved.to(images.dtype)[:, None, None, None])


def _finer(cells: Tensor) -> Tensor:
    return functional.interpolate(cells, scale_factor=2.0, mode="bilinear", align_corners=False)


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator, device=generator.device)


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, device=generator.device)
