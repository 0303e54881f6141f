"""The heart is found by its motion and shown at physical scale."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.geometry import heart
from retrieval.values.clip import Clip, ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

ROW = (0.6, 0.8, 0.0)
COLUMN = (0.0, 0.0, -1.0)


def record(**changes) -> ClipRecord:
    given = ClipRecord(
        study=StudyId("s"),
        series=SeriesId("x"),
        view=View.SHORT_AXIS,
        technique=Technique.CINE,
        phases=20,
        rows=180,
        columns=200,
        spacing_mm=(1.5, 1.25),
        position_mm=(-90.0, 40.0, 120.0),
        row_direction=ROW,
        column_direction=COLUMN,
    )
    return replace(given, **changes)


def beating_disc(where, *, phases=20, systole=0.35, monochrome1=False, **changes) -> Clip:
    """A bright disc at pixel `where` whose radius falls from 25 mm to 15 mm at `systole`."""
    r = record(phases=phases, monochrome1=monochrome1, **changes)
    y, x = np.mgrid[: r.rows, : r.columns]
    away = np.hypot((y - where[0]) * r.spacing_mm[0], (x - where[1]) * r.spacing_mm[1])
    fractions = np.arange(phases) / phases
    shape = np.interp(fractions, [0, systole, 2 * systole, 1], [25, 15, 25, 25])
    rng = np.random.default_rng(0)
    still = rng.integers(0, 40, away.shape)
    frames = np.stack([np.where(away < radius, 300, still) for radius in shape])
    return identify(r, (1000 - frames if monochrome1 else frames).astype(np.int16))


def stack(where, n=5, **kwargs):
    normal = np.cross(ROW, COLUMN)
    start = np.array(record().position_mm)
    return [
        beating_disc(
            where,
            slice_index=i,
            slice_count=n,
            position_mm=tuple(start + normal * 10 * i),
            **kwargs,
        )
        for i in range(n)
    ]


@pytest.mark.parametrize("where", [(90, 100), (70, 120), (115, 75)])
def test_the_centre_of_motion_is_found_to_three_millimetres(where):
    clips = stack(where)
    truth = np.mean([heart.point_of(c.record, where) for c in clips], axis=0)
    assert np.linalg.norm(heart.heart_centre(clips) - truth) < 3


def test_the_centre_does_not_depend_on_the_order_of_clips_or_on_monochrome():
    clips = stack((80, 110))
    there = heart.heart_centre(clips)
    assert np.allclose(heart.heart_centre(clips[::-1]), there)
    assert np.allclose(heart.heart_centre(stack((80, 110), monochrome1=True)), there, atol=0.5)


def test_short_axis_motion_decides_over_a_still_and_over_other_views():
    clips = stack((80, 110))
    other = beating_disc((30, 30), view=View.FOUR_CHAMBER)
    still = identify(record(phases=1, technique=Technique.LGE), np.zeros((1, 180, 200), np.int16))
    assert np.allclose(heart.heart_centre([other, still, *clips]), heart.heart_centre(clips))


def test_without_motion_the_middle_of_the_field_of_view_is_taken():
    still = identify(record(phases=1, technique=Technique.LGE), np.zeros((1, 180, 200), np.int16))
    row, column = heart.pixel_of(still.record, heart.heart_centre([still]))
    assert (row, column) == pytest.approx((89.5, 99.5), abs=1)


@given(row=st.floats(-50, 300), column=st.floats(-50, 300))
def test_point_and_pixel_are_inverse(row, column):
    r = record()
    assert heart.pixel_of(r, heart.point_of(r, (row, column))) == pytest.approx((row, column))


@settings(deadline=None, max_examples=20)
@given(spacing=st.floats(0.8, 2.4), size=st.sampled_from([64, 96, 97]))
def test_crop_keeps_millimetres(spacing, size):
    clip = beating_disc((90, 100), phases=2, systole=0.5)
    picture = heart.crop(
        clip, heart.point_of(clip.record, (90, 100)), size=size, spacing_mm=spacing
    )
    assert picture.shape == (2, size, size)
    assert picture.dtype == np.float32
    radius = np.sqrt((picture[0] > 170).sum() * spacing**2 / np.pi)
    assert radius == pytest.approx(25, abs=1.2)
    y, x = np.nonzero(picture[0] > 170)
    assert (y.mean(), x.mean()) == pytest.approx(((size - 1) / 2, (size - 1) / 2), abs=0.6)


def test_crop_at_the_clips_own_grid_copies_its_pixels():
    clip = beating_disc((90, 100), phases=2, spacing_mm=(1.25, 1.25))
    centre = heart.point_of(clip.record, (80.5, 100.5))
    picture = heart.crop(clip, centre, size=40, spacing_mm=1.25)
    assert np.allclose(picture, clip.values()[:, 61:101, 81:121], atol=1e-3)


def test_beyond_the_field_of_view_is_the_minimum():
    clip = beating_disc((90, 100), phases=2)
    outside = heart.point_of(clip.record, (-400, -400))
    picture = heart.crop(clip, outside, size=16, spacing_mm=2.0)
    assert np.all(picture == clip.values().min())


@pytest.mark.parametrize("systole", [0.25, 0.35, 0.5])
def test_end_systole_is_found_within_one_phase(systole):
    clips = stack((90, 100), systole=systole, phases=25)
    assert heart.end_systole(clips, heart.heart_centre(clips)) == pytest.approx(systole, abs=1 / 25)


def hardly_moving(seed, *, phases=30):
    """Noise, in which the disc shrinks by little, most at a third of the beat."""
    clip = beating_disc((90, 100), phases=phases, systole=1 / 3)
    mean = clip.values().mean(axis=0)
    noise = np.random.default_rng(seed).normal(0, 30, clip.pixels.shape)
    return identify(clip.record, (mean + 0.15 * (clip.values() - mean) + noise).astype(np.int16))


def test_the_systole_of_a_heart_that_hardly_moves_is_no_chance_maximum():
    centre = heart.point_of(record(), (90, 100))
    found = [heart.end_systole([hardly_moving(seed)], centre) for seed in range(12)]
    assert np.abs(np.array(found) - 1 / 3).max() < 0.02


def test_a_cine_in_which_nothing_changes_has_the_usual_systole():
    same = identify(record(), np.full((20, 180, 200), 7, np.int16))
    assert heart.end_systole([same], np.zeros(3)) == pytest.approx(1 / 3)


def test_two_phases_are_diastole_and_systole():
    clips = stack((90, 100), phases=2, systole=0.5)
    assert heart.phase_at(2, heart.end_systole(clips, heart.heart_centre(clips))) == 1


def test_stills_alone_have_the_usual_systole():
    still = identify(record(phases=1, technique=Technique.LGE), np.zeros((1, 180, 200), np.int16))
    assert heart.end_systole([still], np.zeros(3)) == pytest.approx(1 / 3)


def test_no_clips_is_an_error():
    with pytest.raises(ValueError, match="no clips"):
        heart.heart_centre([])
