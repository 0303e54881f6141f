"""What surrounds the heart: lungs, liver, stomach, spine, chest wall.

Laid out in patient coordinates (LPS, mm) relative to the heart's origin, so
that every plane of a study cuts the same body.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.phantom.appearance import Appearance

_GRAIN_MM = 130.0
"""The random fields span the heart's origin ± this much, and repeat as mirror images."""

_MIDLINE = -25.0
_SPINE = (-27.0, 80.0, 21.0)
_DESCENDING_AORTA = (-4.0, 60.0, 11.5)


def grain_at(points: Tensor, appearance: Appearance) -> Tensor:
    """The study's random fields at points (n, M, 3) in heart coordinates, (n, 2, M).

    Fixed to the heart's resting place, of zero mean and spread about 0.7.
    """
    n, count, _ = points.shape
    grid = (points / _GRAIN_MM).view(n, 1, 1, count, 3)
    fields = functional.grid_sample(
        appearance.grain, grid, padding_mode="reflection", align_corners=True
    )
    return fields.view(n, 2, count)


def body_at(points: Tensor, axes: Tensor, look: Appearance, grain: Tensor) -> Tensor:
    """Brightness of everything but the heart, (n, M).

    Parameters
    ----------
    points
        (n, M, 3) in heart coordinates.
    axes
        The heart's axes in patient coordinates, (n, 3, 3).
    grain
        What `grain_at` says of the same points.
    """
    x, y, z = torch.bmm(points, axes).unbind(-1)
    texture, vessels = grain[:, 0], grain[:, 1]
    value = _per(look.lung) * (1 + 0.3 * texture)
    value = value + _per(look.vessels) * (2.2 * vessels - 1.9).clamp(0, 1)
    value = _organs(value, x, y, z, look, texture)
    value = _over(
        value, _per(look.bone) * (1 + 0.5 * _per(look.texture) * texture), _disc(x, y, _SPINE)
    )
    value = _over(value, _per(look.blood * 0.95), _disc(x, y, _DESCENDING_AORTA))
    return _wall(value, x, y, look, texture)


def _organs(
    value: Tensor, x: Tensor, y: Tensor, z: Tensor, look: Appearance, texture: Tensor
) -> Tensor:
    dome = -46 - 15 * torch.tanh((x - 5) / 38) - 0.0016 * ((x - _MIDLINE).square() + y.square())
    below = ((dome - z) / 2 + 0.5 + 1.5 * texture).clamp(0, 1)
    left = ((x - 28 + 0.25 * z + 6 * texture) / 3).clamp(0, 1)
    pattern = 1 + _per(look.texture) * texture
    organ = torch.lerp(_per(look.liver) * pattern, _per(look.stomach) * pattern.square(), left)
    return _over(value, organ, below)


def _wall(value: Tensor, x: Tensor, y: Tensor, look: Appearance, texture: Tensor) -> Tensor:
    across = ((x - _MIDLINE) / 128).square()
    reach = (across + ((y + 4) / 93).square()).sqrt()
    chest = ((reach - 1) * 45 + 0.5 + texture).clamp(0, 1)
    layers = _per(look.chest) * (0.8 + 0.3 * texture)
    value = _over(value, layers, chest)
    skin = ((reach - 1.3) * 55).clamp(0, 1)
    return value * (1 - skin)


def _disc(x: Tensor, y: Tensor, disc: tuple[float, float, float]) -> Tensor:
    at_x, at_y, radius = disc
    away = ((x - at_x).square() + (y - at_y).square()).sqrt()
    return ((radius - away) / 1.5 + 0.5).clamp(0, 1)


def _per(value: Tensor) -> Tensor:
    return value[:, None]


def _over(below: Tensor, above: Tensor, cover: Tensor) -> Tensor:
    return torch.lerp(below, above.expand_as(below), cover)
