"""Statements about simulated hearts: what can be said, how true it is, and in which words.

The public face of the `sentences_*` modules; training and the archive writer
import from here.
"""

from retrieval.phantom.sentences_grammar import (
    QUERIES_HELD_OUT,
    Family,
    Split,
    families,
    holds_held_out_query,
    phrases,
    sample_phrases,
)
from retrieval.phantom.sentences_report import Sentence, Wording, report_sentences, write_report
from retrieval.phantom.sentences_rules import RULES
from retrieval.phantom.sentences_slips import slip
from retrieval.phantom.sentences_truth import BOUNDS, DOUBTED, NUMBERS, degree, degrees, margins
from retrieval.phantom.sentences_twins import Twins, twins

CONCEPTS: tuple[str, ...] = tuple(RULES)
"""Every concept that is not a number; the order is stable."""

NUMBER_CONCEPTS: tuple[str, ...] = tuple(
    f"{quantity}={value}" for quantity, (_, values) in NUMBERS.items() for value in values
) + tuple(
    f"{quantity}{sign}{value}"
    for quantity, bounds in BOUNDS.items()
    for sign, values in bounds
    for value in values
)
"""Measured values ("lvef=35") and bounds ("lvef<40"): taken like any concept."""

DOUBT_CONCEPTS: tuple[str, ...] = tuple(f"{concept}?" for concept in DOUBTED)
"""Concepts that are left open ("lv_dilated?"): taken like any concept."""

__all__ = [
    "CONCEPTS",
    "DOUBT_CONCEPTS",
    "NUMBER_CONCEPTS",
    "QUERIES_HELD_OUT",
    "Family",
    "Sentence",
    "Split",
    "Twins",
    "Wording",
    "degree",
    "degrees",
    "families",
    "holds_held_out_query",
    "margins",
    "phrases",
    "report_sentences",
    "sample_phrases",
    "slip",
    "twins",
    "write_report",
]
