"""The measurements of simulated hearts as columns, and how far beyond normal they lie."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from retrieval.language.reference_ranges import reference_ranges
from retrieval.phantom.truth import HeartTruth, Hypertrophy, ScarPattern, Territory
from retrieval.values.study import Sex

Column = NDArray[np.float64]
"""(n,): one number per heart; a degree lies in [0, 1]."""

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

TERRITORIES: Mapping[Territory, frozenset[int]] = MappingProxyType(
    {
        Territory.LAD: frozenset({1, 2, 7, 8, 13, 14, 17}),
        Territory.RCA: frozenset({3, 4, 9, 10, 15}),
        Territory.LCX: frozenset({5, 6, 11, 12, 16}),
    }
)
"""AHA segments that a coronary artery usually supplies (same source)."""

INFARCT = (ScarPattern.SUBENDOCARDIAL, ScarPattern.TRANSMURAL)
NON_ISCHAEMIC = (ScarPattern.MID_WALL, ScarPattern.SUBEPICARDIAL)
FOCAL = INFARCT + NON_ISCHAEMIC

SURE = 0.15
"""Scale of doubt about whether a segment that is counted is there at all, in segments."""


def logistic(x: Column) -> Column:
    """1 / (1 + exp(-x)), safe for any finite x."""
    return 0.5 * (1 + np.tanh(x / 2))


class Hearts:
    """The measurements of n hearts as columns, and the degrees that follow from them."""

    def __init__(self, truths: Sequence[HeartTruth]) -> None:
        self.truths = truths
        self.female = np.array([t.sex is Sex.FEMALE for t in truths], dtype=bool)
        self.measured = {name: self.column(read) for name, read in _MEASURED.items()}

    def __len__(self) -> int:
        return len(self.truths)

    def column(self, read: Callable[[HeartTruth], float]) -> Column:
        """One number per heart, (n,) float64."""
        return np.array([read(t) for t in self.truths], dtype=np.float64)

    def distance(self, name: str) -> Column:
        """Signed distance beyond a limit of the table, in widths of that limit."""
        limit = reference_ranges().limits[name]
        at = np.where(self.female, limit.female, limit.male)
        sign = 1.0 if limit.above else -1.0
        return sign * (self.measured[limit.quantity] - at) / limit.width

    def beyond(self, name: str) -> Column:
        """Degree to which a limit of the table is passed."""
        return logistic(self.distance(name))

    def thick_at(self, *places: Hypertrophy) -> Column:
        """Degree of hypertrophy that lies in one of `places`."""
        return self.beyond("lv_hypertrophy") * self.column(lambda t: t.hypertrophy in places)

    def scarred(self, *patterns: ScarPattern, territory: Territory | None = None) -> Column:
        """1 where there is enhancement of one of the patterns (in the territory), else 0."""
        return self.column(
            lambda t: any(
                s.pattern in patterns and s.segments and territory in (None, s.territory)
                for s in t.scars
            )
        )

    def scarred_segments(self, *patterns: ScarPattern) -> Column:
        """Number of segments that enhancement of one of the patterns reaches."""
        return self.column(lambda t: len(_reached(t, patterns)))

    def scarred_wall(self, wall: str) -> Column:
        """Share of a wall's segments that focal enhancement reaches."""
        segments = WALLS[wall]
        return self.column(lambda t: len(segments & _reached(t, FOCAL)) / len(segments))

    def infarcted_territories(self) -> Column:
        """Number of coronary territories with an infarct."""
        return self.column(
            lambda t: len({s.territory for s in t.scars if s.pattern in INFARCT and s.segments})
        )

    def transmural(self) -> Column:
        """Degree to which an infarct reaches through more than half of the wall."""
        depth = self.column(
            lambda t: max((s.transmurality for s in t.scars if s.pattern in INFARCT), default=0.0)
        )
        return logistic((depth - 0.6) / 0.05) * self.scarred(*INFARCT)

    def regional_distance(self) -> Column:
        """How far the count of segments that move too little lies between none and all.

        In widths of the nearer border, positive between them.
        """
        count = self.column(lambda t: len(t.hypokinetic_segments))
        return np.minimum((count - 1.5) / 0.25, (13.5 - count) / 0.5)

    def regional(self) -> Column:
        """Degree to which some, and not all, segments move too little."""
        count = self.column(lambda t: len(t.hypokinetic_segments))
        return logistic((count - 1.5) / 0.25) * logistic((13.5 - count) / 0.5)

    def regional_in(self, segments: frozenset[int]) -> Column:
        """Degree to which some segments take part in a regional abnormality."""
        share = self.column(lambda t: len(segments & set(t.hypokinetic_segments)) / len(segments))
        return self.regional() * logistic((share - 0.4) / 0.07)

    def defect_in(self, territory: Territory) -> Column:
        """Degree to which a perfusion defect lies in a territory."""
        segments = TERRITORIES[territory]
        share = self.column(lambda t: len(segments & set(t.defect_segments)) / len(segments))
        return logistic((share - 0.3) / 0.05)


def counted(read: Callable[[HeartTruth], Sequence[int]]) -> Callable[[Hearts], Column]:
    """Signed distance of a count of segments from "none", in widths of `SURE`."""
    return lambda h: (h.column(lambda t: len(read(t))) - 0.5) / SURE


def _reached(truth: HeartTruth, patterns: Sequence[ScarPattern]) -> set[int]:
    return {segment for s in truth.scars if s.pattern in patterns for segment in s.segments}


_MEASURED: Mapping[str, Callable[[HeartTruth], float]] = MappingProxyType(
    {
        "lvedv": lambda t: t.lvedv_ml,
        "lvesv": lambda t: t.lvesv_ml,
        "lvedv_index": lambda t: t.lvedv_ml / t.bsa_m2,
        "lvef": lambda t: t.lvef_pct,
        "wall": lambda t: t.wall_max_mm,
        "lv_mass": lambda t: t.lv_mass_g,
        "lv_mass_index": lambda t: t.lv_mass_g / t.bsa_m2,
        "mass_to_volume": lambda t: t.lv_mass_g / t.lvedv_ml,
        "rvedv": lambda t: t.rvedv_ml,
        "rvedv_index": lambda t: t.rvedv_ml / t.bsa_m2,
        "rvef": lambda t: t.rvef_pct,
        "rv_wall": lambda t: t.rv_wall_mm,
        "rv_to_lv": lambda t: t.rvedv_ml / t.lvedv_ml,
        "eccentricity": lambda t: max(t.eccentricity_ed, t.eccentricity_es),
        "dyssynchrony": lambda t: t.dyssynchrony_ms,
        "la_volume_index": lambda t: t.la_volume_ml / t.bsa_m2,
        "ra_volume_index": lambda t: t.ra_volume_ml / t.bsa_m2,
        "aortic_root": lambda t: t.aortic_root_mm,
        "effusion": lambda t: t.effusion_mm,
        "native_t1": lambda t: t.native_t1_ms,
        "native_t2": lambda t: t.native_t2_ms,
    }
)
