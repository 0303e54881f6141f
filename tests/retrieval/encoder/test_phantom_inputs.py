"""The phantom encoder's input contract: which clips, at which scale."""

import random

import numpy as np
import pytest

from retrieval.encoder.phantom.inputs import (
    TECHNIQUES,
    VIEWS,
    InputContract,
    choose,
    prepare,
    standardise,
)
from retrieval.errors import UnusableSeries
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
