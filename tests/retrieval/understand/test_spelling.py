"""Misspellings: mended where one word is clearly meant, and nowhere else."""

import pytest

from retrieval.search.understand.spelling import meant
from retrieval.search.understand.table import shipped_terms

VOCABULARY = shipped_terms().vocabulary


@pytest.mark.parametrize(
    ("word", "right"),
    [
        ("hypertropic", "hypertrophic"),
        ("pericardal", "pericardial"),
        ("amiloid", "amyloid"),
        ("oedma", "oedema"),
        ("dilatted", "dilated"),
        ("ventricel", "ventricle"),
        ("myocardits", "myocarditis"),
        ("sarcoidoses", "sarcoidosis"),
        ("enlargd", "enlarged"),
    ],
)
def test_a_slip_is_mended(word: str, right: str):
    assert meant(word, VOCABULARY) == right


@pytest.mark.parametrize(
    "word",
    [
        "hypotrophic",  # of the other meaning
        "undilated",  # likewise
        "diluted",  # a word of its own
        "contrast",
        "hokm",  # an abbreviation
        "lgee",
        "scarr",  # too short to be sure
        "xylophone",
        "dilated",  # right already
        "2dilated",
    ],
)
def test_what_is_not_clearly_a_slip_stays(word: str):
    assert meant(word, VOCABULARY) is None


def test_of_two_words_as_near_none_is_meant():
    assert meant("abcdefxh", ["abcdefgh", "abcdefhh"]) is None
    assert meant("abcdefxh", ["abcdefgh"]) == "abcdefgh"


def test_what_turns_a_meaning_round_is_no_slip():
    assert meant("hypotrophic", ["hypertrophic"]) is None
    assert meant("hypertropic", ["hypertrophic"]) == "hypertrophic"
    assert meant("adilated", ["dilated"]) is None


def test_known_words_never_become_others():
    for word in sorted(VOCABULARY):
        assert meant(word, VOCABULARY) is None
