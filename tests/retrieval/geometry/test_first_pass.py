"""The two moments of a first pass are found from pixels alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.geometry.first_pass import first_pass
from retrieval.values.clip import Clip, ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

FRAMES = 40
CENTRE = np.zeros(3)


def passing(
    *, left: int = 14, muscle: int = 26, gain: float = 1.0, noise: float = 4.0, **changes: object
) -> Clip:
    """A right ventricle, then a left one, then the muscle around it, brightest at given frames."""
    size, mm = 100, 1.8
    axis = (np.arange(size) - (size - 1) / 2) * mm
    away = np.hypot(axis[:, None], axis[None, :])
    cavity, wall = away < 22, (away >= 22) & (away < 31)
    right = np.hypot(axis[:, None], axis[None, :] + 48) < 20
    time = np.arange(FRAMES)

    def pulse(peak: float, width: float) -> np.ndarray:
        return np.exp(-(((time - peak) / width) ** 2))

    blood = 600 * (pulse(left, 3.5) + 0.25 * (time > left))
    uptake = 200 * np.where(time < muscle, pulse(muscle, 6.0), pulse(muscle, 20.0))
    frames = np.full((FRAMES, size, size), 100.0)
    for region, curve in (
        (right, 650 * pulse(left - 5, 3.0)),
        (cavity, blood),
        (wall, uptake),
    ):
        frames += region * curve[:, None, None]
    frames += np.random.default_rng(0).normal(0, noise, frames.shape)
    record = ClipRecord(
        study=StudyId("s"),
        series=SeriesId("x"),
        view=View.SHORT_AXIS,
        technique=Technique.PERFUSION,
        phases=FRAMES,
        rows=size,
        columns=size,
        spacing_mm=(mm, mm),
        position_mm=(float(axis[0]), float(axis[0]), 0.0),
    )
    return identify(replace(record, **changes), np.round(frames * gain).astype(np.int32))


@settings(deadline=None, max_examples=15)
@given(left=st.integers(9, 18), later=st.integers(6, 15), gain=st.floats(0.5, 20))
def test_blood_and_then_muscle_are_found_within_a_frame(left, later, gain):
    found = first_pass(passing(left=left, muscle=left + later, gain=gain), CENTRE)
    assert found[0] == pytest.approx(left, abs=1)
    assert found[1] == pytest.approx(left + later, abs=2)


def test_a_centre_beside_the_heart_still_finds_them():
    found = first_pass(passing(), np.array([-12.0, 10.0, 0.0]))
    assert found[0] == pytest.approx(14, abs=1)
    assert found[1] == pytest.approx(26, abs=2)


def test_a_bright_frame_out_of_order_changes_nothing():
    clip = passing()
    spoilt = clip.pixels.copy()
    spoilt[33] = 5000
    assert first_pass(identify(clip.record, spoilt), CENTRE) == first_pass(clip, CENTRE)


def test_inverted_storage_changes_nothing():
    clip = passing()
    dark = identify(replace(clip.record, monochrome1=True), 2000 - clip.pixels)
    assert first_pass(dark, CENTRE) == first_pass(clip, CENTRE)


def test_a_run_that_ends_with_the_blood_takes_its_last_frame_for_muscle():
    clip = passing()
    short = identify(replace(clip.record, phases=15), clip.pixels[:15].copy())
    assert first_pass(short, CENTRE) == (14, 14)


def test_one_frame_counts_as_both_and_a_blank_run_is_no_error():
    clip = passing()
    one = identify(replace(clip.record, phases=1), clip.pixels[:1].copy())
    assert first_pass(one, CENTRE) == (0, 0)
    blank = identify(clip.record, np.zeros_like(clip.pixels))
    assert first_pass(blank, CENTRE) == (0, FRAMES - 1)
