"""The left ventricle as surfaces on the lattice, and how surfaces grow."""

from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.phantom.lattice import along_depth, angles, column, depths, enclosed_ml, wrapped
from retrieval.phantom.pattern import harmonics
from retrieval.phantom.physiology import (
    HYPERTROPHY_APICAL,
    HYPERTROPHY_CONCENTRIC,
    HYPERTROPHY_SEPTAL,
    Hearts,
)
from retrieval.phantom.regions import (
    Band,
    defect_band,
    motion,
    oedema_band,
    scar_band,
    scar_regions,
)

AORTIC_ANGLE = -0.9
"""Where the basal wall gives way to the outflow tract."""

_SEPTUM_WIDTH = 0.8
"""Radians over which the septum flattens."""


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
    first, second
        How much each point belongs to the first and the second scarred territory.
    scar, oedema, defect
        Bands of the wall.
    """

    length_mm: Tensor
    cavity_share: Tensor
    endo_mm: Tensor
    epi_mm: Tensor
    ridges: Tensor
    motion: Tensor
    first: Tensor
    second: Tensor
    scar: Band
    oedema: Band
    defect: Band


def left_ventricle(hearts: Hearts) -> LeftVentricle:
    """Build the left ventricle: cavity of the volume asked for, wall, scar."""
    depth = depths(hearts.device)
    first, second = scar_regions(hearts)
    region = torch.maximum(first, second)
    wall = _wall(hearts) * (1 - column(hearts.thinning) * region) * _open_base(hearts)
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
    return LeftVentricle(
        length_mm=length,
        cavity_share=share,
        endo_mm=endo,
        epi_mm=epi,
        ridges=_ridges(hearts),
        motion=motion(hearts, region),
        first=first,
        second=second,
        scar=scar_band(hearts, region),
        oedema=oedema_band(hearts, region),
        defect=defect_band(hearts),
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
    return (1 + oval + third) * flattened(column(hearts.septal_flattening))


def flattened(by: Tensor) -> Tensor:
    """What is left of the radius when the septum gives way by a share of it, (..., ANGLES, 1)."""
    return 1 - by * torch.exp(-((angles(by.device) / _SEPTUM_WIDTH) ** 2))


def _open_base(hearts: Hearts) -> Tensor:
    """Share of the wall that is left beside the outflow tract, (n, ANGLES, DEPTHS)."""
    away = wrapped(angles(hearts.device) - AORTIC_ANGLE)
    beside = torch.exp(-((away / 0.45) ** 2) - (depths(hearts.device) / 0.09) ** 2)
    return 1 - column(hearts.base_gap) * beside


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
    return wall + column(hearts.hypertrophy_mm) * extra


def _ridges(hearts: Hearts) -> Tensor:
    """Share of the radius that trabeculae fill; most at the free wall and near the apex."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    pattern = harmonics(hearts, (5, 7, 9, 11, 13)).clamp(min=0) * 3
    free_wall = 0.75 - 0.25 * torch.cos(angle)
    amount = column(hearts.trabeculation) * (0.6 + 0.5 * depth) * free_wall
    return (amount * (0.35 + pattern)).clamp(max=0.35)


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
