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
from retrieval.phantom.body import body_at, descending_aorta, grain_at
from retrieval.phantom.cover import Cover, Polar, ventricular_cover
from retrieval.phantom.exposure import exposed
from retrieval.phantom.lattice import DEEPEST
from retrieval.phantom.moment import Moment
from retrieval.phantom.palette import Palette, palette_of
from retrieval.phantom.planes import Planes
from retrieval.phantom.solids import ellipsoid_depth, leaflet_depth, tube_depth
from retrieval.values.study import Technique

_POINTS_AT_ONCE = 300_000
"""Points per chunk: more makes the working set fall out of the processor's cache."""

_BASAL_MM = 8.0
"""Atria and vessels begin at most this far below the valve plane."""

_JET_MM = 14.0
"""Blood loses most of its signal this far from the valve plane, and none at it."""

_VESSELS_MM = 115.0
"""They end at most this far from the long axis."""

LABELS = (
    "lv blood",
    "lv muscle",
    "rv blood",
    "left atrium",
    "right atrium",
    "scar",
    "fluid",
    "aorta",
    "oedema",
    "defect",
)
"""Channels of `label`."""


def render(
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
        (n, P) shares of the RR interval from the R wave; of perfusion, shares of
        the acquisition, whose frames all show the moment that
        `appearance.first_pass.trigger` names.
    technique
        One of `USUAL`, and that of `appearance`.
    generator
        For noise and gain, on the device of the tensors.
    subslices
        Through the thickness of a slice.

    Returns
    -------
    Tensor
        (n, K, P, height, width) float32, 0 or more, blood of a usual cine about
        0.85; maps hold relaxation times in ms.
    """
    passing = appearance.first_pass
    moment = anatomy.at(phases if passing is None else passing.trigger[:, None])
    palette = palette_of(appearance, anatomy.hearts, technique, phases)
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
            palette=palette.select(part),
            frames=phases.shape[1],
            subslices=subslices,
        )
        images.append(exposed(_paint(scene), scene.look, scene.planes, technique, generator))
    return torch.cat(images)


def label(anatomy: Anatomy, planes: Planes, phases: Tensor) -> Tensor:
    """What is where: the share of each pixel that each of LABELS covers.

    Papillary muscles and trabeculae count as cavity. Scar, oedema and
    perfusion defects are parts of muscle and labels of their own; fluid is
    pericardial effusion. One slice, without thickness; edges are as wide as a
    pixel.

    Returns
    -------
    Tensor
        (n, K, P, len(LABELS), height, width) float32 in 0 to 1.
    """
    moment = anatomy.at(phases)
    points, softness = planes.points().flatten(2), planes.pixel_mm
    polar = Polar.of(points, torch.hypot(points[:, 0], points[:, 1]))
    cover = ventricular_cover(
        moment, polar, softness, scar=True, oedema=True, defect=True, compact=True
    )
    above = 1 - cover.inside
    left = _soft(ellipsoid_depth(points, moment.left_atrium), softness) * above
    right = _soft(ellipsoid_depth(points, moment.right_atrium), softness) * above * (1 - left)
    lumen = cover.lumen * cover.inside
    muscle = (cover.epi * cover.inside - lumen).clamp(min=0)
    rv = (cover.rv - cover.epi).clamp(min=0) * cover.inside
    wet = _all((anatomy.hearts.effusion_mm > 0).float())
    fluid = (cover.fluid - cover.shell).clamp(min=0) * cover.inside * wet
    free = 1 - cover.inside * torch.maximum(cover.shell, cover.fluid)
    aorta = _soft(tube_depth(points, moment.aorta), softness) * free * (1 - left) * (1 - right)
    assert cover.scar is not None  # noqa: S101
    assert cover.oedema is not None  # noqa: S101
    assert cover.defect is not None  # noqa: S101
    parts = [muscle * band for band in (cover.scar, cover.oedema, cover.defect)]
    maps = torch.stack([lumen, muscle, rv, left, right, parts[0], fluid, aorta, *parts[1:]], dim=2)
    n, phase_count = phases.shape
    shape = (n, phase_count, len(LABELS), planes.count, planes.height, planes.width)
    return maps.view(shape).permute(0, 3, 1, 2, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A chunk of studies ready to be painted."""

    moment: Moment
    axes: Tensor
    planes: Planes
    look: Appearance
    palette: Palette
    frames: int
    subslices: int

    def through(self, values: Tensor) -> Tensor:
        """Repeat (..., K·M) of the planes' middles for every sub-slice: (..., K·S·M)."""
        sheets = values.unflatten(-1, (self.planes.count, 1, -1))
        return sheets.expand(*sheets.shape[:-2], self.subslices, -1).flatten(-3)


def _paint(scene: _Scene) -> Tensor:
    """Signal without the scanner's imperfections, (n, P, K, M).

    The surroundings are painted everywhere; the ventricles, whose look-ups
    cost most, only where a point can lie in the pericardium at some phase.
    """
    look, planes, moment = scene.look, scene.planes, scene.moment
    grain = grain_at(planes, look).flatten(2)
    points = _sheets(planes, scene.subslices)
    softness = torch.maximum(look.edge_mm, 0.8 * planes.pixel_mm)
    canvas = _surroundings(scene, grain)
    radius = torch.hypot(points[:, 0], points[:, 1])
    near = _within(radius, points[:, 2], moment)
    polar = Polar.of(points[..., near], radius[:, near])
    lesions = scene.palette.lesions
    cover = ventricular_cover(
        moment,
        polar,
        softness,
        scar="scar" in lesions,
        oedema="oedema" in lesions,
        defect="defect" in lesions,
    )
    part = canvas[..., near]
    rim = ((cover.below_mm + 9) / 5).clamp_(0, 1)
    _lay(part, _all(look.fat), cover.sac * rim)
    _lay(part, _all(look.fluid), cover.fluid * rim)
    canvas[..., near] = part
    _lay_basal(canvas, points, radius, scene, softness)
    part = _ventricles(canvas[..., near], scene.through(grain)[..., near], cover, scene)
    leaflets = _soft(leaflet_depth(polar.rho[:, None], cover.below_mm, moment), softness)
    _lay(part, _frames(scene.palette.muscle), leaflets * cover.lumen)
    canvas[..., near] = part
    return canvas.unflatten(2, (planes.count, scene.subslices, -1)).mean(3)


def _surroundings(scene: _Scene, grain: Tensor) -> Tensor:
    """Everything but the heart in every frame, (n, P, K·S·M)."""
    points = scene.planes.points().flatten(2)
    body = body_at(points, scene.axes, scene.look, grain)[:, None]
    aorta = descending_aorta(points, scene.axes)[:, None]
    blood = 0.95 * _frames(scene.palette.blood)
    canvas = scene.through(torch.lerp(body, blood, aorta))
    return canvas.expand(-1, scene.frames, -1).clone()


def _ventricles(canvas: Tensor, grain: Tensor, cover: Cover, scene: _Scene) -> Tensor:
    """Paint both ventricles over `canvas` (n, P, M); grain is (n, 2, M)."""
    look, palette = scene.look, scene.palette
    texture, speckles = grain[:, :1], grain[:, 1:]
    muscle = _frames(palette.muscle) * (1 + _all(look.texture) * texture)
    _lay(canvas, muscle, cover.shell * cover.inside)
    fading = _fading(cover, scene)
    speckled = 1 - _all(look.rv_texture) * speckles.clamp(0, 1)
    _lay(canvas, _frames(palette.rv_blood) * speckled * fading, cover.rv_lumen * cover.inside)
    for name, value in palette.lesions.items():
        muscle = torch.lerp(muscle, _frames(value), getattr(cover, name))
    _lay(canvas, muscle, cover.epi * cover.inside)
    _lay(canvas, _frames(palette.blood) * fading, cover.lumen * cover.inside)
    _lay(canvas, _frames(palette.muscle), cover.papillary * cover.lumen * cover.inside)
    return canvas


def _sheets(planes: Planes, subslices: int) -> Tensor:
    """Points of all sub-slices, (n, 3, K·S·M), those of one plane side by side."""
    offsets = [(i + 0.5) / subslices - 0.5 for i in range(subslices)]
    layers = [planes.points(o * planes.thickness_mm) for o in offsets]
    return torch.stack(layers, 3).flatten(2)


def _within(radius: Tensor, z: Tensor, moment: Moment) -> Tensor:
    """Indices of the points that some study's pericardium may reach, (N,)."""
    reach = moment.sac.flatten(1).amax(1, keepdim=True)
    apex = (moment.base_mm + DEEPEST * moment.length_mm).amax(1, keepdim=True)
    base = moment.base_mm.amin(1, keepdim=True)
    rise = moment.valves.most_mm(reach)
    reached = (radius < reach + 2) & (z > base - 12 - rise) & (z < apex + rise)
    return reached.any(0).nonzero()[:, 0]


def _fading(cover: Cover, scene: _Scene) -> Tensor:
    """Signal of blood near the valves while it runs fast, relative to blood at rest."""
    near = (1 - (cover.below_mm - _JET_MM).abs() / _JET_MM).clamp_(0, 1)
    speed = _all(scene.look.flow_void) * scene.moment.beat.flow[..., None]
    return 1 - speed * near


def _lay_basal(
    canvas: Tensor, points: Tensor, radius: Tensor, scene: _Scene, softness: Tensor
) -> None:
    """Paint atria and great vessels where they can be, in place."""
    moment, palette = scene.moment, scene.palette
    below = points[:, 2] < (moment.base_mm.amax(1) + _BASAL_MM)[:, None]
    shown = (below & (radius < _VESSELS_MM)).any(0).nonzero()[:, 0]
    at, part = points[..., shown], canvas[..., shown]
    blood, right = _frames(palette.blood), _frames(palette.rv_blood)
    layers = (
        (tube_depth(at, moment.pulmonary), right, VESSEL_WALL_MM),
        (tube_depth(at, moment.aorta), blood, VESSEL_WALL_MM),
        (ellipsoid_depth(at, moment.right_atrium), right, ATRIAL_WALL_MM),
        (ellipsoid_depth(at, moment.left_atrium), blood, ATRIAL_WALL_MM),
    )
    for depth, value, wall in layers:
        _lay(part, _frames(palette.muscle), _soft(depth + wall, softness))
        _lay(part, value, _soft(depth, softness))
    canvas[..., shown] = part


def _soft(depth_mm: Tensor, softness_mm: Tensor) -> Tensor:
    """Cover from the distance to a surface: 0.5 on it, 1 half an edge's width inside."""
    return (depth_mm / softness_mm[:, None, None] + 0.5).clamp_(0, 1)


def _lay(below: Tensor, above: Tensor, cover: Tensor) -> None:
    """Blend `above` into `below` in place."""
    below.lerp_(above.expand_as(below), cover)


def _all(value: Tensor) -> Tensor:
    return value[:, None, None]


def _frames(value: Tensor) -> Tensor:
    return value[..., None]
