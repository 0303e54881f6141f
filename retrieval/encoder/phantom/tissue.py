"""How bright blood and muscle are, where brightness tells of tissue.

In late enhancement, T2-weighted images, perfusion and maps the message is the
brightness of the muscle, as a whole and of one part against another. In a cine
it is not, and differs between scanners: there all is 0.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.phantom.geometry import ED, REGIONS, SECTORS, along, directions

PARTS_SEEN = ("LV cavity", "LV wall", "RV")

IMAGES = 2
"""Of a clip: the first and the second moment of a perfusion, or brightness and time of a map."""

TISSUE = IMAGES * (len(PARTS_SEEN) + 1 + SECTORS)

DEVIATION_UNIT = 0.2
"""Differences within the muscle are told in this share of full brightness."""

_LEAST = 0.3
"""Cells of muscle without which nothing is said of its brightness."""

_PLACES = [REGIONS.index((ED, part)) for part in PARTS_SEEN]
_WALL = PARTS_SEEN.index("LV wall")


def tissue_brightness(
    inside: Tensor, images: Tensor, cell_mm: float, short_axis: Tensor, cine: Tensor
) -> Tensor:
    """Describe the brightness of each clip's tissues.

    Parameters
    ----------
    inside
        (N, R, h, h) share of each cell that each region fills, 0 to 1.
    images
        (N, 2, S, S), S a multiple of h.
    cell_mm
        Side of a cell.
    short_axis, cine
        (N,) bool; other planes have no sectors, cines nothing at all.

    Returns
    -------
    Tensor
        (N, TISSUE), of order 1: for both images the mean of each part, the
        spread within the wall, and by how much each sector of the wall differs
        from the whole of it.
    """
    cells = functional.avg_pool2d(images, images.shape[-1] // inside.shape[-1])
    parts = inside[:, None, _PLACES]
    mass = parts.sum((3, 4))
    shown = cells[:, :, None]
    mean = (parts * shown).sum((3, 4)) / mass.clamp(min=_LEAST)
    wall, level = parts[:, :, _WALL], mean[:, :, _WALL]
    off = cells - level[:, :, None, None]
    spread = (wall * off.square()).sum((2, 3)) / mass[:, :, _WALL].clamp(min=_LEAST)
    ring = _around(wall, off, inside, cell_mm) * short_axis.to(off.dtype)[:, None, None]
    said = torch.cat([2 * mean, torch.sqrt(spread)[..., None] / DEVIATION_UNIT, ring], dim=2)
    return said.flatten(1) * (~cine).to(said.dtype)[:, None]


def _around(wall: Tensor, off: Tensor, inside: Tensor, cell_mm: float) -> Tensor:
    """Mean deviation of each sector of the wall, (N, IMAGES, SECTORS)."""
    middle, _, angle = directions(inside, cell_mm)
    rays = along(torch.cat([wall * off, wall], dim=1), middle, angle, cell_mm).sum(-1)
    return rays[:, :IMAGES] / rays[:, IMAGES:].clamp(min=_LEAST) / DEVIATION_UNIT
