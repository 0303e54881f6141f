"""The canary: what names a person or a visit never leaves the indexer."""

import json
import shutil

import blosc2
import pydicom
import pytest
from pydicom.datadict import keyword_dict
from pydicom.dataset import Dataset

CANARIES = {
    "name": "KANARIENVOGEL",
    "id": "CNRY4471182",
    "accession": "ACC99887766",
    "place": "Tweetystein Hosp",
    "doctor": "Gelbfeder",
    "date": "20190523",
    "birth": "19470811",
    "phone": "555-019-2837",
}
TEXT = {"LO", "SH", "ST", "LT", "UT", "UC"}
KEPT = {"PatientSex", "PatientAge", "Manufacturer", "ManufacturerModelName", "SoftwareVersions"}
NEEDED = {"SpecificCharacterSet", "SequenceName", "PulseSequenceName"}


def planted(scan: Dataset) -> None:
    """Put a canary into every identifying and every free text attribute there is room for."""
    for keyword, tag in keyword_dict.items():
        vr = pydicom.datadict.dictionary_VR(tag)
        if keyword in KEPT | NEEDED or not keyword or keyword.startswith("Retired"):
            continue
        if tag >> 16 not in (0x0008, 0x0010, 0x0020, 0x0032, 0x0038, 0x0040, 0x4008):
            continue
        if vr == "PN":
            scan.add_new(tag, vr, f"{CANARIES['name']}^{CANARIES['doctor']}")
        elif vr in TEXT:
            scan.add_new(tag, vr, CANARIES["place"])
        elif vr == "DA":
            scan.add_new(tag, vr, CANARIES["date"])
    scan.PatientName = f"{CANARIES['name']}^Erna"
    scan.PatientID = CANARIES["id"]
    scan.AccessionNumber = CANARIES["accession"]
    scan.PatientBirthDate = CANARIES["birth"]
    scan.StudyDate = CANARIES["date"]
    scan.SeriesDescription = f"cine sax {CANARIES['name']}"
    scan.PatientTelephoneNumbers = CANARIES["phone"]
    private = scan.private_block(0x0099, CANARIES["place"], create=True)
    private.add_new(0x01, "LO", CANARIES["name"])
    inner = Dataset()
    inner.PatientID, inner.TypeOfPatientID = CANARIES["id"] + "B", "TEXT"
    scan.OtherPatientIDsSequence = [inner]


REPORT = (
    f"Patient: Erna {CANARIES['name'].title()}, MRN {CANARIES['id']}, born 11.08.1947.\n"
    f"{CANARIES['place']}, 23 May 2019. Referred by Dr. {CANARIES['doctor']}. "
    f"Phone {CANARIES['phone']}, accession {CANARIES['accession']}.\n"
    "FINDINGS: LVEDV 240 mL, LVEF 31 %. Frau Kanarienvogel was scanned on 2019-05-23.\n"
    "IMPRESSION: Dilated left ventricle with severely reduced function."
)


@pytest.fixture(scope="module")
def indexed(make_home, phantoms, tmp_path_factory):
    archive = tmp_path_factory.mktemp("canary") / CANARIES["name"]
    study = next(p for p in sorted(phantoms.iterdir()) if p.is_dir())
    shutil.copytree(study, archive)
    for file in [p for p in archive.rglob("*") if p.is_file()]:
        scan = pydicom.dcmread(file)
        planted(scan)
        scan.save_as(file)
    uid = scan.StudyInstanceUID
    reports = archive.parent / "reports.jsonl"
    reports.write_text(json.dumps({"study_uid": uid, "text": REPORT}))
    home = make_home("privacy")
    done = home.index("run", archive, "--reports", reports, "--json")
    assert done.code == 0, done.err
    assert done.json["studies"]["indexed"] == 1
    return home, done, str(uid)


def guilty(raw: bytes, uid: str) -> list[str]:
    small = raw.lower()
    extra = (uid, "2019-05-23", "23 may 2019", "11.08.1947", "tweetystein", "erna")
    return [w for w in (*CANARIES.values(), *extra) if w.lower().encode() in small]


def test_no_file_of_the_home_sings(indexed):
    home, _, uid = indexed
    files = [p for p in home.folder.rglob("*") if p.is_file()]
    assert len(files) > 10
    assert not {str(p): g for p in files if (g := guilty(p.read_bytes(), uid))}


def test_nor_do_the_records_inside_the_clips(indexed):
    home, _, uid = indexed
    clips = list(home.folder.glob("clips/??/*.b2nd"))
    assert clips
    for path in clips:
        stored = blosc2.open(str(path), mode="r")
        assert not guilty(stored.schunk.vlmeta["record"].encode(), uid)


def test_nor_do_the_doors(indexed):
    home, done, uid = indexed
    study = home.ask("search", "dilated left ventricle", "--json").json["hits"][0]["study"]
    spoken = [done.out, done.err]
    for door, *words in (
        ("cineseek-index", "ledger", "--json"),
        ("cineseek-index", "ledger"),
        ("cineseek-index", "status", "--json"),
        ("cineseek", "show", study, "--json"),
        ("cineseek", "show", study),
        ("cineseek", "search", "dilated", "--channels", "all", "--json"),
        ("cineseek", "search", "dilated"),
    ):
        told = home.run(door, *words)
        assert told.code == 0, told.err
        spoken += [told.out, told.err]
    assert not guilty("\n".join(spoken).encode(), uid)


def test_what_searching_needs_is_still_there(indexed):
    home, _, uid = indexed
    found = home.ask("search", "reduced function", "--channels", "report", "--json").json
    assert "Dilated left ventricle" in found["hits"][0]["impression"]
    shown = home.ask("show", found["hits"][0]["study"], "--json").json
    assert "240 mL" in json.dumps(shown, ensure_ascii=False)
    (study,) = home.index("ledger", "--reveal", "--json").json["studies"]
    assert study["original_study_uid"] == uid
    assert CANARIES["name"] in study["source"]
