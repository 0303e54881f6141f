"""A batch of beating hearts as geometry: tables for the ventricles, simple solids for the rest."""

import torch
from torch import Tensor

from retrieval.phantom.lattice import angles, column, depths, wrapped
from retrieval.phantom.measure import measure
from retrieval.phantom.moment import ATRIAL_CUT, CUT_VOLUME, Base, Ellipsoid, Moment, Tube
from retrieval.phantom.physiology import Hearts
from retrieval.phantom.rhythm import end_systole, local_contraction, rhythm
from retrieval.phantom.right import (
    OUTFLOW_ANGLE,
    fill_to,
    moderator_band,
    right_ventricle_shape,
    rv_strands,
)
from retrieval.phantom.truth import HeartTruth
from retrieval.phantom.ventricles import flattened, grown, left_ventricle

ATRIAL_WALL_MM = 2.0
VESSEL_WALL_MM = 1.6
MOST_BULGE, MOST_CONTRACTION = -0.25, 0.97
"""Bounds of the share of the cavity's cross-section that a part of the wall ejects."""
APICAL_GAIN = 0.8
"""How much more of its cross-section a ventricle gives up at the apex than at the base."""
COMPACTION = 3.5
"""How fast trabeculae and papillary muscles pass into the wall as the cavity narrows: pressed
together they look like wall, and readers draw them so. What is dark in a closed ventricle is
therefore wall, in the image and in the truth."""
LEAST_LUMEN = 0.3
"""Trabeculae never fill more of the cavity's radius than leaves this share."""
MOST_FILLED = 0.9
"""Nor more of the right ventricle's extent than this."""
MOST_STRANDS_MM = 13.0
"""How far trabeculae stand out from the right ventricle's free wall."""
RV_THICKENING = 0.6
"""By what share of its ejection fraction the right ventricle's wall thickens."""

PAPILLARY_ANGLES = (-2.3, 2.0)
"""Anterolateral and posteromedial."""

_LA_SHARE = (0.92, 0.95, 1.12)
_RA_SHARE = (0.95, 1.0, 1.05)
_RA_EMPTYING = 0.45
_LA_ASIDE_MM = 4.0
"""The left atrium's middle is at most this far from the long axis towards the right."""
_SEPTUM_MM = 2.5


