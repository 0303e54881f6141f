"""What two runs of one study say of each other."""

from dataclasses import replace

import pytest

from indexer.plan import plan_study
from retrieval.values.study import State, Technique
from tests.indexer.plan_study import scans
from tests.indexer.plan_study.scans import SAX, THREE, TWO, cine, cine_stack, flat, lge, study

SENSITIVE = {"image_type": ("ORIGINAL", "PRIMARY", "PSIR")}
FLOW = {"sequence": ("*FL2D1", "GR", "SP"), "te_ms": 2.6, "tr_ms": 42.0}
PHASE = FLOW | {"image_type": ("ORIGINAL", "PRIMARY", "P", "RETRO"), "velocity_encoding": True}


@pytest.mark.parametrize("together", [True, False], ids=["one series", "two series"])
def test_magnitude_and_phase_sensitive_image_are_one_clip(together):
    places = [8.0 * k for k in range(4)]
    magnitude = [lge(at=at) for at in places]
    sensitive = [lge(at=at, **SENSITIVE) for at in places]
    lists = [magnitude + sensitive] if together else [magnitude, sensitive]
    plans = plan_study(study(cine(), *lists)).series[1:]
    clips = [c for p in plans for c in p.clips]
    assert {f.instance_uid for c in clips for f in c.frames} == {f.instance_uid for f in sensitive}
    assert {c.variant for c in clips} == {"phase-sensitive"}
    assert [c.slice_count for c in clips] == [4] * 4
    unused = dict(plans[0].unused)
    assert unused == {f.instance_uid: "magnitude of a phase-sensitive pair" for f in magnitude}
    assert plans[0].technique is Technique.LGE
    assert plans[0].state is (State.INDEXED if together else State.EXCLUDED)
    assert plans[0].reason == ("" if together else "magnitude of a phase-sensitive pair")


def test_a_magnitude_from_another_time_or_place_is_no_pair():
    pair = [lge(**SENSITIVE)]
    earlier = [lge(begun=3.7e7)]
    beside = [lge(at=10.0)]
    plans = plan_study(study(cine(), pair, earlier, beside)).series[1:]
    assert [len(p.clips) for p in plans] == [1, 1, 1]
    assert plans[2].clips[0].variant == ""


@pytest.mark.parametrize("together", [True, False], ids=["one series", "two series"])
def test_the_magnitude_beside_velocity_images_is_flow(together):
    magnitude, phase = cine(THREE, **FLOW), cine(THREE, **PHASE)
    lists = [magnitude + phase] if together else [magnitude, phase]
    plans = plan_study(study(flat(cine_stack()), *lists)).series[1:]
    (clip,) = [c for p in plans for c in p.clips]
    assert clip.technique is Technique.FLOW
    assert set(clip.frames) == set(magnitude)
    assert {p.technique for p in plans} == {Technique.FLOW}


@pytest.mark.parametrize("other", [{"te_ms": 1.3}, {"tr_ms": 38.0}])
def test_a_cine_in_the_plane_of_a_flow_measurement_stays_a_cine(other):
    plans = plan_study(study(cine(THREE, **PHASE), cine(THREE, **(FLOW | other)))).series
    assert plans[1].technique is Technique.CINE


def test_a_cine_in_another_plane_than_flow_stays_a_cine():
    plans = plan_study(study(cine(THREE, **PHASE), cine(TWO, **FLOW))).series
    assert plans[1].technique is Technique.CINE


def test_early_enhancement_has_the_longer_time_and_comes_first():
    early = [lge(begun=3.70e7, ti_ms=450.0)]
    late = [lge(begun=3.75e7, ti_ms=290.0)]
    plans = plan_study(study(cine(), early, late)).series
    assert [p.technique for p in plans[1:]] == [Technique.EARLY_ENHANCEMENT, Technique.LGE]


@pytest.mark.parametrize(
    ("first", "then"),
    [(450.0, 430.0), (300.0, 290.0), (390.0, 250.0)],
)
def test_late_enhancement_twice_is_late_both_times(first, then):
    runs = [[lge(begun=3.70e7, ti_ms=first)], [lge(begun=3.75e7, ti_ms=then)]]
    plans = plan_study(study(cine(), *runs)).series
    assert [p.technique for p in plans[1:]] == [Technique.LGE, Technique.LGE]


def test_a_long_time_after_a_short_one_is_not_early():
    runs = [[lge(begun=3.75e7, ti_ms=450.0)], [lge(begun=3.70e7, ti_ms=290.0)]]
    plans = plan_study(study(cine(), *runs)).series
    assert plans[1].technique is Technique.LGE


def variants(*lists):
    return [p.clips[0].variant for p in plan_study(study(*lists)).series]


def test_cines_on_both_sides_of_contrast_are_told_apart_by_header():
    found = variants(cine(TWO, contrast=False), cine(SAX, contrast=True))
    assert found == ["before contrast", "after contrast"]


def test_cines_on_both_sides_of_contrast_are_told_apart_by_the_clock():
    """GE and others name the agent in some series only."""
    before, after = cine(TWO, begun=3.60e7), cine(SAX, begun=3.78e7)
    assert variants(before, [lge(begun=3.75e7)], after) == [
        "before contrast",
        "",
        "after contrast",
    ]


def test_cines_on_one_side_need_no_telling_apart():
    assert variants(cine(TWO), cine(SAX), [lge()]) == ["", "", ""]


def test_cines_are_told_apart_by_words_last():
    said = {"series_description": "cine sax post Gd"}
    nothing = [replace(f, contrast=None) for f in cine(SAX, **said)]
    assert variants(cine(TWO, series_description="cine 2ch nativ"), nothing) == [
        "before contrast",
        "after contrast",
    ]


@pytest.mark.parametrize(
    ("said", "variant"),
    [
        ({"series_description": "STRESS_perf_3sl"}, "stress"),
        ({"protocol_name": "Perfusion Ruhe"}, "rest"),
        ({"image_type": ("ORIGINAL", "PRIMARY", "PERFUSION", "REST")}, "rest"),
        ({}, ""),
    ],
)
def test_rest_and_stress(said, variant):
    assert variants(scans.perfusion(**said), cine()) == [variant, ""]
