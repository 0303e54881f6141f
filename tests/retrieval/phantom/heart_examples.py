"""Hearts by their truth alone, for tests of what is said about them."""

from dataclasses import replace

from hypothesis import strategies as st

from retrieval.phantom.sentences import (
    CONCEPTS,
    DOUBT_CONCEPTS,
    NUMBER_CONCEPTS,
)
from retrieval.phantom.truth import HeartTruth, Hypertrophy, Scar, ScarPattern, Territory
from retrieval.values.finding import FindingName
from retrieval.values.study import Sex

ALL = (*CONCEPTS, *NUMBER_CONCEPTS, *DOUBT_CONCEPTS)

HEAD = {
    "lv_dilated": FindingName.LV_DILATION,
    "ef_reduced": FindingName.LV_DYSFUNCTION,
    "lvh": FindingName.LV_HYPERTROPHY,
    "rv_dilated": FindingName.RV_DILATION,
    "rvef_reduced": FindingName.RV_DYSFUNCTION,
    "wma": FindingName.WALL_MOTION,
    "la_dilated": FindingName.LA_DILATION,
    "ra_dilated": FindingName.RA_DILATION,
    "aorta_dilated": FindingName.AORTIC_DILATION,
    "effusion": FindingName.PERICARDIAL_EFFUSION,
    "scar": FindingName.SCAR,
    "enhancement_diffuse": FindingName.DIFFUSE_ENHANCEMENT,
    "rvh": FindingName.RV_HYPERTROPHY,
    "septal_flattening": FindingName.SEPTAL_FLATTENING,
    "oedema": FindingName.OEDEMA,
    "perfusion_defect": FindingName.PERFUSION_DEFECT,
    "myocarditis": FindingName.MYOCARDITIS,
}
CONCEPT_OF = {finding: concept for concept, finding in HEAD.items()}

NORMAL = HeartTruth(
    sex=Sex.FEMALE, age_years=50, height_cm=165, weight_kg=65, bsa_m2=1.73, heart_rate_bpm=65,
    lvedv_ml=125, lvesv_ml=48, lvef_pct=62, lv_mass_g=75, wall_max_mm=8,
    hypertrophy=Hypertrophy.NONE, rvedv_ml=125, rvesv_ml=52, rvef_pct=58, la_volume_ml=65,
    ra_volume_ml=70, aortic_root_mm=30, effusion_mm=0, hypokinetic_segments=(), scars=(),
    wall_min_mm=5.5, thin_segments=(), akinetic_segments=(), dyskinetic_segments=(),
    dyssynchrony_ms=0, eccentricity_ed=1.0, eccentricity_es=1.0, rv_wall_mm=2.5,
    scar_share_pct=0, acute=False, oedema_segments=(), defect_segments=(),
    native_t1_ms=968, native_t2_ms=50,
)  # fmt: skip

INFARCT = replace(
    NORMAL, sex=Sex.MALE, lvedv_ml=240, lvesv_ml=168, lvef_pct=30,
    hypokinetic_segments=(1, 7, 13, 14, 17),
    scars=(Scar(pattern=ScarPattern.TRANSMURAL, territory=Territory.LAD, segments=(7, 13),
                transmurality=0.9),),
)  # fmt: skip


@st.composite
def hearts(draw: st.DrawFn) -> HeartTruth:
    edv, ef = draw(st.floats(60, 380)), draw(st.floats(12, 78))
    rv_edv, rv_ef = draw(st.floats(60, 340)), draw(st.floats(15, 70))
    kind = draw(st.sampled_from((None, *ScarPattern)))
    ischaemic = kind in (ScarPattern.SUBENDOCARDIAL, ScarPattern.TRANSMURAL)
    segments = st.sampled_from(((), (7,), (3, 9, 10, 15), (1, 2, 7, 8, 13)))
    scar = kind and Scar(
        pattern=kind,
        territory=draw(st.sampled_from(Territory)) if ischaemic else None,
        segments=(7, 8),
        transmurality=draw(st.floats(0.2, 1)),
    )
    return replace(
        NORMAL,
        sex=draw(st.sampled_from((Sex.FEMALE, Sex.MALE))),
        bsa_m2=draw(st.floats(1.4, 2.5)),
        lvedv_ml=edv, lvef_pct=ef, lvesv_ml=edv * (1 - ef / 100),
        rvedv_ml=rv_edv, rvef_pct=rv_ef, rvesv_ml=rv_edv * (1 - rv_ef / 100),
        wall_max_mm=draw(st.floats(6, 28)),
        hypertrophy=draw(st.sampled_from(Hypertrophy)),
        la_volume_ml=draw(st.floats(30, 200)), ra_volume_ml=draw(st.floats(30, 220)),
        aortic_root_mm=draw(st.floats(24, 58)), effusion_mm=draw(st.floats(0, 25)),
        hypokinetic_segments=draw(st.sampled_from(((), (7,), (1, 7, 13), tuple(range(1, 18))))),
        scars=(scar,) if scar else (),
        thin_segments=draw(segments), dyskinetic_segments=draw(segments),
        oedema_segments=draw(segments), defect_segments=draw(segments), acute=draw(st.booleans()),
        dyssynchrony_ms=draw(st.floats(-20, 150)), eccentricity_ed=draw(st.floats(0.9, 1.6)),
        eccentricity_es=draw(st.floats(0.9, 1.6)), rv_wall_mm=draw(st.floats(2, 10)),
        native_t1_ms=draw(st.floats(900, 1150)), native_t2_ms=draw(st.floats(44, 65)),
    )  # fmt: skip


