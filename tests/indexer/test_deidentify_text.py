from string import ascii_uppercase

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indexer.cleaning import clean_text, fold, identifying_words

HEADER = (
    "CANARY^YELLOW^Q",
    "Müller^Änne",
    "WHITE^LONG",
    "PAT-00815",
    "ACC4711X",
    "Karolinska University Hospital",
    "1",
    "240",
)

MEASUREMENTS = (
    "LVEDV 240 mL", "LVEF 35 %", "LVEF 30-35 %", "1.5 T", "12/16 segments", "50-75 %",
    "RVEDVi 120 ml/m2", "wall 10-12 mm", "3.5 x 4.2 cm", "0.15 mmol/kg", "T1 1020 ms",
    "HR 65 bpm", "BSA 1.73 m2", "Qp/Qs 1.5:1", "TE/TR 1.1/3.0 ms", "flip angle 50",
    "4/17 segments", "segment 12 may be scarred", "E/A 0.8", "CABG in 2009", "57-year-old",
    "b-value 1000", "VENC 150 cm/s", "aortic root 42 mm", "5 of 17", "the long axis",
    "white blood", "MR. Findings", "score 3/16", "mid 1/3", "2/3 of the wall", "grade II",
)  # fmt: skip


@pytest.mark.parametrize("text", MEASUREMENTS)
def test_measurements_survive(text: str) -> None:
    assert clean_text(f"There is {text}, as seen.", HEADER) == f"There is {text}, as seen."


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Yellow Canary was scanned.", "[name] was scanned."),
        ("CANARY, YELLOW Q. was scanned.", "[name] was scanned."),
        ("Mrs Canary's heart", "Mrs [name]'s heart"),
        ("for MUELLER and Muller", "for [name] and [name]"),
        ("MR White Long has", "MR [name] has"),
        ("id 00815, PAT 00815, pat-815", "id [id], [id], [id]"),
        ("seen at KAROLINSKA  University\nHospital today", "seen at [removed] today"),
        ("acc4711x", "[id]"),
    ],
)
def test_what_the_headers_name_is_removed(text: str, left: str) -> None:
    assert clean_text(text, HEADER) == left


@pytest.mark.parametrize(
    "text",
    [
        "2012-05-03", "03/05/2012", "5/13/2012", "3.5.2012", "03.05.12", "20120503", "3 May 2012",
        "May 3, 2012", "3rd of May 2012", "03-May-2012", "3. Mai 2012", "3 mai 2012", "May 2012",
        "05/2012", "DOB: 1.2.1950", "2012-05-03T14:30:00", "14:35", "12 May", "020 7946 0958",
        "+44 20 7946 0958", "(555) 123-4567", "Tel. 12345", "ext 4321", "bleep: 123",
        "j.d@example.org", "https://example.org/x?y=1", "www.example.org",
        "1.2.840.113619.2.5.1762583153", "12345678", "AB123456", "MRN: 123", "MRN 12A",
        "Hospital number 77-8", "Accession no. X12/345", "Patient ID: 9",
    ],
)  # fmt: skip
def test_what_looks_like_an_identifier_is_removed(text: str) -> None:
    cleaned = clean_text(f"Compared ({text}) now.", ())
    assert cleaned.startswith("Compared (")
    assert cleaned.endswith(") now.")
    assert text not in cleaned
    digits = [c for c in text if c.isdigit()]
    assert not digits or not any(c.isdigit() for c in cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Zork Quux", "Dr Zork", "Prof. Dr. Z. Zork", "Mr Zork", "DR ZORK", "Frau Zork",
        "Reported by: Zork Quux", "Reported by Zork Quux",
        "Electronically signed by Zork Quux MD", "Name: zork, quux", "Referring physician: Zork",
        "Zork Quux, FRCR", "Consultant: Dr Zork", "Patient: Zork Quux", "12 Zork Street",
        "Zorkstraße 5", "Zork Hospital", "St. Zork's Clinic",
    ],
)  # fmt: skip
def test_people_and_places_that_no_header_names_are_removed(text: str) -> None:
    cleaned = clean_text(f"LV dilated. {text}\nNo scar.", ()).lower()
    assert "zork" not in cleaned
    assert "quux" not in cleaned
    assert cleaned.startswith("lv dilated. ")
    assert cleaned.endswith("\nno scar.")


def test_a_report_goes_on_behind_a_name() -> None:
    text = "Dr John Smith. Findings: the LV is dilated. Consultant opinion: normal RV."
    assert (
        clean_text(text, ())
        == "[name]. Findings: the LV is dilated. Consultant opinion: normal RV."
    )


def test_great_ages_are_pooled() -> None:
    assert (
        clean_text("A 93-year-old and a 57-year-old.", ())
        == "A over 89-year-old and a 57-year-old."
    )


def test_prose_of_a_header_costs_only_its_names() -> None:
    comment = "Known dilated cardiomyopathy, seen by Canary before the scan was made, no scar"
    assert clean_text("Dilated cardiomyopathy, Canary, no scar.", (comment,)) == (
        "Dilated cardiomyopathy, [name], no scar."
    )
    assert identifying_words((comment,)) == {"canary"}


def test_folding_keeps_places() -> None:
    text = "Ümlaut İstanbul ﬁne ß É"
    assert len(fold(text)) == len(text)
    assert fold("Änne É") == "anne e"


NAME = st.text(ascii_uppercase + "ÄÖÉÑØ", min_size=3, max_size=10).map(str.capitalize)


@settings(deadline=None, max_examples=200)
@given(
    names=st.lists(NAME, min_size=2, max_size=3, unique=True),
    number=st.integers(1000, 10**9),
    joint=st.sampled_from((" ", ", ", "^", "  ", "-")),
    turn=st.booleans(),
    case=st.sampled_from((str.upper, str.lower, str.title)),
    around=st.sampled_from(MEASUREMENTS[:20]),
    title=st.sampled_from(("", "Mr ", "Dr. ", "Patient: ")),
)
def test_planted_identifiers_never_survive(
    names: list[str], number: int, joint: str, turn: bool, case, around: str, title: str
) -> None:
    assume(all(identifying_words((n,)) for n in names))
    assume(str(number) not in around)
    assume(not any(fold(n) in fold(around) for n in names))
    header = ("^".join(names), f"ID{number}", str(number))
    written = case(joint.join(reversed(names) if turn else names))
    cleaned = clean_text(f"{around} - {title}{written} ({number}, id{number}). {around}", header)
    words = set(fold(cleaned).replace("^", " ").replace("-", " ").split())
    assert not words & {fold(n) for n in names}
    assert str(number) not in cleaned
    assert cleaned.count(around) == 2


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=120), st.lists(st.text(max_size=20), max_size=3))
def test_any_text_can_be_cleaned_and_stays_clean(text: str, identifiers: list[str]) -> None:
    once = clean_text(text, identifiers)
    for identifier in identifiers:
        for word in identifying_words((identifier,)):
            if word.isalpha() and len(word) > 2 and word.isascii():
                assert word not in fold(once).replace("[", " ").replace("]", " ").split()
