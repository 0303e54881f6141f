"""Planned clips and decoded frames made into clips."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from indexer.plan import ClipPlan, assemble, plan_study
from retrieval.errors import UnusableSeries
from retrieval.values.clip import identify
from retrieval.values.study import SeriesId, StudyId, Technique, View
from tests.indexer.plan_study import scans
from tests.indexer.plan_study.scans import cine, cine_stack, flat, study

IDS = {"study": StudyId("a" * 24), "series": SeriesId("b" * 24)}
SHAPE = (6, 5)


def plan_of(frames, **fields):
    small = tuple(replace(f, rows=SHAPE[0], columns=SHAPE[1]) for f in frames)
    fields = {"view": View.SHORT_AXIS, "technique": Technique.CINE} | fields
    return ClipPlan(frames=small, **fields)


def images(count, dtype=np.uint16, high=900):
    rng = np.random.default_rng(3)
    return [rng.integers(0, high, SHAPE).astype(dtype) for _ in range(count)]


def test_what_the_headers_say_goes_into_the_record():
    raw = study(flat(cine_stack(slices=5, size=64)))
    plan = plan_study(raw).series[0].clips[2]
    pixels = [np.full((64, 64), p, np.int16) for p in range(25)]
    clip = assemble(plan, pixels, **IDS)
    record, first = clip.record, plan.frames[0]
    assert (record.study, record.series) == (IDS["study"], IDS["series"])
    assert (record.view, record.technique, record.oriented) == ("SAX", "cine", True)
    assert (record.phases, record.rows, record.columns) == (25, 64, 64)
    assert (record.slice_index, record.slice_count) == (2, 5)
    assert (record.spacing_mm, record.slice_spacing_mm) == ((1.6, 1.6), pytest.approx(10.0))
    assert record.thickness_mm == 8.0
    assert record.position_mm == first.position_mm
    np.testing.assert_allclose(record.row_direction, first.orientation[:3], atol=1e-6)
    np.testing.assert_allclose(record.column_direction, first.orientation[3:], atol=1e-6)
    assert record.frame_times_ms == tuple(f.trigger_ms for f in plan.frames)
    assert (record.rr_ms, record.tr_ms, record.te_ms, record.flip_deg) == (850.0, 38.0, 1.3, 60.0)
    assert record.ti_ms is None
    assert (record.slope, record.intercept, record.unit) == (1.0, 0.0, "")
    np.testing.assert_array_equal(clip.pixels[:, 0, 0], range(25))


def test_a_clip_is_named_by_its_content():
    plan, pixels = plan_of(cine(phases=3)), images(3)
    clip = assemble(plan, pixels, **IDS)
    assert clip.record.id == identify(clip.record, clip.pixels).record.id != ""
    assert assemble(plan, pixels[::-1], **IDS).record.id != clip.record.id


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, ">u2", "<u4"])
def test_the_decoders_choice_of_type_changes_nothing(dtype):
    plan, pixels = plan_of(cine(phases=3)), images(3, high=120)
    clip = assemble(plan, [i.astype(dtype) for i in pixels], **IDS)
    assert clip.record.id == assemble(plan, pixels, **IDS).record.id
    assert clip.pixels.dtype == np.uint8


@settings(deadline=None, max_examples=60)
@given(
    pixels=st.sampled_from(["u1", "i2", "u2", "i4", "u4"]).flatmap(
        lambda t: npst.arrays(t, (2, *SHAPE))
    )
)
def test_stored_values_are_kept_exactly(pixels):
    clip = assemble(plan_of(cine(phases=2)), list(pixels), **IDS)
    np.testing.assert_array_equal(clip.pixels, pixels)
    assert clip.pixels.dtype.itemsize <= pixels.dtype.itemsize


def test_floats_stay_floats():
    pixels = [i.astype(np.float32) / 7 for i in images(2)]
    clip = assemble(plan_of(cine(phases=2)), pixels, **IDS)
    np.testing.assert_array_equal(clip.pixels, pixels)
    assert clip.pixels.dtype == np.float32


def test_one_scale_is_kept_beside_the_stored_values():
    frames = [replace(f, slope=2.5, intercept=-4.0, unit="ms") for f in cine(phases=2)]
    clip = assemble(plan_of(frames), images(2), **IDS)
    assert (clip.record.slope, clip.record.intercept, clip.record.unit) == (2.5, -4.0, "ms")
    np.testing.assert_array_equal(clip.pixels, images(2))


def test_scales_that_differ_make_real_values():
    """Philips scales each image on its own."""
    frames = [replace(f, slope=1.0 + p, intercept=-3.0 * p) for p, f in enumerate(cine(phases=4))]
    pixels = images(4)
    clip = assemble(plan_of(frames), pixels, **IDS)
    assert (clip.record.slope, clip.record.intercept) == (1.0, 0.0)
    assert clip.pixels.dtype == np.float32
    expected = [i * f.slope + f.intercept for f, i in zip(frames, pixels, strict=True)]
    np.testing.assert_array_equal(clip.values(), np.array(expected, np.float32))


def test_polarity_is_kept():
    frames = [replace(f, monochrome1=True) for f in cine(phases=2)]
    clip = assemble(plan_of(frames), images(2), **IDS)
    assert clip.record.monochrome1
    np.testing.assert_array_equal(clip.brightness(), -clip.values())


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"monochrome1": True}, "mixes MONOCHROME1 and"), ({"unit": "ms"}, "values in")],
)
def test_frames_that_cannot_share_a_clip(fields, reason):
    first, second = cine(phases=2)
    with pytest.raises(UnusableSeries, match=reason):
        assemble(plan_of([first, replace(second, **fields)]), images(2), **IDS)


def test_an_image_of_another_shape_than_its_header_says():
    with pytest.raises(UnusableSeries, match=r"decodes to \(5, 6\); its header says \(6, 5\)"):
        assemble(plan_of(cine(phases=2)), [images(1)[0], images(1)[0].T], **IDS)


def test_images_and_frames_must_be_equally_many():
    with pytest.raises(ValueError, match="2 images were given for 3 frames"):
        assemble(plan_of(cine(phases=3)), images(2), **IDS)


def test_inversion_time_of_a_still():
    plan = plan_study(study(cine(), [scans.lge(size=8)])).series[1].clips[0]
    record = assemble(plan, [np.zeros((8, 8), np.uint16)], **IDS).record
    assert (record.ti_ms, record.rr_ms, record.frame_times_ms) == (300.0, 850.0, (620.0,))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("slopes", [(1.0, 1.0, 1.0), (1e9, 2e9, 1e9), (1e9, 1e9, 1e9)])
def test_pixels_that_are_no_finite_numbers_are_refused(value, slopes):
    """A vector made of them would match nothing, or everything."""
    frames = [replace(f, slope=s) for f, s in zip(cine(phases=3), slopes, strict=True)]
    pixels = images(3, np.float64)
    assert assemble(plan_of(frames), pixels, **IDS).record.phases == 3
    pixels[1][2, 2] = value
    with pytest.raises(UnusableSeries, match="no finite numbers"):
        assemble(plan_of(frames), pixels, **IDS)
