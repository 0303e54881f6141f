"""From tokens to words of the lexicon: the longest phrase wins, misspellings are mended."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.search.understand.spelling import meant
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Kind, Terms
from retrieval.search.understand.tokens import Token, keys_of, tokens_of

_SILENT = frozenset({"article", "filler"})
"""Roles that the grammar never sees."""

UNKNOWN = "UNKNOWN"

_PLAIN = (
    ("STUDY", re.compile(r"[0-9a-f]{24}")),
    ("DATE", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("YEAR", re.compile(r"19[89]\d|20\d{2}")),
    ("NUMBER", re.compile(r"\d{1,9}(?:[.,]\d{1,9})?")),
)
"""What is known by its form; whole numbers from 1980 on are years, MRI of the heart is no older."""


@dataclass(frozen=True, slots=True)
class Word:
    """A phrase of the query by its part in the grammar.

    Attributes
    ----------
    terminal
        Name in the grammar; `UNKNOWN` for what the lexicon does not have, ""
        for what says nothing ("the", "cases").
    term
        Term id, or the text itself of a number, date or study.
    start, end
        Its place in the query.
    adjective
        Whether it must belong to something.
    mended
        Whether its spelling was corrected.
    """

    terminal: str
    term: str
    start: int
    end: int
    adjective: bool = False
    mended: bool = False


def words_of(text: str, terms: Terms) -> list[Word]:
    """Read a query from left to right."""
    tokens = tokens_of(text)
    mended = _mended(tokens, terms)
    keys = [mended.get(i) or _key(token.key, terms) for i, token in enumerate(tokens)]
    found: list[Word] = []
    at = 0
    while at < len(tokens):
        length, phrase = _longest(keys, at, terms)
        first, last = tokens[at], tokens[at + length - 1]
        if phrase is None:
            found.append(_plain(first))
        else:
            term, adjective = phrase
            slipped = any(at <= i < at + length for i in mended)
            terminal = _terminal(term, terms, adjective=adjective)
            found.append(Word(terminal, term, first.start, last.end, adjective, slipped))
        at += length
    return found


def content(text: str) -> tuple[str, ...]:
    """The words of a text that say what it is about, in lower case; not "with", "is", "the"."""
    terms = shipped_terms()
    said = [
        word
        for word in words_of(text, terms)
        if word.terminal
        and (word.term not in terms.terms or terms[word.term].kind is not Kind.WORD)
    ]
    return tuple(
        key for word in said for key in keys_of(text[word.start : word.end]) if key.isalnum()
    )


def _mended(tokens: Sequence[Token], terms: Terms) -> Mapping[int, str]:
    unknown = {
        i: token.key
        for i, token in enumerate(tokens)
        if _key(token.key, terms) not in terms.vocabulary
    }
    right = {key: meant(key, terms.vocabulary) for key in dict.fromkeys(unknown.values())}
    return {i: word for i, key in unknown.items() if (word := right[key]) is not None}


def _key(key: str, terms: Terms) -> str:
    """A token as the lexicon spells it: British, and singular where only that is known."""
    ours = terms.spellings.get(key, key)
    if ours in terms.vocabulary or not ours.endswith("s"):
        return ours
    one = terms.spellings.get(ours[:-1], ours[:-1])
    return one if one in terms.vocabulary and len(one) > 1 else ours


def _longest(keys: Sequence[str], at: int, terms: Terms) -> tuple[int, tuple[str, bool] | None]:
    for length in range(min(terms.longest, len(keys) - at), 0, -1):
        phrase = terms.phrases.get(tuple(keys[at : at + length]))
        if phrase is not None:
            return length, phrase
    return 1, None


def _terminal(name: str, terms: Terms, *, adjective: bool) -> str:
    term = terms[name]
    if term.kind is Kind.FINDING and adjective:
        return Kind.QUALITY.upper()  # "akinetic apex" reads like "dilated LV"
    if term.kind is Kind.ORDINARY:
        return UNKNOWN
    if term.kind is Kind.WORD:
        return "" if name in _SILENT else name.upper()
    if term.kind is Kind.TECHNIQUE and term.reads_as:
        return "DUAL"
    return "TEST" if term.kind is Kind.TECHNIQUE and term.finds else term.kind.upper()


def _plain(token: Token) -> Word:
    return Word(_plain_terminal(token.key), token.key, token.start, token.end)


def _plain_terminal(key: str) -> str:
    return next((name for name, form in _PLAIN if form.fullmatch(key)), UNKNOWN)
