"""How the reports are worded on which search is judged: words that no training ever read.

The wordings stand in `sentences_gold.toml`, apart from the grammar of the
other files: neither the lexicon nor training is made from them.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Literal

from retrieval.phantom.sentences_grammar import Family, read_table

Fresh = Literal["fresh", "terse"]
"""Whole sentences, or shorthand ("LV dil, EF 28, no LGE")."""

_TABLES: Mapping[Fresh, str] = {"fresh": "plain", "terse": "terse"}


@cache
def fresh_families(concept: str, words: Fresh) -> tuple[Family, ...]:
    """Wordings of a concept ("lv_dilated"), or of one that is left open ("lv_dilated?").

    Raises
    ------
    KeyError
        No report says this.
    """
    if not concept.endswith("?"):
        return tuple((phrase,) for phrase in _table()[_TABLES[words]][concept])
    doubt = _table()["doubt"][_TABLES[words]]
    named = doubt["np"][concept.removesuffix("?")]
    return tuple((_capital(t.format(np=named)),) for t in doubt["templates"])


def fresh_numbers(kind: str, words: Fresh) -> Sequence[Mapping[str, Any]]:
    """Lines of measurements of one kind, with the quantities that they state."""
    return _table()["numbers"][_TABLES[words]][kind]


def shorthand(findings: Sequence[str], impression: Sequence[str], rng: Random) -> str:
    """Statements in a row, half of the time with a conclusion; nobody types full stops.

    Without findings there is always a conclusion.
    """
    joints = _table()["joints"]
    joint = rng.choice(joints["terse"])
    text = joint.join(said.removesuffix(".") for said in findings)
    if findings and rng.random() < 0.5:
        return text
    concluded = joint.join(said.removesuffix(".") for said in impression)
    return "\n".join(filter(None, (text, rng.choice(joints["conclusion"]) + concluded)))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


@cache
def _table() -> dict[str, Any]:
    return read_table("gold")
