"""The (angle, depth) lattice on which a heart's surfaces are tabulated.

Heart coordinates, millimetres, right-handed: the origin is the centre of the
mitral annulus at end-diastole, z the long axis of the left ventricle towards
the apex, x towards the right ventricle, y = z × x towards the inferior wall.
A surface is a radius around the long axis as a function of the angle (0 along
x, positive towards y) and the depth (0 at the base, 1 at the apex, both of
which may move).
"""

import math

import torch
from torch import Tensor

ANGLES = 96
DEPTHS = 49
DEEPEST = 1.2
"""The lattice goes past the apex, for what surrounds it."""
APEX_NODE = 40
"""Index of depth 1."""

STEP_ANGLE = 2 * math.pi / ANGLES
STEP_DEPTH = DEEPEST / (DEPTHS - 1)


def angles(device: torch.device) -> Tensor:
    """Angles of the lattice, (ANGLES, 1), from -pi."""
    return (torch.arange(ANGLES, device=device) * STEP_ANGLE - math.pi)[:, None]


def depths(device: torch.device) -> Tensor:
    """Depths of the lattice, (1, DEPTHS), 0 to DEEPEST."""
    return (torch.arange(DEPTHS, device=device) * STEP_DEPTH)[None, :]


def column(values: Tensor) -> Tensor:
    """Give per-heart or per-moment numbers two more dimensions, to meet a table."""
    return values[..., None, None]


def wrapped(angle: Tensor) -> Tensor:
    """The same angle in [-pi, pi]."""
    return torch.atan2(torch.sin(angle), torch.cos(angle))


def integrate(table: Tensor, length_mm: Tensor) -> Tensor:
    """Integrate a table over angle and depth, (..., ANGLES, DEPTHS) to (...).

    `length_mm` is what depth 1 stands for. Trapezoids in depth, so that the
    result is that of the surface which the renderer interpolates.
    """
    inner = table.sum(dim=(-2, -1)) - 0.5 * (table[..., 0] + table[..., -1]).sum(dim=-1)
    return inner * STEP_ANGLE * STEP_DEPTH * length_mm


def enclosed_ml(radius_mm: Tensor, length_mm: Tensor) -> Tensor:
    """Volume inside a surface in mL, from (..., ANGLES, DEPTHS) and (...)."""
    return integrate(radius_mm.square() / 2, length_mm) / 1000


def along_depth(table: Tensor, depth: Tensor) -> Tensor:
    """Read a table at other depths, linearly; 0 beyond the lattice.

    `depth` broadcasts against `table` (..., ANGLES, DEPTHS).
    """
    at = (depth / STEP_DEPTH).expand(table.shape)
    below = at.floor().clamp(0, DEPTHS - 2)
    share = (at - below).clamp(0, 1)
    index = below.long()
    low, high = table.gather(-1, index), table.gather(-1, index + 1)
    return torch.lerp(low, high, share) * (at <= DEPTHS - 1)
