"""Phases come on at their own time in the beat."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.clip import ClipRecord
from retrieval.values.study import SeriesId, StudyId, Technique, View
from webui.beat import NOMINAL_BEAT_MS, beat_of

CLIP = ClipRecord(
    study=StudyId("a"),
    series=SeriesId("b"),
    view=View.SHORT_AXIS,
    technique=Technique.CINE,
    phases=4,
    rows=2,
    columns=2,
    spacing_mm=(1.0, 1.0),
)


def test_the_first_phase_is_at_zero_whatever_its_trigger_delay():
    clip = replace(CLIP, frame_times_ms=(15.0, 215.0, 415.0, 615.0), rr_ms=800.0)
    beat = beat_of(clip, 40.0)
    assert (beat.ms, beat.bpm, beat.starts) == (800.0, 75, (0.0, 0.25, 0.5, 0.75))


def test_uneven_frames_keep_their_own_times():
    clip = replace(CLIP, frame_times_ms=(0.0, 100.0, 500.0, 700.0), rr_ms=1000.0)
    assert beat_of(clip, None).starts == (0.0, 0.1, 0.5, 0.7)


def test_without_an_rr_interval_the_beat_ends_one_step_after_the_last_frame():
    clip = replace(CLIP, frame_times_ms=(0.0, 200.0, 400.0, 600.0))
    assert beat_of(clip, 30.0).ms == 800.0


def test_without_times_the_heart_rate_of_the_study_counts():
    beat = beat_of(CLIP, 120.0)
    assert (beat.ms, beat.known, beat.starts) == (500.0, True, (0.0, 0.25, 0.5, 0.75))


def test_without_anything_the_beat_is_nominal_and_says_so():
    beat = beat_of(CLIP, None)
    assert (beat.ms, beat.known, beat.bpm) == (NOMINAL_BEAT_MS, False, None)


def test_frames_beyond_the_next_r_wave_are_spread_evenly():
    clip = replace(CLIP, frame_times_ms=(0.0, 300.0, 600.0, 900.0), rr_ms=800.0)
    assert beat_of(clip, None).starts == (0.0, 0.25, 0.5, 0.75)


def test_a_still_has_one_phase_that_is_always_on():
    assert beat_of(replace(CLIP, phases=1), 60.0).starts == (0.0,)


@settings(deadline=None)
@given(
    st.integers(1, 60),
    st.floats(0, 50),
    st.floats(5, 60),
    st.none() | st.floats(300, 2000),
    st.none() | st.floats(30, 200),
)
def test_phases_always_lie_in_order_inside_one_beat(phases, delay, step, rr, rate):
    times = tuple(delay + step * i for i in range(phases)) if phases > 1 else ()
    clip = replace(CLIP, phases=phases, frame_times_ms=times, rr_ms=rr)
    starts = beat_of(clip, rate).starts
    assert len(starts) == phases
    assert starts[0] == 0
    assert all(a < b for a, b in zip(starts, (*starts[1:], 1.0), strict=True))


@pytest.mark.parametrize("rate", [38, 140])
def test_slow_and_fast_hearts_keep_their_rate(rate):
    clip = replace(CLIP, rr_ms=60_000 / rate)
    assert beat_of(clip, 72.0).bpm == rate
