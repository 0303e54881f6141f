"""Which series are refused, as what, and what becomes of their files."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    MPEG4HP41,
    CTImageStorage,
    EncapsulatedPDFStorage,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    MRSpectroscopyStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    RawDataStorage,
    SecondaryCaptureImageStorage,
)

from indexer.sources import read_study
from indexer.sources.folder import find
from tests.indexer.dicom_files import enhanced, item, mr, save, uid


def only_series(tmp_path, *datasets):
    for number, dataset in enumerate(datasets):
        save(dataset, tmp_path / str(number))
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    [series] = raw.series
    assert (series.refusal == "") == bool(series.frames)
    return series, raw


@pytest.mark.parametrize(
    "planted",
    [
        {"Modality": "CANARY"},
        {"PhotometricInterpretation": "CANARY"},
        {"SOPClassUID": "CANARY", "Modality": "CANARY"},
    ],
)
def test_reasons_quote_no_free_text(tmp_path, planted):
    with pydicom.config.disable_value_validation():
        series, raw = only_series(tmp_path, mr(**planted))
    assert series.refusal
    assert "CANARY" not in series.refusal
    assert "CANARY" not in str([f.unused for f in raw.files])


CAPTURE = MultiFrameTrueColorSecondaryCaptureImageStorage


@pytest.mark.parametrize(
    ("attributes", "state", "reason"),
    [
        ({"Modality": "CT", "SOPClassUID": CTImageStorage}, "excluded", "not MR: CT"),
        ({"Modality": "CT", "BurnedInAnnotation": "YES"}, "excluded", "not MR: CT"),
        ({"Modality": "", "SOPClassUID": CTImageStorage}, "excluded", "not MR: no modality"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "quarantined", "secondary capture"),
        ({"SOPClassUID": CAPTURE, "Modality": "OT"}, "quarantined", "secondary capture"),
        ({"SOPClassUID": CAPTURE, "Modality": ""}, "quarantined", "secondary capture"),
        ({"SOPClassUID": CAPTURE, "Modality": "CT"}, "excluded", "not MR: CT"),
        (
            {"SOPClassUID": EncapsulatedPDFStorage, "Modality": "DOC"},
            "quarantined",
            "encapsulated document",
        ),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "quarantined", "screen capture"),
        ({"BurnedInAnnotation": "YES"}, "quarantined", "burnt-in annotation"),
        ({"SOPClassUID": RawDataStorage}, "excluded", "not an MR image: Raw Data Storage"),
        (
            {"SOPClassUID": MRSpectroscopyStorage},
            "excluded",
            "not an MR image: MR Spectroscopy Storage",
        ),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "excluded", "colour image"),
        ({"SamplesPerPixel": 3}, "excluded", "colour image"),
        ({"BitsAllocated": 1}, "excluded", "bit-packed image"),
        ({"Rows": 4000}, "failed", "24 bytes of pixel data cannot hold 1 frames of 4000"),
        ({"Rows": 0}, "failed", "impossible image size"),
        ({"Rows": 65535, "Columns": 65535}, "failed", "impossible image size"),
        ({"NumberOfFrames": 2**31 - 1}, "failed", "24 bytes of pixel data cannot hold"),
    ],
)
def test_a_series_refused(tmp_path, attributes, state, reason):
    series, raw = only_series(tmp_path, mr(**attributes))
    assert (series.refused_as, series.refusal[: len(reason)]) == (state, reason)
    assert [f.unused for f in raw.files] == [series.refusal]


def test_mr_without_modality_is_mr(tmp_path):
    series, _ = only_series(tmp_path, mr(Modality=""))
    assert series.modality == "MR"
    assert len(series.frames) == 1


@pytest.mark.parametrize("attributes", [{"BurnedInAnnotation": "NO"}, {"SOPClassUID": "1.2.3.4"}])
def test_harmless_oddities(tmp_path, attributes):
    series, raw = only_series(tmp_path, mr(**attributes))
    assert len(series.frames) == 1
    assert [f.unused for f in raw.files] == [""]


def test_no_pixel_data(tmp_path):
    dataset = mr()
    del dataset.PixelData
    series, _ = only_series(tmp_path, dataset)
    assert (series.refused_as, series.refusal) == ("failed", "no pixel data")


def test_a_film_has_no_decoder(tmp_path):
    dataset = mr()
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    path = save_as_is(dataset, tmp_path / "a", MPEG4HP41)
    [study] = find([path]).studies
    [series] = read_study(study).series
    assert series.refused_as == "failed"
    assert "1.2.840.10008.1.2.4.102" in series.refusal
    assert "no decoder" in series.refusal


def save_as_is(dataset, path, syntax):
    dataset["PixelData"].is_undefined_length = True
    return save(dataset, path, syntax)


def test_a_missing_codec_names_what_to_install(tmp_path, monkeypatch):
    dataset = mr(np.zeros((64, 64), np.uint16))
    dataset.compress(JPEG2000Lossless)
    path = save(dataset, tmp_path / "a", JPEG2000Lossless)
    monkeypatch.setattr("pydicom.pixels.common.CoderBase.is_available", property(lambda _: False))
    [study] = find([path]).studies
    [series] = read_study(study).series
    assert series.refused_as == "failed"
    assert "JPEG 2000 Image Compression (Lossless Only)" in series.refusal
    assert "install pylibjpeg pylibjpeg-openjpeg" in series.refusal


def test_one_capture_does_not_cost_the_series(tmp_path):
    capture = mr(number=2, SOPClassUID=SecondaryCaptureImageStorage)
    series, raw = only_series(tmp_path, mr(number=1), capture, mr(number=3))
    assert [f.instance_number for f in series.frames] == [1, 3]
    assert [f.unused for f in raw.files] == ["", "secondary capture", ""]


def test_one_burnt_in_name_costs_the_series(tmp_path):
    series, raw = only_series(tmp_path, mr(number=1), mr(number=2, BurnedInAnnotation="YES"))
    assert (series.frames, series.refused_as) == ((), "quarantined")
    assert [f.unused for f in raw.files] == ["burnt-in annotation"] * 2


def test_a_truncated_file_costs_itself_only(tmp_path):
    save(mr(number=1), tmp_path / "a")
    path = save(mr(number=2), tmp_path / "b")
    path.write_bytes(path.read_bytes()[:-1])
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert [f.instance_number for f in raw.series[0].frames] == [1]
    assert raw.files[1].unused == "truncated pixel data: the file ends after 23 bytes of it"


def test_series_are_refused_one_by_one(tmp_path):
    save(mr(series="a"), tmp_path / "1")
    save(mr(series="b", SOPClassUID=SecondaryCaptureImageStorage), tmp_path / "2")
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert sorted(s.refused_as for s in raw.series) == ["", "quarantined"]


def test_two_patients_in_one_study(tmp_path):
    save(mr(series="a", PatientID="P1"), tmp_path / "1")
    save(mr(series="b", PatientID="P2"), tmp_path / "2")
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert {s.refused_as for s in raw.series} == {"quarantined"}
    assert {s.refusal for s in raw.series} == {"files of one study name 2 patients"}
    assert all(f.unused for f in raw.files)


def test_facts_come_from_images_first(tmp_path):
    save(mr(series="0", number=0, Modality="CT", Manufacturer="WORKSTATION"), tmp_path / "0")
    save(mr(series="1", number=1, Manufacturer=""), tmp_path / "1")
    save(mr(series="1", number=2, Manufacturer="ACME"), tmp_path / "2")
    [study] = find([tmp_path]).studies
    assert read_study(study).manufacturer == "ACME"


def test_contrast_of_the_study_is_any_frames(tmp_path):
    frames = [item() for _ in range(2)]
    plain = enhanced(np.zeros((2, 3, 4), np.uint16), shared=item(), frames=frames, series="a")
    save(plain, tmp_path / "1")
    [study] = find([tmp_path]).studies
    assert read_study(study).contrast is None
    save(mr(series="b", ContrastBolusAgent="NO"), tmp_path / "2")
    [study] = find([tmp_path]).studies
    assert read_study(study).contrast is False
    save(mr(series="c", ContrastBolusAgent="Gd"), tmp_path / "3")
    [study] = find([tmp_path]).studies
    assert read_study(study).contrast is True


def test_a_file_that_vanishes_between_finding_and_reading(tmp_path):
    save(mr(number=1), tmp_path / "a")
    gone = save(mr(number=2), tmp_path / "b")
    [study] = find([tmp_path]).studies
    gone.unlink()
    raw = read_study(study)
    assert [f.unused for f in raw.files] == ["", "cannot be opened: No such file or directory"]
    assert len(raw.series[0].frames) == 1


def test_uids_group_and_order(tmp_path):
    for number, name in ((2, "b"), (1, "c"), (3, "a")):
        save(mr(number=number, series=name), tmp_path / name)
    [study] = find([tmp_path]).studies
    raw = read_study(study)
    assert raw.uid == uid("study")
    assert [s.uid for s in raw.series] == sorted(uid("study", n) for n in "abc")
    assert [f.path.name for f in raw.files] == ["a", "b", "c"]


def test_big_endian_headers(tmp_path):
    dataset = mr(np.arange(6, dtype=">u2").reshape(2, 3), TriggerTime=7)
    save(dataset, tmp_path / "a", ExplicitVRBigEndian)
    [study] = find([tmp_path]).studies
    assert read_study(study).series[0].frames[0].trigger_ms == 7
