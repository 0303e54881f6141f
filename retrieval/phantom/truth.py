"""What is true of one simulated heart, measured from its own geometry."""

from dataclasses import dataclass
from enum import StrEnum

from retrieval.values.study import Sex


class Hypertrophy(StrEnum):
    """Where the wall is thick."""

    NONE = "none"
    CONCENTRIC = "concentric"
    SEPTAL = "septal"
    APICAL = "apical"


class ScarPattern(StrEnum):
    """Late enhancement pattern."""

    SUBENDOCARDIAL = "subendocardial"
    TRANSMURAL = "transmural"
    MID_WALL = "mid-wall"
    DIFFUSE = "diffuse"


class Territory(StrEnum):
    """Coronary territory of an infarct (AHA 17-segment model, Circulation 2002;105:539)."""

    LAD = "LAD"
    RCA = "RCA"
    LCX = "LCX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scar:
    """One enhancing region.

    Attributes
    ----------
    territory
        For infarct patterns; None for non-ischaemic ones.
    segments
        AHA segments 1 to 17 that it reaches.
    transmurality
        Share of the wall's thickness, 0 to 1.
    """

    pattern: ScarPattern
    territory: Territory | None
    segments: tuple[int, ...]
    transmurality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartTruth:
    """Parameters and measurements of one simulated heart.

    Volumes in mL, mass in g, lengths in mm, ejection fractions in per cent.
    Volumes are integrated from the rendered geometry, not copied from what was
    asked of it. Papillary muscles count as cavity.

    Attributes
    ----------
    wall_max_mm
        Largest end-diastolic LV wall thickness.
    hypokinetic_segments
        AHA segments whose motion is reduced or absent.
    effusion_mm
        Largest end-diastolic width of pericardial fluid; 0 for none.
    """

    sex: Sex
    age_years: int
    height_cm: float
    weight_kg: float
    bsa_m2: float
    heart_rate_bpm: float
    lvedv_ml: float
    lvesv_ml: float
    lvef_pct: float
    lv_mass_g: float
    wall_max_mm: float
    hypertrophy: Hypertrophy
    rvedv_ml: float
    rvesv_ml: float
    rvef_pct: float
    la_volume_ml: float
    ra_volume_ml: float
    aortic_root_mm: float
    effusion_mm: float
    hypokinetic_segments: tuple[int, ...]
    scars: tuple[Scar, ...]
