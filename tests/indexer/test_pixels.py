"""Stored values come back exactly, in every transfer syntax."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from indexer.dicom.pixels import read_frames
from indexer.raw import Frame
from indexer.sources import read_frames as read_any
from indexer.sources import read_study
from indexer.sources.folder import find
from retrieval.errors import InputError, MissingCodec, UnreadableFile, UnusableSeries
from tests.indexer import jpeg_lossless
from tests.indexer.dicom_files import mr, save

BUNDLED = Path(pydicom.__file__).parent / "data" / "test_files"
NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
COMPRESSED = [RLELossless, JPEGLSLossless, JPEG2000Lossless]


def image(seed=0, dtype=np.uint16, shape=(40, 33)):
    """Smooth, as anatomy is, with noise over the whole range in a corner."""
    rng = np.random.default_rng(seed)
    bounds = np.iinfo(dtype)
    smooth = np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(dtype)
    smooth[:5, :5] = rng.integers(bounds.min, bounds.max, (5, 5), dtype, endpoint=True)
    return smooth


def compressed(pixels, path, syntax):
    dataset = mr(pixels)
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.compress(syntax)
    return save(dataset, path, syntax)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32])
def test_native(tmp_path, syntax, dtype):
    pixels = image(dtype=dtype)
    [read] = read_frames(save(mr(pixels), tmp_path / "a", syntax), [0])
    assert read.dtype == dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_big_endian(tmp_path, dtype):
    pixels = image(dtype=dtype)
    swapped = mr(pixels.astype(pixels.dtype.newbyteorder(">")))
    [read] = read_frames(save(swapped, tmp_path / "a", ExplicitVRBigEndian), [0])
    assert read.dtype == dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("syntax", COMPRESSED)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_compressed(tmp_path, syntax, dtype):
    pixels = image(dtype=dtype)
    [read] = read_frames(compressed(pixels, tmp_path / "a", syntax), [0])
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, pixels)


def encapsulated(frames, path, syntax, pixels, *, extended=False, **attributes):
    dataset = mr(pixels, **attributes)
    if extended:
        data, offsets, lengths = encapsulate_extended(frames)
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
        dataset.PixelData = data
    else:
        dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    return save(dataset, path, syntax)


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
def test_jpeg_lossless(tmp_path, syntax, dtype):
    pixels = image(dtype=dtype)
    code = jpeg_lossless.encode(pixels.view(np.uint16))
    [read] = read_frames(encapsulated([code], tmp_path / "a", syntax, pixels), [0])
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, pixels)


def test_jpeg_baseline(tmp_path):
    pixels = np.add.outer(np.arange(48), np.arange(32)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=98)
    path = encapsulated([buffer.getvalue()], tmp_path / "a", JPEGBaseline8Bit, pixels)
    [read] = read_frames(path, [0])
    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - pixels).max() <= 3


@pytest.mark.parametrize(
    "name",
    [
        *("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm"),
        *("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_padded.dcm"),
    ],
)
def test_one_scan_in_every_syntax(name):
    [reference] = read_frames(BUNDLED / "MR_small.dcm", [0])
    [read] = read_frames(BUNDLED / name, [0])
    assert reference.shape == (64, 64)
    assert reference.std() > 100
    np.testing.assert_array_equal(read, reference)


@pytest.mark.parametrize("syntax", [*NATIVE, *COMPRESSED])
def test_only_the_frames_asked_for(tmp_path, syntax):
    pixels = np.stack([image(seed) for seed in range(5)])
    if syntax in COMPRESSED:
        path = compressed(pixels, tmp_path / "a", syntax)
    else:
        path = save(mr(pixels, NumberOfFrames=5), tmp_path / "a", syntax)
    read = read_frames(path, [3, 0, 3])
    np.testing.assert_array_equal(read, pixels[[3, 0, 3]])
    assert read_frames(path, []) == []
    for beyond in (5, -1):
        with pytest.raises(UnreadableFile, match="holds 5 frames"):
            read_frames(path, [0, beyond])


@pytest.mark.parametrize("extended", [False, True])
def test_few_of_many_decodes_few(tmp_path, monkeypatch, extended):
    pixels = np.stack([image(seed) for seed in range(6)])
    codes = [jpeg_lossless.encode(p) for p in pixels]
    path = encapsulated(
        codes, tmp_path / "a", JPEGLosslessSV1, pixels, extended=extended, NumberOfFrames=6
    )
    runner = pydicom.pixels.decoders.base.DecodeRunner
    decode, calls = runner._decode_frame, []
    monkeypatch.setattr(
        runner, "_decode_frame", lambda self, src: calls.append(1) or decode(self, src)
    )
    np.testing.assert_array_equal(read_frames(path, [4, 1]), pixels[[4, 1]])
    assert len(calls) == 2


def test_an_overlay_in_the_high_bits_is_dropped(tmp_path):
    pixels = image() & 0x0FFF
    dataset = mr(pixels | 0x8000, BitsStored=12, HighBit=11)
    [read] = read_frames(save(dataset, tmp_path / "a"), [0])
    np.testing.assert_array_equal(read, pixels)


def test_without_preamble(tmp_path):
    path = save(mr(image()), tmp_path / "a", ImplicitVRLittleEndian)
    content = path.read_bytes()
    path.write_bytes(content[content.index(b"\x08\x00\x16\x00") :])  # no file meta either
    np.testing.assert_array_equal(read_frames(path, [0]), [image()])


def test_stored_values_are_before_the_rescale(tmp_path):
    dataset = mr(image(), RescaleSlope=3, RescaleIntercept=-7)
    np.testing.assert_array_equal(read_frames(save(dataset, tmp_path / "a"), [0]), [image()])


@pytest.mark.parametrize("name", ["SC_rgb_jpeg.dcm", "SC_rgb_rle_2frame.dcm"])
def test_colour(name):
    with pytest.raises(UnusableSeries, match="colour image"):
        read_frames(BUNDLED / name, [0])


def test_packed_bits():
    with pytest.raises(UnusableSeries, match="bit-packed"):
        read_frames(BUNDLED / "liver_1frame.dcm", [0])


def test_no_such_file(tmp_path):
    with pytest.raises(UnreadableFile, match="cannot be opened: No such file"):
        read_frames(tmp_path / "a", [0])


def test_missing_codec(tmp_path, monkeypatch):
    path = compressed(image(), tmp_path / "a", JPEGLSLossless)
    monkeypatch.setattr("pydicom.pixels.common.CoderBase.is_available", property(lambda _: False))
    with pytest.raises(MissingCodec, match="install pyjpegls"):
        read_frames(path, [0])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, *COMPRESSED])
def test_truncated(tmp_path, syntax):
    pixels = image()
    if syntax in COMPRESSED:
        path = compressed(pixels, tmp_path / "a", syntax)
    else:
        path = save(mr(pixels), tmp_path / "a", syntax)
    content = path.read_bytes()
    path.write_bytes(content[: -len(content) // 8])
    with pytest.raises(UnreadableFile, match="truncated pixel data"):
        read_frames(path, [0])


def test_fewer_fragments_than_frames(tmp_path):
    codes = [jpeg_lossless.encode(image(seed)) for seed in range(2)]
    path = encapsulated(
        codes, tmp_path / "a", JPEGLosslessSV1, np.stack([image()] * 3), NumberOfFrames=3
    )
    with pytest.raises(UnreadableFile, match="cannot hold 3 frames of 40 x 33"):
        read_frames(path, [0])


def test_a_broken_stream(tmp_path):
    code = jpeg_lossless.encode(image())[:40]
    path = encapsulated([code], tmp_path / "a", JPEGLosslessSV1, image())
    with pytest.raises(UnreadableFile, match="pixel data cannot be decoded"):
        read_frames(path, [0])


RLE = (BUNDLED / "MR_small_RLE.dcm").read_bytes()
PLAIN = (BUNDLED / "MR_small.dcm").read_bytes()


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([RLE, PLAIN]),
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10**6), st.integers(0, 255)), max_size=9),
)
def test_broken_pixels_raise_input_errors_only(tmp_path_factory, content, changes):
    broken = bytearray(content)
    for late, place, value in changes:
        start = content.index(b"\xe0\x7f\x10\x00") * late
        broken[start + place % (len(broken) - start)] = value
    path = tmp_path_factory.getbasetemp() / "broken-pixels"
    path.write_bytes(broken)
    try:
        [read] = read_frames(path, [0])
    except InputError:
        return
    assert read.ndim == 2


def test_frames_of_many_files_each_opened_once(tmp_path, monkeypatch):
    volumes = [np.stack([image(10 * v + k) for k in range(3)]) for v in range(2)]
    for v, volume in enumerate(volumes):
        save(mr(volume, number=v, NumberOfFrames=3), tmp_path / str(v))
    [study] = find([tmp_path]).studies
    frames = sorted(read_study(study).series[0].frames, key=lambda f: (f.index, f.file))
    opened: list[Path] = []
    monkeypatch.setattr(
        "indexer.sources.pixels.read_frames",
        lambda path, indices: opened.append(path) or read_frames(path, indices),
    )
    read = read_any(frames)
    assert opened == [tmp_path / "0", tmp_path / "1"]
    for frame, pixels in zip(frames, read, strict=True):
        np.testing.assert_array_equal(pixels, volumes[int(frame.file.name)][frame.index])
    assert read_any([]) == []
    with pytest.raises(UnreadableFile):
        read_any([Frame(file=tmp_path / "2", index=0, instance_uid="1", rows=3, columns=4)])
