"""How deep points lie inside atria and vessels, and on valve leaflets."""

import torch
from torch import Tensor

from retrieval.phantom.moment import Ellipsoid, Moment, Tube

LEAFLET_MM = 0.5
"""Half of a leaflet's thickness as it shows."""

_TENT_MM = 5.0
"""How far closed leaflets reach below their ring."""

_OPEN_MM = 17.0
"""The same for open ones."""


def ellipsoid_depth(points: Tensor, solid: Ellipsoid) -> Tensor:
    """Distance in mm from the surface, positive inside, (n, P, M).

    Exact on the surface, approximate away from it. `points` is (n, 3, M).
    """
    away: Tensor | None = None
    for axis, place in enumerate(points.unbind(1)):
        semi = solid.semi_mm[:, :, axis, None]
        scaled = (place[:, None] - solid.centre_mm[:, :, axis, None]).div_(semi)
        away = scaled.square_() if away is None else away.addcmul_(scaled, scaled)
    assert away is not None  # noqa: S101
    return (1 - away.sqrt_()).mul_(solid.semi_mm.mean(-1, keepdim=True))


def tube_depth(points: Tensor, tube: Tube) -> Tensor:
    """Distance in mm from a vessel's surface, positive inside, (n, P, M); points (n, 3, M)."""
    legs = zip(tube.points_mm[:, :, :-1].unbind(2), tube.points_mm[:, :, 1:].unbind(2), strict=True)
    squares = [_distance2(points, start, end) for start, end in legs]
    nearest = torch.stack(squares).amin(0) if len(squares) > 1 else squares[0]
    return tube.radius_mm[:, None, None] - nearest.sqrt_()


def _distance2(points: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Squared distance to a line segment whose ends are (n, P, 3), (n, P, M)."""
    leg = end - start
    unit = leg / leg.square().sum(-1, keepdim=True)
    rest = [place[:, None] - start[:, :, axis, None] for axis, place in enumerate(points.unbind(1))]
    share = rest[0] * unit[..., 0, None]
    share.addcmul_(rest[1], unit[..., 1, None]).addcmul_(rest[2], unit[..., 2, None]).clamp_(0, 1)
    total: Tensor | None = None
    for axis, part in enumerate(rest):
        part.addcmul_(share, leg[..., axis, None], value=-1)
        total = part.square_() if total is None else total.addcmul_(part, part)
    assert total is not None  # noqa: S101
    return total


def leaflet_depth(rho: Tensor, below_mm: Tensor, moment: Moment) -> Tensor:
    """Distance in mm from the mitral leaflets' surface, positive inside, (n, P, M).

    A cone around the long axis that tents when closed and hangs open when
    filling. `rho` (n, 1, M) is the distance from the axis, `below_mm`
    (n, P, M) that from the valve plane towards the apex.
    """
    opened = moment.beat.filling_valves[..., None]
    annulus = moment.valve_radius_mm[..., None]
    slope = torch.lerp(annulus / _TENT_MM, annulus * 0.02, opened)
    reach = _TENT_MM + (_OPEN_MM - _TENT_MM) * opened
    off = (rho - annulus + slope * below_mm).abs_().div_((1 + slope.square()).sqrt())
    within = torch.minimum(below_mm + 1, reach - below_mm)
    return torch.minimum(LEAFLET_MM - off, within)
