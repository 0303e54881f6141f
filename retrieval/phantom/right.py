"""The right ventricle: a triangle wrapped around the septum, with an outflow tract."""

import torch
from torch import Tensor

from retrieval.phantom.lattice import angles, column, depths, integrate, wrapped
from retrieval.phantom.pattern import mesh
from retrieval.phantom.physiology import Hearts

OUTFLOW_ANGLE = -1.05
"""Where the outflow tract leaves, in front of the aorta."""

_LEAST = 0.02
"""Thinner extents, in radii of the left ventricle, count as none."""


def right_ventricle_shape(hearts: Hearts) -> Tensor:
    """Extent of the right ventricle beyond the epicardium, up to a factor, (n, ANGLES, DEPTHS).

    In each short axis a triangle whose corners are the two insertions and a
    third, more or less pointed, that stands out towards the inferior wall. It
    narrows towards the apex and bulges at the base into the outflow tract.
    """
    angle, depth = angles(hearts.device), depths(hearts.device)
    # A ventricle much larger than the left one wraps further around it.
    larger = column((hearts.rv_edv_ml / hearts.lv_edv_ml - 1).clamp(0, 1.5))
    narrow = 1 - 0.28 * depth.clamp(max=1)
    front = (column(hearts.rv_front) - 0.25 * larger) * narrow
    back = (column(hearts.rv_back) + 0.2 * larger) * narrow
    corner = torch.lerp(column(hearts.rv_corner), torch.full_like(depth, 0.15), depth.clamp(max=1))
    corner = corner.clamp(max=back - 0.25)
    along = 1 - (depth / column(hearts.rv_length)).clamp(0, 1) ** 2.2
    share = ((angle - front) / (back - front)).clamp(0, 1)
    arch = torch.sin(torch.pi * share).clamp(min=0).sqrt()
    tent = torch.minimum((angle - front) / (corner - front), (back - angle) / (back - corner))
    pointed = column(1 - hearts.rv_roundness) * (1 - 0.4 * larger)
    triangle = torch.lerp(arch, tent.clamp(min=0), pointed)
    # The inflow and the outflow make the base wider than the middle.
    inflow = 1 + 0.15 * torch.exp(-((depth / 0.25) ** 2))
    away = wrapped(angle - OUTFLOW_ANGLE)
    tract = torch.exp(-((away / 0.4) ** 2)) * torch.exp(-((depth / 0.22) ** 2))
    shape = along * triangle * inflow + column(hearts.outflow) * tract
    return torch.where(shape > _LEAST, shape, torch.zeros_like(shape))


def rv_strands(hearts: Hearts) -> Tensor:
    """Share of the right ventricle's extent that trabeculae fill from the free wall, (n, A, D)."""
    strands = (mesh(hearts) + 0.15).clamp(min=0)
    return column(hearts.rv_trabeculation) * (0.25 + 1.2 * depths(hearts.device)) * strands


def moderator_band(hearts: Hearts) -> Tensor:
    """Share of its extent that the moderator band fills, which crosses it whole, (n, A, D)."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    at = 0.5 + 0.06 * column(hearts.ripple[:, 12])
    off = wrapped(angle - 0.15 - 0.2 * column(hearts.ripple[:, 11])) / 0.10
    return torch.exp(-(off**2) - ((depth - at) / 0.05) ** 2) * column(hearts.moderator_band)


def fill_to(shape: Tensor, inner_mm: Tensor, length_mm: Tensor, volume_ml: Tensor) -> Tensor:
    """Scale `shape` so that it holds `volume_ml` beyond the surface `inner_mm`; radii in mm.

    The volume between r and r + m·shape is quadratic in m, so m is exact.
    """
    square = integrate(shape.square() / 2, length_mm) / 1000
    linear = integrate(shape * inner_mm, length_mm) / 1000
    scale = (-linear + (linear.square() + 4 * square * volume_ml).sqrt()) / (2 * square)
    return shape * column(scale)
