"""What a segmentation says in millimetres: areas, the wall all around, volumes of a stack.

The network reads hearts through these numbers because they mean the same in a
simulated image and in a scanner's. All is differentiable in the segmentation.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

PARTS = (
    "LV cavity",
    "LV wall",
    "RV",
    "left atrium",
    "right atrium",
    "fluid",
    "aorta",
    "scar",
    "oedema",
    "defect",
)
"""What is looked for in an image."""

ED, ES = 0, 1
"""A clip's two images; a still shows the same heart twice."""

REGIONS = (
    (ED, "LV cavity"),
    (ED, "LV wall"),
    (ED, "RV"),
    (ES, "LV cavity"),
    (ES, "LV wall"),
    (ES, "RV"),
    (ES, "left atrium"),
    (ES, "right atrium"),
    (ED, "fluid"),
    (ED, "aorta"),
    (ED, "scar"),
    (ED, "oedema"),
    (ED, "defect"),
)
"""Channels of the segmentation: which part, in which image. Atria are largest at end-systole."""

_LV_ED, _WALL_ED, _RV_ED, _LV_ES, _WALL_ES = range(5)
FIRST_LESION = REGIONS.index((ED, "scar"))
"""From here on regions are parts of the wall that are ill."""

_LESIONS = slice(FIRST_LESION, len(REGIONS))

RING_REGIONS = [_LV_ED, _WALL_ED, _LV_ES, _WALL_ES]
"""Regions whose extent along a ray comes first among the features of a sector."""

SECTORS = 12
"""Directions in which the wall is looked at, from the right ventricle's on."""

RAY_STEP_MM = 3.0
RAY_STEPS = 20

SECTOR_FEATURES = 4 + 2 * (len(REGIONS) - FIRST_LESION)
"""Per sector: cavity radius and wall thickness at both phases; each lesion's width and depth."""

