"""What every ClipStore must do."""

import os
from dataclasses import replace

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.clips.store import FolderClipStore
from retrieval.errors import ClipCorrupt, ClipNotFound
from retrieval.values.clip import ClipId, ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

RECORD = ClipRecord(
    study=StudyId("s" * 24),
    series=SeriesId("x" * 24),
    view=View.FOUR_CHAMBER,
    technique=Technique.CINE,
    phases=3,
    rows=4,
    columns=5,
    spacing_mm=(1.5, 1.25),
    slice_spacing_mm=8.0,
    frame_times_ms=(0.0, 33.3, 66.6),
    rr_ms=900.5,
    slope=0.5,
    intercept=-3.0,
)


@pytest.fixture(params=[FolderClipStore], ids=["folder"])
def store(request, tmp_path):
    return request.param(tmp_path / "clips")


def some_clip(seed=0):
    pixels = np.random.default_rng(seed).integers(-100, 1000, (3, 4, 5)).astype(np.int16)
    return identify(RECORD, pixels)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_read_is_what_was_written(store, data):
    kind = data.draw(st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.float32]))
    shape = data.draw(npst.array_shapes(min_dims=3, max_dims=3, max_side=6))
    finite = {"allow_nan": False, "allow_infinity": False} if kind is np.float32 else {}
    elements = npst.from_dtype(np.dtype(kind), **finite)
    pixels = data.draw(npst.arrays(kind, shape, elements=elements))
    clip = identify(replace(RECORD, phases=shape[0], rows=shape[1], columns=shape[2]), pixels)
    store.write(clip)
    found = store.read(clip.record.id)
    assert found.record == clip.record
    assert found.pixels.dtype == pixels.dtype
    assert np.array_equal(found.pixels, pixels)


def test_writing_again_changes_nothing(store):
    clip = some_clip()
    store.write(clip)
    store.write(clip)
    assert list(store.ids()) == [clip.record.id]


def test_an_unknown_clip_is_not_found(store):
    with pytest.raises(ClipNotFound, match="0" * 24):
        store.read(ClipId("0" * 24))
    with pytest.raises(ClipNotFound):
        store.read_preview(ClipId("0" * 24))


def test_ids_are_in_order_and_removal_is_complete_and_repeatable(store):
    clips = [some_clip(seed) for seed in range(5)]
    for clip in clips:
        store.write(clip)
        store.write_preview(clip.record.id, b"sheet")
    ids = sorted(c.record.id for c in clips)
    assert list(store.ids()) == ids
    store.remove(ids[2])
    store.remove(ids[2])
    assert list(store.ids()) == ids[:2] + ids[3:]
    with pytest.raises(ClipNotFound):
        store.read_preview(ids[2])


def test_previews_come_back_as_they_were(store):
    store.write_preview(ClipId("ab" * 12), b"\xff\xd8 sheet")
    assert store.read_preview(ClipId("ab" * 12)) == b"\xff\xd8 sheet"


@pytest.mark.parametrize("damage", ["truncate", "flip", "swap"])
def test_a_damaged_file_is_never_returned(tmp_path, damage):
    store = FolderClipStore(tmp_path)
    clip, other = some_clip(1), some_clip(2)
    store.write(clip)
    store.write(other)
    path = next(tmp_path.glob(f"??/{clip.record.id}.b2nd"))
    raw = bytearray(path.read_bytes())
    if damage == "truncate":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "flip":
        at = raw.rindex(b"\x01") if b"\x01" in raw else len(raw) // 2
        raw[at] ^= 0xFF
        path.write_bytes(raw)
    else:
        path.write_bytes(next(tmp_path.glob(f"??/{other.record.id}.b2nd")).read_bytes())
    try:
        found = store.read(clip.record.id)
    except ClipCorrupt as error:
        assert clip.record.id in str(error)  # noqa: PT017
    else:
        assert damage == "flip"
        assert np.array_equal(found.pixels, clip.pixels)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    store = FolderClipStore(tmp_path)

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write(some_clip())
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_what_a_killed_writer_left_is_no_clip(tmp_path):
    store, clip = FolderClipStore(tmp_path), some_clip()
    store.write(clip)
    (tmp_path / clip.record.id[:2] / f".{clip.record.id}.4711.b2nd").write_bytes(b"half")
    assert list(store.ids()) == [clip.record.id]


def test_ids_depend_on_pixels_record_and_nothing_else():
    clip = some_clip()
    assert (
        identify(replace(clip.record, id=ClipId("other")), clip.pixels).record.id == clip.record.id
    )
    assert identify(replace(RECORD, rr_ms=901.0), clip.pixels).record.id != clip.record.id
    big = clip.pixels.astype(">i2")
    assert identify(RECORD, big).record.id == clip.record.id
    changed = clip.pixels.copy()
    changed[0, 0, 0] += 1
    assert identify(RECORD, changed).record.id != clip.record.id
