"""What makes each statement true of a heart: one table.

Degrees are logistic ramps around the limits of normal
(`retrieval.language.reference_ranges`), counts of segments, or products of
other statements. A statement that is one limit, or a band between limits, also
has a margin: how far on its own side a heart lies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retrieval.phantom.sentences_hearts import (
    FOCAL,
    INFARCT,
    NON_ISCHAEMIC,
    TERRITORIES,
    WALLS,
    Column,
    Hearts,
    counted,
    logistic,
)
from retrieval.phantom.truth import Hypertrophy, ScarPattern, Territory

OfHearts = Callable[[Hearts], Column]


@dataclass(frozen=True, slots=True)
class Rule:
    """How true a statement is of hearts.

    Attributes
    ----------
    degree
        (n,) in [0, 1].
    margin
        (n,) signed distance from the nearest limit in widths of it, positive
        on the side where the statement holds; None where no quantity decides.
    """

    degree: OfHearts
    margin: OfHearts | None = None

    def __call__(self, hearts: Hearts) -> Column:
        """The degrees."""
        return self.degree(hearts)


def _far(margin: OfHearts) -> Rule:
    """True beyond the point where the margin is zero."""
    return Rule(lambda h: logistic(margin(h)), margin)


def _not(rule: Rule) -> Rule:
    margin = rule.margin
    return Rule(lambda h: 1 - rule(h), None if margin is None else lambda h: -margin(h))


def _limit(name: str) -> Rule:
    return _far(lambda h: h.distance(name))


def _within(*names: str) -> Rule:
    """Degree to which none of the limits is passed."""
    return _all(*(_not(_limit(name)) for name in names))


def _band(passed: str, *not_passed: str) -> Rule:
    """Beyond one limit and not beyond others."""
    return _all(_limit(passed), *(_not(_limit(name)) for name in not_passed))


def _all(*rules: Rule) -> Rule:
    """Every one of some rules; a margin to the nearest of their limits if all have one."""
    margins = [r.margin for r in rules if r.margin is not None]
    if len(margins) < len(rules):
        return Rule(lambda h: np.prod([r(h) for r in rules], axis=0))
    return Rule(
        lambda h: np.prod([r(h) for r in rules], axis=0),
        lambda h: np.min([m(h) for m in margins], axis=0),
    )


def _every(*names: str) -> Rule:
    """Degree to which all of the named concepts hold, a leading "-" denying one."""

    def degree(hearts: Hearts) -> Column:
        parts = [
            1 - RULES[name[1:]](hearts) if name.startswith("-") else RULES[name](hearts)
            for name in names
        ]
        return np.prod(parts, axis=0)

    return Rule(degree)


def _either(*names: str) -> OfHearts:
    """Degree to which at least one of the named concepts holds."""
    return lambda h: 1 - np.prod([1 - RULES[name](h) for name in names], axis=0)


def _wall(name: str) -> Rule:
    return Rule(lambda h: h.regional_in(WALLS[name]))


def _territory(name: Territory) -> Rule:
    return Rule(lambda h: h.regional_in(TERRITORIES[name]))


def _infarct(territory: Territory) -> Rule:
    return Rule(lambda h: h.scarred(*INFARCT, territory=territory))


def _thick(place: Hypertrophy) -> Rule:
    return Rule(lambda h: h.thick_at(place))


def _pattern(*patterns: ScarPattern) -> Rule:
    """Enhancement of one of the patterns; the margin counts its segments."""
    return Rule(lambda h: h.scarred(*patterns), lambda h: h.scarred_segments(*patterns) - 0.5)


def _scar_in(wall: str) -> Rule:
    return _far(lambda h: (h.scarred_wall(wall) - 0.3) / 0.05)


_THIN = _far(counted(lambda t: t.thin_segments))
_DYSKINETIC = _far(counted(lambda t: t.dyskinetic_segments))
_OEDEMA = _far(counted(lambda t: t.oedema_segments))
_DEFECT = _far(counted(lambda t: t.defect_segments))
_REGIONAL = Rule(lambda h: h.regional(), lambda h: h.regional_distance())
_ACUTE = Rule(lambda h: h.column(lambda t: t.acute))

RULES: dict[str, Rule] = {
    "lv_dilated": _limit("lv_dilated"),
    "lv_severely_dilated": _limit("lv_severely_dilated"),
    "lv_moderately_dilated": _band("lv_moderately_dilated", "lv_severely_dilated"),
    "lv_mildly_dilated": _band("lv_dilated", "lv_moderately_dilated"),
    "lv_normal_size": _within("lv_dilated", "lv_small"),
    "lv_not_dilated": _within("lv_dilated"),
    "lv_small": _limit("lv_small"),
    "ef_reduced": _limit("lv_dysfunction"),
    "ef_severely_reduced": _limit("lv_severe_dysfunction"),
    "ef_moderately_reduced": _band("lv_moderate_dysfunction", "lv_severe_dysfunction"),
    "ef_mildly_reduced": _band("lv_dysfunction", "lv_moderate_dysfunction"),
    "ef_low_normal": _band("lv_low_normal_function", "lv_dysfunction"),
    "ef_normal": _within("lv_dysfunction"),
    "hyperdynamic": _limit("hyperdynamic"),
    "lvh": _limit("lv_hypertrophy"),
    "lvh_severe": _limit("severe_hypertrophy"),
    "lvh_mild": _band("lv_hypertrophy", "marked_hypertrophy"),
    "lvh_concentric": _thick(Hypertrophy.CONCENTRIC),
    "lvh_septal": _thick(Hypertrophy.SEPTAL),
    "lvh_apical": _thick(Hypertrophy.APICAL),
    "wall_normal": _within("lv_hypertrophy"),
    "wall_thinned": _THIN,
    "wall_not_thinned": _not(_THIN),
    "concentric_geometry": _limit("concentric_geometry"),
    "mass_increased": _limit("mass_increased"),
    "mass_normal": _within("mass_increased"),
    "rv_dilated": _limit("rv_dilated"),
    "rv_severely_dilated": _limit("rv_severely_dilated"),
    "rv_moderately_dilated": _band("rv_moderately_dilated", "rv_severely_dilated"),
    "rv_mildly_dilated": _band("rv_dilated", "rv_moderately_dilated"),
    "rv_normal_size": _within("rv_dilated"),
    "rv_not_dilated": _within("rv_dilated"),
    "rvef_reduced": _limit("rv_dysfunction"),
    "rvef_severely_reduced": _limit("rv_severe_dysfunction"),
    "rvef_mildly_reduced": _band("rv_dysfunction", "rv_moderate_dysfunction"),
    "rvef_normal": _within("rv_dysfunction"),
    "rvh": _limit("rv_hypertrophy"),
    "no_rvh": _within("rv_hypertrophy"),
    "septal_flattening": _limit("septal_flattening"),
    "no_septal_flattening": _within("septal_flattening"),
    "rv_larger_than_lv": _limit("rv_larger"),
    "ventricles_in_proportion": _within("rv_larger"),
    "wma": _REGIONAL,
    "wma_septal": _wall("septal"),
    "wma_anterior": _wall("anterior"),
    "wma_inferior": _wall("inferior"),
    "wma_lateral": _wall("lateral"),
    "wma_apical": _wall("apical"),
    "wma_lad": _territory(Territory.LAD),
    "wma_rca": _territory(Territory.RCA),
    "wma_lcx": _territory(Territory.LCX),
    "wma_extensive": _all(
        _REGIONAL, _far(lambda h: (h.column(lambda t: len(t.hypokinetic_segments)) - 5.5) / 0.5)
    ),
    "wma_ef_reduced": _every("wma", "ef_reduced"),
    "no_wma": _not(_REGIONAL),
    "global_hypokinesis": _every("ef_reduced", "-wma"),
    "dyskinesia": _DYSKINETIC,
    "dyssynchrony": _limit("dyssynchrony"),
    "no_dyssynchrony": _within("dyssynchrony"),
    "scar": _pattern(*FOCAL),
    "scar_ischaemic": _pattern(*INFARCT),
    "no_scar_ischaemic": _not(_pattern(*INFARCT)),
    "scar_non_ischaemic": _pattern(*NON_ISCHAEMIC),
    "scar_lad": _infarct(Territory.LAD),
    "scar_rca": _infarct(Territory.RCA),
    "scar_lcx": _infarct(Territory.LCX),
    "scar_several_territories": _far(lambda h: (h.infarcted_territories() - 1.5) / 0.15),
    "scar_in_septum": _scar_in("septal"),
    "scar_in_anterior_wall": _scar_in("anterior"),
    "scar_in_inferior_wall": _scar_in("inferior"),
    "scar_in_lateral_wall": _scar_in("lateral"),
    "scar_in_apex": _scar_in("apical"),
    "scar_extensive": _far(lambda h: (h.scarred_segments(*FOCAL) - 5.5) / 0.5),
    "scar_transmural": Rule(lambda h: h.transmural()),
    "scar_subendocardial": Rule(lambda h: h.scarred(*INFARCT) * (1 - h.transmural())),
    "scar_midwall": _pattern(ScarPattern.MID_WALL),
    "scar_subepicardial": _pattern(ScarPattern.SUBEPICARDIAL),
    "enhancement": _pattern(*ScarPattern),
    "enhancement_diffuse": _pattern(ScarPattern.DIFFUSE),
    "no_scar": _not(_pattern(*ScarPattern)),
    "oedema": _OEDEMA,
    "no_oedema": _not(_OEDEMA),
    "t1_raised": _limit("native_t1_raised"),
    "t1_normal": _within("native_t1_raised"),
    "t2_raised": _limit("native_t2_raised"),
    "t2_normal": _within("native_t2_raised"),
    "perfusion_defect": _DEFECT,
    "no_perfusion_defect": _not(_DEFECT),
    "defect_lad": Rule(lambda h: h.defect_in(Territory.LAD)),
    "defect_rca": Rule(lambda h: h.defect_in(Territory.RCA)),
    "defect_lcx": Rule(lambda h: h.defect_in(Territory.LCX)),
    "ischaemia_without_infarct": _every("perfusion_defect", "no_scar"),
    "la_dilated": _limit("la_dilated"),
    "la_normal_size": _within("la_dilated"),
    "ra_dilated": _limit("ra_dilated"),
    "ra_normal_size": _within("ra_dilated"),
    "la_dilated_ra_normal": _every("la_dilated", "ra_normal_size"),
    "ra_dilated_la_normal": _every("ra_dilated", "la_normal_size"),
    "aorta_dilated": _limit("aorta_dilated"),
    "aorta_aneurysm": _limit("aorta_aneurysm"),
    "aorta_normal": _within("aorta_dilated"),
    "effusion": _limit("effusion"),
    "effusion_small": _band("effusion", "effusion_moderate"),
    "effusion_large": _limit("effusion_large"),
    "no_effusion": _within("effusion"),
    "both_ventricles_dilated": _every("lv_dilated", "rv_dilated"),
    "both_ventricles_impaired": _every("ef_reduced", "rvef_reduced"),
    "both_ventricles_normal": _every(
        "lv_normal_size", "ef_normal", "rv_normal_size", "rvef_normal"
    ),
    "both_atria_dilated": _every("la_dilated", "ra_dilated"),
    "lv_normal": _every("lv_normal_size", "ef_normal", "wall_normal", "no_wma"),
    "rv_normal": _every("rv_normal_size", "rvef_normal"),
    "lv_dilated_rv_normal": _every("lv_dilated", "rv_not_dilated"),
    "rv_dilated_lv_normal": _every("rv_dilated", "lv_not_dilated"),
    "lv_impaired_rv_normal": _every("ef_reduced", "rvef_normal"),
    "rv_impaired_lv_normal": _every("rvef_reduced", "ef_normal"),
    "lv_dilated_impaired": _every("lv_dilated", "ef_reduced"),
    "lv_dilated_preserved": _every("lv_dilated", "ef_normal"),
    "rv_dilated_impaired": _every("rv_dilated", "rvef_reduced"),
    "dilated_cardiomyopathy": _every("lv_dilated", "ef_reduced", "-lvh", "-scar_ischaemic"),
    "hypertrophic_cardiomyopathy": _every(
        "lvh", "ef_normal", "-lv_dilated", "-enhancement_diffuse"
    ),
    "ischaemic_cardiomyopathy": _every("ef_reduced", "scar_ischaemic"),
    "prior_infarct": _pattern(*INFARCT),
    "acute_infarct": _all(_pattern(*INFARCT), _ACUTE, _OEDEMA),
    "amyloid": _every("lvh", "enhancement_diffuse"),
    "myocarditis": _pattern(ScarPattern.SUBEPICARDIAL),
    "acute_myocarditis": _all(_pattern(ScarPattern.SUBEPICARDIAL), _ACUTE, _OEDEMA),
    "right_heart_disease": _every("rv_dilated", "lv_not_dilated", "ef_normal"),
    "rv_abnormal_lv_normal": Rule(
        lambda h: _either("rv_dilated", "rvef_reduced")(h) * RULES["lv_normal"](h)
    ),
    "rv_pressure_overload": _every("rvh", "septal_flattening"),
    "normal_study": _every(
        "both_ventricles_normal", "wall_normal", "no_wma", "no_scar", "no_effusion",
        "la_normal_size", "ra_normal_size", "aorta_normal", "no_oedema", "no_perfusion_defect",
    ),
}  # fmt: skip
"""What makes each concept true. Names are stable: training runs refer to them."""
