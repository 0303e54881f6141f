"""Texts as people type them: a slip here, an article left out there, the meaning kept."""

import re
from functools import cache
from random import Random

from retrieval.phantom.sentences_grammar import holds_held_out_query, read_table

SHORTEST = 7
"""Letters a word needs so that one of them may go astray."""

_WORD = re.compile(r"[A-Za-z]+")
_ARTICLE = re.compile(r"\b(?:the|an?)\s+", re.IGNORECASE)
_PROTECTED = re.compile(
    r"(?:ab|sub|supra)?normal|without|neither|nothing|negative|positive|lacking|left|right|.*(?:septal|lateral|anterior|"
    r"inferior|cardial)|(?:hypo|hyper|un|non|in).*",
    re.IGNORECASE,
)
"""Words that tell one statement from another by a few letters: never touched."""


def slip(text: str, rng: Random) -> str:
    """Return a text with one or two slips, or as it was where it offers none.

    Sides, walls, negations, numbers and units stay as they are, and no query
    of `QUERIES_HELD_OUT` comes about.
    """
    changed = text
    for _ in range(rng.choice((1, 1, 2))):
        changed = rng.choice((_misspell, _misspell, _without_articles, _without_commas))(
            changed, rng
        )
    return text if holds_held_out_query(changed) else changed


def _misspell(text: str, rng: Random) -> str:
    words = [m for m in _WORD.finditer(text) if _can_slip(m[0])]
    if not words:
        return text
    word = rng.choice(words)
    known = _known().get(word[0].lower())
    wrong = rng.choice(known) if known else _astray(word[0], rng)
    if word[0][0].isupper():
        wrong = wrong[0].upper() + wrong[1:]
    return text[: word.start()] + wrong + text[word.end() :]


def _can_slip(word: str) -> bool:
    known = word.lower() in _known()
    return known or (len(word) >= SHORTEST and not _PROTECTED.fullmatch(word))


def _astray(word: str, rng: Random) -> str:
    """Lose, double or swap a letter that is neither the first nor the last."""
    at = rng.randrange(1, len(word) - 2)
    here, after = word[at], word[at + 1]
    middle = rng.choice(("", here + here, after + here))
    return word[:at] + middle + word[at + (2 if middle == after + here else 1) :]


def _without_articles(text: str, rng: Random) -> str:  # noqa: ARG001 - like the others
    bare = _ARTICLE.sub("", text)
    return bare[:1].upper() + bare[1:]


def _without_commas(text: str, rng: Random) -> str:  # noqa: ARG001 - like the others
    return text.replace(",", "").replace(": ", " ") if ": no" not in text else text


@cache
def _known() -> dict[str, list[str]]:
    return read_table("words")["misspelt"]
