"""How true a statement is of a simulated heart.

Every concept maps hearts to degrees in [0, 1]: 1 where every reader would
agree, 0 where none would, and a logistic ramp around the limit of normal
(`retrieval.language.reference_ranges`) where readers differ. Conjunctions are
products.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from retrieval.language.reference_ranges import reference_ranges
from retrieval.phantom.truth import HeartTruth, Hypertrophy, ScarPattern, Territory
from retrieval.values.study import Sex

Degrees = NDArray[np.float64]

WALLS: Mapping[str, frozenset[int]] = MappingProxyType(
    {
        "septal": frozenset({2, 3, 8, 9, 14}),
        "anterior": frozenset({1, 7, 13}),
        "inferior": frozenset({4, 10, 15}),
        "lateral": frozenset({5, 6, 11, 12, 16}),
        "apical": frozenset({13, 14, 15, 16, 17}),
    }
)
"""AHA segments of each wall (Cerqueira et al., Circulation 2002;105:539)."""

INFARCT = (ScarPattern.SUBENDOCARDIAL, ScarPattern.TRANSMURAL)


def logistic(x: Degrees) -> Degrees:
    """1 / (1 + exp(-x)), safe for any finite x."""
    return 0.5 * (1 + np.tanh(x / 2))


class Hearts:
    """The measurements of n hearts as columns, and the degrees that follow from them."""

    def __init__(self, truths: Sequence[HeartTruth]) -> None:
        self.truths = truths
        self.female = np.array([t.sex is Sex.FEMALE for t in truths], dtype=bool)
        bsa = self.column(lambda t: t.bsa_m2)
        self.measured: dict[str, Degrees] = {
            "lvedv": self.column(lambda t: t.lvedv_ml),
            "lvesv": self.column(lambda t: t.lvesv_ml),
            "lvedv_index": self.column(lambda t: t.lvedv_ml) / bsa,
            "lvef": self.column(lambda t: t.lvef_pct),
            "wall": self.column(lambda t: t.wall_max_mm),
            "lv_mass": self.column(lambda t: t.lv_mass_g),
            "lv_mass_index": self.column(lambda t: t.lv_mass_g) / bsa,
            "rvedv": self.column(lambda t: t.rvedv_ml),
            "rvedv_index": self.column(lambda t: t.rvedv_ml) / bsa,
            "rvef": self.column(lambda t: t.rvef_pct),
            "la_volume_index": self.column(lambda t: t.la_volume_ml) / bsa,
            "ra_volume_index": self.column(lambda t: t.ra_volume_ml) / bsa,
            "aortic_root": self.column(lambda t: t.aortic_root_mm),
            "effusion": self.column(lambda t: t.effusion_mm),
        }

    def __len__(self) -> int:
        return len(self.truths)

    def column(self, read: Callable[[HeartTruth], float]) -> Degrees:
        """One number per heart, (n,) float64."""
        return np.array([read(t) for t in self.truths], dtype=np.float64)

    def beyond(self, name: str) -> Degrees:
        """Degree to which a limit of the table is passed, (n,)."""
        limit = reference_ranges().limits[name]
        at = np.where(self.female, limit.female, limit.male)
        sign = 1.0 if limit.above else -1.0
        return logistic(sign * (self.measured[limit.quantity] - at) / limit.width)

    def thick_at(self, *places: Hypertrophy) -> Degrees:
        """Degree of hypertrophy that lies in one of `places`."""
        return self.beyond("lv_hypertrophy") * self.column(lambda t: t.hypertrophy in places)

    def scarred(self, *patterns: ScarPattern, territory: Territory | None = None) -> Degrees:
        """1 where there is enhancement of one of the patterns (in the territory), else 0."""
        return self.column(
            lambda t: any(
                s.pattern in patterns and s.segments and territory in (None, s.territory)
                for s in t.scars
            )
        )

    def transmural(self) -> Degrees:
        """Degree to which an infarct reaches through more than half of the wall."""
        depth = self.column(
            lambda t: max((s.transmurality for s in t.scars if s.pattern in INFARCT), default=0.0)
        )
        return logistic((depth - 0.6) / 0.05) * self.scarred(*INFARCT)

    def regional(self) -> Degrees:
        """Degree to which some, and not all, segments move too little."""
        count = self.column(lambda t: len(t.hypokinetic_segments))
        return logistic((count - 1.5) / 0.25) * logistic((13.5 - count) / 0.5)

    def regional_in(self, wall: str) -> Degrees:
        """Degree to which a wall takes part in a regional abnormality."""
        segments = WALLS[wall]
        share = self.column(lambda t: len(segments & set(t.hypokinetic_segments)) / len(segments))
        return self.regional() * logistic((share - 0.4) / 0.07)

    def global_hypokinesis(self) -> Degrees:
        """Degree to which the whole ventricle contracts too little."""
        return self.beyond("lv_dysfunction") * (1 - self.regional())


Rule = Callable[[Hearts], Degrees]


def _limit(name: str) -> Rule:
    return lambda h: h.beyond(name)


def _within(*names: str) -> Rule:
    """Degree to which none of the limits is passed."""
    return lambda h: np.prod([1 - h.beyond(name) for name in names], axis=0)


def _wall(name: str) -> Rule:
    return lambda h: h.regional_in(name)


def _infarct(territory: Territory) -> Rule:
    return lambda h: h.scarred(*INFARCT, territory=territory)


def _every(*names: str) -> Rule:
    """Degree to which all of the named concepts hold, a leading "-" denying one."""

    def rule(hearts: Hearts) -> Degrees:
        parts = [
            1 - RULES[name[1:]](hearts) if name.startswith("-") else RULES[name](hearts)
            for name in names
        ]
        return np.prod(parts, axis=0)

    return rule


RULES: dict[str, Rule] = {
    "lv_dilated": _limit("lv_dilated"),
    "lv_severely_dilated": _limit("lv_severely_dilated"),
    "lv_mildly_dilated": lambda h: h.beyond("lv_dilated") * (1 - h.beyond("lv_severely_dilated")),
    "lv_normal_size": _within("lv_dilated", "lv_small"),
    "lv_not_dilated": _within("lv_dilated"),
    "lv_small": _limit("lv_small"),
    "ef_reduced": _limit("lv_dysfunction"),
    "ef_severely_reduced": _limit("lv_severe_dysfunction"),
    "ef_mildly_reduced": lambda h: (
        h.beyond("lv_dysfunction") * (1 - h.beyond("lv_moderate_dysfunction"))
    ),
    "ef_normal": _within("lv_dysfunction"),
    "hyperdynamic": _limit("hyperdynamic"),
    "lvh": _limit("lv_hypertrophy"),
    "lvh_severe": _limit("severe_hypertrophy"),
    "lvh_concentric": lambda h: h.thick_at(Hypertrophy.CONCENTRIC),
    "lvh_septal": lambda h: h.thick_at(Hypertrophy.SEPTAL),
    "lvh_apical": lambda h: h.thick_at(Hypertrophy.APICAL),
    "wall_normal": _within("lv_hypertrophy"),
    "mass_increased": _limit("mass_increased"),
    "mass_normal": _within("mass_increased"),
    "rv_dilated": _limit("rv_dilated"),
    "rv_severely_dilated": _limit("rv_severely_dilated"),
    "rv_mildly_dilated": lambda h: h.beyond("rv_dilated") * (1 - h.beyond("rv_severely_dilated")),
    "rv_normal_size": _within("rv_dilated"),
    "rv_not_dilated": _within("rv_dilated"),
    "rvef_reduced": _limit("rv_dysfunction"),
    "rvef_severely_reduced": _limit("rv_severe_dysfunction"),
    "rvef_normal": _within("rv_dysfunction"),
    "wma": lambda h: h.regional(),
    "wma_septal": _wall("septal"),
    "wma_anterior": _wall("anterior"),
    "wma_inferior": _wall("inferior"),
    "wma_lateral": _wall("lateral"),
    "wma_apical": _wall("apical"),
    "no_wma": lambda h: 1 - h.regional(),
    "global_hypokinesis": lambda h: h.global_hypokinesis(),
    "scar": lambda h: h.scarred(*INFARCT, ScarPattern.MID_WALL),
    "scar_ischaemic": lambda h: h.scarred(*INFARCT),
    "scar_lad": _infarct(Territory.LAD),
    "scar_rca": _infarct(Territory.RCA),
    "scar_lcx": _infarct(Territory.LCX),
    "scar_transmural": lambda h: h.transmural(),
    "scar_subendocardial": lambda h: h.scarred(*INFARCT) * (1 - h.transmural()),
    "scar_midwall": lambda h: h.scarred(ScarPattern.MID_WALL),
    "enhancement": lambda h: h.scarred(*ScarPattern),
    "enhancement_diffuse": lambda h: h.scarred(ScarPattern.DIFFUSE),
    "no_scar": lambda h: 1 - h.scarred(*ScarPattern),
    "la_dilated": _limit("la_dilated"),
    "la_normal_size": _within("la_dilated"),
    "ra_dilated": _limit("ra_dilated"),
    "ra_normal_size": _within("ra_dilated"),
    "aorta_dilated": _limit("aorta_dilated"),
    "aorta_normal": _within("aorta_dilated"),
    "effusion": _limit("effusion"),
    "no_effusion": _within("effusion"),
    "both_ventricles_dilated": _every("lv_dilated", "rv_dilated"),
    "both_ventricles_impaired": _every("ef_reduced", "rvef_reduced"),
    "both_ventricles_normal": _every(
        "lv_normal_size", "ef_normal", "rv_normal_size", "rvef_normal"
    ),
    "both_atria_dilated": _every("la_dilated", "ra_dilated"),
    "dilated_cardiomyopathy": _every("lv_dilated", "ef_reduced", "-lvh", "-scar_ischaemic"),
    "hypertrophic_cardiomyopathy": _every(
        "lvh", "ef_normal", "-lv_dilated", "-enhancement_diffuse"
    ),
    "ischaemic_cardiomyopathy": _every("ef_reduced", "scar_ischaemic"),
    "prior_infarct": lambda h: h.scarred(*INFARCT),
    "amyloid": _every("lvh", "enhancement_diffuse"),
    "right_heart_disease": _every("rv_dilated", "lv_not_dilated", "ef_normal"),
    "normal_study": _every(
        "both_ventricles_normal", "wall_normal", "no_wma", "no_scar", "no_effusion",
        "la_normal_size", "ra_normal_size", "aorta_normal",
    ),
}  # fmt: skip
"""What makes each concept true. Names are stable: training runs refer to them."""

NUMBERS: Mapping[str, tuple[float, tuple[int, ...]]] = MappingProxyType(
    {
        "lvef": (3.0, tuple(range(15, 80, 5))),
        "lvedv": (14.0, tuple(range(80, 400, 20))),
        "lvedv_index": (7.0, tuple(range(50, 190, 10))),
        "lv_mass": (14.0, tuple(range(60, 320, 20))),
        "wall": (1.2, tuple(range(7, 28, 2))),
        "rvedv": (16.0, tuple(range(80, 360, 20))),
        "rvedv_index": (8.0, tuple(range(50, 180, 10))),
        "rvef": (3.5, tuple(range(20, 75, 5))),
        "effusion": (2.0, tuple(range(6, 26, 4))),
        "aortic_root": (2.0, tuple(range(28, 58, 4))),
    }
)
"""Quantity: how far a stated value may be off (standard deviation), and the values stated."""


def degrees(concepts: Sequence[str], truths: Sequence[HeartTruth]) -> Degrees:
    """How true each concept is of each heart.

    Parameters
    ----------
    concepts
        Names from `RULES`, or "quantity=value" for a quantity of `NUMBERS`
        ("lvef=35"), whose degree falls off as a Gaussian around the value.

    Returns
    -------
    ndarray
        (n_truths, n_concepts) float64 in [0, 1].

    Raises
    ------
    KeyError
        A concept has no such name.
    """
    hearts = Hearts(truths)
    result = np.empty((len(truths), len(concepts)))
    for column, concept in enumerate(concepts):
        quantity, equals, value = concept.partition("=")
        if equals:
            spread = NUMBERS[quantity][0]
            off = (hearts.measured[quantity] - float(value)) / spread
            result[:, column] = np.exp(-(off**2) / 2)
        else:
            result[:, column] = RULES[concept](hearts)
    return result


def degree(concept: str, truth: HeartTruth) -> float:
    """How true one concept is of one heart, 0 to 1."""
    return float(degrees((concept,), (truth,))[0, 0])
