"""Words of a sentence and what they stand for, by the table in `lexicon.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

from retrieval.values.finding import FindingName

_TOKEN = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[a-z]+)?\d*|[^\w\s]|²")
_GROUPS = (
    "anatomy", "abnormal", "measured", "value", "negation", "uncertainty", "boundary", "ignored",
    "statement", "imaging", "examined", "unassessed", "earlier",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """A word or phrase of a sentence.

    Attributes
    ----------
    kind
        A group of the lexicon, "number", "word" or "punctuation".
    what
        The entry ("LV", "dilation", "before"), or the word, number or sign itself.
    at
        Index of its first token in the sentence.
    """

    kind: str
    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The table, ready to look up.

    Attributes
    ----------
    phrases
        Words of a phrase to the (group, entry) pairs it stands for.
    findings
        (anatomy or "*", kind of statement) to a finding.
    default
        Kind of statement to the chamber meant where none is named.
    longest
        Words of the longest phrase.
    """

    phrases: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]
    findings: Mapping[tuple[str, str], FindingName]
    default: Mapping[str, str]
    longest: int

    def marks(self, sentence: str) -> list[Mark]:
        """Read a sentence from left to right, the longest known phrase first."""
        tokens = tokens_of(sentence)
        marks: list[Mark] = []
        at = 0
        while at < len(tokens):
            length, meanings = self._longest(tokens, at)
            marks += [Mark(kind, what, at) for kind, what in meanings]
            at += length
        return marks

    def _longest(self, tokens: Sequence[str], at: int) -> tuple[int, Sequence[tuple[str, str]]]:
        for length in range(min(self.longest, len(tokens) - at), 0, -1):
            meanings = self.phrases.get(tuple(tokens[at : at + length]))
            if meanings is not None:
                return length, meanings
        token = tokens[at]
        if token[0].isdecimal():
            return 1, (("number", token.replace(",", ".")),)
        return 1, (("word" if token[0].isalpha() else "punctuation", token),)


def tokens_of(text: str) -> list[str]:
    """Lower-case words, numbers and signs; a hyphen between letters only parts them."""
    joined = re.sub(r"(?<=[^\W\d_])[-\u2010-\u2013](?=[^\W_])", " ", text.lower())
    return _TOKEN.findall(joined.replace("\u2019", "'"))


@cache
def lexicon() -> Lexicon:
    """Read the table that ships with the package.

    Raises
    ------
    ValueError
        A phrase stands for two things.
    """
    text = files("retrieval.language").joinpath("lexicon.toml").read_text("utf-8")
    return parse_lexicon(tomllib.loads(text))


def parse_lexicon(table: Mapping[str, Any]) -> Lexicon:
    """Make a lexicon of a table; see `lexicon`."""
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
    for group in _GROUPS:
        for what, entries in table.get(group, {}).items():
            for phrase in entries:
                _add(phrases, phrase, ((group, what),))
    for phrase, meanings in table["compound"].items():
        _add(phrases, phrase, tuple(_meaning(m) for m in meanings))
    findings = {
        _meaning(statement): FindingName(name)
        for name, statements in table["findings"].items()
        for statement in statements
    }
    return Lexicon(phrases, findings, table["default"], max(map(len, phrases)))


def _add(
    phrases: dict[tuple[str, ...], tuple[tuple[str, str], ...]],
    phrase: str,
    meanings: tuple[tuple[str, str], ...],
) -> None:
    for one in _spelt_out(phrase):
        words = tuple(tokens_of(one))
        if words in phrases:
            raise ValueError(f"the lexicon has {one!r} twice; leave it in one place")
        phrases[words] = meanings


def _spelt_out(phrase: str) -> list[str]:
    """All that "{was|were} not {seen|found}" stands for; a choice may be empty."""
    parts = re.split(r"\{([^}]*)\}", phrase)
    choices = [part.split("|") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(chosen) for chosen in product(*choices)]


def _meaning(text: str) -> tuple[str, str]:
    kind, _, what = text.partition(" ")
    return kind, what
