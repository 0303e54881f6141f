"""Denials wherever they stand: chambers x findings x places of the negation."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.search.understand.denials import REACH, heard
from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.query import understand
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.words import words_of

CHAMBERS = {
    "left ventricle": "finding:lv_dilation;at=lv",
    "RV": "finding:rv_dilation;at=rv",
    "left atrium": "finding:la_dilation;at=la",
    "RA": "finding:ra_dilation;at=ra",
    "aorta": "finding:aortic_dilation;at=aorta",
}
SIZES = ("dilated", "enlarged", "big", "too large")
NAMES = {
    "scar": "finding:scar",
    "myocardial oedema": "finding:oedema",
    "thrombus": "finding:thrombus",
    "pericardial effusion": "finding:pericardial_effusion",
    "infarct": "finding:infarct",
    "LGE": "finding:late_enhancement",
}
BEFORE = ("no", "without", "never any", "no evidence of", "no obvious", "no such", "has never had")
BEHIND = ("is absent", "isn't there", "not seen", "was not found", "unlikely", "could not be seen")
OF_SIZE = (
    "the {place} is not {size}", "{place} isn't {size}", "{place} not {size}",
    "{place} doesn't look {size}", "{place} not at all {size}", "{place} was never {size}",
    "{place} no longer {size}", "not {size} {place}", "no {size} {place}", "not a {size} {place}",
    "a {place} that is not significantly {size}", "{place} hardly {size}",
)  # fmt: skip
FIRST = {
    "known HCM": "finding:hcm;certainty=definite",
    "septal scar": "finding:scar;at=septum",
    "LV hypertrophy": "finding:lv_hypertrophy;at=lv",
}
JOINTS = (", ", " but ", "; ", " and ")


def lines(text: str) -> list[str]:
    return [chip_line(chip) for chip in understand(text).chips]


@pytest.mark.parametrize("form", OF_SIZE)
def test_a_chamber_is_denied_its_size(form: str):
    for (place, chip), size in product(CHAMBERS.items(), SIZES):
        text = form.format(place=place, size=size)
        assert lines(text) == [f"-{chip}"], text
        for (first, wanted), joint in product(FIRST.items(), JOINTS):
            assert lines(first + joint + text) == [wanted, f"-{chip}"], first + joint + text


@pytest.mark.parametrize("name", NAMES)
def test_a_finding_is_denied_before_and_behind(name: str):
    chip = NAMES[name]
    for word in BEFORE:
        assert lines(f"{word} {name}") == [f"-{chip}"], word
        assert lines(f"dilated RV, {word} {name}") == [
            "finding:rv_dilation;at=rv",
            f"-{chip}",
        ], word
    for word in BEHIND:
        assert lines(f"{name} {word}") == [f"-{chip}"], word


@pytest.mark.parametrize(("one", "other"), [("RV", "aorta"), ("left atrium", "left ventricle")])
def test_what_was_said_of_one_chamber_is_denied_of_another(one: str, other: str):
    for size in SIZES:
        yes, no = CHAMBERS[one], CHAMBERS[other]
        for text in (
            f"{one} {size}, {other} not",
            f"{one} {size} but {other} is not",
            f"{size} {one}, {other} isn't",
            f"{size} {one}, {other} not {size}",
        ):
            assert lines(text) == [yes, f"-{no}"], text
        assert lines(f"{other} isn't {size} but {one} is") == [f"-{no}", yes]


strange = st.text("bcdfghjklmnpqrstvwxz", min_size=9, max_size=9).filter(
    lambda word: word not in shipped_terms().vocabulary
)


@settings(deadline=None, max_examples=60)
@given(st.lists(strange, min_size=1, max_size=REACH), st.sampled_from(sorted(NAMES)))
def test_unknown_words_do_not_turn_a_denial_into_a_wish(unknown: list[str], name: str):
    text = f"no {' '.join(unknown)} {name}"
    assert lines(text) == [f"-{NAMES[name]}"]
    assert understand(text).free == ()


def test_a_denial_ends_where_something_else_begins():
    assert lines("no symptoms, scar") == ["finding:scar"]
    assert lines("without complaints and scar") == ["finding:scar"]
    far = " ".join(["strangeword"] * (REACH + 1))
    assert lines(f"no {far} scar") == ["finding:scar"]
    # A number is no word that a negation reaches over.
    words = words_of("no 7 scar", shipped_terms())
    assert [word.term for word in heard(words)] == ["negation", "7", "scar"]
