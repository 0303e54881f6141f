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
    SUBEPICARDIAL = "subepicardial"


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
    wall_min_mm
        Smallest mean end-diastolic thickness of the segments 1 to 16.
    thin_segments
        Segments 1 to 16 below 5.5 mm (Shah et al., JAMA 2013;309:909) that are
        also much thinner than the heart's own other segments.
    hypokinetic_segments
        AHA segments whose motion is reduced or absent, compared with what
        healthy muscle of the same heart would do.
    akinetic_segments, dyskinetic_segments
        Those of them that do not move, and those of these that bulge outwards
        at end-systole.
    dyssynchrony_ms
        How much later the lateral wall is halfway through its contraction than
        the septum.
    eccentricity_ed, eccentricity_es
        Diameter of the LV cavity along the septum by that across it, in the
        middle of the ventricle (Ryan et al., J Am Coll Cardiol 1985;5:918):
        about 1 in health; clearly above it the septum is flat and the left
        ventricle D-shaped.
    rv_wall_mm
        End-diastolic thickness of the right ventricle's free wall.
    effusion_mm
        Largest end-diastolic width of pericardial fluid; 0 for none.
    scar_share_pct
        Share of the LV muscle that enhances.
    acute
        Whether an infarct or an inflammation is days old: it has oedema.
    oedema_segments, defect_segments
        AHA segments with oedema, and those whose first pass of contrast is
        delayed under stress.
    native_t1_ms, native_t2_ms
        Of the muscle outside scar and oedema, at 1.5 T.
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
    wall_min_mm: float
    thin_segments: tuple[int, ...]
    akinetic_segments: tuple[int, ...]
    dyskinetic_segments: tuple[int, ...]
    dyssynchrony_ms: float
    eccentricity_ed: float
    eccentricity_es: float
    rv_wall_mm: float
    scar_share_pct: float
    acute: bool
    oedema_segments: tuple[int, ...]
    defect_segments: tuple[int, ...]
    native_t1_ms: float
    native_t2_ms: float
