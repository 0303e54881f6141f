"""Techniques, from header sets as Siemens, Philips and GE scanners write them."""

from dataclasses import replace

import numpy as np
import pytest

from indexer.plan import plan_study
from retrieval.values.study import State, Technique
from tests.indexer.plan_study import scans
from tests.indexer.plan_study.scans import FOUR, SAX, TWO, cine, image, lge, perfusion, study

CINE_SAX = scans.flat(scans.cine_stack())
"""Beside it, whatever has no heartbeat in its own headers is known to be of a heart."""

BASE = 37_000_000.0


def philips_cine():
    tags = {"sequence": ("GR", "SS", "OTHER", "FC"), "tr_ms": 3.1, "te_ms": 1.55}
    return cine(
        phases=30,
        **tags,
        image_type=("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"),
        complex_component="MAGNITUDE",
    )


def ge_cine():
    tags = {"sequence": ("GR", "SS", "FAST_GEMS", "SEQ_GEMS", "CG"), "tr_ms": 3.4, "te_ms": 1.5}
    return cine(phases=20, **tags, image_type=("ORIGINAL", "PRIMARY", "OTHER"))


def spoiled_cine():
    return cine(phases=25, sequence=("*FL2D1_22", "GR", "SP", "SK"), te_ms=2.8, flip_deg=15.0)


def cine_without_trigger():
    """An anonymiser took the trigger times; phases are numbered."""
    return [
        replace(f, trigger_ms=None, temporal_position=p + 1) for p, f in enumerate(cine(phases=30))
    ]


def cine_without_beat():
    """An anonymiser took the RR interval."""
    return [replace(f, rr_ms=None, phase_count=None) for f in cine()]


def siemens_ti_scout():
    return [
        image(
            SAX,
            trigger_ms=20.0 + 22.5 * k,
            ti_ms=85.0 + 22.5 * k,
            acquired_ms=BASE,
            rr_ms=850.0,
            sequence=("*TFI2D1_13", "GR", "IR", "SS"),
            te_ms=1.1,
        )
        for k in range(30)
    ]


def ti_scout_without_times():
    """GE writes a cine with an inversion pulse and no inversion times."""
    return cine(phases=30, sequence=("GR", "IR", "SK", "FAST_GEMS", "CG"), te_ms=1.4)


def molli():
    """5(3)3: always the same moment of the beat, TI running over several beats."""
    times = (120.0, 970.0, 1820.0, 2670.0, 3520.0, 200.0, 1050.0, 1900.0)
    return [
        image(
            SAX,
            trigger_ms=560.0 + (k % 3),
            ti_ms=ti,
            acquired_ms=BASE + 900.0 * k,
            rr_ms=850.0,
            sequence=("*TFI2D1_83", "GR", "IR", "SS"),
            te_ms=1.1,
        )
        for k, ti in enumerate(times)
    ]


def t1_map_siemens():
    kind = ("DERIVED", "PRIMARY", "T1 MAP", "NORM", "MOCO")
    return [image(SAX, trigger_ms=560.0, rr_ms=850.0, image_type=kind, te_ms=1.1)]


def t2_map_siemens():
    kind = ("DERIVED", "PRIMARY", "T2 MAP", "NORM", "MOCO")
    return [image(SAX, trigger_ms=560.0, rr_ms=850.0, image_type=kind, te_ms=1.3)]


def t1_map_by_unit():
    return [image(SAX, rr_ms=850.0, unit="ms", sequence=("GR", "IR"), te_ms=1.1)]


def t2_star_map():
    kind = ("DERIVED", "PRIMARY", "T2_STAR MAP")
    return [image(SAX, rr_ms=850.0, image_type=kind, unit="ms")]


def t2_star_echoes():
    return [
        image(
            SAX, trigger_ms=400.0, rr_ms=850.0, te_ms=2.1 + 2.2 * k, sequence=("GR", "SP"), tr_ms=20
        )
        for k in range(8)
    ]


