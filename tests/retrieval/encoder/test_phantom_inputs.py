"""The phantom encoder's input contract: which clips, at which scale."""

import json
import random
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from retrieval.encoder.phantom.inputs import (
    MAP_CEILING_MS,
    TECHNIQUES,
    VIEWS,
    InputContract,
    choose,
    known_view,
    prepare,
    standardise,
    standardise_map,
)
from retrieval.errors import UnusableSeries
from retrieval.geometry import heart
from retrieval.values.clip import identify
from retrieval.values.study import Technique, View
from tests.beating import disc, stack

CONTRACT = InputContract()
MIDDLE = CONTRACT.size_px // 2


def width_px(image):
    """Pixels of the middle row brighter than half."""
    return int((image[MIDDLE] > 0.5).sum())


@pytest.mark.parametrize("spacing", [0.9, 1.5, 2.3])
def test_a_millimetre_stays_a_millimetre(spacing):
    given = prepare(stack(3, spacing=spacing, size=round(230 / spacing)), CONTRACT)
    for pair in given.images:
        assert width_px(pair[0]) == pytest.approx(60 / CONTRACT.spacing_mm, abs=2)
        assert width_px(pair[1]) == pytest.approx(36 / CONTRACT.spacing_mm, abs=2)


def test_the_crop_follows_the_heart_not_the_field_of_view():
    given = prepare(stack(3, offset=(25.0, -18.0)), CONTRACT)
    bright = np.argwhere(given.images[0, 0] > 0.5).mean(axis=0)
    np.testing.assert_allclose(bright, (CONTRACT.size_px - 1) / 2, atol=2)


def test_brightness_is_relative_to_the_clip():
    plain, loud = (prepare(stack(3, gain=g), CONTRACT) for g in (1, 37))
    np.testing.assert_allclose(plain.images, loud.images, atol=0.02)
    low, high = np.percentile(plain.images[0], (2, 98))
    assert 0 <= low < 0.1
    assert 0.9 < high <= CONTRACT.ceiling


def test_a_still_shows_the_same_image_twice():
    given = prepare([disc(technique=Technique.LGE)], CONTRACT)
    np.testing.assert_array_equal(given.images[:, 0], given.images[:, 1])


def test_a_long_stack_is_thinned_evenly_from_end_to_end():
    clips = stack(20, gap=5.0)
    places = choose(clips, CONTRACT)
    heights = [p.position_mm for p in places]
    assert len(places) == CONTRACT.stack_limit
    assert heights[0] == pytest.approx(-47.5)
    assert heights[-1] == pytest.approx(47.5)
    assert max(np.diff(heights)) <= 10
    assert [p.gap_mm for p in places] == pytest.approx([95 / 11] * 12)


def test_positions_run_towards_the_apex_whichever_way_the_slices_lie():
    up = prepare(stack(4), CONTRACT)
    down = prepare(stack(4, gap=-10.0), CONTRACT)
    np.testing.assert_allclose(up.position_mm, [-15, -5, 5, 15])
    np.testing.assert_allclose(down.position_mm, up.position_mm)
    np.testing.assert_array_equal(up.gap_mm, 10)


def test_one_slice_imaged_twice_counts_once_and_the_plain_variant_is_taken():
    magnitude = stack(3, technique=Technique.LGE)
    phase = stack(3, technique=Technique.LGE, variant="phase-sensitive")
    places = choose([*phase, *magnitude], CONTRACT)
    assert [p.clip.record.id for p in places] == [c.record.id for c in magnitude]
    assert len(choose(phase, CONTRACT)) == 3


def test_side_information_names_technique_and_view():
    clips = [*stack(2), disc(View.FOUR_CHAMBER), disc(View.LVOT), disc(technique=Technique.LGE)]
    given = prepare(clips, CONTRACT)
    named = {(TECHNIQUES[t], VIEWS[v]) for t, v in zip(given.technique, given.view, strict=True)}
    assert named == {
        (Technique.CINE, View.SHORT_AXIS),
        (Technique.CINE, View.FOUR_CHAMBER),
        (Technique.CINE, View.OTHER),
        (Technique.LGE, View.SHORT_AXIS),
    }
    alone = [i for i, v in enumerate(given.view) if VIEWS[v] is not View.SHORT_AXIS]
    assert not given.position_mm[alone].any()
    assert not given.gap_mm[alone].any()


