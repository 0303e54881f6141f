"""How far each tissue of the ventricles covers each point: lookups in a moment's tables."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.phantom.lattice import DEEPEST
from retrieval.phantom.moment import Moment
from retrieval.phantom.regions import Band

_RADII = ("sac", "fluid", "shell", "rv", "rv_lumen", "epi", "lumen")
"""Surfaces from the outside in."""

_EPI, _LUMEN, _PAPILLARY = 5, 6, 7
"""Where the tables of these lie in the stack."""


_NOWHERE_MM = -1.5
"""Radius of a surface where it does not exist, so that nothing covers the axis there."""


@dataclass(frozen=True, slots=True)
class Polar:
    """Points around the long axis: distance and angle, and place, (n, M) each."""

    rho: Tensor
    theta: Tensor
    x: Tensor
    y: Tensor
    z: Tensor

    @classmethod
    def of(cls, points: Tensor, rho: Tensor) -> "Polar":
        """Convert points (n, 3, M) in heart coordinates, whose distance (n, M) is known."""
        x, y, z = points.unbind(1)
        return cls(rho, torch.atan2(y, x), x, y, z)


@dataclass(frozen=True, slots=True)
class Cover:
    """Share of each point within each surface, (n, P, M) in 0 to 1.

    `inside` is the ventricles' side of the valves, `scar`, `oedema` and
    `defect` are shares of the muscle (None unless asked for), `below_mm` the
    distance from the valves towards the apex.
    """

    sac: Tensor
    fluid: Tensor
    shell: Tensor
    rv: Tensor
    rv_lumen: Tensor
    epi: Tensor
    lumen: Tensor
    papillary: Tensor
    scar: Tensor | None
    oedema: Tensor | None
    defect: Tensor | None
    inside: Tensor
    below_mm: Tensor


def ventricular_cover(
    moment: Moment,
    polar: Polar,
    softness_mm: Tensor,
    *,
    scar: bool = False,
    oedema: bool = False,
    defect: bool = False,
    compact: bool = False,
) -> Cover:
    """Look every point up in the tables of every phase.

    Parameters
    ----------
    softness_mm
        Width of the edges, (n,).
    scar, oedema, defect
        Whether their cover is needed too.
    compact
        Take the compact wall's surface for the lumen's: no trabeculae.
    """
    n, phases = moment.base_mm.shape
    count = polar.z.shape[1]
    sharp = (1 / softness_mm)[:, None, None]
    along = polar.z + moment.valves.rise_mm(polar.x, polar.y)
    below = along[:, None] - moment.base_mm[..., None]
    grid = torch.empty(n, phases, count, 2, device=polar.z.device)
    grid[..., 0] = below * (2 / (moment.length_mm * DEEPEST))[..., None] - 1
    grid[..., 1] = (polar.theta / torch.pi)[:, None]
    wanted = {"scar": scar, "oedema": oedema, "defect": defect}
    bands: dict[str, Band] = {name: getattr(moment, name) for name, is_ in wanted.items() if is_}
    tables = _stacked(moment, sharp[..., None], tuple(bands.values()), compact=compact)
    found = functional.grid_sample(
        tables, grid.view(n * phases, 1, count, 2), padding_mode="border", align_corners=True
    ).view(n, phases, -1, count)
    rho = (polar.rho * sharp[:, 0])[:, None]
    inner, outer = found[:, :, _LUMEN], found[:, :, _EPI]
    centre = moment.papillary_centre[:, None, None] * inner
    standing = found[:, :, _PAPILLARY] - (rho - centre).abs_() + 0.5
    first = _PAPILLARY + 1
    parts = {
        name: _within(found[:, :, first + 2 * i], found[:, :, first + 2 * i + 1], inner, outer, rho)
        for i, name in enumerate(bands)
    }
    covers = found[:, :, :_PAPILLARY].sub_((rho - 0.5)[:, :, None]).clamp_(0, 1)
    return Cover(
        *covers.unbind(2),
        papillary=standing.clamp_(0, 1),
        scar=parts.get("scar"),
        oedema=parts.get("oedema"),
        defect=parts.get("defect"),
        inside=(below * sharp + 0.5).clamp_(0, 1),
        below_mm=below,
    )


def _stacked(moment: Moment, sharp: Tensor, bands: tuple[Band, ...], *, compact: bool) -> Tensor:
    """Tables as images (n·P, C, angles + 1, depths); radii in units of the edges' width."""
    names = (*_RADII[:-1], "endo" if compact else "lumen")
    surfaces = [getattr(moment, name) for name in names]
    layers = [torch.where(r > 0, r, _NOWHERE_MM) * sharp for r in surfaces]
    layers.append(moment.papillary * sharp)
    layers += [t[:, None].expand_as(layers[0]) for b in bands for t in (b.low, b.high)]
    tables = torch.stack(layers, 2).flatten(0, 1)
    return torch.cat([tables, tables[:, :, :1]], 2)


def _within(low: Tensor, high: Tensor, inner: Tensor, outer: Tensor, rho: Tensor) -> Tensor:
    """Cover of a band of the wall between the radii `inner` and `outer`."""
    wall = outer - inner
    beyond = rho - inner
    below_high = (high * wall - beyond + 0.5).clamp_(0, 1)
    return below_high.mul_((beyond - low * wall + 0.5).clamp_(0, 1))
