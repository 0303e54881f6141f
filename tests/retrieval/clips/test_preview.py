"""Sprite sheets show every phase of the heart at one scale and one window."""

import io

import numpy as np
import pytest
from PIL import Image

from retrieval.clips import preview
from retrieval.geometry.heart import point_of
from retrieval.values.clip import ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View


def clip_of(phases: int):
    record = ClipRecord(
        study=StudyId("s"),
        series=SeriesId("x"),
        view=View.SHORT_AXIS,
        technique=Technique.CINE,
        phases=phases,
        rows=200,
        columns=200,
        spacing_mm=(1.25, 1.25),
    )
    y, x = np.mgrid[:200, :200]
    away = np.hypot(y - 100, x - 100)
    pixels = np.stack([np.where(away < 20 + p, 900, 50 + x / 4) for p in range(phases)])
    return identify(record, pixels.astype(np.uint16))


@pytest.mark.parametrize(("phases", "n"), [(1, 1), (2, 2), (4, 2), (20, 5), (25, 5), (30, 6)])
def test_the_sheet_holds_each_phase_in_its_tile(phases, n):
    clip = clip_of(phases)
    centre = point_of(clip.record, (100, 100))
    pictures = preview.tiles(clip, centre)
    sheet = np.asarray(Image.open(io.BytesIO(preview.sheet(clip, centre))))
    px = preview.TILE_PX
    assert preview.columns(phases) == n
    assert sheet.shape == (-(-phases // n) * px, n * px)
    for p in range(phases):
        tile = sheet[p // n * px :, p % n * px :][:px, :px].astype(int)
        assert np.abs(tile - pictures[p]).mean() < 2.5


def test_the_window_is_one_for_the_whole_clip():
    clip = clip_of(10)
    pictures = preview.tiles(clip, point_of(clip.record, (100, 100)))
    corner = pictures[:, :10, :10]
    assert np.all(corner == corner[0])
    assert pictures.max() == 255
    assert pictures.min() == 0


def test_a_flat_clip_is_black_not_an_error():
    record = clip_of(2).record
    flat = identify(record, np.full((2, 200, 200), 7, np.uint16))
    assert not preview.tiles(flat, point_of(record, (100, 100))).any()
