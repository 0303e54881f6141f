"""Queries as people write them, and the chips that they stand for.

`queries.txt` holds one a line: query | chips | free text. Chips stand as
`chip_line` writes them, with "_" for a blank inside.
"""

from pathlib import Path

import pytest

from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.query import understand
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.tokens import keys_of

TABLE = [
    tuple(part.strip() for part in line.split("|"))
    for line in Path(__file__).with_name("queries.txt").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("query", "chips", "free"), TABLE, ids=[row[0] for row in TABLE])
def test_a_query_is_understood(query: str, chips: str, free: str):
    found = understand(query)
    assert " ".join(chip_line(chip).replace(" ", "_") for chip in found.chips) == chips
    assert found.free_text == free


def test_there_are_enough_queries_and_none_is_the_lexicons_own_wording():
    terms = shipped_terms()
    assert len(TABLE) >= 150
    assert len({row[0] for row in TABLE}) == len(TABLE)
    for query, *_ in TABLE:
        keys = tuple(terms.spellings.get(key, key) for key in keys_of(query))
        assert keys not in terms.phrases, query


def test_a_misspelling_is_told():
    (one,) = understand("hypertropic cardiomyopathy").corrections
    assert (one.span, one.name) == ((0, 26), "hypertrophic cardiomyopathy")
    assert understand("hypertrophic cardiomyopathy").corrections == ()


def test_findings_carry_the_projects_own_names():
    (hcm, oedema) = understand("HCM with oedema").chips
    assert (hcm.finding, oedema.finding) == (None, "myocardial oedema")


def test_what_no_heart_can_have_is_marked():
    assert not understand("EF under 350 %").chips[0].plausible
    assert not understand("wall 150 cm").chips[0].plausible
    assert understand("EF under 35 %").chips[0].plausible
    assert understand("EF 5 to 90 %").chips[0].plausible


def test_units_become_one():
    (volume,) = understand("LVEDV over 0.25 litres").chips
    assert (volume.unit, volume.values.low) == ("mL", 250)
    (fraction,) = understand("EF below 0.29").chips
    assert (fraction.unit, fraction.values.high) == ("%", 29)


def test_chips_of_one_phrase_share_its_place():
    text = "women with LA and RA dilation"
    sex, left, right = understand(text).chips
    assert text[slice(*sex.span)] == "women"
    assert left.span == right.span
    assert text[slice(*left.span)] == "LA and RA dilation"