EXAMPLES = {
    "large": replace(NORMAL, lvedv_ml=300, lvef_pct=44, lvesv_ml=168, rvedv_ml=300, rvef_pct=22,
                     rvesv_ml=234, la_volume_ml=150, ra_volume_ml=160),
    "weak": replace(NORMAL, lvedv_ml=190, lvef_pct=45, rvedv_ml=195),
    "right": replace(NORMAL, rvedv_ml=195, rvef_pct=40),
    "thick": replace(NORMAL, wall_max_mm=24, lv_mass_g=180, lvedv_ml=70, lvef_pct=78,
                     hypertrophy=Hypertrophy.SEPTAL, aortic_root_mm=50),
    "apical": replace(NORMAL, wall_max_mm=17, hypertrophy=Hypertrophy.APICAL, effusion_mm=12),
    "amyloid": replace(NORMAL, wall_max_mm=17, hypertrophy=Hypertrophy.CONCENTRIC, scars=(
        Scar(pattern=ScarPattern.DIFFUSE, territory=None, segments=(1, 2), transmurality=0.5),)),
    "mid": replace(NORMAL, scars=(Scar(pattern=ScarPattern.MID_WALL, territory=None,
                                       segments=(2, 3), transmurality=0.3),)),
    "inferior": replace(NORMAL, hypokinetic_segments=(4, 10, 15), scars=(
        Scar(pattern=ScarPattern.SUBENDOCARDIAL, territory=Territory.RCA, segments=(4, 10),
             transmurality=0.4),)),
    "lateral": replace(NORMAL, hypokinetic_segments=(5, 6, 11, 12, 16), scars=(
        Scar(pattern=ScarPattern.SUBENDOCARDIAL, territory=Territory.LCX, segments=(5, 11),
             transmurality=0.4),)),
    "septal": replace(NORMAL, hypokinetic_segments=(2, 3, 8, 9, 14)),
    "larger": replace(NORMAL, lvedv_ml=120 * 1.73, rvedv_ml=125 * 1.73, la_volume_ml=150,
                      effusion_mm=25),
    "large enough": replace(NORMAL, lvedv_ml=104 * 1.73, lvef_pct=36, ra_volume_ml=160),
    "low": replace(NORMAL, lvef_pct=52.5, wall_max_mm=13.5, effusion_mm=7),
    "wide": replace(NORMAL, lvef_pct=65, lvedv_ml=240, native_t1_ms=1080, native_t2_ms=60),
    "pressed": replace(NORMAL, rv_wall_mm=8, eccentricity_es=1.5, dyssynchrony_ms=120,
                       rvedv_ml=200, rvef_pct=41),
    "blocked": replace(NORMAL, defect_segments=tuple(range(1, 18))),
    "inflamed": replace(NORMAL, acute=True, oedema_segments=(5, 11), scars=(
        Scar(pattern=ScarPattern.SUBEPICARDIAL, territory=None, segments=(5, 6, 11, 12, 16),
             transmurality=0.3),)),
    "many": replace(NORMAL, acute=True, oedema_segments=(7, 13, 4, 10),
                    thin_segments=(7, 13), dyskinetic_segments=(13, 17),
                    hypokinetic_segments=(1, 7, 13, 14, 17, 4, 10, 15), scars=(
        Scar(pattern=ScarPattern.TRANSMURAL, territory=Territory.LAD,
             segments=(1, 2, 7, 8, 13, 14, 17), transmurality=0.9),
        Scar(pattern=ScarPattern.TRANSMURAL, territory=Territory.RCA, segments=(4, 10, 15),
             transmurality=0.9))),
}  # fmt: skip
