"""What a reader would measure on a simulated heart, taken from its own geometry."""

import math

import torch
from torch import Tensor

from retrieval.phantom.lattice import (
    ANGLES,
    APEX_NODE,
    STEP_DEPTH,
    column,
    depths,
    enclosed_ml,
    integrate,
)
from retrieval.phantom.moment import CUT_VOLUME, Ellipsoid, Moment
from retrieval.phantom.physiology import SCAR_NONE, Hearts
from retrieval.phantom.regions import Band
from retrieval.phantom.rhythm import end_systole, local_contraction
from retrieval.phantom.segments import segment_means, segment_table
from retrieval.phantom.truth import HeartTruth, Hypertrophy, Scar, ScarPattern, Territory
from retrieval.phantom.ventricles import LeftVentricle
from retrieval.values.study import Sex

MYOCARDIUM_G_PER_ML = 1.05

HYPOKINETIC_BELOW = 0.6
"""A segment is hypokinetic if it ejects less than this share of what healthy muscle
of the same heart would: regional, so a heart that is weak everywhere has none."""

AKINETIC_BELOW, DYSKINETIC_BELOW = 0.2, -0.05
"""The same for segments that do not move and for those that bulge."""

REACHED = 0.2
"""A scar reaches a segment if this share of the segment's surface enhances."""

THIN_BELOW_MM, THIN_SHARE = 5.5, 0.7
"""A segment is thin below this (Shah et al., JAMA 2013;309:909), if it also has less
than this share of the median of the heart's segments."""

_CAPLESS = 16
"""Segments with a wall around a cavity: all but the cap."""

_TIMES = 256
"""Moments of the beat at which the walls' timing is read."""

_OPEN_BASE = 0.13
"""Depths above this are left out of thickness: the wall gives way to the outflow tract."""

_HYPERTROPHY = tuple(Hypertrophy)
_PATTERN = tuple(ScarPattern)
_TERRITORY = tuple(Territory)
_ISCHAEMIC = (ScarPattern.SUBENDOCARDIAL, ScarPattern.TRANSMURAL)


def measure(hearts: Hearts, lv: LeftVentricle, moment: Moment) -> list[HeartTruth]:
    """Measure hearts given their end-diastole and end-systole, in that order, in `moment`."""
    cavity = enclosed_ml(moment.endo, moment.length_mm)
    muscle = enclosed_ml(moment.epi[:, 0], moment.length_mm[:, 0]) - cavity[:, 0]
    right = enclosed_ml(moment.rv, moment.length_mm) - enclosed_ml(moment.epi, moment.length_mm)
    numbers = {
        "height_cm": hearts.height_cm,
        "weight_kg": hearts.weight_kg,
        "bsa_m2": hearts.bsa_m2,
        "heart_rate_bpm": hearts.heart_rate_bpm,
        "lvedv_ml": cavity[:, 0],
        "lvesv_ml": cavity[:, 1],
        "lvef_pct": 100 * (1 - cavity[:, 1] / cavity[:, 0]),
        "lv_mass_g": MYOCARDIUM_G_PER_ML * muscle,
        "wall_max_mm": _thickest(lv),
        "rvedv_ml": right[:, 0],
        "rvesv_ml": right[:, 1],
        "rvef_pct": 100 * (1 - right[:, 1] / right[:, 0]),
        "la_volume_ml": _largest(moment.left_atrium),
        "ra_volume_ml": _largest(moment.right_atrium),
        "aortic_root_mm": hearts.aorta_mm,
        "effusion_mm": hearts.effusion_mm,
    }
    numbers |= {
        "dyssynchrony_ms": _delay(hearts),
        "eccentricity_ed": _eccentricity(lv, moment.endo[:, 0]),
        "eccentricity_es": _eccentricity(lv, moment.endo[:, 1]),
        "rv_wall_mm": hearts.rv_wall_mm,
        "scar_share_pct": 100 * _share(lv, lv.scar),
        "native_t1_ms": hearts.native_t1_ms,
        "native_t2_ms": hearts.native_t2_ms,
    }
    segments = segment_table(lv.cavity_share)
    surface = lv.endo_mm.clamp(min=1.0) * (depths(hearts.device) <= 1)
    moving = segment_means(lv.motion, surface, segments)
    thickness = segment_means(
        _thickness(lv), surface * (depths(hearts.device) > _OPEN_BASE), segments
    )[:, :_CAPLESS]
    numbers["wall_min_mm"] = thickness.amin(1)
    usual = thickness.median(1, keepdim=True).values
    flags = {
        "hypokinetic_segments": moving < HYPOKINETIC_BELOW,
        "akinetic_segments": moving < AKINETIC_BELOW,
        "dyskinetic_segments": moving < DYSKINETIC_BELOW,
        "thin_segments": (thickness < THIN_BELOW_MM) & (thickness < THIN_SHARE * usual),
        "oedema_segments": _reached(lv.oedema, surface, segments),
        "defect_segments": _reached(lv.defect, surface, segments),
    }
    scars = _scars(hearts, lv, surface, segments)
    return [
        HeartTruth(
            sex=Sex.FEMALE if bool(hearts.female[i]) else Sex.MALE,
            hypertrophy=_HYPERTROPHY[int(hearts.hypertrophy[i])],
            scars=scars[i],
            acute=bool(hearts.acute[i] > 0),
            age_years=int(hearts.age_years[i]),
            **{k: float(v[i]) for k, v in numbers.items()},  # pyright: ignore[reportArgumentType]
            **{k: _numbers(v[i]) for k, v in flags.items()},  # pyright: ignore[reportArgumentType]
        )
        for i in range(len(hearts))
    ]


