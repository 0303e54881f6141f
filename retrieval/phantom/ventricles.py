"""The two ventricles as surfaces on the lattice, and how they move."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.phantom.lattice import (
    along_depth,
    angles,
    column,
    depths,
    enclosed_ml,
    integrate,
    wrapped,
)
from retrieval.phantom.physiology import (
    HYPERTROPHY_APICAL,
    HYPERTROPHY_CONCENTRIC,
    HYPERTROPHY_SEPTAL,
    SCAR_DIFFUSE,
    SCAR_MID_WALL,
    SCAR_NONE,
    Hearts,
)

ABSENT_LOW, ABSENT_HIGH = 2.0, -1.0
"""Bounds of an enhancing band that is empty."""


@dataclass(frozen=True, slots=True)
class LeftVentricle:
    """The left ventricle at end-diastole. Tables are (n, ANGLES, DEPTHS).

    Attributes
    ----------
    length_mm
        Base to epicardial apex, (n,).
    cavity_share
        Depth at which the cavity ends, (n,).
    endo_mm, epi_mm
        Radii of the compact wall's two surfaces.
    ridges
        Share of the cavity's radius that trabeculae fill.
    motion
        Share of the healthy contraction that each part takes part in.
    scar_low, scar_high
        The enhancing band, as shares of the wall from the endocardium.
    """

    length_mm: Tensor
    cavity_share: Tensor
    endo_mm: Tensor
    epi_mm: Tensor
    ridges: Tensor
    motion: Tensor
    scar_low: Tensor
    scar_high: Tensor


def left_ventricle(hearts: Hearts) -> LeftVentricle:
    """Build the left ventricle: cavity of the volume asked for, wall, scar."""
    depth = depths(hearts.device)
    wall = _wall(hearts)
    apical_wall = (0.62 * hearts.wall_mm + _apical_extra(hearts)).clamp(min=3.0)
    length = hearts.lv_length_mm + apical_wall
    share = hearts.lv_length_mm / length
    profile = _profile(depth / column(share), hearts) * _outline(hearts)
    scale = (hearts.lv_edv_ml / enclosed_ml(profile, length)).sqrt()
    endo = profile * column(scale)
    closing = (1 - depth.clamp(max=1) ** 5).sqrt()
    stretched = _profile(depth, hearts) * _outline(hearts) * column(scale)
    epi = torch.maximum(stretched, endo) + wall * closing
    epi = torch.where(depth < 1, epi, torch.zeros_like(epi))
    region = _region(hearts)
    low, high = _scar_band(hearts, region)
    return LeftVentricle(
        length_mm=length,
        cavity_share=share,
        endo_mm=endo,
        epi_mm=epi,
        ridges=_ridges(hearts),
        motion=_motion(hearts, region),
        scar_low=low,
        scar_high=high,
    )


def _profile(u: Tensor, hearts: Hearts) -> Tensor:
    """Radius of the cavity along its own depth, 1 at its widest, 0 from u = 1."""
    widest = 0.24
    towards_apex = ((u - widest) / (1 - widest)).clamp(0, 1)
    towards_base = ((widest - u) / widest).clamp(0, 1)
    cap = (1 - towards_apex ** column(hearts.lv_bluntness)).clamp(min=0).sqrt()
    return cap * (1 - column(hearts.lv_waist) * towards_base.square())


def _outline(hearts: Hearts) -> Tensor:
    """Departure of the cavity from a circle, (n, ANGLES, 1)."""
    angle = angles(hearts.device)
    ripple = hearts.ripple
    oval = 0.02 * column(ripple[:, 0]) * torch.cos(2 * angle - column(ripple[:, 1]))
    third = 0.01 * column(ripple[:, 2]) * torch.cos(3 * angle - column(ripple[:, 3]))
    flat = column(hearts.septal_flattening) * torch.exp(-((angle / 0.8) ** 2))
    return (1 + oval + third) * (1 - flat)


def _apical_extra(hearts: Hearts) -> Tensor:
    apical = hearts.hypertrophy == HYPERTROPHY_APICAL
    everywhere = hearts.hypertrophy == HYPERTROPHY_CONCENTRIC
    return hearts.hypertrophy_mm * (0.8 * apical.float() + 0.5 * everywhere.float())


def _wall(hearts: Hearts) -> Tensor:
    """Radial wall thickness at end-diastole in mm, (n, ANGLES, DEPTHS)."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    wall = column(hearts.wall_mm) * (1 + 0.08 * torch.cos(angle)) * (1.05 - 0.22 * depth)
    away = wrapped(angle - column(hearts.hypertrophy_angle))
    septal = torch.exp(-((away / 0.85) ** 2)) * torch.exp(-(((depth - 0.3) / 0.42) ** 2))
    apical = torch.sigmoid((depth - 0.55) / 0.07) * torch.ones_like(angle)
    concentric = (1 - 0.15 * depth) * torch.ones_like(angle)
    kind = column(hearts.hypertrophy)
    extra = (
        (kind == HYPERTROPHY_CONCENTRIC) * concentric
        + (kind == HYPERTROPHY_SEPTAL) * (septal + 0.12)
        + (kind == HYPERTROPHY_APICAL) * apical
    )
    wall = wall + column(hearts.hypertrophy_mm) * extra
    return wall * (1 - column(hearts.thinning) * _region(hearts))


