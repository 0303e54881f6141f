"""NIfTI in the layout of ACDC."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sources import read_frames, read_study
from indexer.sources.folder import find
from retrieval.errors import InputError, UnreadableFile

ACDC = Path(__file__).parents[3] / "shared" / "data" / "acdc_train"


def volume(shape=(4, 5, 3), dtype=np.int16):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def write(path, data, zooms=(1.25, 1.5, 9.0), slope=None, inter=None, affine=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, np.diag([*zooms, 1.0]) if affine is None else affine)
    image.header.set_zooms((*zooms, 1.0)[: data.ndim])
    image.header.set_slope_inter(slope, inter)
    nib.save(image, path)
    return path


def patient(tmp_path, info="ED: 1\nES: 12\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\nWeight: 95.0\n"):
    folder = tmp_path / "patient007"
    for number in (12, 1):
        write(folder / f"patient007_frame{number:02d}.nii.gz", volume() + number)
        write(folder / f"patient007_frame{number:02d}_gt.nii.gz", volume() * 0)
    write(folder / "patient007_4d.nii.gz", np.zeros((4, 5, 3, 2), np.int16))
    (folder / "Info.cfg").write_text(info)
    return folder


def test_a_patient_is_a_study(tmp_path):
    found = find([patient(tmp_path)])
    [study] = found.studies
    assert study.uid == "patient007"
    assert [(f.path.name, f.unused) for f in found.loose] == [
        ("Info.cfg", "companion of an ACDC patient")
    ]
    raw = read_study(study)
    assert {f.path.name: f.unused for f in raw.files} == {
        "patient007_4d.nii.gz": "four-dimensional copy of the frames beside it",
        "patient007_frame01.nii.gz": "",
        "patient007_frame01_gt.nii.gz": "mask, not an image",
        "patient007_frame12.nii.gz": "",
        "patient007_frame12_gt.nii.gz": "mask, not an image",
    }
    assert (raw.patient_id, raw.height_m, raw.weight_kg) == ("patient007", 1.84, 95)
    assert not raw.oriented
    [series] = raw.series
    assert (series.modality, series.refusal) == ("MR", "")
    assert [(f.temporal_position, f.index) for f in series.frames] == [
        *((1, 0), (1, 1), (1, 2), (12, 0), (12, 1), (12, 2))
    ]
    for frame in series.frames:
        assert (frame.rows, frame.columns, frame.spacing_mm) == (5, 4, (1.5, 1.25))
        assert frame.position_mm == (0, 0, 9.0 * frame.index)
        assert frame.orientation == (1, 0, 0, 0, 1, 0)
        assert frame.trigger_ms is None


def test_the_diagnosis_goes_nowhere(tmp_path):
    folder = patient(tmp_path)
    [study] = find([folder]).studies
    raw = read_study(study)
    info = folder / "Info.cfg"
    info.write_text(info.read_text().replace("Group: DCM", "Group: NOR"))
    assert read_study(study) == raw
    assert "DCM" not in repr(raw)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("Height: tall\nWeight: 0\n", (None, None)),
        ("", (None, None)),
        ("height : 150\n weight:60.5", (1.5, 60.5)),
    ],
)
def test_height_and_weight_that_may_be_missing(tmp_path, info, expected):
    [study] = find([patient(tmp_path, info)]).studies
    raw = read_study(study)
    assert (raw.height_m, raw.weight_kg) == expected


def test_info_of_a_folder_of_many_patients_belongs_to_none(tmp_path):
    folder = patient(tmp_path)
    write(folder / "patient008_frame01.nii.gz", volume())
    for study in find([folder]).studies:
        assert read_study(study).height_m is None


def test_pixels_are_rows_by_columns(tmp_path):
    data = volume()
    path = write(tmp_path / "patient001" / "patient001_frame01.nii.gz", data, slope=2, inter=-3)
    [study] = find([path]).studies
    frames = read_study(study).series[0].frames
    assert {(f.slope, f.intercept) for f in frames} == {(2, -3)}
    images = read_frames([frames[2], frames[0]])
    for image, index in zip(images, (2, 0), strict=True):
        assert image.dtype == np.int16
        assert image.shape == (5, 4)
        np.testing.assert_array_equal(image, data[:, :, index].T)


def test_big_endian(tmp_path):
    data = volume().astype(">i2")
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    path = tmp_path / "patient001_frame01.nii"
    nib.save(nib.Nifti1Image(data, np.eye(4), header), path)
    [study] = find([path]).studies
    images = read_frames(read_study(study).series[0].frames)
    assert images[0].dtype.isnative
    np.testing.assert_array_equal(images[1], data[:, :, 1].T)


@pytest.mark.parametrize(
    ("name", "data", "zooms", "reason"),
    [
        ("brain.nii.gz", volume(), (1, 1, 1), "NIfTI outside the ACDC layout"),
        ("patient001_frame01.nii.gz", volume((4, 5, 3, 2)), (1, 1, 1), "not a stack of slices"),
        ("patient001_frame01.nii.gz", volume(), (1, 1, 2000), "impossible voxel size"),
        (
            "patient001_frame01.nii.gz",
            volume(dtype=np.complex64),
            (1, 1, 1),
            "voxels are not numbers but complex64",
        ),
    ],
)
def test_what_is_no_stack(tmp_path, name, data, zooms, reason):
    write(tmp_path / name, data, zooms)
    found = find([tmp_path])
    assert found.studies == ()
    assert found.loose[0].unused.startswith(reason)


def test_a_broken_phase_costs_itself_only(tmp_path):
    folder = patient(tmp_path)
    [study] = find([folder]).studies
    (folder / "patient007_frame12.nii.gz").write_bytes(b"\x1f\x8bnothing")
    raw = read_study(study)
    assert len(raw.series[0].frames) == 3
    assert raw.files[3].unused.startswith("not a valid NIfTI file")


def test_no_phase_left(tmp_path):
    path = write(tmp_path / "patient001_frame01.nii", volume())
    [study] = find([path]).studies
    path.write_bytes(b"")
    [series] = read_study(study).series
    assert series.refused_as == "failed"
    assert series.refusal.startswith("not a valid NIfTI file")


def test_truncated_voxels(tmp_path):
    path = write(tmp_path / "patient001_frame01.nii", volume())
    [study] = find([path]).studies
    frames = read_study(study).series[0].frames
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UnreadableFile, match="NIfTI data cannot be read"):
        read_frames(frames)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 360), st.integers(0, 255)), max_size=8), st.integers(0))
def test_no_content_raises(tmp_path_factory, changes, length):
    path = tmp_path_factory.getbasetemp() / "broken-nifti" / "patient001_frame01.nii"
    content = bytearray(write(path, volume()).read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(content[: len(content) - length % 5 * 40])
    for study in find([path]).studies:
        for series in read_study(study).series:
            assert bool(series.frames) == (series.refusal == "")
            try:
                images = read_frames(series.frames)
            except InputError:
                continue
            assert {i.shape for i in images} == {(f.rows, f.columns) for f in series.frames}


@pytest.mark.skipif(not ACDC.exists(), reason="../shared/data/acdc_train is absent")
def test_acdc():
    found = find([ACDC])
    assert len(found.studies) == 100
    assert len(found.loose) == 102
    raws = [read_study(study) for study in found.studies]
    assert sum(len(raw.files) for raw in raws) == 200
    assert not any(f.unused for raw in raws for f in raw.files)
    assert all(raw.height_m and raw.weight_kg for raw in raws)
    assert {len({f.temporal_position for f in r.series[0].frames}) for r in raws} == {2}
    ninety = raws[89]
    assert ninety.uid == "patient090"
    assert sorted({f.temporal_position for f in ninety.series[0].frames}) == [4, 11]
    frames = raws[0].series[0].frames
    images = read_frames(frames)
    reference = nib.load(ACDC / "patient001" / "patient001_frame01.nii.gz").get_fdata()
    assert images[0].shape == (256, 216)
    np.testing.assert_array_equal(images[3], reference[:, :, 3].T)
