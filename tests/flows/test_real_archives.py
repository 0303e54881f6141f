"""Real scans, from the door to the ledger and back."""

import random
import shutil
from pathlib import Path

import pydicom
import pydicom.data
import pytest

TRUTH = {"SCD0000101": (12, 10.0), "SCD0000301": (10, 8.0), "SCD0000401": (11, 8.0)}
FIELDS = ("view", "technique", "slices", "frames", "clips", "spacing_mm", "slice_spacing_mm")


@pytest.fixture(scope="module")
def indexed(make_home, sunnybrook):
    home = make_home("sunnybrook")
    return home, home.index("run", sunnybrook, "--json")


def by_patient(home):
    studies = home.index("ledger", "--reveal", "--json").json["studies"]
    return {Path(s["source"]).name: s for s in studies}


def test_sunnybrook_is_three_studies_and_660_used_files(indexed):
    _, done = indexed
    assert done.code == 0, done.err
    assert done.json["studies"] == {
        "found": 3, "indexed": 3, "excluded": 0, "quarantined": 0, "failed": 0, "pending": 0
    }  # fmt: skip
    assert done.json["files"] == {"seen": 661, "used": 660, "unused": 1}
    assert done.json["clips"] == 33


def test_each_is_one_short_axis_cine_with_its_true_geometry(indexed):
    home, _ = indexed
    for patient, study in by_patient(home).items():
        slices, spacing = TRUTH[patient]
        (series,) = study["series"]
        assert (series["view"], series["technique"]) == ("SAX", "cine")
        assert (series["slices"], series["clips"], series["frames"]) == (slices, slices, 20)
        assert series["slice_spacing_mm"] == pytest.approx(spacing, abs=0.1)


def test_searching_it_ranks_all_three(indexed):
    home, _ = indexed
    found = home.ask("search", "dilated left ventricle", "--limit", "all", "--json").json
    assert found["eligible"] == 3
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    assert {hit["evidence"]["view"] for hit in found["hits"]} == {"SAX"}


def test_names_and_numbers_of_files_are_not_what_geometry_is_read_from(
    indexed, sunnybrook, home, tmp_path
):
    """Blank descriptions and manufacturer, permute instance numbers, rename files."""
    known, _ = indexed
    order = random.Random(0)
    for patient in TRUTH:
        files = sorted(p for p in (sunnybrook / patient).rglob("*") if p.is_file())
        numbers = list(range(1, len(files) + 1))
        order.shuffle(numbers)
        names = [f"{order.getrandbits(48):x}" for _ in files]
        for file, number, name in zip(files, numbers, names, strict=True):
            scan = pydicom.dcmread(file)
            scan.InstanceNumber = number
            for word in ("Manufacturer", "SeriesDescription", "StudyDescription", "ProtocolName"):
                setattr(scan, word, "")
            (tmp_path / "other" / patient).mkdir(parents=True, exist_ok=True)
            scan.save_as(tmp_path / "other" / patient / name)
    assert home.index("ingest", tmp_path / "other", "--quiet").code == 0
    before, after = by_patient(known), by_patient(home)
    for patient in TRUTH:
        (was,), (is_now,) = before[patient]["series"], after[patient]["series"]
        assert {f: was[f] for f in FIELDS} == {f: is_now[f] for f in FIELDS}


def test_acdc_is_a_hundred_studies_and_its_groups_stay_out(make_home, acdc):
    home = make_home("acdc")
    done = home.index("ingest", acdc, "--json", "--quiet")
    assert done.code == 0, done.err
    assert done.json["studies"]["indexed"] == done.json["studies"]["found"] == 100
    files = done.json["files"]
    assert files["seen"] == files["used"] + files["unused"]
    assert files["used"] == 200
    for study in home.index("ledger", "--json").json["studies"]:
        (series,) = study["series"]
        assert (series["view"], series["technique"], series["frames"]) == ("SAX", "cine", 2)
    database = b"".join(p.read_bytes() for p in home.folder.glob("catalog.db*"))
    assert not [g for g in (b"MINF", b"patient0") if g in database]


def test_everything_in_pydicom_with_rubbish_on_top_is_accounted_for(home, tmp_path):
    mixed = tmp_path / "mixed"
    inside = Path(pydicom.data.__file__).parent
    files = [p for p in inside.rglob("*") if p.is_file() and p.suffix != ".py"]
    for number, file in enumerate(files):
        (mixed / str(number % 7)).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, mixed / str(number % 7) / f"{number}_{file.name}")
    (mixed / "noise").write_bytes(random.Random(1).randbytes(50_000))
    (mixed / "note.txt").write_text("nothing to see")
    (mixed / "empty").write_bytes(b"")
    shutil.make_archive(str(mixed / "packed"), "zip", mixed / "0")
    done = home.index("run", mixed, "--json", "--quiet")
    assert done.code in (0, 3), done.err
    counts, seen = done.json["studies"], done.json["files"]
    assert counts["found"] == sum(v for k, v in counts.items() if k != "found")
    assert (done.code == 3) == (counts["quarantined"] + counts["failed"] > 0)
    assert seen["seen"] == seen["used"] + seen["unused"] == len(files) + 4
    reasons = [s["reason"] for s in home.index("ledger", "--json").json["studies"]]
    assert any("no cardiac series" in reason for reason in reasons)
    assert all(reasons)