def grase():
    return [
        image(SAX, trigger_ms=400.0, rr_ms=850.0, te_ms=9.0 * (k + 1), sequence=("SE", "EP"))
        for k in range(9)
    ]


def t2_prepared_sources():
    tags = ("*TFI2D1_T2PREP", "GR", "SS")
    return [
        image(SAX, trigger_ms=560.0, rr_ms=850.0, acquired_ms=BASE + 3400 * k, sequence=tags)
        for k in range(3)
    ]


def stir():
    return [
        image(SAX, trigger_ms=610.0, rr_ms=850.0, te_ms=64.0, ti_ms=170.0, tr_ms=1700.0,
              sequence=("*TIR2D1_21", "SE", "IR", "SK"))
    ]  # fmt: skip


def t1_spin_echo():
    return [image(SAX, rr_ms=850.0, te_ms=7.0, tr_ms=800.0, sequence=("SE", "SK"))]


def tagged():
    return cine(phases=20, tagging=True, sequence=("GR", "SP"), te_ms=2.5)


def tagged_by_words():
    return cine(phases=20, sequence=("GR", "SP"), te_ms=2.5, series_description="sax_CSPAMM_grid")


def perfusion_philips():
    """All dynamics carry one acquisition time; only their number tells them apart."""
    return [
        replace(f, acquired_ms=BASE, trigger_ms=120.0, temporal_position=k + 1)
        for k, f in enumerate(perfusion(frames=40))
    ]


def perfusion_by_trigger():
    """Trigger times that grow over the whole run."""
    return [replace(f, acquired_ms=BASE, trigger_ms=800.0 * k) for k, f in enumerate(perfusion())]


def perfusion_every_other_beat():
    return perfusion(frames=30, rr=1700.0, rr_ms=850.0)


def perfusion_with_whole_seconds():
    """A fast heart and a clock without fractions: two images may carry one time."""
    return [
        replace(f, acquired_ms=float(round(f.acquired_ms, -3)), trigger_ms=90.0)
        for f in perfusion(rr=600.0, rr_ms=600.0)
    ]


def real_time_with_whole_seconds():
    return [replace(f, acquired_ms=float(round(f.acquired_ms, -3))) for f in real_time_by_clock()]


def real_time_without_clock():
    return [replace(f, acquired_ms=BASE) for f in real_time_by_clock()]


def flow_with_two_magnitudes():
    """Philips: magnitude, and magnitude of the complex difference, at the same phases."""
    frames = [
        cine(velocity_encoding=True, sequence=("GR", "SP"), te_ms=2.9, image_type=kind)
        for kind in (
            ("ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"),
            ("ORIGINAL", "PRIMARY", "M_PCA", "M", "PCA"),
        )
    ]
    return scans.flat(frames)


def numbered_echoes():
    return [
        replace(f, image_type=("ORIGINAL", "PRIMARY", "M", "ND", f"ECHO_{k:02}"))
        for k, f in enumerate(t2_star_echoes())
    ]


def map_of_a_third_party():
    kind = ("DERIVED", "SECONDARY")
    return [lge(image_type=kind, series_description="T1 MAP native", ti_ms=120.0)]


def diffusion():
    return [image(SAX, rr_ms=850.0, te_ms=70.0, sequence=("SE", "EP"))]


def real_time_by_clock():
    """Delays start again with every beat; the clock does not."""
    return [
        image(
            SAX, trigger_ms=(41.0 * k) % 850, acquired_ms=BASE + 41.0 * k, rr_ms=850.0, **scans.SSFP
        )
        for k in range(120)
    ]


def real_time_by_trigger():
    return [
        image(SAX, trigger_ms=41.0 * k, acquired_ms=BASE, rr_ms=850.0, **scans.SSFP)
        for k in range(120)
    ]


def velocity():
    return cine(
        image_type=("ORIGINAL", "PRIMARY", "P", "RETRO"),
        sequence=("*FL2D1_V150IN", "GR", "SP"),
        velocity_encoding=True,
        te_ms=2.6,
    )


