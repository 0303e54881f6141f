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
)
from retrieval.phantom.sentences_report import write_report
from retrieval.phantom.sentences_truth import NUMBERS, RULES, degree, degrees

CONCEPTS: tuple[str, ...] = tuple(RULES)
"""Every concept that is not a number; the order is stable."""

NUMBER_CONCEPTS: tuple[str, ...] = tuple(
    f"{quantity}={value}" for quantity, (_, values) in NUMBERS.items() for value in values
)
"""Graded measurements ("lvef=35"): `degree` and `phrases` take them like any concept."""

__all__ = [
    "CONCEPTS",
    "NUMBER_CONCEPTS",
    "QUERIES_HELD_OUT",
    "Family",
    "Split",
    "degree",
    "degrees",
    "families",
    "holds_held_out_query",
    "phrases",
    "write_report",
]
