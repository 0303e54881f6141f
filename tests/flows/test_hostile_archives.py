"""An archive of hostile files through the whole command: every file counted, nothing crashes."""

import json
import os

import numpy as np
import pydicom
import pytest

from tests.indexer.dicom_files import mr, save

SIZE, PHASES = 24, 9


def cine(folder, study, *, series="cine", first=1, **header):
    """A cine of one oblique slice, instance numbers against the order of time."""
    rows = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    for phase in range(PHASES):
        radius = 5 + 2 * np.cos(2 * np.pi * phase / PHASES)
        disc = (100 + 400 * (np.hypot(*rows) < radius)).astype(np.uint16)
        standard = {
            "PatientID": study,
            "PixelSpacing": [4, 4],
            "ImagePositionPatient": [-40, 20, 30],
            "ImageOrientationPatient": [0.6, 0.8, 0, 0.48, -0.36, -0.8],
            "TriggerTime": 80.0 * phase,
            "NominalInterval": 720,
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        }
        number = first + PHASES - phase
        scan = mr(disc, study=study, series=series, number=number, **(standard | header))
        yield save(scan, folder / study / series / f"{first + phase}")


def changed(paths, change):
    for path in paths:
        scan = pydicom.dcmread(path)
        change(scan)
        scan.save_as(path)


def as_floats(value):
    def change(scan):
        floats = scan.pixel_array.astype("<f4")
        floats[3, 3] = value
        for keyword in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
            delattr(scan, keyword)
        scan.FloatPixelData, scan.BitsAllocated = floats.tobytes(), 32

    return change


def constant(scan):
    scan.PixelData = bytes(2 * SIZE * SIZE)


def write_archive(folder):
    """One study a folder, named by what is wrong with it."""
    for truncated in cine(folder, "truncated"):
        truncated.write_bytes(truncated.read_bytes()[:-50])
    changed(list(cine(folder, "nan"))[4:5], as_floats(np.nan))
    changed(cine(folder, "floats"), as_floats(7.5))
    changed(cine(folder, "unplaced"), lambda scan: delattr(scan, "ImagePositionPatient"))
    changed(cine(folder, "copies"), constant)
    changed(
        cine(folder, "copies", first=50, ImageType=["ORIGINAL", "PRIMARY", "M", "NORM"]), constant
    )
    first = pydicom.dcmread(next(cine(folder, "shares"))).SeriesInstanceUID
    list(cine(folder, "shares"))
    changed(cine(folder, "shared"), lambda scan: setattr(scan, "SeriesInstanceUID", first))
    changed(list(cine(folder, "two"))[:4], lambda scan: setattr(scan, "PatientID", "CANARY"))
    (folder / "floats").rename(folder / os.fsdecode(b"sur\xff\n[red]"))
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to("CANARY")
    (folder / "bomb.zip").write_bytes(b"PK\x03\x04" + bytes(90))
    (folder / "noise").write_bytes(np.random.default_rng(1).bytes(3000))


REPORTS = [
    '{"study": "unknown", "text": "Normal."}',
    '{"study": "1.2\\ud800", "text": "x"}',
    '{"study": "unknown too", "text": "Big\\u0000 LV\\udfff."}',
    '{"study": "x", "text": "\\u0000"}',
    '{"study": "x"}',
    "[" * 50_000,
    '{"study": "x", "text": ' + "9" * 5000 + "}",
    '{"study": "big", "text": "' + "word " * 2000 + '"}',
]


@pytest.fixture(scope="module")
def indexed(make_home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    write_archive(folder / "archive")
    reports = folder / "reports.jsonl"
    reports.write_text("\n".join(REPORTS))
    broken = folder / "broken.csv"
    broken.write_bytes(b"\xff\xfe\x00")
    home = make_home("hostile")
    words = ("--reports", reports, "--reports", broken, "--json", "--quiet", "--workers", 1)
    return home, folder / "archive", home.index("run", folder / "archive", *words)


def test_every_file_is_counted_and_every_study_ends_in_a_state(indexed):
    _, archive, done = indexed
    assert done.code == 3, done.err
    there = sum(len(files) for _, _, files in os.walk(archive))
    told = done.json
    assert told["files"]["seen"] == there
    assert told["files"]["used"] + told["files"]["unused"] == there
    states = {k: told["studies"][k] for k in ("indexed", "excluded", "quarantined", "failed")}
    assert states == {"indexed": 4, "excluded": 0, "quarantined": 1, "failed": 3}
    assert told["clips"] == told["work"]["clips"] == 4
    assert told["reports"]["seen"] == told["reports"]["unmatched"] == 3
    assert told["malformed_reports"] == 6


def test_nothing_is_said_but_what_could_not_be_read(indexed):
    _, _, done = indexed
    assert "Traceback" not in done.err
    assert "Warning" not in done.err
    assert len(done.err.splitlines()) == 6, done.err


def test_reasons_name_the_fault_and_quote_no_header(indexed):
    home, _, _ = indexed
    told = home.index("ledger", "--json")
    assert "CANARY" not in told.out
    studies = told.json["studies"]
    assert {s["reason"] for s in studies} == {
        "",
        "truncated pixel data: the file ends after 1102 bytes of it",
        "pixel values that are no finite numbers",
        "no image position in the header",
        "files of one study name 2 patients",
    }
    for study in studies:
        for series in study["series"]:
            assert bool(series["clips"]) == (series["state"] == "indexed")


def test_paths_of_any_bytes_can_be_revealed(indexed):
    home, _, _ = indexed
    told = home.index("ledger", "--reveal", "--json")
    assert told.code == 0, told.err
    sources = [s["source"] for s in json.loads(told.out)["studies"]]
    assert sum("[red]" in s for s in sources) == 1
    assert home.index("ledger", "--reveal").code == 0


def test_again_is_no_work(indexed):
    home, archive, done = indexed
    again = home.index("ingest", archive, "--json", "--quiet", "--workers", 1)
    assert again.code == 3
    assert set(again.json["work"].values()) == {0}
    assert again.json["files"] == done.json["files"]
