"""Coverage of points by atria, vessels and valve leaflets, all above or at the valve plane."""

import torch
from torch import Tensor

from retrieval.phantom.moment import Ellipsoid, Moment, Tube

LEAFLET_MM = 1.1


def ellipsoid_cover(
    points: Tensor, solid: Ellipsoid, softness: Tensor, grow_mm: float = 0.0
) -> Tensor:
    """How much of each point lies inside, 0 to 1.

    Parameters
    ----------
    points
        (n, 1, M, 3), or one set per phase (n, P, M, 3).
    softness
        Width of the edge in mm, (n, 1, 1).

    Returns
    -------
    Tensor
        (n, P, M).
    """
    semi = solid.semi_mm[:, :, None, :] + grow_mm
    away = ((points - solid.centre_mm[:, :, None, :]) / semi).square().sum(-1).sqrt()
    return ((1 - away) * semi.mean(-1) / softness + 0.5).clamp(0, 1)


def tube_cover(points: Tensor, tube: Tube, softness: Tensor, grow_mm: float = 0.0) -> Tensor:
    """How much of each point lies inside a vessel, (n, P, M); arguments as above."""
    nearest: Tensor | None = None
    for start, end in zip(
        tube.points_mm[:, :, :-1].unbind(2), tube.points_mm[:, :, 1:].unbind(2), strict=True
    ):
        leg = (end - start)[:, :, None, :]
        rest = points - start[:, :, None, :]
        share = ((rest * leg).sum(-1) / leg.square().sum(-1)).clamp(0, 1)
        away = (rest - share[..., None] * leg).square().sum(-1)
        nearest = away if nearest is None else torch.minimum(nearest, away)
    assert nearest is not None  # noqa: S101
    radius = tube.radius_mm[:, None, None] + grow_mm
    return ((radius - nearest.sqrt()) / softness + 0.5).clamp(0, 1)


def leaflet_cover(rho: Tensor, below: Tensor, moment: Moment, softness: Tensor) -> Tensor:
    """The mitral leaflets: a cone that tents when closed and hangs open when filling.

    `rho` is the distance from the long axis and `below` that beyond the valve
    plane towards the apex, in mm; (n, P, M).
    """
    opened = moment.beat.filling_valves[..., None]
    annulus = moment.valve_radius_mm[..., None]
    slope = torch.lerp(annulus / 8.0, annulus * 0.02, opened)
    reach = torch.lerp(torch.full_like(opened, 8.0), torch.full_like(opened, 17.0), opened)
    off = (rho - annulus + slope * below).abs() / (1 + slope.square()).sqrt()
    cover = ((LEAFLET_MM - off) / softness + 0.5).clamp(0, 1)
    return cover * ((below > -1) & (below < reach))
