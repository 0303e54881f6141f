"""What a negation reaches over words that nobody knows: "no obvious scar", "never had an infarct".

The grammar joins a negation to the word behind it. An unknown word between the
two would leave the finding by itself, and turn "no such scar" into a wish for scar.
"""

from collections.abc import Sequence

from retrieval.search.understand.words import UNKNOWN, Word

REACH = 2
"""Unknown words that a negation reaches over; behind more of them it may mean something else."""

_DENIABLE = frozenset(
    {"FINDING", "DUAL", "QUALITY", "SIZE", "VALUE", "ASPECT", "ANATOMY", "MEASUREMENT", "PATTERN"}
    | {"SEVERITY", "CERTAINTY", "SOME", "POSITIVE"}
)


def heard(words: Sequence[Word]) -> list[Word]:
    """The words that the grammar is given: all that say something, but for those hushed.

    Hushed are unknown words between a negation and what a finding is named by.
    A comma, an "and" or a stop between them ends the reach.
    """
    said = [word for word in words if word.terminal]
    found: list[Word] = []
    at = 0
    while at < len(said):
        found.append(said[at])
        at += 1
        if found[-1].terminal == "NEGATION":
            at = _behind_unknown(said, at)
    return found


def _behind_unknown(said: Sequence[Word], at: int) -> int:
    """Where what is denied begins; `at` itself if nothing is to be hushed."""
    end = at
    while end < len(said) and end - at < REACH and _is_unknown(said[end]):
        end += 1
    return end if end < len(said) and said[end].terminal in _DENIABLE else at


def _is_unknown(word: Word) -> bool:
    return word.terminal == UNKNOWN and word.term.isalpha()