def test_few_planes_of_one_kind_are_taken():
    planes = [disc(View.FOUR_CHAMBER, height=20.0 * i, seed=i) for i in range(6)]
    assert len(choose(planes, CONTRACT)) == CONTRACT.plane_limit


def test_the_order_of_clips_does_not_matter():
    clips = [*stack(14, gap=6.0), disc(View.TWO_CHAMBER), *stack(3, technique=Technique.LGE)]
    plain = prepare(clips, CONTRACT)
    for seed in range(5):
        mixed = random.Random(seed).sample(clips, len(clips))
        again = prepare(mixed, CONTRACT)
        assert again.clips == plain.clips
        np.testing.assert_array_equal(again.images, plain.images)
        np.testing.assert_array_equal(again.position_mm, plain.position_mm)


def test_nothing_known_is_an_input_error():
    with pytest.raises(UnusableSeries, match="flow"):
        prepare([disc(technique=Technique.FLOW)], CONTRACT)


def test_a_blank_clip_gives_finite_numbers():
    blank = standardise(np.full((2, 96, 96), 7, np.float32), CONTRACT)
    assert np.isfinite(blank).all()
    assert not blank.any()


def volume(technique, level, **changes):
    """A still whose disc has the value `level`, and half of it around."""
    clip = disc(technique=technique, **changes)
    bright = clip.values() > 500
    return identify(clip.record, np.where(bright, level, level // 2).astype(np.int32))


@pytest.mark.parametrize(
    ("technique", "level", "share"),
    [(Technique.T1_MAP, 1000, 0.5), (Technique.T2_MAP, 48, 0.4), (Technique.T1_MAP, 9000, 1.4)],
)
def test_a_map_shows_its_milliseconds_beside_its_contrast(technique, level, share):
    given = prepare([volume(technique, level, unit="ms")], CONTRACT)
    relative, absolute = given.images[0]
    assert absolute[MIDDLE, MIDDLE] == pytest.approx(share, abs=0.01)
    assert relative[MIDDLE, MIDDLE] == pytest.approx(1, abs=0.05)
    assert not np.array_equal(relative, absolute)


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": ""},
        {"unit": "ms", "slope": 0.5},
        {"unit": "ms", "slope": 1.0, "intercept": 200.0},
    ],
)
def test_slope_and_intercept_count_and_plausible_values_need_no_unit(changes):
    clip = volume(Technique.T1_MAP, 1000, **changes)
    given = prepare([clip], CONTRACT)
    assert given.images[0, 1, MIDDLE, MIDDLE] == pytest.approx(
        float(clip.values().max()) / MAP_CEILING_MS[Technique.T1_MAP], abs=0.01
    )


@pytest.mark.parametrize(
    ("level", "unit"), [(9000, ""), (90, ""), (1000, "1/s"), (1, "s"), (1000, "%")]
)
def test_what_is_no_millisecond_counts_as_contrast_alone(level, unit):
    given = prepare([volume(Technique.T1_MAP, level, unit=unit)], CONTRACT)
    np.testing.assert_array_equal(given.images[:, 0], given.images[:, 1])


def test_an_inverted_map_keeps_its_values():
    clip = volume(Technique.T1_MAP, 1000, unit="ms")
    inverted = identify(replace(clip.record, monochrome1=True), clip.pixels)
    given = prepare([inverted], CONTRACT)
    assert given.images[0, 1, MIDDLE, MIDDLE] == pytest.approx(0.5, abs=0.01)


def test_maps_are_standardised_as_they_are_looked_at():
    values = np.random.default_rng(0).uniform(200, 1900, (96, 96)).astype(np.float32)
    pair = standardise_map(values, Technique.T1_MAP, CONTRACT)
    np.testing.assert_allclose(pair[1], values / 2000, rtol=1e-6)
    twice = np.stack([values, values])
    np.testing.assert_array_equal(pair[0], standardise(twice, CONTRACT)[0])