def _region(hearts: Hearts) -> Tensor:
    """How much each point belongs to the scarred territory, 0 to 1, a plateau with soft edges."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    width = column(hearts.scar_width) * (1 + 0.7 * depth)
    across = (wrapped(angle - column(hearts.scar_angle)) / width) ** 4
    along = ((depth - column(hearts.scar_depth)) / column(hearts.scar_reach)) ** 4
    return torch.exp(-across - along) * column((hearts.scar_kind != SCAR_NONE).float())


def _scar_band(hearts: Hearts, region: Tensor) -> tuple[Tensor, Tensor]:
    """Inner and outer edge of the enhancing band as shares of the wall."""
    kind = column(hearts.scar_kind)
    present = ((region - 0.3) / 0.35).clamp(0, 1)
    width = column(hearts.transmurality) * present
    low = torch.where(kind == SCAR_MID_WALL, 0.5 - width / 2, -1.0)
    high = torch.where(kind == SCAR_MID_WALL, 0.5 + width / 2, width)
    patchy = (0.62 + 0.6 * _harmonics(hearts, (2, 3, 4, 5))).clamp(0.2, 1.1)
    high = torch.where(kind == SCAR_DIFFUSE, patchy, high)
    empty = (kind == SCAR_NONE) | ((kind != SCAR_DIFFUSE) & (width < 0.03))
    return torch.where(empty, ABSENT_LOW, low), torch.where(empty, ABSENT_HIGH, high)


def _harmonics(hearts: Hearts, orders: tuple[int, ...]) -> Tensor:
    """A smooth random pattern on the lattice of zero mean, about ±0.5."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    total = torch.zeros_like(angle * depth)
    for i, order in enumerate(orders):
        size, shift = hearts.ripple[:, 4 + i], hearts.ripple[:, 14 + i]
        wave = torch.cos(order * angle + 3 * column(shift) + column(size) * 9 * depth)
        total = total + wave * (0.5 + 0.5 * column(size).abs()) / (2 * math.sqrt(len(orders)))
    return total


def _ridges(hearts: Hearts) -> Tensor:
    """Share of the radius that trabeculae fill; most at the free wall and near the apex."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    pattern = _harmonics(hearts, (5, 7, 9, 11, 13)).clamp(min=0) * 3
    free_wall = 0.75 - 0.25 * torch.cos(angle)
    amount = column(hearts.trabeculation) * (0.4 + 1.1 * depth) * free_wall
    return (amount * (0.35 + pattern)).clamp(max=0.35)


def _motion(hearts: Hearts, region: Tensor) -> Tensor:
    uneven = 1 + 0.12 * _harmonics(hearts, (1, 2, 3))
    return uneven * (1 - column(hearts.akinesia) * region)


def right_ventricle_shape(hearts: Hearts) -> Tensor:
    """Extent of the right ventricle beyond the epicardium, up to a factor, (n, ANGLES, DEPTHS).

    A crescent between its two insertions, widest towards the inferior corner,
    that tapers towards the apex and bulges at the base into the outflow tract.
    """
    angle, depth = angles(hearts.device), depths(hearts.device)
    along = 1 - (depth / column(hearts.rv_length)).clamp(0, 1) ** 1.9
    away = wrapped(angle - 0.08)
    spread = column(hearts.rv_spread) * (1 - 0.3 * depth)
    bow = torch.cos((math.pi / 2 * away / spread).clamp(-math.pi / 2, math.pi / 2))
    bow = bow.clamp(min=0) ** column(hearts.rv_fullness)
    corner = 1 + column(hearts.rv_skew) * torch.sin(away) * (1 - torch.exp(-depth / 0.15))
    tract = torch.exp(-(((angle + 1.0) / 0.42) ** 2)) * torch.exp(-((depth / 0.2) ** 2))
    shape = along * bow * corner + column(hearts.outflow) * tract
    return torch.where(shape > 0.02, shape, torch.zeros_like(shape))


def fill_to(shape: Tensor, inner_mm: Tensor, length_mm: Tensor, volume_ml: Tensor) -> Tensor:
    """Scale `shape` so that it holds `volume_ml` beyond the surface `inner_mm`; radii in mm.

    The volume between r and r + m·shape is quadratic in m, so m is exact.
    """
    square = integrate(shape.square() / 2, length_mm) / 1000
    linear = integrate(shape * inner_mm, length_mm) / 1000
    scale = (-linear + (linear.square() + 4 * square * volume_ml).sqrt()) / (2 * square)
    return shape * column(scale)


def grown(surface_mm: Tensor, by_mm: Tensor, length_mm: Tensor) -> Tensor:
    """A surface some millimetres outside another, apex included.

    Parameters
    ----------
    by_mm
        How far, broadcastable to the table; the most of it pushes the apex.
    """
    depth = depths(surface_mm.device)
    most = by_mm.flatten(-2).amax(-1)
    stretched = along_depth(surface_mm, depth * column(length_mm / (length_mm + most)))
    inside = (stretched > 0).float()
    return torch.maximum(stretched, surface_mm) + by_mm * inside
