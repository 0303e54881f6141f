"""Millimetres out of a segmentation agree with the shapes that were drawn."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoder.phantom.geometry import (
    CLIP_GEOMETRY,
    ED,
    LEAST_CAVITY_CM2,
    REGIONS,
    SECTOR_MOTION,
    SECTORS,
    SHARES,
    STUDY_GEOMETRY,
    clip_geometry,
    sector_motion,
    sectors,
    slice_thickness,
    study_geometry,
)

CELL_MM = 4.0
SIDE = 48
FINE = 8
AREAS = slice(0, len(REGIONS))
LV_ED, WALL_ED, RV_ED, LV_ES, WALL_ES = range(5)


def disc(radius_mm, at_mm=(0.0, 0.0), inner_mm=0.0):
    """Share of each cell that a ring around (x, y) covers, by fine sampling."""
    axis = (torch.arange(SIDE * FINE) + 0.5) / FINE * CELL_MM - SIDE * CELL_MM / 2
    far = torch.hypot(axis[None, :] - at_mm[0], axis[:, None] - at_mm[1])
    inside = ((far < radius_mm) & (far >= inner_mm)).float()
    return torch.nn.functional.avg_pool2d(inside[None], FINE)[0]


def heart(cavity=24.0, wall=9.0, at=(0.0, 0.0), rv_angle=math.pi, squeeze=0.7, es_at=None):
    """One short-axis clip: a round ventricle, a round right heart beside it."""
    inside = torch.zeros(len(REGIONS), SIDE, SIDE)
    late = at if es_at is None else es_at
    inside[LV_ED] = disc(cavity, at)
    inside[WALL_ED] = disc(cavity + wall, at, cavity)
    inside[LV_ES] = disc(cavity * squeeze, late)
    inside[WALL_ES] = disc(cavity * squeeze + 1.4 * wall, late, cavity * squeeze)
    away = cavity + wall + 20
    centre = (at[0] + away * math.cos(rv_angle), at[1] + away * math.sin(rv_angle))
    inside[RV_ED] = disc(18.0, centre)
    return inside


@settings(max_examples=25, deadline=None)
@given(cavity=st.floats(12, 34), wall=st.floats(6, 14), x=st.floats(-8, 8), y=st.floats(-8, 8))
def test_sectors_measure_radius_and_thickness(cavity, wall, x, y):
    ring = sectors(heart(cavity, wall, (x, y))[None], CELL_MM)[0]
    np.testing.assert_allclose(ring[:, 0] * 10, cavity, atol=1.2)
    np.testing.assert_allclose(ring[:, 1] * 10, wall, atol=1.2)
    np.testing.assert_allclose(ring[:, 2] * 10, 0.7 * cavity, atol=1.2)


def test_sectors_begin_at_the_right_ventricle_however_the_image_is_turned():
    def with_scar(turn):
        inside = heart(rv_angle=turn)
        ring = inside[WALL_ED]
        axis = (torch.arange(SIDE) + 0.5) * CELL_MM - SIDE * CELL_MM / 2
        angle = torch.atan2(axis[:, None], axis[None, :]) - turn - math.pi / 2
        near = torch.cos(angle) > math.cos(math.pi / 6)
        inside[REGIONS.index((ED, "scar"))] = ring * near
        return sectors(inside[None], CELL_MM)[0, :, 4]

    first = with_scar(math.pi)
    assert int(first.argmax()) == SECTORS // 4
    for turn in (math.pi - 1, 0.3, -2.0):
        np.testing.assert_allclose(with_scar(turn), first, atol=0.45)


def test_depth_tells_inner_from_outer_scar():
    depths = []
    for inner, outer in ((24.0, 28.0), (28.0, 33.0)):
        inside = heart(cavity=24.0, wall=9.0)
        inside[REGIONS.index((ED, "scar"))] = disc(outer, inner_mm=inner)
        depths.append(float(sectors(inside[None], CELL_MM)[0, :, 7].mean()))
    assert depths[0] < -0.1 < 0.1 < depths[1]


def test_other_planes_have_areas_and_no_ring():
    inside = heart()[None]
    plain = clip_geometry(inside, CELL_MM, torch.tensor([False]))
    assert plain.shape == (1, CLIP_GEOMETRY)
    assert not plain[:, 3 * len(REGIONS) :].any()
    area = math.pi * 2.4**2
    np.testing.assert_allclose(plain[0, LV_ED] * 20, area, rtol=0.02)


def stack_of(count, gap, radius=24.0, missing=()):
    clip = clip_geometry(heart(radius)[None], CELL_MM, torch.tensor([True]))
    present = torch.tensor([i not in missing for i in range(count)])[None]
    position = (torch.arange(count) - (count - 1) / 2)[None] * gap
    geometry = clip.expand(1, count, -1)
    return study_geometry(geometry, position, torch.full((1, count), gap), present)[0]


def test_volumes_are_areas_times_distances():
    told = stack_of(8, 10.0)
    volume = math.pi * 2.4**2 * 8
    np.testing.assert_allclose(told[LV_ED] * 100, volume, rtol=0.02)
    np.testing.assert_allclose(told[2 * len(REGIONS)], 1 - 0.49, atol=0.03)


def test_a_slice_missing_inside_a_stack_costs_no_volume():
    whole, thinned = stack_of(9, 8.0), stack_of(9, 8.0, missing=(3, 5))
    np.testing.assert_allclose(thinned[AREAS], whole[AREAS], rtol=1e-4)


def test_quantiles_over_sectors_are_those_of_numpy():
    clips = torch.stack([heart(r, w) for r, w in ((26, 7), (22, 9), (18, 12))])
    geometry = clip_geometry(clips, CELL_MM, torch.ones(3, dtype=torch.bool))
    present = torch.ones(1, 3, dtype=torch.bool)
    told = study_geometry(
        geometry[None], torch.tensor([[0.0, 9, 18]]), torch.full((1, 3), 9.0), present
    )
    ring = geometry[:, 3 * len(REGIONS) :].view(3, SECTORS, -1)
    expected = np.quantile(ring[..., 1].numpy(), SHARES)
    start = 2 * len(REGIONS) + 8
    np.testing.assert_allclose(told[0, start : start + len(SHARES)], expected, atol=1e-5)
    assert told.shape == (1, STUDY_GEOMETRY)


def test_a_wall_that_stands_still_is_told_from_one_that_moves_and_thickens():
    still, moving = heart(squeeze=1.0), heart(squeeze=0.7)
    still[WALL_ES] = still[WALL_ED]
    clips = torch.stack([still, moving])
    geometry = clip_geometry(clips, CELL_MM, torch.ones(2, dtype=torch.bool))
    moved, thickened = sector_motion(geometry).chunk(2, dim=-1)
    np.testing.assert_allclose(moved[0], 0.08, atol=0.04)
    np.testing.assert_allclose(moved[1], 0.36, atol=0.04)
    assert (thickened[0] < -0.1).all()
    assert (thickened[1] > 0.05).all()
    assert sector_motion(geometry[None]).shape == (1, 2, SECTOR_MOTION)


def test_other_planes_and_tiny_cavities_have_no_motion():
    small = math.sqrt(LEAST_CAVITY_CM2 / math.pi) * 10 - 2
    clips = torch.stack([heart(24), heart(small)])
    assert not sector_motion(clip_geometry(clips, CELL_MM, torch.tensor([False, True]))).any()


def test_tiny_cavities_do_not_speak_for_the_wall():
    small = math.sqrt(LEAST_CAVITY_CM2 / math.pi) * 10 - 2
    clips = torch.stack([heart(26, 7), heart(small, 14)])
    geometry = clip_geometry(clips, CELL_MM, torch.ones(2, dtype=torch.bool))[None]
    positions, gaps = torch.tensor([[0.0, 9]]), torch.full((1, 2), 9.0)
    both = study_geometry(geometry, positions, gaps, torch.tensor([[True, True]]))
    one = study_geometry(geometry, positions, gaps, torch.tensor([[True, False]]))
    start = 2 * len(REGIONS) + 8
    np.testing.assert_allclose(both[:, start:], one[:, start:], atol=1e-5)


def test_a_study_without_a_stack_has_no_volumes_and_gradients_stay_finite():
    geometry = torch.rand(2, 4, CLIP_GEOMETRY, requires_grad=True)
    stack = torch.zeros(2, 4, dtype=torch.bool)
    stack[1] = True
    told = study_geometry(geometry, torch.arange(4.0).expand(2, -1), torch.ones(2, 4), stack)
    assert not told[0].any()
    told.sum().backward()
    assert geometry.grad.isfinite().all()
    assert not geometry.grad[0].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12, unique=True), st.floats(1, 20))
def test_slice_thickness_shares_out_the_axis(places, gap):
    position = torch.tensor([sorted(places)], dtype=torch.float32)
    thick = slice_thickness(position, torch.full_like(position, gap), torch.ones_like(position) > 0)
    span = float(position.max() - position.min())
    np.testing.assert_allclose(float(thick.sum()), span + gap, rtol=1e-4)


@pytest.mark.parametrize("order", [(2, 0, 1), (1, 2, 0)])
def test_the_order_of_slices_does_not_matter(order):
    position, gap = torch.tensor([[0.0, 7.0, 21.0]]), torch.full((1, 3), 7.0)
    all_there = torch.ones(1, 3, dtype=torch.bool)
    picked = list(order)
    plain = slice_thickness(position, gap, all_there)[:, picked]
    assert torch.equal(plain, slice_thickness(position[:, picked], gap, all_there))
