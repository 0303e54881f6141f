"""A batch of beating hearts as geometry: tables for the ventricles, simple solids for the rest."""

import torch
from torch import Tensor

from retrieval.phantom.lattice import (
    angles,
    column,
    depths,
    wrapped,
)
from retrieval.phantom.measure import measure
from retrieval.phantom.moment import (
    ATRIAL_CUT,
    CUT_VOLUME,
    PAPILLARY_CENTRE,
    Ellipsoid,
    Moment,
    Tube,
)
from retrieval.phantom.physiology import Hearts
from retrieval.phantom.rhythm import end_systole, rhythm
from retrieval.phantom.truth import HeartTruth
from retrieval.phantom.ventricles import (
    fill_to,
    grown,
    left_ventricle,
    right_ventricle_shape,
)

RV_WALL_MM = 2.6
ATRIAL_WALL_MM = 2.0
VESSEL_WALL_MM = 1.6
MOST_CONTRACTION = 0.93
"""No part of the wall gives up more than this share of the cavity beneath it."""

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
        self._wall_area = self.lv.epi_mm.square() - self.lv.endo_mm.square()
        self.annulus_mm = self.lv.endo_mm[:, :, 0].mean(-1)
        """Radius of the mitral annulus at end-diastole, (n,)."""

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
        lost = column(hearts.contraction[:, None] * done) * lv.motion[:, None]
        endo = lv.endo_mm[:, None] * (1 - lost.clamp(-0.2, MOST_CONTRACTION)).sqrt()
        # The wall keeps its volume: what it loses in length it gains in area.
        epi = (endo.square() + self._wall_area[:, None] / column(shorter)).sqrt()
        lumen = endo * (1 - lv.ridges[:, None])
        volume = hearts.rv_edv_ml[:, None] * (1 - hearts.rv_ef[:, None] * done)
        beyond = fill_to(self._rv_shape[:, None], epi, length, volume)
        shell = epi + beyond + RV_WALL_MM * (beyond / 3).clamp(0, 1)
        fluid = grown(shell, self._effusion()[:, None] + 0.3, length)
        left_atrium, right_atrium = self._atria(done, base)
        return Moment(
            beat=beat,
            base_mm=base,
            length_mm=length,
            endo=endo,
            epi=epi,
            lumen=lumen,
            papillary=self._papillary(endo),
            rv=epi + beyond,
            shell=shell,
            fluid=fluid,
            sac=grown(fluid, self._fat()[:, None], length),
            scar_low=lv.scar_low,
            scar_high=lv.scar_high,
            valve_radius_mm=lumen[..., 0].mean(-1),
            left_atrium=left_atrium,
            right_atrium=right_atrium,
            aorta=self._aorta(base),
            pulmonary=self._pulmonary(base),
        )

    def _papillary(self, endo: Tensor) -> Tensor:
        angle, depth = angles(self.device), depths(self.device)
        level = depth / column(self.lv.cavity_share)
        standing = (((level - 0.22) / 0.08).clamp(0, 1) * ((0.74 - level) / 0.06).clamp(0, 1))[
            :, None
        ]
        size = column(self.hearts.papillary_mm)[:, None]
        best = torch.full_like(endo, -1e3)
        for i, centre in enumerate(PAPILLARY_ANGLES):
            towards = column(centre + 0.15 * self.hearts.ripple[:, 20 + i])
            off = (wrapped(angle - towards))[:, None] * PAPILLARY_CENTRE * endo
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
        return column(self.hearts.fat_mm) * (0.55 + waves + 1.1 * grooves).clamp(min=0.1)

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
            _atrium(middle, 0.5 * left[..., 1] - 2, base, left),
            _atrium(septum + right[..., 0], 0.25 * right[..., 1], base, right),
        )

    def _aorta(self, base: Tensor) -> Tube:
        root = 0.68 * self.lv.endo_mm[:, :, 0].mean(-1)[:, None]
        root = root.expand_as(base)
        start = torch.stack([0.62 * root, -0.78 * root, torch.ones_like(base)], -1)
        radius = self.hearts.aorta_mm / 2
        return Tube(_path(start, base, ((5, -16, -30), (24, -42, -38))), radius)

    def _pulmonary(self, base: Tensor) -> Tube:
        across = self.lv.epi_mm[:, :, 0].mean(-1)[:, None] + 8
        across = across.expand_as(base)
        start = torch.stack([0.5 * across, -0.87 * across, torch.full_like(base, 2)], -1)
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


def _atrium(x: Tensor, y: Tensor, base: Tensor, semi: Tensor) -> Ellipsoid:
    z = base - ATRIAL_CUT * semi[..., 2]
    return Ellipsoid(torch.stack([x, y, z], -1), semi)


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
