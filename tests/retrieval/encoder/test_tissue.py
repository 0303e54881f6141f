"""Brightness of muscle is told where it tells of tissue, at its place, and nowhere else."""

import math

import numpy as np
import pytest
import torch

from retrieval.encoder.phantom.geometry import ED, REGIONS, SECTORS
from retrieval.encoder.phantom.tissue import (
    DEVIATION_UNIT,
    IMAGES,
    PARTS_SEEN,
    TISSUE,
    tissue_brightness,
)
from tests.retrieval.encoder.test_segment_geometry import CELL_MM, SIDE, heart

YES, NO = torch.tensor([True]), torch.tensor([False])
BLOOD, MUSCLE = 0.8, 0.3


def picture(inside, brighter=None, by=0.2):
    """Both images of a heart whose blood and muscle are evenly bright but for one place."""
    cells = BLOOD * inside[REGIONS.index((ED, "LV cavity"))]
    wall = inside[REGIONS.index((ED, "LV wall"))]
    cells = cells + MUSCLE * wall + BLOOD * inside[REGIONS.index((ED, "RV"))]
    if brighter is not None:
        cells = cells + by * wall * brighter
    return cells.repeat_interleave(2, 0).repeat_interleave(2, 1)[None, None].expand(1, 2, -1, -1)


def told(inside, images, *, cine=NO, short_axis=YES):
    said = tissue_brightness(inside[None], images, CELL_MM, short_axis, cine)
    assert said.shape == (1, TISSUE)
    return said.view(IMAGES, len(PARTS_SEEN) + 1 + SECTORS)


def test_means_are_those_of_blood_and_muscle():
    inside = heart()
    said = told(inside, picture(inside))
    cavity, wall = PARTS_SEEN.index("LV cavity"), PARTS_SEEN.index("LV wall")
    np.testing.assert_allclose(said[:, cavity] / 2, BLOOD, atol=0.06)
    np.testing.assert_allclose(said[:, wall] / 2, MUSCLE, atol=0.06)


def test_a_map_of_longer_times_says_so_by_as_much():
    inside = heart()
    wall = PARTS_SEEN.index("LV wall")
    usual = picture(inside)
    longer = told(inside, 1.2 * usual)[:, wall] / told(inside, usual)[:, wall]
    np.testing.assert_allclose(longer, 1.2, rtol=1e-4)


@pytest.mark.parametrize("turn", [math.pi, 0.4])
def test_a_bright_part_of_the_wall_is_told_where_it_is(turn):
    inside = heart(rv_angle=turn)
    axis = (torch.arange(SIDE) + 0.5) * CELL_MM - SIDE * CELL_MM / 2
    angle = torch.atan2(axis[:, None], axis[None, :]) - turn - math.pi / 2
    there = torch.cos(angle) > math.cos(math.pi / 6)
    said = told(inside, picture(inside, there))[0, len(PARTS_SEEN) + 1 :]
    assert int(said.argmax()) == SECTORS // 4
    assert float(said.max()) * DEVIATION_UNIT > 0.08
    assert float(said[SECTORS // 4 + SECTORS // 2]) < 0


def test_cines_say_nothing_and_other_planes_have_no_sectors():
    inside = heart()
    images = picture(inside)
    assert not told(inside, images, cine=YES).any()
    plain = told(inside, images, short_axis=NO)
    assert not plain[:, len(PARTS_SEEN) + 1 :].any()
    assert plain[:, : len(PARTS_SEEN)].all()


def test_where_no_heart_was_found_nothing_is_said():
    nothing = torch.zeros(len(REGIONS), SIDE, SIDE)
    assert not told(nothing, torch.rand(1, 2, 2 * SIDE, 2 * SIDE)).any()