def flow_magnitude():
    return cine(sequence=("*FL2D1", "GR", "SP"), velocity_encoding=True, te_ms=2.6)


def psir():
    return [lge(image_type=("ORIGINAL", "PRIMARY", "R_IR", "R", "IR"))]


def lge_ge():
    tags = ("GR", "SK", "FAST_GEMS", "SEQ_GEMS", "IRP_GEMS", "CG")
    return [lge(sequence=tags, ti_ms=225.0)]


def lge_without_time():
    return [lge(ti_ms=None)]


def lge_by_contrast():
    """Neither inversion time nor flag: timed, spoiled, after contrast."""
    return [lge(ti_ms=None, sequence=("GR", "SP"))]


def lge_by_words():
    return [lge(ti_ms=None, sequence=("GR",), contrast=None, series_description="DE_sax_segmented")]


def lge_three_planes():
    return [lge(n) for n in (TWO, FOUR, SAX)]


def bright_stack():
    return [image(SAX, at=8.0 * k, sequence=("GR", "SS"), te_ms=1.2) for k in range(10)]


def haste_scouts():
    return [image(n, sequence=("SE", "SK"), te_ms=65.0) for n in np.eye(3)]


def whole_heart():
    return [
        image(SAX, at=1.2 * k, thickness_mm=1.2, sequence=("GR", "SS", "T2PREP"), trigger_ms=600.0)
        for k in range(90)
    ]


def molli_without_delays():
    return [replace(f, trigger_ms=None) for f in molli()]


def real_time_that_fills_the_beat_evenly():
    """Three beats whose images fall between each other's."""
    step = 850.0 / (20 + 1 / 3)
    return [
        image(
            SAX, trigger_ms=(step * k) % 850, acquired_ms=BASE + step * k, rr_ms=850.0, **scans.SSFP
        )
        for k in range(61)
    ]


def angiography():
    """After contrast, but the heart was not waited for."""
    return [replace(lge(ti_ms=None, sequence=("GR", "SP")), trigger_ms=None)]


def long_inversion():
    """Longer than any time that nulls myocardium after contrast."""
    return [lge(ti_ms=1200.0, contrast=None)]


def cine_without_times():
    return [replace(f, trigger_ms=None, content_ms=None) for f in cine()]


def half_a_cine():
    return cine()[:5]


def one_phase_of_a_cine():
    return cine()[:1]


KEPT = [
    (cine, Technique.CINE),
    (philips_cine, Technique.CINE),
    (ge_cine, Technique.CINE),
    (spoiled_cine, Technique.CINE),
    (cine_without_trigger, Technique.CINE),
    (cine_without_beat, Technique.CINE),
    (t1_map_siemens, Technique.T1_MAP),
    (t1_map_by_unit, Technique.T1_MAP),
    (t2_map_siemens, Technique.T2_MAP),
    (t2_star_map, Technique.T2_STAR),
    (t2_star_echoes, Technique.T2_STAR),
    (stir, Technique.T2_WEIGHTED),
    (tagged, Technique.TAGGING),
    (tagged_by_words, Technique.TAGGING),
    (perfusion, Technique.PERFUSION),
    (perfusion_philips, Technique.PERFUSION),
    (perfusion_by_trigger, Technique.PERFUSION),
    (perfusion_every_other_beat, Technique.PERFUSION),
    (perfusion_with_whole_seconds, Technique.PERFUSION),
    (flow_magnitude, Technique.FLOW),
    (flow_with_two_magnitudes, Technique.FLOW),
    (numbered_echoes, Technique.T2_STAR),
    (map_of_a_third_party, Technique.T1_MAP),
    (psir, Technique.LGE),
    (lambda: [lge()], Technique.LGE),
    (lge_ge, Technique.LGE),
    (lge_without_time, Technique.LGE),
    (lge_by_contrast, Technique.LGE),
    (lge_by_words, Technique.LGE),
    (lge_three_planes, Technique.LGE),
]

