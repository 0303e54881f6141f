from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer import scanners
from indexer.cleaning import identifying_words
from indexer.deidentify import deidentify, study_day
from indexer.raw import Frame, RawFile, RawSeries, RawStudy
from retrieval.values.study import Sex, State
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms

RAW = RawStudy(
    uid="1.2.826.0.1.3680043.9",
    patient_id="PAT-00815",
    issuer="CANARY-HOSPITAL",
    patient_name="CANARY^YELLOW",
    accession="ACC-4711",
    study_date="20120503",
    birth_date="19500504",
    sex="F",
    height_m=1.65,
    weight_kg=70.0,
    manufacturer="SIEMENS Healthineers, Dr Canary's",
    model="MAGNETOM Avanto_fit of CANARY",
    software="syngo MR E11C; installed by Canary",
    field_strength_t=1.494,
    contrast=True,
    identifiers=("CANARY^YELLOW", "PAT-00815", "ACC-4711", "Canary Hospital"),
    series=(
        RawSeries(uid="1.2.3", modality="MR", sop_class="", frames=tuple(
            Frame(file=Path("/pacs/CANARY/x"), index=0, instance_uid="1.2.3.4", rows=1, columns=1,
                  rr_ms=rr) for rr in (800.0, 1000.0, 1200.0, 5.0))),
    ),
    files=(
        RawFile(path=Path("/pacs/CANARY/a/x"), size=1, modified_ns=1, study_uid="1.2",
                series_uid="1.2.3", instance_uid="1.2.3.4"),
        RawFile(path=Path("/pacs/CANARY/b/y"), size=1, modified_ns=1, study_uid="1.2",
                series_uid="1.2.3", instance_uid="1.2.3.4"),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def pseudonyms(tmp_path_factory: pytest.TempPathFactory) -> Pseudonyms:
    return Pseudonyms(open_keys(tmp_path_factory.mktemp("keys") / "key", create=True))


def test_what_is_listed_is_kept(pseudonyms: Pseudonyms) -> None:
    study = deidentify(RAW, pseudonyms, site="north").study
    assert study.id == pseudonyms.study(RAW.uid)
    assert (study.site, study.state, study.year, study.contrast) == (
        "north", State.PENDING, 2012, True)  # fmt: skip
    patient = study.patient
    assert patient.id == pseudonyms.patient(RAW.issuer, RAW.patient_id)
    assert (patient.sex, patient.age_years) == (Sex.FEMALE, 61)
    assert (patient.height_cm, patient.weight_kg, patient.bsa_m2) == (165.0, 70.0, 1.79)
    assert study.heart_rate_bpm == 60.0
    scanner = study.scanner
    assert (scanner.vendor, scanner.model) == ("Siemens", "MAGNETOM")
    assert (scanner.software, scanner.field_strength_t) == ("syngo MR E11C", 1.49)


def test_nothing_that_names_anybody_is_left(pseudonyms: Pseudonyms) -> None:
    done = deidentify(RAW, pseudonyms, site="north")
    for secret in ("canary", "yellow", "00815", "4711", "0503", "pacs", RAW.uid):
        assert secret not in repr(done.study).lower()
        assert secret not in (done.accession_key or "")
    assert done.accession_key == pseudonyms.accession(RAW.accession)


def test_the_vault_gets_the_way_back(pseudonyms: Pseudonyms) -> None:
    done = deidentify(RAW, pseudonyms, site="north")
    by_kind = {kind: (name, payload) for name, kind, payload in done.secrets}
    name, payload = by_kind["study"]
    assert name == done.study.id
    assert payload["study_uid"] == RAW.uid
    assert payload["source"] == "/pacs/CANARY"
    assert by_kind["patient"][1]["patient_id"] == RAW.patient_id
    assert "/pacs/CANARY/b/y" in by_kind["series"][1]["instances"]
    assert "YELLOW" not in repr([p for n, k, p in done.secrets if k == "patient"])


def test_dates_of_one_patient_shift_together(pseudonyms: Pseudonyms) -> None:
    days = [
        deidentify(replace(RAW, uid=uid, study_date=day), pseudonyms, site="s").study.acquired_on
        for uid, day in (("1.1", "20120503"), ("1.2", "20120603"))
    ]
    assert None not in days
    assert (days[1] - days[0]).days == 31
    assert days[0] != date(2012, 5, 3)


def test_patients_without_an_id_are_not_taken_for_one(pseudonyms: Pseudonyms) -> None:
    one, two = (
        deidentify(replace(RAW, patient_id="", uid=uid), pseudonyms, site="s").study.patient.id
        for uid in ("1.1", "1.2")
    )
    assert one != two


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20120503", (2012, date(2012, 5, 3))),
        ("2012.05.03", (2012, date(2012, 5, 3))),
        ("20120000", (2012, None)),
        ("20120231", (2012, None)),
        ("201205", (2012, None)),
        ("2012", (2012, None)),
        ("18990101", (None, None)),
        ("00000000", (None, None)),
        ("", (None, None)),
        ("CANARY", (None, None)),
    ],
)
def test_a_broken_date_still_gives_its_year(text: str, expected: tuple[object, object]) -> None:
    assert study_day(text) == expected


