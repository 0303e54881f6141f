"""What surrounds the heart: lungs, liver, stomach, spine, chest wall.

Laid out in patient coordinates (LPS, mm) relative to the heart's origin, so
that every plane of a study cuts the same body.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.phantom.appearance import Appearance
from retrieval.phantom.planes import Planes

_GRAIN_MM = 130.0
"""The random fields span the heart's origin ± this much, and repeat as mirror images."""

_MIDLINE = -25.0
_SPINE = (-27.0, 80.0, 21.0)
_DESCENDING_AORTA = (-4.0, 60.0, 11.5)


def grain_at(planes: Planes, appearance: Appearance) -> Tensor:
    """The study's random fields in the middle of each plane, (n, 2, K, M).

    Fixed to the heart's resting place, of zero mean and spread about 0.7. They
    are smooth, so that a coarse grid of points is read and interpolated.
    """
    n, count = len(planes), planes.count
    nodes = (planes.height // 5 + 2, planes.width // 5 + 2)
    grid = (planes.points(nodes=nodes) / _GRAIN_MM).flatten(2).transpose(1, 2)
    fields = functional.grid_sample(
        appearance.grain,
        grid.reshape(n, 1, 1, -1, 3),
        padding_mode="reflection",
        align_corners=True,
    )
    return enlarge(fields.view(n, 2, count, -1), nodes, planes)


def enlarge(values: Tensor, nodes: tuple[int, int], planes: Planes) -> Tensor:
    """Interpolate (n, C, K, nodes) to the planes' pixels, (n, C, K, M)."""
    size = (planes.height, planes.width)
    coarse = values.flatten(0, 2).view(1, -1, *nodes)
    fine = functional.interpolate(coarse, size, mode="bilinear", align_corners=True)
    return fine.view(*values.shape[:3], -1)


def body_at(points: Tensor, axes: Tensor, look: Appearance, grain: Tensor) -> Tensor:
    """Brightness of everything but the heart and the descending aorta, (n, M).

    Parameters
    ----------
    points
        (n, 3, M) in heart coordinates.
    axes
        The heart's axes in patient coordinates, (n, 3, 3).
    grain
        What `grain_at` says of the same points, (n, 2, M).
    """
    x, y, z = torch.bmm(axes.transpose(1, 2), points).unbind(1)
    texture, vessels = grain[:, 0], grain[:, 1]
    value = _per(look.lung) * (1 + 0.3 * texture)
    value = value + _per(look.vessels) * (2.2 * vessels - 1.9).clamp(0, 1)
    value = _mediastinum(value, x, y, z, look, texture)
    value = _organs(value, x, y, z, look, texture)
    value = _over(
        value, _per(look.bone) * (1 + 0.5 * _per(look.texture) * texture), _disc(x, y, _SPINE)
    )
    return _wall(value, x, y, z, look, texture)


def descending_aorta(points: Tensor, axes: Tensor) -> Tensor:
    """How far the descending aorta covers points (n, 3, M) in heart coordinates, (n, M)."""
    x, y, _ = torch.bmm(axes.transpose(1, 2), points).unbind(1)
    return _disc(x, y, _DESCENDING_AORTA)


def _mediastinum(
    value: Tensor, x: Tensor, y: Tensor, z: Tensor, look: Appearance, texture: Tensor
) -> Tensor:
    """Fat and connective tissue around the atria and the great vessels."""
    away = ((x + 20) / 46).square() + ((y - 20) / 44).square() + ((z - 32) / 62).square()
    strands = torch.lerp(_per(look.muscle), _per(look.fat), (0.6 + 0.5 * texture).clamp(0, 1))
    return _over(value, strands, ((1 - away.sqrt()) * 18 + 0.5 + 2.5 * texture).clamp(0, 1))


def _organs(
    value: Tensor, x: Tensor, y: Tensor, z: Tensor, look: Appearance, texture: Tensor
) -> Tensor:
    dome = -46 - 15 * torch.tanh((x - 5) / 38) - 0.0016 * ((x - _MIDLINE).square() + y.square())
    below = ((dome - z) / 2 + 0.5 + 1.5 * texture).clamp(0, 1)
    left = ((x - 28 + 0.25 * z + 6 * texture) / 3).clamp(0, 1)
    pattern = 1 + _per(look.texture) * texture
    organ = torch.lerp(_per(look.liver) * pattern, _per(look.stomach) * pattern.square(), left)
    return _over(value, organ, below)


def _wall(
    value: Tensor, x: Tensor, y: Tensor, z: Tensor, look: Appearance, texture: Tensor
) -> Tensor:
    """Ribs between muscle, then fat under the skin, then air."""
    across = ((x - _MIDLINE) / 128).square()
    reach = (across + ((y + 4) / 86).square()).sqrt()
    chest = ((reach - 1) * 45 + 0.5 + 0.6 * texture).clamp(0, 1)
    ribs = (2.5 * torch.sin((z + 0.35 * x - 0.3 * y) / 4.2) - 0.6).clamp(0, 1)
    inner = torch.lerp(_per(look.muscle), _per(look.bone), ribs) * (1 + 0.35 * texture)
    outer = _per(look.chest) * (1 + 0.12 * texture)
    layers = torch.lerp(inner, outer, ((reach - 1.12) * 40 + texture).clamp(0, 1))
    value = _over(value, layers, chest)
    return value * (1 - ((reach - 1.36) * 60).clamp(0, 1))


def _disc(x: Tensor, y: Tensor, disc: tuple[float, float, float]) -> Tensor:
    at_x, at_y, radius = disc
    away = ((x - at_x).square() + (y - at_y).square()).sqrt()
    return ((radius - away) / 1.5 + 0.5).clamp(0, 1)


def _per(value: Tensor) -> Tensor:
    return value[:, None]


def _over(below: Tensor, above: Tensor, cover: Tensor) -> Tensor:
    return torch.lerp(below, above.expand_as(below), cover)