class Anatomy:
    """The geometry of a batch of hearts; `at` gives it at any phases of the beat."""

    def __init__(self, hearts: Hearts) -> None:
        self.hearts = hearts
        self.lv = left_ventricle(hearts)
        self._rv_shape = right_ventricle_shape(hearts)
        self._rv_strands, self._rv_band = rv_strands(hearts), moderator_band(hearts)
        self._wall_area = self.lv.epi_mm.square() - self.lv.endo_mm.square()
        self.annulus_mm = self.lv.endo_mm[:, :, 0].mean(-1)
        """Radius of the mitral annulus at end-diastole, (n,)."""
        self._ridge_area = self.lv.endo_mm.square() * (1 - (1 - self.lv.ridges).square())
        self._base = self._valve_plane()

    def __len__(self) -> int:
        return len(self.hearts)

    @property
    def device(self) -> torch.device:
        """Where the tables lie."""
        return self.hearts.device

    def truths(self) -> list[HeartTruth]:
        """Measure every heart on the geometry that is rendered."""
        return measure(self.hearts, self.lv, self.at(_measured_phases(self.hearts)))

    def at(self, phases: Tensor) -> Moment:
        """The hearts at `phases`, (n, P) shares of the RR interval from the R wave."""
        hearts, lv = self.hearts, self.lv
        beat = rhythm(hearts, phases)
        done = beat.contraction
        shorter = 1 - hearts.shortening[:, None] * done
        length = lv.length_mm[:, None] * shorter
        base = lv.length_mm[:, None] - length
        local = local_contraction(hearts, phases, angles(self.device)[:, 0])[..., None]
        lost = column(hearts.contraction[:, None]) * local * lv.motion[:, None]
        lost = lost * self._towards_apex()[:, None]
        left = (1 - lost.clamp(MOST_BULGE, MOST_CONTRACTION)).sqrt()
        endo = lv.endo_mm[:, None] * left * self._rounding(done)
        # Muscle keeps its volume: what it loses in length it gains in area.
        epi = (endo.square() + self._wall_area[:, None] / column(shorter)).sqrt()
        pressed = left**COMPACTION
        solid = self._ridge_area[:, None] * pressed / column(shorter)
        lumen = (endo.square() - solid).clamp(min=0).sqrt().maximum(LEAST_LUMEN * endo)
        share = 1 - hearts.rv_ef[:, None] * done
        beyond = fill_to(self._rv_shape[:, None], epi, length, hearts.rv_edv_ml[:, None] * share)
        # Pressed against the wall they belong to it, as in the left ventricle.
        strands = (beyond * self._rv_strands[:, None] * column(share)).clamp(max=MOST_STRANDS_MM)
        strands = torch.maximum(strands, beyond * self._rv_band[:, None])
        thickened = column(hearts.rv_wall_mm[:, None] * (1 + RV_THICKENING * (1 - share)))
        shell = epi + beyond + thickened * (beyond / 3).clamp(0, 1)
        fluid = grown(shell, self._effusion()[:, None] + 0.3, length)
        left_atrium, right_atrium = self._atria(done, base)
        return Moment(
            beat=beat,
            base_mm=base,
            length_mm=length,
            endo=endo,
            epi=epi,
            lumen=lumen,
            papillary=self._papillary(lumen, pressed.sqrt()) / column(shorter).sqrt(),
            papillary_centre=hearts.papillary_centre,
            rv=epi + beyond,
            rv_lumen=epi + beyond - torch.minimum(strands, MOST_FILLED * beyond),
            shell=shell,
            fluid=fluid,
            sac=grown(fluid, self._fat()[:, None], length),
            scar=lv.scar,
            oedema=lv.oedema,
            defect=lv.defect,
            valves=self._base,
            valve_radius_mm=lumen[..., 0].mean(-1),
            left_atrium=left_atrium,
            right_atrium=right_atrium,
            aorta=self._aorta(base),
            pulmonary=self._pulmonary(base),
        )

    def _towards_apex(self) -> Tensor:
        """Healthy ventricles close more towards the apex, where no cavity may be left."""
        gain = (APICAL_GAIN + 0.3 * self.hearts.ripple[:, 40]).clamp(0.2, 1.4)
        return 1 + column(gain) * (depths(self.device) - 0.38)

    def _rounding(self, done: Tensor) -> Tensor:
        """How the septum's flattening changes the radius through the beat, (n, P, ANGLES, 1)."""
        rest, full = self.hearts.septal_flattening, self.hearts.septal_flattening_es
        now = rest[:, None] + (full - rest)[:, None] * done
        return flattened(column(now)) / flattened(column(rest[:, None]))

    def _valve_plane(self) -> Base:
        hearts = self.hearts
        away = self.lv.epi_mm[:, :, 0].mean(-1) + 10
        angle = torch.tensor(OUTFLOW_ANGLE, device=self.device)
        place = torch.stack([away * torch.cos(angle), away * torch.sin(angle)], 1)
        return Base(hearts.base_slope, place, hearts.outflow_lift_mm)

    def _papillary(self, lumen: Tensor, pressed: Tensor) -> Tensor:
        angle, depth = angles(self.device), depths(self.device)
        level = depth / column(self.lv.cavity_share)
        standing = (((level - 0.22) / 0.08).clamp(0, 1) * ((0.74 - level) / 0.06).clamp(0, 1))[
            :, None
        ]
        size = column(self.hearts.papillary_mm)[:, None] * pressed
        where = column(self.hearts.papillary_centre)[:, None]
        best = torch.full_like(lumen, -1e3)
        for i, centre in enumerate(PAPILLARY_ANGLES):
            towards = column(centre + 0.15 * self.hearts.ripple[:, 20 + i])
            off = (wrapped(angle - towards))[:, None] * where * lumen
            best = torch.maximum(best, size.square() - off.square())
        half = best.sign() * best.abs().clamp(max=400).sqrt()
        return half * standing - 1.5 * (1 - standing)

    def _effusion(self) -> Tensor:
        """Width of the pericardial fluid: most behind the inferolateral wall, (n, ANGLES, 1)."""
        angle = angles(self.device)
        dependent = 0.62 + 0.38 * torch.cos(angle - 2.3)
        return column(self.hearts.effusion_mm) * dependent

    def _fat(self) -> Tensor:
        angle = angles(self.device)
        ripple = self.hearts.ripple
        grooves = torch.exp(-((wrapped(angle + 1.15) / 0.4) ** 2)) + torch.exp(
            -((wrapped(angle - 1.25) / 0.35) ** 2)
        )
        waves = 0.3 * torch.cos(2 * angle - 3 * column(ripple[:, 22])) + 0.25 * torch.cos(
            3 * angle - 3 * column(ripple[:, 23])
        )
        # Little fat lies between the lateral wall and the lung.
        side = 0.25 + 0.75 * (0.5 + 0.5 * torch.cos(angle - 0.2))
        return column(self.hearts.fat_mm) * side * (0.55 + waves + 1.1 * grooves).clamp(min=0.1)

    def _atria(self, done: Tensor, base: Tensor) -> tuple[Ellipsoid, Ellipsoid]:
        """Left and right atrium; the septum between them goes on from the ventricles'."""
        hearts = self.hearts
        left = _semi_axes(
            hearts.la_ml[:, None] * (1 - hearts.la_emptying[:, None] * (1 - done)), _LA_SHARE
        )
        right = _semi_axes(hearts.ra_ml[:, None] * (1 - _RA_EMPTYING * (1 - done)), _RA_SHARE)
        middle = (self.annulus_mm[:, None] + 1.5 - left[..., 0]).clamp(max=_LA_ASIDE_MM)
        septum = middle + left[..., 0] + _SEPTUM_MM
        return (
            self._atrium(middle, 0.5 * left[..., 1] - 2, base, left),
            self._atrium(septum + right[..., 0], 0.25 * right[..., 1], base, right),
        )

    def _atrium(self, x: Tensor, y: Tensor, base: Tensor, semi: Tensor) -> Ellipsoid:
        z = base - self._base.rise_mm(x, y) - ATRIAL_CUT * semi[..., 2]
        return Ellipsoid(torch.stack([x, y, z], -1), semi)

    def _aorta(self, base: Tensor) -> Tube:
        root = 0.68 * self.lv.endo_mm[:, :, 0].mean(-1)[:, None]
        root = root.expand_as(base)
        start = torch.stack([0.62 * root, -0.78 * root, torch.ones_like(base)], -1)
        radius = self.hearts.aorta_mm / 2
        return Tube(_path(start, base, ((5, -16, -30), (24, -42, -38))), radius)

    def _pulmonary(self, base: Tensor) -> Tube:
        x, y = (place[:, None].expand_as(base) for place in self._base.place_mm.unbind(1))
        start = torch.stack([x, y, 2 - self._base.rise_mm(x, y)], -1)
        radius = 11 + 0.8 * self.hearts.ripple[:, 13]
        return Tube(_path(start, base, ((-14, -16, -24), (-20, -20, -20))), radius)


def _measured_phases(hearts: Hearts) -> Tensor:
    """End-diastole and end-systole, (n, 2)."""
    systole = end_systole(hearts)
    return torch.stack([torch.zeros_like(systole), systole], 1)


def _semi_axes(volume_ml: Tensor, share: tuple[float, float, float]) -> Tensor:
    """Semi-axes in mm, (n, P, 3), of a cut ellipsoid of that volume."""
    shares = torch.tensor(share, device=volume_ml.device)
    unit = (volume_ml * 1000 / (CUT_VOLUME * shares.prod())) ** (1 / 3)
    return unit[..., None] * shares


def _path(start: Tensor, base: Tensor, legs: tuple[tuple[float, float, float], ...]) -> Tensor:
    """A broken line (n, P, K, 3) from `start`, which moves with the valve plane."""
    n, phases = base.shape
    point = start
    points = []
    for leg in ((0.0, 0.0, 0.0), *legs):
        point = point + torch.tensor(leg, device=base.device)
        points.append(point.expand(n, phases, 3))
    follow = torch.linspace(1, 0, len(points), device=base.device)
    line = torch.stack(points, dim=2)
    along = torch.zeros_like(line)
    along[..., 2] = base[..., None] * follow
    return line + along