def test_a_date_without_a_day_is_not_shifted(pseudonyms: Pseudonyms) -> None:
    study = deidentify(replace(RAW, study_date="20120000"), pseudonyms, site="s").study
    assert (study.year, study.acquired_on, study.patient.age_years) == (2012, None, None)


@pytest.mark.parametrize(
    ("age", "birth", "expected"),
    [
        ("045Y", "", 45),
        ("018M", "", 1),
        ("010D", "", 0),
        ("026W", "", 0),
        ("095Y", "", 90),
        ("090Y", "", 90),
        ("089Y", "", 89),
        ("045Y", "19500101", 45),
        ("45", "19500503", 62),
        ("", "19500504", 61),
        ("", "19150101", 90),
        ("", "20130101", None),
        ("999Y", "", None),
        ("", "1950", None),
    ],
)
def test_age_in_whole_years_with_the_oldest_in_one_group(
    pseudonyms: Pseudonyms, age: str, birth: str, expected: int | None
) -> None:
    raw = replace(RAW, age=age, birth_date=birth)
    assert deidentify(raw, pseudonyms, site="s").study.patient.age_years == expected


@pytest.mark.parametrize(
    ("height", "weight", "kept"),
    [
        (1.8, 80.0, (180.0, 80.0)),
        (0.0, 80.0, (None, 80.0)),
        (1.8, 0.0, (180.0, None)),
        (1.8, 500.0, (180.0, None)),
        (1.8, 8.0, (None, None)),
        (float("nan"), 80.0, (None, 80.0)),
        (None, None, (None, None)),
    ],
)
def test_implausible_bodies_are_dropped(
    pseudonyms: Pseudonyms,
    height: float | None,
    weight: float | None,
    kept: tuple[float | None, float | None],
) -> None:
    patient = deidentify(
        replace(RAW, height_m=height, weight_kg=weight), pseudonyms, site="s"
    ).study.patient
    assert (patient.height_cm, patient.weight_kg) == kept
    assert (patient.bsa_m2 is None) == (None in kept)


@pytest.mark.parametrize(
    ("vendor", "model", "software", "kept"),
    [
        ("SIEMENS", "Aera", "syngo MR E11", ("Siemens", "Aera", "syngo MR E11")),
        ("Philips Medical Systems", "Ingenia", "5.3.1; 5.3.1.0",
         ("Philips", "Ingenia", "5.3.1 5.3.1.0")),
        ("GE MEDICAL SYSTEMS", "DISCOVERY MR750w", "27; LX; MR Software release:DV26.0_R01_1725.a",
         ("GE", "Discovery MR750w", "27 LX MR software release DV26.0_R01_1725.a")),
        ("TOSHIBA", "Vantage Titan 3T", "V6.0", ("Canon", "Vantage Titan 3T", "V6.0")),
        ("Canary Scanners", "Canary One", "canary", (None, None, None)),
        ("SIEMENS", "12345678", "12345678", ("Siemens", None, None)),
        ("", "", "", (None, None, None)),
    ],
)  # fmt: skip
def test_scanner_texts_are_cut_down_to_what_is_known(
    vendor: str, model: str, software: str, kept: tuple[str | None, str | None, str | None]
) -> None:
    found = (scanners.vendor(vendor), scanners.model(model, ()), scanners.software(software, ()))
    assert found == kept


def test_a_version_that_is_an_identifier_is_dropped() -> None:
    identifying = identifying_words(("B17 CANARY^A",))
    assert scanners.software("syngo MR B17 E11", identifying) == "syngo MR E11"


WORDS = st.text(
    st.characters(categories=("Lu", "Ll"), max_codepoint=0x17F), min_size=5, max_size=12
)


@settings(deadline=None, max_examples=80)
@given(WORDS, WORDS, st.integers(100_000, 10**9))
@example("Magnetom", "Avanto", 123456)
def test_planted_words_never_survive_in_scanner_texts(
    pseudonyms: Pseudonyms, first: str, second: str, number: int
) -> None:
    planted = f"{first}^{second}"
    raw = replace(
        RAW,
        manufacturer=f"GE {first} {number}",
        model=f"Signa {second} {number}",
        software=f"DV26 {planted} {number}",
        identifiers=(planted, str(number)),
    )
    scanner = deidentify(raw, pseudonyms, site="s").study.scanner
    kept = f"{scanner.vendor} {scanner.model} {scanner.software}".split()
    listed = {w.lower() for w in kept} <= {"ge", "signa", "dv26", "none", "magnetom", "avanto"}
    assert listed
    assert str(number) not in kept