CLIP_GEOMETRY = 3 * len(REGIONS) + SECTORS * SECTOR_FEATURES

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles over all sectors of a stack."""

SECTOR_MOTION = 2 * SECTORS

STUDY_GEOMETRY = 2 * len(REGIONS) + 4 * len(SHARES) + 8

LEAST_CAVITY_CM2 = 2.0
"""Slices with less cavity than this say nothing of the wall around it."""


def clip_geometry(inside: Tensor, cell_mm: float, short_axis: Tensor) -> Tensor:
    """Describe each clip's segmentation.

    Parameters
    ----------
    inside
        (N, R, h, h) share of each cell that each region fills, 0 to 1.
    short_axis
        (N,) bool; around other planes' cavities there is no ring to look at,
        their sectors are 0.

    Returns
    -------
    Tensor
        (N, CLIP_GEOMETRY), of order 1.
    """
    areas = inside.sum((2, 3)) * (cell_mm / 10) ** 2
    sizes = torch.cat([areas / 20, torch.log1p(areas), inside.amax((2, 3))], dim=1)
    ring = sectors(inside, cell_mm) * short_axis.to(inside.dtype)[:, None, None]
    return torch.cat([sizes, ring.flatten(1)], dim=1)


def sectors(inside: Tensor, cell_mm: float) -> Tensor:
    """The left ventricle seen from its middle in SECTORS directions, (N, SECTORS, SECTOR_FEATURES).

    Directions start towards the right ventricle and go on clockwise on
    screen. Each phase has its own middle, as readers judge motion.
    """
    early, late, angle = directions(inside, cell_mm)
    at_ed = along(inside[:, RING_REGIONS[:2]], early, angle, cell_mm)
    at_es = along(inside[:, RING_REGIONS[2:]], late, angle, cell_mm)
    lesions = along(inside[:, _LESIONS], early, angle, cell_mm)
    radius = (torch.arange(RAY_STEPS, device=inside.device) + 0.5) * RAY_STEP_MM
    wall = at_ed[:, 1]
    middle = (wall * radius).sum(-1) / wall.sum(-1).clamp(min=0.3)
    depth = lesions * (radius - middle[:, None, :, None])
    lengths = torch.cat([at_ed.sum(-1), at_es.sum(-1), lesions.sum(-1)], dim=1) * RAY_STEP_MM / 10
    depths = depth.sum(-1) * RAY_STEP_MM / 30
    return torch.cat([lengths, depths], dim=1).transpose(1, 2)


def sector_motion(geometry: Tensor) -> Tensor:
    """How far each sector moves inwards, and thickens, as shares: (..., SECTOR_MOTION).

    0 of other planes, and of slices that hold too little cavity to tell.

    Parameters
    ----------
    geometry
        (..., CLIP_GEOMETRY) of `clip_geometry`.
    """
    ring = ring_of(geometry)
    said = torch.cat(_motion(ring), dim=-1)
    told = (geometry[..., :1] * 20 > LEAST_CAVITY_CM2) & ring[..., 0].any(-1, keepdim=True)
    return said * told.to(said.dtype)


def ring_of(geometry: Tensor) -> Tensor:
    """Sectors' features in `clip_geometry`'s numbers, (..., SECTORS, SECTOR_FEATURES)."""
    return geometry[..., 3 * len(REGIONS) :].unflatten(-1, (SECTORS, SECTOR_FEATURES))


def _motion(ring: Tensor) -> tuple[Tensor, Tensor]:
    """Inward motion and thickening of each sector, (..., SECTORS)."""
    cavity, wall, cavity_es, wall_es = ring[..., :4].unbind(-1)
    return 1 - cavity_es / (cavity + 0.2), wall_es / (wall + 0.2) - 1


def directions(inside: Tensor, cell_mm: float) -> tuple[Tensor, Tensor, Tensor]:
    """Middles of the left ventricle in both images, (N, 2) each, and the angles (N, SECTORS)."""
    grid = _axis(inside)
    early = _middle(inside[:, _LV_ED] + inside[:, _WALL_ED], grid)
    late = _middle(inside[:, _LV_ES] + inside[:, _WALL_ES], grid)
    first = _towards(inside[:, _RV_ED], early, grid, cell_mm)
    rays = torch.arange(SECTORS, device=inside.device) * (2 * math.pi / SECTORS)
    return early, late, first[:, None] + rays


def study_geometry(geometry: Tensor, position_mm: Tensor, gap_mm: Tensor, stack: Tensor) -> Tensor:
    """Add up the short-axis cine stack of each study.

    Parameters
    ----------
    geometry
        (B, K, CLIP_GEOMETRY) of `clip_geometry`.
    position_mm, gap_mm
        (B, K), see `StudyInput`.
    stack
        (B, K) bool, the clips that make up the stack; may be empty.

    Returns
    -------
    Tensor
        (B, STUDY_GEOMETRY), of order 1; 0 where there is no stack.
    """
    count = len(REGIONS)
    thick_cm = slice_thickness(position_mm, gap_mm, stack) / 10
    volumes = (geometry[..., :count] * 20 * thick_cm[..., None]).sum(1)
    lv, wall, rv, lv_es, wall_es, rv_es = volumes[:, :6].unbind(1)
    ratios = torch.stack(
        [
            1 - lv_es / (lv + 5),
            1 - rv_es / (rv + 5),
            wall / (lv + 5) - 1,
            wall_es / (lv_es + 5) / 4,
            rv / (lv + 5) - 1,
            rv_es / (lv_es + 5) - 1,
            thick_cm.sum(1) / 10,
            stack.to(volumes.dtype).sum(1) / 10,
        ],
        dim=1,
    )
    there = stack.any(1, keepdim=True).to(volumes.dtype)
    wall_around = _around(ring_of(geometry), geometry[..., 0] * 20, stack)
    joined = torch.cat(
        [volumes / 100, torch.log1p(volumes) / 4, ratios.clamp(-2, 3), wall_around], 1
    )
    return joined * there


def slice_thickness(position_mm: Tensor, gap_mm: Tensor, stack: Tensor) -> Tensor:
    """How much of the long axis each slice of a stack stands for, mm, (B, K); 0 outside of it.

    Half of the way to either neighbour, at the ends half a gap; so a stack
    with slices missing in the middle keeps its volume.
    """
    far = 1e4
    apart = position_mm[:, None, :] - position_mm[:, :, None]
    absent = ~stack[:, None, :]
    above = apart.masked_fill(absent | (apart <= 0), far).amin(2)
    below = (-apart).masked_fill(absent | (apart >= 0), far).amin(2)
    above = torch.where(above >= far, gap_mm, above)
    below = torch.where(below >= far, gap_mm, below)
    return torch.where(stack, (above + below) / 2, 0.0)


def _around(ring: Tensor, cavity_cm2: Tensor, stack: Tensor) -> Tensor:
    """Quantiles over all sectors of a stack: thickness, motion, thickening, outer radius."""
    cavity, wall = ring[..., 0], ring[..., 1]
    valid = (stack & (cavity_cm2 > LEAST_CAVITY_CM2))[..., None].expand_as(cavity)
    moved, thickened = _motion(ring)
    outer = (cavity + wall) / 4
    parts = [_quantiles(v, valid) for v in (wall, moved, thickened, outer)]
    return torch.cat(parts, dim=1)


def _quantiles(values: Tensor, valid: Tensor) -> Tensor:
    """(B, len(SHARES)) of (B, K, S) where valid; 0 where nothing is."""
    spread = values.flatten(1)
    some = valid.flatten(1)
    ranked = spread.masked_fill(~some, float("inf")).sort(dim=1).values
    last = some.sum(1, keepdim=True) - 1
    share = torch.tensor(SHARES, device=values.device)
    at = share * last.clamp(min=0)
    low = at.floor().long()
    high = torch.minimum(low + 1, last.clamp(min=0))
    part = at - low
    mixed = torch.lerp(ranked.gather(1, low), ranked.gather(1, high), part)
    return torch.where(last >= 0, mixed, torch.zeros_like(mixed))


def _axis(inside: Tensor) -> Tensor:
    """Cell centres in -1 to 1, as `grid_sample` counts."""
    size = inside.shape[-1]
    return (torch.arange(size, device=inside.device, dtype=inside.dtype) * 2 + 1) / size - 1


def _middle(mask: Tensor, grid: Tensor) -> Tensor:
    """Centroid (N, 2) as (x, y) of (N, h, h); the image's middle where there is nothing.

    Not a road for gradients: the ring is to be described, not to be moved.
    """
    mask = mask.detach()
    weight = mask.sum((1, 2)) + 1
    x = (mask.sum(1) * grid).sum(1) / weight
    y = (mask.sum(2) * grid).sum(1) / weight
    return torch.stack([x, y], dim=1)


def _towards(right: Tensor, middle: Tensor, grid: Tensor, cell_mm: float) -> Tensor:
    """Angle from a middle to the right ventricle, (N,); to the left of the screen without one."""
    right = right.detach()
    mass = right.sum((1, 2))
    x = (right.sum(1) * grid).sum(1) - mass * middle[:, 0]
    y = (right.sum(2) * grid).sum(1) - mass * middle[:, 1]
    weak = 4.0 / cell_mm
    return torch.atan2(y, x - weak)


def along(inside: Tensor, middle: Tensor, angle: Tensor, cell_mm: float) -> Tensor:
    """Sample (N, C, h, h) along rays, (N, C, SECTORS, RAY_STEPS)."""
    half = inside.shape[-1] * cell_mm / 2
    radius = (torch.arange(RAY_STEPS, device=inside.device) + 0.5) * (RAY_STEP_MM / half)
    way = torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)
    points = middle[:, None, None] + way[:, :, None] * radius[:, None]
    return functional.grid_sample(inside, points, padding_mode="zeros", align_corners=False)
