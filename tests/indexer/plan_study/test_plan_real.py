"""Plans of real files."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom.data
import pytest

from indexer.plan import assemble, plan_study
from indexer.sources import read_frames, read_study
from indexer.sources.folder import find
from retrieval.values.study import SeriesId, State, StudyId, Technique, View

DATA = Path(__file__).parents[4] / "shared" / "data"
IDS = {"study": StudyId("a" * 24), "series": SeriesId("b" * 24)}

SUNNYBROOK = {"SCD0000101": (12, 10.0), "SCD0000301": (10, 8.0), "SCD0000401": (11, 8.0)}
"""Slices and their spacing in mm."""


def read(*folders):
    found = find(folders, workers=1, progress=lambda *_: None)
    return [read_study(s) for s in found.studies]


@pytest.fixture(scope="module")
def sunnybrook():
    folder = DATA / "sunnybrook"
    if not folder.is_dir():
        pytest.skip("no Sunnybrook scans at ../shared/data/sunnybrook")
    return {name: read(folder / name)[0] for name in SUNNYBROOK}


@pytest.mark.parametrize("name", SUNNYBROOK)
def test_sunnybrook(sunnybrook, name):
    plan = plan_study(sunnybrook[name])
    (series,) = plan.series
    slices, spacing = SUNNYBROOK[name]
    assert plan.state is State.INDEXED
    assert (series.view, series.technique) == (View.SHORT_AXIS, Technique.CINE)
    assert (series.slices, series.phases, len(series.clips)) == (slices, 20, slices)
    assert series.slice_spacing_mm == pytest.approx(spacing, abs=0.01)
    assert series.unused == ()
    for clip in series.clips:
        times = clip.frame_times_ms
        assert len(times) == 20
        assert list(times) == sorted(times)
        assert times[-1] < clip.rr_ms


def test_every_slice_of_sunnybrook_has_its_own_beat(sunnybrook):
    clips = plan_study(sunnybrook["SCD0000101"]).series[0].clips
    assert len({t for c in clips for t in c.frame_times_ms}) == 140
    assert len({c.rr_ms for c in clips}) > 3


@pytest.mark.parametrize("name", SUNNYBROOK)
def test_sunnybrook_runs_from_base_to_apex(sunnybrook, name):
    """The apex lies to the left, the front and the feet of the base."""
    clips = plan_study(sunnybrook[name]).series[0].clips
    first, last = (np.array(c.frames[0].position_mm) for c in (clips[0], clips[-1]))
    assert np.all(np.sign(last - first) == (1, -1, -1))


@pytest.mark.parametrize("name", SUNNYBROOK)
def test_sunnybrook_without_words_and_with_other_numbers(sunnybrook, name):
    raw = sunnybrook[name]
    order = random.Random(name)
    frames = list(raw.series[0].frames)
    numbers = order.sample(range(1000), len(frames))
    other = {
        f.instance_uid: replace(
            f,
            file=Path(f"{n}"),
            instance_number=n,
            series_description="",
            protocol_name="",
        )
        for f, n in zip(frames, numbers, strict=True)
    }
    order.shuffle(frames)
    shuffled = replace(raw.series[0], frames=tuple(other[f.instance_uid] for f in frames))
    told = plan_study(replace(raw, series=(shuffled,), manufacturer="", model=""))
    plain = plan_study(raw)
    assert replace(told.series[0], clips=()) == replace(plain.series[0], clips=())
    assert [[f.instance_uid for f in c.frames] for c in told.series[0].clips] == [
        [f.instance_uid for f in c.frames] for c in plain.series[0].clips
    ]


def test_a_sunnybrook_slice_beats(sunnybrook):
    """Assembled from files; it moves, and the last phase leads back to the first."""
    plan = plan_study(sunnybrook["SCD0000301"]).series[0].clips[4]
    clip = assemble(plan, read_frames(plan.frames), **IDS)
    values = clip.values()
    assert values.shape == (20, 256, 256)
    change = np.abs(np.diff(values, axis=0)).mean(axis=(1, 2))
    closing = float(np.abs(values[-1] - values[0]).mean())
    furthest = max(float(np.abs(v - values[0]).mean()) for v in values)
    assert closing < furthest
    assert change.max() < furthest
    assert clip.record.position_mm == plan.frames[0].position_mm


@pytest.mark.parametrize("patient", ["patient001", "patient050", "patient090"])
def test_acdc(patient):
    folder = DATA / "acdc_train" / patient
    if not folder.is_dir():
        pytest.skip("no ACDC scans at ../shared/data/acdc_train")
    (raw,) = read(folder)
    plan = plan_study(raw)
    (series,) = plan.series
    assert plan.state is State.INDEXED
    assert (series.view, series.technique, series.phases) == ("SAX", "cine", 2)
    assert 5 <= series.slices == len(series.clips) <= 18
    assert 4 <= (series.slice_spacing_mm or 0) <= 11
    assert not any(c.oriented for c in series.clips)
    assert [c.slice_index for c in series.clips] == list(range(series.slices))


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_RLE.dcm"])
def test_magnetic_resonance_that_shows_no_heart(name, tmp_path):
    scan = pydicom.data.get_testdata_file(name, download=False)
    (tmp_path / "one.dcm").write_bytes(Path(str(scan)).read_bytes())
    (raw,) = read(tmp_path)
    plan = plan_study(raw)
    assert (plan.state, plan.reason) == (State.EXCLUDED, "no cardiac series")
    assert all(s.unused or not s.clips for s in plan.series)
