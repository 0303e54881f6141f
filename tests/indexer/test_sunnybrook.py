"""Real scanner files: three short-axis stacks of Sunnybrook Cardiac Data."""

import re
from pathlib import Path

import numpy as np
import pydicom
import pytest

from indexer.sources import read_frames, read_study
from indexer.sources.folder import find

DATA = Path(__file__).parents[3] / "shared" / "data" / "sunnybrook"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="../shared/data/sunnybrook is absent")


@pytest.fixture(scope="module")
def studies():
    found = find([DATA])
    assert [f.path.name for f in found.loose] == ["labels.csv"]
    return {s.files[0].path.parent.name: read_study(s) for s in found.studies}


def test_every_file_is_a_frame(studies):
    counts = {name: len(raw.series[0].frames) for name, raw in studies.items()}
    assert counts == {"SCD0000101": 240, "SCD0000301": 200, "SCD0000401": 220}
    for raw in studies.values():
        assert len(raw.series) == 1
        assert not any(f.unused for f in raw.files)
        assert {f.phase_count for f in raw.series[0].frames} == {20}


def test_invalid_dates_come_through_as_text(studies):
    for name, raw in studies.items():
        assert (raw.study_date, raw.birth_date) == ("20120000", "00000000")
        assert (raw.patient_id, raw.sex) == (name, "")
        assert raw.manufacturer == "GE MEDICAL SYSTEMS"
        assert raw.field_strength_t == 1.5
        assert re.match(r"14; [ML]X; MR Software release:", raw.software)


def test_geometry_is_there(studies):
    for raw in studies.values():
        frames = raw.series[0].frames
        spread = np.ptp([f.orientation for f in frames], axis=0)
        assert spread.max() < 1e-5
        slices = {f.position_mm for f in frames}
        assert len(slices) * 20 == len(frames)


def test_pixels_are_pydicoms(studies):
    frames = studies["SCD0000301"].series[0].frames[:20]
    for frame, pixels in zip(frames, read_frames(frames), strict=True):
        np.testing.assert_array_equal(pixels, pydicom.dcmread(frame.file).pixel_array)
