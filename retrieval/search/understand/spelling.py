"""Misspelt words: the one word of the vocabulary that is clearly meant, or none."""

from collections.abc import Collection
from difflib import SequenceMatcher, get_close_matches
from functools import cache

from retrieval.language.lexicon import lexicon

SHORTEST = 6
"""Letters of the word meant: shorter ones, abbreviations first, are near to too many."""

SLIPS = 2
"""Letters more or less that a misspelling may have."""

CLOSEST = 0.84
"""Least share of letters in common: one slip in six letters, two in thirteen."""

_PREFIXES = ("hyper", "hypo", "inter", "intra", "infra", "pre", "post", "sub", "super", "non", "un")
"""What turns a meaning round; one is never taken for another."""


def meant(word: str, vocabulary: Collection[str]) -> str | None:
    """The word of the vocabulary that a misspelt one stands for.

    It begins with the same letter, and no second word comes as near. Words
    that the vocabulary or the project's reader of reports knows stay as they are.
    """
    known = word in vocabulary or word in _known_to_reports()
    if known or len(word) < SHORTEST - 1 or not word.isalpha():
        return None
    candidates = [
        other
        for other in vocabulary
        if len(other) >= SHORTEST
        and other[0] == word[0]
        and abs(len(other) - len(word)) <= SLIPS
        and not _turned_round(word, other)
    ]
    near = get_close_matches(word, sorted(candidates), n=2, cutoff=CLOSEST)
    if not near or (len(near) > 1 and _alike(word, near[0]) == _alike(word, near[1])):
        return None
    return near[0]


def _turned_round(word: str, other: str) -> bool:
    ours, theirs = _prefix(word), _prefix(other)
    return bool(ours and theirs and ours != theirs)


def _prefix(word: str) -> str:
    return next((prefix for prefix in _PREFIXES if word.startswith(prefix)), "")


def _alike(word: str, other: str) -> float:
    # As get_close_matches compares them: the ratio is not symmetric.
    return SequenceMatcher(None, other, word).ratio()


@cache
def _known_to_reports() -> frozenset[str]:
    return frozenset(word for phrase in lexicon().phrases for word in phrase)
