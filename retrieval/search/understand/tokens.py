"""Cut a query into words, numbers and signs, each with its place."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?<![^\W_])[0-9a-f]{24}(?![^\W_])       # a study's pseudonym
    | \d{4}-\d{2}-\d{2}(?!\d)               # a date
    | \d+(?:[.,]\d+)?                       # a number, also in "15mm" and "3T"
    | [^\W\d_]+(?:['\u2019][^\W\d_]+)?(?:\d+[^\W\d_]*)?[²]?   # LV, patient's, T2w, m2, m²
    | [<>]=
    | [^\w\s] | _
    """,
    re.VERBOSE,
)
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014"


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or sign; `key` is its lower-case form, [start, end) its place."""

    key: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """Cut a text; a hyphen beside a letter only parts words, between numbers it is a sign."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        if match.group() in _HYPHENS:
            around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
            if any(c.isalpha() for c in around):
                continue
        found.append(Token(_key(match.group()), match.start(), match.end()))
    return found


def keys_of(phrase: str) -> tuple[str, ...]:
    """The keys of a phrase's tokens."""
    return tuple(token.key for token in tokens_of(phrase))


def _key(text: str) -> str:
    if text in _HYPHENS:
        return "-"
    return text.lower().replace("\u2019", "'").replace("²", "2")
