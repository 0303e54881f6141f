"""How far each tissue of the ventricles covers each point: lookups in a moment's tables."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.phantom.lattice import DEEPEST
from retrieval.phantom.moment import PAPILLARY_CENTRE, Moment

_RADII = ("sac", "fluid", "shell", "rv", "epi", "lumen")
"""Surfaces from the outside in."""


_NOWHERE_MM = -1.5
"""Radius of a surface where it does not exist, so that nothing covers the axis there."""


@dataclass(frozen=True, slots=True)
class Polar:
    """Points around the long axis: distance and angle, and position along it, (n, M) each."""

    rho: Tensor
    theta: Tensor
    z: Tensor

    @classmethod
    def of(cls, points: Tensor, rho: Tensor) -> "Polar":
        """Convert points (n, 3, M) in heart coordinates, whose distance (n, M) is known."""
        return cls(rho, torch.atan2(points[:, 1], points[:, 0]), points[:, 2])


@dataclass(frozen=True, slots=True)
class Cover:
    """Share of each point within each surface, (n, P, M) in 0 to 1.

    `inside` is the ventricles' side of the valve plane, `scar` the enhancing
    share of the muscle (None unless asked for), `below_mm` the distance from
    the valve plane towards the apex.
    """

    sac: Tensor
    fluid: Tensor
    shell: Tensor
    rv: Tensor
    epi: Tensor
    lumen: Tensor
    papillary: Tensor
    scar: Tensor | None
    inside: Tensor
    below_mm: Tensor


def ventricular_cover(
    moment: Moment, polar: Polar, softness_mm: Tensor, *, scar: bool, compact: bool = False
) -> Cover:
    """Look every point up in the tables of every phase.

    Parameters
    ----------
    softness_mm
        Width of the edges, (n,).
    scar
        Whether the scar's cover is needed too.
    compact
        Take the compact wall's surface for the lumen's: no trabeculae.
    """
    n, phases = moment.base_mm.shape
    count = polar.z.shape[1]
    sharp = (1 / softness_mm)[:, None, None]
    below = polar.z[:, None] - moment.base_mm[..., None]
    grid = torch.empty(n, phases, count, 2, device=polar.z.device)
    grid[..., 0] = below * (2 / (moment.length_mm * DEEPEST))[..., None] - 1
    grid[..., 1] = (polar.theta / torch.pi)[:, None]
    tables = _stacked(moment, sharp[..., None], scar=scar, compact=compact)
    found = functional.grid_sample(
        tables, grid.view(n * phases, 1, count, 2), padding_mode="border", align_corners=True
    ).view(n, phases, -1, count)
    rho = (polar.rho * sharp[:, 0])[:, None]
    lumen = found[:, :, 5]
    standing = found[:, :, 6] - (rho - PAPILLARY_CENTRE * lumen).abs_() + 0.5
    enhancing = _scar(found, rho) if scar else None
    covers = found[:, :, :6].sub_((rho - 0.5)[:, :, None]).clamp_(0, 1)
    return Cover(
        *covers.unbind(2),
        papillary=standing.clamp_(0, 1),
        scar=enhancing,
        inside=(below * sharp + 0.5).clamp_(0, 1),
        below_mm=below,
    )


def _stacked(moment: Moment, sharp: Tensor, *, scar: bool, compact: bool) -> Tensor:
    """Tables as images (n·P, C, angles + 1, depths); radii in units of the edges' width."""
    names = (*_RADII[:-1], "endo" if compact else "lumen")
    surfaces = [getattr(moment, name) for name in names]
    layers = [torch.where(r > 0, r, _NOWHERE_MM) * sharp for r in surfaces]
    layers.append(moment.papillary * sharp)
    if scar:
        layers += [t[:, None].expand_as(layers[0]) for t in (moment.scar_low, moment.scar_high)]
    tables = torch.stack(layers, 2).flatten(0, 1)
    return torch.cat([tables, tables[:, :, :1]], 2)


def _scar(found: Tensor, rho: Tensor) -> Tensor:
    """Cover of the enhancing band; `found` still holds radii."""
    inner, outer = found[:, :, 5], found[:, :, 4]
    low, high = found[:, :, 7], found[:, :, 8]
    wall = outer - inner
    within = rho - inner
    below_high = (high * wall - within + 0.5).clamp_(0, 1)
    return below_high.mul_((within - low * wall + 0.5).clamp_(0, 1))