def first_pass_of(peaks=(3, 6), variant="", **changes):
    """Eight frames: the disc brightest at the first of `peaks`, its rim at the second."""
    still = disc(technique=Technique.PERFUSION, radius_mm=32.0, **changes)
    blood = disc(technique=Technique.PERFUSION, radius_mm=22.0, **changes).values()[0] > 500
    rim = (still.values()[0] > 500) & ~blood
    frames = np.full((8, *blood.shape), 100)
    for k in range(8):
        frames[k][blood] += max(0, 200 - 50 * abs(k - peaks[0]))
        frames[k][rim] += max(0, 60 - 10 * abs(k - peaks[1]))
    record = replace(still.record, phases=8, variant=variant)
    return identify(record, frames.astype(np.int32))


def test_a_first_pass_shows_blood_and_then_muscle():
    clip = first_pass_of((3, 6))
    blood, muscle = prepare([clip], CONTRACT).images[0]
    expected = heart.crop(clip, heart.heart_centre([clip]), size=96, spacing_mm=2.0)
    np.testing.assert_allclose(
        np.stack([blood, muscle]), standardise(expected[[3, 6]], CONTRACT), atol=1e-6
    )


def test_stress_is_preferred_to_rest_and_native_t1_alone_is_seen():
    rest, stress = (first_pass_of(variant=v) for v in ("rest", "stress"))
    assert [p.clip.record.variant for p in choose([rest, stress], CONTRACT)] == ["stress"]
    assert [p.clip.record.variant for p in choose([rest], CONTRACT)] == ["rest"]
    before, after = (
        volume(Technique.T1_MAP, 1000, variant=f"{side} contrast") for side in ("before", "after")
    )
    assert [p.clip.record.variant for p in choose([after, before], CONTRACT)] == ["before contrast"]
    assert not CONTRACT.sees(after.record)
    with pytest.raises(UnusableSeries):
        prepare([after], CONTRACT)


def everything():
    """More of every technique than any limit."""
    clips = [*stack(14, gap=6.0)]
    for technique in TECHNIQUES:
        clips += stack(11, gap=7.0, technique=technique) if technique is not Technique.CINE else []
        clips += [
            disc(view, technique, height=20.0 * i, seed=i)
            for view in (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.LVOT)
            for i in range(3)
        ]
    return clips


def test_no_study_exceeds_the_limits_and_every_kind_keeps_something():
    places = choose(everything(), CONTRACT)
    counts = Counter(p.clip.record.technique for p in places)
    assert tuple(counts[t] for t in TECHNIQUES) == CONTRACT.technique_limit
    assert len(places) == sum(CONTRACT.technique_limit) <= 35
    cine = [p for p in places if p.clip.record.technique is Technique.CINE]
    views = Counter(known_view(p.clip.record.view) for p in cine)
    assert views[View.SHORT_AXIS] == 11
    assert {views[v] for v in VIEWS[1:]} == {1}
    for technique in TECHNIQUES:
        heights = [
            p.position_mm
            for p in places
            if p.clip.record.technique is technique and p.clip.record.view is View.SHORT_AXIS
        ]
        assert len(heights) >= 2
        assert heights[0] == -heights[-1] < 0


def test_every_technique_is_read_whatever_the_order_of_clips():
    clips = [first_pass_of() if c.record.technique is Technique.PERFUSION else c
             for c in everything()]  # fmt: skip
    plain = prepare(clips, CONTRACT)
    again = prepare(random.Random(3).sample(clips, len(clips)), CONTRACT)
    assert again.clips == plain.clips
    np.testing.assert_array_equal(again.images, plain.images)
    assert set(plain.technique) == set(range(len(TECHNIQUES)))


def test_a_contract_survives_being_saved_as_json():
    assert InputContract.saved(json.loads(json.dumps(asdict(CONTRACT)))) == CONTRACT


@pytest.mark.parametrize(
    "changes",
    [
        {"techniques": (Technique.LGE, Technique.CINE), "technique_limit": (3, 3)},
        {"technique_limit": (3, 3)},
    ],
)
def test_a_contract_that_cannot_be_is_refused(changes):
    with pytest.raises(ValueError, match="technique"):
        InputContract(**changes)
