"""Images and labels of simulated hearts in any planes, at any phases, in batches.

Each point of a plane is looked up in the tables of its moment by (angle,
depth); tissues are laid over each other from the outside in. A slice's
thickness is an average over a few sub-slices.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.phantom.anatomy import ATRIAL_WALL_MM, VESSEL_WALL_MM, Anatomy
from retrieval.phantom.appearance import Appearance
from retrieval.phantom.body import body_at, grain_at
from retrieval.phantom.cover import Cover, Polar, ventricular_cover
from retrieval.phantom.moment import Moment
from retrieval.phantom.physiology import SCAR_DIFFUSE
from retrieval.phantom.planes import Planes
from retrieval.phantom.solids import ellipsoid_cover, tube_cover
from retrieval.values.study import Technique

_POINTS_AT_ONCE = 300_000
"""Points per chunk: more makes the working set fall out of the processor's cache."""

_DIFFUSE_SHARE = 0.72
"""Diffuse enhancement is fainter than scar."""

_BASAL_MM = 8.0
"""Planes that stay this far below the valve plane show nothing that lies above it."""

LABELS = ("lv blood", "lv muscle", "rv blood", "left atrium", "right atrium", "scar")
"""Channels of `label`."""


def render(  # noqa: PLR0913
    anatomy: Anatomy,
    planes: Planes,
    phases: Tensor,
    *,
    technique: Technique,
    appearance: Appearance,
    generator: torch.Generator,
    subslices: int = 2,
) -> Tensor:
    """Image `planes` at `phases`.

    Parameters
    ----------
    phases
        (n, P) shares of the RR interval from the R wave.
    technique
        Cine or LGE.
    generator
        For noise and gain, on the device of the tensors.
    subslices
        Through the thickness of a slice.

    Returns
    -------
    Tensor
        (n, K, P, height, width) float32, 0 or more, blood of a usual cine about 0.85.
    """
    moment = anatomy.at(phases)
    scar = appearance.scar * torch.where(
        anatomy.hearts.scar_kind == SCAR_DIFFUSE, _DIFFUSE_SHARE, 1.0
    )
    per_study = planes.count * phases.shape[1] * subslices * planes.height * planes.width
    step = max(1, _POINTS_AT_ONCE // per_study)
    images = []
    for first in range(0, len(anatomy), step):
        part = slice(first, first + step)
        scene = _Scene(
            moment=moment.select(part),
            axes=anatomy.hearts.axes[part],
            planes=planes.select(part),
            look=appearance.select(part),
            scar=scar[part],
            technique=technique,
            subslices=subslices,
        )
        images.append(_expose(_paint(scene), scene, generator))
    return torch.cat(images)


def label(anatomy: Anatomy, planes: Planes, phases: Tensor) -> Tensor:
    """What is where: the share of each pixel that each of LABELS covers.

    Papillary muscles and trabeculae count as cavity. Scar is part of muscle
    and a label of its own. One slice, without thickness; edges are as wide as
    a pixel.

    Returns
    -------
    Tensor
        (n, K, P, len(LABELS), height, width) float32 in 0 to 1.
    """
    moment = anatomy.at(phases)
    points = planes.points().flatten(2, 3)
    softness = planes.pixel_mm
    cover = ventricular_cover(moment, Polar.of(points), softness, scar=True, compact=True)
    flat, edge = points.flatten(1, 2)[:, None], softness[:, None, None]
    above = 1 - cover.inside
    left = ellipsoid_cover(flat, moment.left_atrium, edge).view_as(above) * above
    right = ellipsoid_cover(flat, moment.right_atrium, edge).view_as(above) * above * (1 - left)
    lumen = cover.lumen * cover.inside
    muscle = (cover.epi * cover.inside - lumen).clamp(min=0)
    rv = (cover.rv - cover.epi).clamp(min=0) * cover.inside
    assert cover.scar is not None  # noqa: S101
    maps = torch.stack([lumen, muscle, rv, left, right, muscle * cover.scar], dim=3)
    n, phase_count = phases.shape
    shape = (n, phase_count, planes.count, len(LABELS), planes.height, planes.width)
    return maps.view(shape).transpose(1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A chunk of studies ready to be painted."""

    moment: Moment
    axes: Tensor
    planes: Planes
    look: Appearance
    scar: Tensor
    technique: Technique
    subslices: int

    def through(self, values: Tensor) -> Tensor:
        """Repeat (n, K·M) of the planes' middles for every sub-slice: (n, 1, K·S, M)."""
        n = values.shape[0]
        sheets = values.view(n, self.planes.count, 1, -1)
        return sheets.expand(-1, -1, self.subslices, -1).reshape(
            n, 1, self.planes.count * self.subslices, -1
        )


def _paint(scene: _Scene) -> Tensor:
    """Signal without the scanner's imperfections, (n, P, K, M)."""
    look, moment = scene.look, scene.moment
    middle = scene.planes.points().flatten(1, 3)
    grain = grain_at(middle, look)
    points = _sheets(scene.planes, scene.subslices)
    softness = torch.maximum(look.edge_mm, 0.8 * scene.planes.pixel_mm)
    polar = Polar.of(points)
    late = scene.technique is Technique.LGE
    cover = ventricular_cover(moment, polar, softness, scar=late)
    muscle = scene.through(_each(look.muscle) * (1 + _each(look.texture) * grain[:, 0]))
    canvas = scene.through(body_at(middle, scene.axes, look, grain)).expand_as(cover.sac).clone()
    rim = ((cover.below_mm + 9) / 5).clamp_(0, 1)
    canvas = _lay(canvas, _all(look.fat), cover.sac * rim)
    canvas = _lay(canvas, _all(look.fluid), cover.fluid * rim)
    _lay_basal(canvas, points, scene, softness)
    canvas = _lay(canvas, muscle, cover.shell * cover.inside)
    speckled = 1 - _each(look.rv_texture) * grain[:, 1].clamp(0, 1)
    fading = _fading(cover, scene)
    right = scene.through(_each(look.blood * look.rv_blood) * speckled) * fading
    canvas = _lay(canvas, right, cover.rv * cover.inside)
    if cover.scar is not None:
        muscle = torch.lerp(muscle, _all(scene.scar), cover.scar)
    canvas = _lay(canvas, muscle, cover.epi * cover.inside)
    canvas = _lay(canvas, _all(look.blood) * fading, cover.lumen * cover.inside)
    canvas = _lay(canvas, _all(look.muscle), cover.papillary * cover.lumen * cover.inside)
    sheets = canvas.unflatten(2, (scene.planes.count, scene.subslices))
    return sheets.mean(3)


def _sheets(planes: Planes, subslices: int) -> Tensor:
    """Points of all sub-slices, (n, K·S, M, 3), those of one plane side by side."""
    offsets = [(i + 0.5) / subslices - 0.5 for i in range(subslices)]
    layers = [planes.points(o * planes.thickness_mm).flatten(2, 3) for o in offsets]
    return torch.stack(layers, 2).flatten(1, 2)


def _fading(cover: Cover, scene: _Scene) -> Tensor:
    """Signal of blood near the valves while it runs fast, relative to blood at rest."""
    near = (1 - cover.below_mm.abs() / 28).clamp_(0, 1)
    speed = _all(scene.look.flow_void) * scene.moment.beat.flow[..., None, None]
    return 1 - speed * near


def _lay_basal(canvas: Tensor, points: Tensor, scene: _Scene, softness: Tensor) -> None:
    """Paint atria, great vessels and leaflets onto the sheets that can show them, in place."""
    moment, look = scene.moment, scene.look
    highest = points[..., 2].amin(2)
    shown = (highest < (moment.base_mm.amax(1) + _BASAL_MM)[:, None]).any(0).nonzero()[:, 0]
    if len(shown) == 0:
        return
    n, phases = moment.base_mm.shape
    at = points[:, shown].flatten(1, 2)[:, None]
    edge = softness[:, None, None]
    part = canvas[:, :, shown].flatten(2, 3)
    blood, right = _each2(look.blood), _each2(look.blood * look.rv_blood)
    muscle = _each2(look.muscle)
    vessels = ((moment.pulmonary, right), (moment.aorta, blood))
    for solid, value in ((moment.right_atrium, right), (moment.left_atrium, blood)):
        part = _lay(part, muscle, ellipsoid_cover(at, solid, edge, ATRIAL_WALL_MM))
        part = _lay(part, value, ellipsoid_cover(at, solid, edge))
    for tube, value in vessels:
        part = _lay(part, muscle, tube_cover(at, tube, edge, VESSEL_WALL_MM))
        part = _lay(part, value, tube_cover(at, tube, edge))
    canvas[:, :, shown] = part.view(n, phases, len(shown), -1)


def _expose(signal: Tensor, scene: _Scene, generator: torch.Generator) -> Tensor:
    """Add the coil's shading, the slices' gain and noise; (n, K, P, height, width)."""
    look, planes = scene.look, scene.planes
    n, phases, count, _ = signal.shape
    device = generator.device
    place = planes.points().flatten(2, 3) / 100
    linear = (place * look.bias[:, None, None, :3]).sum(-1)
    square = (place.square() * look.bias[:, None, None, 3:]).sum(-1)
    gain = 1 + _all(look.gain_spread)[:, 0] * torch.randn(
        n, count, 1, generator=generator, device=device
    ).clamp(-2.5, 2.5)
    signal = signal * ((linear + square).exp() * gain)[:, None]
    real, imaginary = torch.randn(2, *signal.shape, generator=generator, device=device)
    noise = _all(look.noise)
    magnitude = ((signal + noise * real).square() + (noise * imaginary).square()).sqrt()
    return magnitude.view(n, phases, count, planes.height, planes.width).transpose(1, 2)


def _lay(below: Tensor, above: Tensor, cover: Tensor) -> Tensor:
    return torch.lerp(below, above.expand_as(below), cover)


def _each(value: Tensor) -> Tensor:
    return value[:, None]


def _each2(value: Tensor) -> Tensor:
    return value[:, None, None]


def _all(value: Tensor) -> Tensor:
    return value[:, None, None, None]