NOT_KEPT = [
    (siemens_ti_scout, Technique.TI_SCOUT, "TI scout"),
    (ti_scout_without_times, Technique.TI_SCOUT, "TI scout"),
    (molli, Technique.T1_MAP, "source images of a T1 map"),
    (grase, Technique.T2_MAP, "source images of a T2 map"),
    (t2_prepared_sources, Technique.T2_MAP, "source images of a T2 map"),
    (t1_spin_echo, Technique.UNKNOWN, "spin echo at TE 7 ms"),
    (real_time_by_clock, Technique.UNKNOWN, "real-time run of 120 images"),
    (real_time_by_trigger, Technique.UNKNOWN, "real-time run of 120 images"),
    (real_time_with_whole_seconds, Technique.UNKNOWN, "real-time run of 120 images"),
    (real_time_without_clock, Technique.UNKNOWN, "real-time run of 120 images"),
    (real_time_that_fills_the_beat_evenly, Technique.UNKNOWN, "real-time run of 61 images"),
    (molli_without_delays, Technique.T1_MAP, "source images of a T1 map"),
    (angiography, Technique.LOCALISER, "localiser"),
    (long_inversion, Technique.LOCALISER, "localiser"),
    (diffusion, Technique.UNKNOWN, "spin echo at TE 70 ms"),
    (velocity, Technique.FLOW, "velocity images"),
    (scans.localiser, Technique.LOCALISER, "localiser"),
    (haste_scouts, Technique.LOCALISER, "localiser"),
    (bright_stack, Technique.LOCALISER, "localiser"),
    (whole_heart, Technique.UNKNOWN, "a volume of 90 thin slices"),
    (cine_without_times, Technique.UNKNOWN, "25 phases of a beat: no header tells their order"),
    (half_a_cine, Technique.UNKNOWN, "5 phases of a beat: a cine needs at least 8"),
    (one_phase_of_a_cine, Technique.UNKNOWN, "1 phases of a beat"),
]


def _name(value):
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("frames", "technique"), KEPT, ids=_name)
def test_what_becomes_clips(frames, technique):
    plan = plan_study(study(CINE_SAX, frames())).series[1]
    assert (plan.technique, plan.state, plan.reason) == (technique, State.INDEXED, "")
    assert plan.clips
    assert {c.technique for c in plan.clips} == {technique}


@pytest.mark.parametrize(("frames", "technique", "reason"), NOT_KEPT, ids=_name)
def test_what_is_listed_but_makes_no_clip(frames, technique, reason):
    plan = plan_study(study(CINE_SAX, frames())).series[1]
    assert (plan.technique, plan.state) == (technique, State.EXCLUDED)
    assert plan.reason.startswith(reason)
    assert not plan.clips
    assert [why for _, why in plan.unused] == [plan.reason] * len(frames())


NEEDS_WORDS = (tagged_by_words, lge_by_words)
READS_WORDS = (*NEEDS_WORDS, lge_by_contrast, map_of_a_third_party)
"""Where headers give a hint only, words may overrule it."""


@pytest.mark.parametrize("frames", [k[0] for k in KEPT if k[0] not in READS_WORDS], ids=_name)
def test_words_that_lie_change_nothing(frames):
    lies = {"series_description": "LOCALIZER", "protocol_name": "cine 2ch"}
    plan = plan_study(study(CINE_SAX, frames())).series[1]
    lied = plan_study(study(CINE_SAX, [replace(f, **lies) for f in frames()])).series[1]
    assert (lied.technique, lied.view) == (plan.technique, plan.view)


@pytest.mark.parametrize("frames", NEEDS_WORDS, ids=_name)
def test_words_decide_where_nothing_else_does(frames):
    silent = [replace(f, series_description="") for f in frames()]
    plan = plan_study(study(CINE_SAX, silent)).series[1]
    assert plan.technique not in (Technique.TAGGING, Technique.LGE)