def _largest(atrium: Ellipsoid) -> Tensor:
    """Largest volume over the phases given, mL, (n,): at end-systole."""
    return (CUT_VOLUME * atrium.semi_mm.prod(-1) / 1000).amax(1)


def _thickness(lv: LeftVentricle) -> Tensor:
    """End-diastolic thickness at a right angle to the wall, mm, (n, ANGLES, DEPTHS).

    The lattice measures along radii; towards the apex these cross the wall
    obliquely, which the slope of the wall's middle corrects.
    """
    middle = (lv.endo_mm + lv.epi_mm) / 2
    slope = torch.gradient(middle, dim=-1)[0] / (STEP_DEPTH * column(lv.length_mm))
    return (lv.epi_mm - lv.endo_mm) / (1 + slope.square()).sqrt()


def _thickest(lv: LeftVentricle) -> Tensor:
    """Largest thickness, mm, (n,).

    The last tenth of the cavity, where no radius crosses the wall well, is
    left out.
    """
    usable = depths(lv.endo_mm.device) < column(0.9 * lv.cavity_share)
    return (_thickness(lv) * usable)[..., :APEX_NODE].flatten(1).quantile(0.995, dim=1)


def _eccentricity(lv: LeftVentricle, endo: Tensor) -> Tensor:
    """Diameter along the septum by that across it, over the middle of the cavity, (n,)."""
    level = depths(endo.device) / column(lv.cavity_share)
    middle = ((level > 0.35) & (level < 0.6)).float()
    profile = (endo * middle).sum(-1) / middle.sum(-1)
    right, quarter = ANGLES // 2, ANGLES // 4
    along = profile[:, right + quarter] + profile[:, right - quarter]
    return along / (profile[:, right] + profile[:, 0])


def _delay(hearts: Hearts) -> Tensor:
    """How much later the lateral wall is half contracted than the septum, ms, (n,)."""
    # Over systole each wall's contraction grows; the share of moments before
    # the half is the time of the half.
    share = torch.arange(_TIMES, device=hearts.device) / _TIMES
    span = (1.4 * end_systole(hearts)).clamp(max=0.75)[:, None]
    walls = torch.tensor([0.0, torch.pi], device=hearts.device)
    done = local_contraction(hearts, share * span, walls)
    before = (done.cummax(1).values < 0.5).float().mean(1) * span
    later = before[:, 1] - before[:, 0]
    return later * 60000 / hearts.heart_rate_bpm


def _share(lv: LeftVentricle, band: Band) -> Tensor:
    """Share of the end-diastolic muscle that a band takes, (n,)."""
    inner2, outer2 = lv.endo_mm.square(), lv.epi_mm.square()
    wall = lv.epi_mm - lv.endo_mm
    low, high = (lv.endo_mm + wall * edge.clamp(0, 1) for edge in (band.low, band.high))
    part = (high.square() - low.square()) * band.present
    ones = torch.ones_like(lv.length_mm)
    return integrate(part, ones) / integrate(outer2 - inner2, ones)


def _reached(band: Band, surface: Tensor, segments: Tensor) -> Tensor:
    """Which segments a band reaches, (n, 17) bool."""
    return segment_means(band.present, surface, segments) > REACHED


def _numbers(flags: Tensor) -> tuple[int, ...]:
    return tuple(int(k) + 1 for k in flags.nonzero()[:, 0])


def _scars(
    hearts: Hearts, lv: LeftVentricle, surface: Tensor, segments: Tensor
) -> list[tuple[Scar, ...]]:
    """The scars of every heart, one for each territory that has any."""
    ones = torch.ones_like(lv.length_mm)
    belongs = lv.second <= lv.first
    found: list[list[Scar]] = [[] for _ in range(len(hearts))]
    for mine, territory in ((belongs, hearts.territory), (~belongs, hearts.second_territory)):
        part = lv.scar.present * mine
        weight = part * surface
        width = integrate(lv.scar.width * weight, ones) / integrate(weight, ones).clamp(
            min=math.ulp(1.0)
        )
        reached = segment_means(part, surface, segments) > REACHED
        for i, scars in enumerate(found):
            numbers, kind = _numbers(reached[i]), int(hearts.scar_kind[i])
            if kind == SCAR_NONE or not (numbers or mine is belongs):
                continue
            pattern = _PATTERN[kind - 1]
            scars.append(
                Scar(
                    pattern=pattern,
                    territory=_TERRITORY[int(territory[i])] if pattern in _ISCHAEMIC else None,
                    segments=numbers,
                    transmurality=float(width[i]),
                )
            )
    return [tuple(scars) for scars in found]
