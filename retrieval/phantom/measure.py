"""What a reader would measure on a simulated heart, taken from its own geometry."""

import math

import torch
from torch import Tensor

from retrieval.phantom.lattice import APEX_NODE, STEP_DEPTH, column, depths, enclosed_ml, integrate
from retrieval.phantom.moment import CUT_VOLUME, Ellipsoid, Moment
from retrieval.phantom.physiology import SCAR_NONE, Hearts
from retrieval.phantom.segments import segment_means, segment_table
from retrieval.phantom.truth import HeartTruth, Hypertrophy, Scar, ScarPattern, Territory
from retrieval.phantom.ventricles import LeftVentricle
from retrieval.values.study import Sex

MYOCARDIUM_G_PER_ML = 1.05

HYPOKINETIC_BELOW = 0.6
"""A segment is hypokinetic if it ejects less than this share of what healthy muscle
of the same heart would: regional, so a heart that is weak everywhere has none."""

REACHED = 0.2
"""A scar reaches a segment if this share of the segment's surface enhances."""

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
        "age_years": hearts.age_years,
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
    segments = segment_table(lv.cavity_share)
    surface = lv.endo_mm.clamp(min=1.0) * (depths(hearts.device) <= 1)
    still = segment_means(lv.motion, surface, segments) < HYPOKINETIC_BELOW
    enhancing = (lv.scar_high > lv.scar_low).float()
    reached = segment_means(enhancing, surface, segments) > REACHED
    width = _transmurality(lv, enhancing * surface)
    return [
        HeartTruth(
            sex=Sex.FEMALE if bool(hearts.female[i]) else Sex.MALE,
            hypertrophy=_HYPERTROPHY[int(hearts.hypertrophy[i])],
            hypokinetic_segments=_numbers(still[i]),
            scars=_scars(hearts, i, _numbers(reached[i]), float(width[i])),
            **{k: (int(v[i]) if k == "age_years" else float(v[i])) for k, v in numbers.items()},  # pyright: ignore[reportArgumentType]
        )
        for i in range(len(hearts))
    ]


def _largest(atrium: Ellipsoid) -> Tensor:
    """Largest volume over the phases given, mL, (n,): at end-systole."""
    return (CUT_VOLUME * atrium.semi_mm.prod(-1) / 1000).amax(1)


def _thickest(lv: LeftVentricle) -> Tensor:
    """Largest end-diastolic thickness at a right angle to the wall, mm, (n,).

    The lattice measures along radii; towards the apex these cross the wall
    obliquely, which the slope of the wall's middle corrects. The last tenth
    of the cavity, where no radius crosses the wall well, is left out.
    """
    middle = (lv.endo_mm + lv.epi_mm) / 2
    slope = torch.gradient(middle, dim=-1)[0] / (STEP_DEPTH * column(lv.length_mm))
    thickness = (lv.epi_mm - lv.endo_mm) / (1 + slope.square()).sqrt()
    usable = depths(lv.endo_mm.device) < column(0.9 * lv.cavity_share)
    return (thickness * usable)[..., :APEX_NODE].flatten(1).quantile(0.995, dim=1)


def _transmurality(lv: LeftVentricle, weight: Tensor) -> Tensor:
    """Mean share of the wall that enhances where it enhances at all, (n,)."""
    width = lv.scar_high.clamp(0, 1) - lv.scar_low.clamp(0, 1)
    ones = torch.ones_like(lv.length_mm)
    return integrate(width * weight, ones) / integrate(weight, ones).clamp(min=math.ulp(1.0))


def _numbers(flags: Tensor) -> tuple[int, ...]:
    return tuple(int(k) + 1 for k in flags.nonzero()[:, 0])


def _scars(
    hearts: Hearts, i: int, segments: tuple[int, ...], transmurality: float
) -> tuple[Scar, ...]:
    kind = int(hearts.scar_kind[i])
    if kind == SCAR_NONE:
        return ()
    pattern = _PATTERN[kind - 1]
    territory = _TERRITORY[int(hearts.territory[i])] if pattern in _ISCHAEMIC else None
    return (
        Scar(pattern=pattern, territory=territory, segments=segments, transmurality=transmurality),
    )
