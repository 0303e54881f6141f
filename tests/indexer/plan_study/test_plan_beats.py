"""Phases in order, one acquisition of a slice at a time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.plan import plan_study
from indexer.plan.beats import Course, rr_of, timing_of
from retrieval.values.study import State
from tests.indexer.plan_study.scans import SAX, cine, cine_stack, flat, lge, perfusion, study


def uids(frames):
    return [f.instance_uid for f in frames]


@settings(deadline=None, max_examples=40)
@given(frames=st.permutations(cine(phases=12)), numbers=st.permutations(range(12)))
def test_phases_follow_trigger_time_whatever_the_order_and_numbers(frames, numbers):
    told = [replace(f, instance_number=n) for f, n in zip(frames, numbers, strict=True)]
    timing = timing_of(told)
    assert uids(timing.frames) == uids(sorted(told, key=lambda f: f.trigger_ms))
    assert list(timing.times_ms) == sorted(f.trigger_ms for f in told)
    assert timing.course is Course.BEAT


def test_each_slice_keeps_its_own_timing():
    slices = [
        cine(at=at, rr=rr, begun=3.6e7 + 2e4 * i) for i, (at, rr) in
        enumerate([(0, 760.0), (10, 810.0), (20, 735.0)])
    ]  # fmt: skip
    clips = plan_study(study(flat(slices))).series[0].clips
    assert sorted(c.rr_ms for c in clips) == [735.0, 760.0, 810.0]
    for clip in clips:
        assert clip.frame_times_ms == tuple(f.trigger_ms for f in clip.frames)
        assert clip.frame_times_ms[-1] < clip.rr_ms


@pytest.mark.parametrize(
    ("header", "rr"),
    [
        ({"rr_ms": 812.0, "heart_rate_bpm": 60.0}, 812.0),
        ({"rr_ms": None, "heart_rate_bpm": 75.0}, 800.0),
        ({"rr_ms": 12.0, "heart_rate_bpm": 75.0}, 800.0),
        ({"rr_ms": None, "heart_rate_bpm": None}, 850.0),
    ],
)
def test_length_of_the_beat(header, rr):
    frames = [replace(f, **header) for f in cine(rr=850.0)]
    assert timing_of(frames).rr_ms == pytest.approx(rr)


def test_an_rr_interval_no_heart_has_is_unknown():
    assert rr_of([replace(f, rr_ms=90_000.0, heart_rate_bpm=None) for f in cine()]) is None


@pytest.mark.parametrize("shift", [0.0, 3.0, 17.0])
def test_of_two_breath_holds_the_later_is_kept_and_they_never_mix(shift):
    """The second at another heart rate, or with the same or half-way trigger times."""
    first = cine(rr=850.0, begun=3.6e7)
    second = [
        replace(f, trigger_ms=f.trigger_ms + shift) for f in cine(rr=850.0, begun=3.6e7 + 25_000)
    ]
    plan = plan_study(study(first + second)).series[0]
    (clip,) = plan.clips
    assert uids(clip.frames) == uids(second)
    assert sorted(u for u, _ in plan.unused) == sorted(uids(first))
    assert {why for _, why in plan.unused} == {
        "acquired again: a later acquisition of this slice is kept"
    }


def test_a_breath_hold_broken_off_does_not_replace_a_whole_one():
    whole = cine(begun=3.6e7)
    aborted = cine(begun=3.6e7 + 25_000)[:9]
    assert uids(timing_of(whole + aborted).frames) == uids(whole)


def test_copies_without_a_clock_are_parted_by_trigger_time():
    frames = [replace(f, acquired_ms=None, content_ms=None) for f in cine()]
    again = [replace(f, instance_uid=f.instance_uid + ".2") for f in frames]
    timing = timing_of(again + frames)
    assert len(timing.frames) == len(timing.repeats) == 25
    assert len({f.trigger_ms for f in timing.frames}) == 25


def test_phases_from_two_breath_holds_make_one_beat():
    """Old protocols take the first half of the phases in one, the second in another."""
    frames = cine()
    late = [replace(f, acquired_ms=f.acquired_ms + 20_000) for f in frames[13:]]
    assert uids(timing_of(frames[:13] + late).frames) == uids(frames)


def test_a_beat_with_phases_missing_is_kept():
    plan = plan_study(study(cine()[::3])).series[0]
    assert (plan.state, plan.phases) == (State.INDEXED, 9)


def test_a_slice_with_too_few_phases_costs_no_other_slice():
    slices = cine_stack(slices=5)
    plan = plan_study(study(flat([*slices[:4], slices[4][:6]]))).series[0]
    assert (plan.state, plan.slices, len(plan.clips)) == (State.INDEXED, 4, 4)
    assert {u for u, _ in plan.unused} == set(uids(slices[4][:6]))
    assert "at least 8 phases" in plan.unused[0][1]


def test_phases_that_nothing_puts_in_order_are_no_cine():
    frames = [
        replace(f, trigger_ms=None, acquired_ms=None, content_ms=None) for f in cine(phases=20)
    ]
    plan = plan_study(study(flat(cine_stack()), frames)).series[1]
    assert plan.state is State.EXCLUDED
    assert not plan.clips


def test_perfusion_is_in_order_of_the_run():
    frames = perfusion(frames=40)
    (clip,) = plan_study(study(cine(at=30), frames[::-1])).series[1].clips
    assert uids(clip.frames) == uids(frames)
    assert clip.frame_times_ms[0] == 0
    assert clip.frame_times_ms[-1] == pytest.approx(39 * 800)
    assert clip.rr_ms is None


def test_perfusion_by_trigger_times_over_the_run():
    frames = [
        replace(f, trigger_ms=100 + 800.0 * k, acquired_ms=None, content_ms=None)
        for k, f in enumerate(perfusion(frames=40))
    ]
    (clip,) = plan_study(study(cine(at=30), frames)).series[1].clips
    assert clip.frame_times_ms == tuple(800.0 * k for k in range(40))


def test_kinds_of_pictures_never_share_a_clip():
    """Even where nothing else tells the copies of a phase apart."""
    kinds = [("ORIGINAL", "PRIMARY", "M_FFE", "M"), ("ORIGINAL", "PRIMARY", "M_PCA", "M", "PCA")]
    frames = flat(cine(image_type=k, velocity_encoding=True) for k in kinds)
    named = [replace(f, instance_uid=f"5.{(7 * i) % 50}") for i, f in enumerate(frames)]
    clips = plan_study(study(named)).series[0].clips
    assert [{f.image_type for f in c.frames} for c in clips] in (
        [{kinds[0]}, {kinds[1]}],
        [{kinds[1]}, {kinds[0]}],
    )


def test_of_stills_at_one_slice_the_latest_is_kept():
    early, late = lge(begun=3.7e7), lge(begun=3.72e7)
    plan = plan_study(study(cine(SAX), [late, early])).series[1]
    (clip,) = plan.clips
    assert clip.frames == (late,)
    assert plan.unused == (
        (early.instance_uid, "acquired again: a later image of this slice is kept"),
    )
    assert clip.frame_times_ms == (620.0,)
    assert clip.rr_ms == 850.0
