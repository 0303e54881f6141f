"""Where muscle is scarred, swollen or starved of blood, and how it moves there.

A region is a table (n, ANGLES, DEPTHS) in 0 to 1, a plateau with soft edges; a
band says which part of the wall's thickness it takes, as shares from the
endocardium.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.phantom.lattice import angles, column, depths, wrapped
from retrieval.phantom.pattern import harmonics
from retrieval.phantom.physiology import (
    SCAR_DIFFUSE,
    SCAR_MID_WALL,
    SCAR_NONE,
    SCAR_SUBENDOCARDIAL,
    SCAR_SUBEPICARDIAL,
    SCAR_TRANSMURAL,
    Hearts,
)

ABSENT_LOW, ABSENT_HIGH = 2.0, -1.0
"""Bounds of a band that is empty."""

_WITHIN, _BEYOND = -1.0, 2.0
"""Bounds of a band that begins at the endocardium, and of one that ends at the epicardium."""


@dataclass(frozen=True, slots=True)
class Band:
    """Inner and outer edge as shares of the wall, (n, ANGLES, DEPTHS) each; low > high: nothing."""

    low: Tensor
    high: Tensor

    @property
    def present(self) -> Tensor:
        """1 where the band takes any part of the wall, else 0."""
        return (self.high > self.low).float()

    @property
    def width(self) -> Tensor:
        """Share of the wall's thickness."""
        return (self.high.clamp(0, 1) - self.low.clamp(0, 1)).clamp(min=0)


def scar_regions(hearts: Hearts) -> tuple[Tensor, Tensor]:
    """How much each point belongs to the first and to the second scarred territory."""
    scarred = column((hearts.scar_kind != SCAR_NONE).float())
    first = _plateau(hearts.scar_angle, hearts.scar_width, hearts.scar_depth, hearts.scar_reach)
    second = _plateau(
        hearts.second_angle,
        hearts.scar_width * hearts.second_size.clamp(min=0.1),
        hearts.second_depth,
        hearts.scar_reach,
    )
    present = scarred * column((hearts.second_size > 0).float() * _ischaemic(hearts))
    return first * scarred, second * present


def scar_band(hearts: Hearts, region: Tensor) -> Band:
    """The enhancing band."""
    kind = column(hearts.scar_kind)
    width = column(hearts.transmurality) * ((region - 0.3) / 0.35).clamp(0, 1)
    low = torch.where(kind == SCAR_MID_WALL, 0.5 - width / 2, _WITHIN)
    high = torch.where(kind == SCAR_MID_WALL, 0.5 + width / 2, width)
    outside = kind == SCAR_SUBEPICARDIAL
    low, high = torch.where(outside, 1 - width, low), torch.where(outside, _BEYOND, high)
    patchy = (0.62 + 0.6 * harmonics(hearts, (2, 3, 4, 5))).clamp(0.2, 1.1)
    high = torch.where(kind == SCAR_DIFFUSE, patchy, high)
    empty = (kind == SCAR_NONE) | ((kind != SCAR_DIFFUSE) & (width < 0.03))
    return _unless(empty, low, high)


def oedema_band(hearts: Hearts, region: Tensor) -> Band:
    """Oedema: all of the wall in an infarct, the outer part in an inflammation."""
    wide = ((region - 0.12) / 0.3).clamp(0, 1)
    inner = _WITHIN + (1 - 0.9 * wide - _WITHIN) * column(1 - _ischaemic(hearts))
    acute = column(hearts.acute) > 0
    return _unless(~acute | (wide < 0.05), inner.expand_as(region), torch.full_like(region, 2.0))


def defect_band(hearts: Hearts) -> Band:
    """Perfusion defect: from the endocardium outwards."""
    region = _plateau(
        hearts.defect_angle, hearts.defect_width, hearts.defect_depth, hearts.defect_reach
    )
    width = column(hearts.defect_size) * ((region - 0.3) / 0.35).clamp(0, 1)
    return _unless(width < 0.03, torch.full_like(width, _WITHIN), width)


def motion(hearts: Hearts, region: Tensor) -> Tensor:
    """Share of the healthy contraction that each part takes part in; below 0 it bulges."""
    uneven = 1 + column(hearts.unevenness) * harmonics(hearts, (1, 2, 3))
    return uneven * (1 - column(hearts.akinesia) * region)


def _ischaemic(hearts: Hearts) -> Tensor:
    """1 where the scar is an infarct's, (n,)."""
    kind = hearts.scar_kind
    return ((kind == SCAR_SUBENDOCARDIAL) | (kind == SCAR_TRANSMURAL)).float()


def _plateau(angle: Tensor, width: Tensor, depth: Tensor, reach: Tensor) -> Tensor:
    """1 around a place of the wall and 0 far from it; arguments (n,)."""
    at_angle, at_depth = angles(angle.device), depths(angle.device)
    spread = column(width) * (1 + 0.7 * at_depth)
    across = (wrapped(at_angle - column(angle)) / spread) ** 4
    along = ((at_depth - column(depth)) / column(reach)) ** 4
    return torch.exp(-across - along)


def _unless(empty: Tensor, low: Tensor, high: Tensor) -> Band:
    return Band(torch.where(empty, ABSENT_LOW, low), torch.where(empty, ABSENT_HIGH, high))
