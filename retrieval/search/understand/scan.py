"""Find in a row of words the stretches that the grammar accepts, the longest first.

The grammar (`grammar.lark`) describes one stretch. What it does not accept is
left where it is, so nothing that a query may hold stops the reading.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from functools import cache
from importlib.resources import files
from typing import TypeVar

from lark import Lark, Token
from lark.exceptions import UnexpectedToken

from retrieval.search.understand.branches import Branch
from retrieval.search.understand.words import Word

Part = TypeVar("Part")

_JOINTS = frozenset({"AND", "OR", "NOR", "BUT", "COMMA"})
_NUMERIC = frozenset({"NUMBER", "UNIT"})
_DESCRIBING = frozenset({"QUALITY", "VALUE", "SIZE"})
_MODIFYING = frozenset({"NEGATION", "NON", "NEGATIVE", "SEVERITY", "CERTAINTY", "SOME", "POSITIVE"})
_TAKES_PLACE_BEFORE = _DESCRIBING | {"ASPECT", "FINDING", "DUAL", "MEASUREMENT", "IS", "PATTERN"}
_TAKES_DESCRIPTION_BEFORE = frozenset({"ANATOMY", "MEASUREMENT", "FINDING", "DUAL", "PATTERN"})


def scan(
    words: Sequence[Word], read: Callable[[Branch, int], Part | None]
) -> Iterator[tuple[int, int, Part | None]]:
    """Walk the stretches of a row of words that say something, none silent.

    Parameters
    ----------
    read
        Given a parsed stretch and the index behind its last word: what it says, or None if
        it says nothing after all; then a shorter stretch is tried.

    Yields
    ------
    first, end, part
        Half-open range of words. `part` is None for a stretch that the grammar
        accepts and nobody understands: no part of it may be taken alone, as
        "no pericardial thickening" is not "thickening".
    """
    at = 0
    while at < len(words):
        ends = list(_ends(words, at))
        parts = ((end, read(_parse(words, at, end), end)) for end in reversed(ends))
        end, part = next(((e, p) for e, p in parts if p is not None), (at + 1, None))
        if part is None and ends:
            end = ends[-1]
        if ends:
            yield at, end, part
        at = end


def _ends(words: Sequence[Word], at: int) -> Iterator[int]:
    """Where a stretch that begins here may end, in order."""
    parser = _parser().parse_interactive()
    for i in range(at, len(words)):
        try:
            parser.feed_token(Token(words[i].terminal, str(i)))
        except UnexpectedToken:
            return
        if "$END" in parser.accepts() and not _belongs_to_next(words, at, i):
            yield i + 1


def _belongs_to_next(words: Sequence[Word], at: int, last: int) -> bool:
    """Whether the last word, and an "and" before it, belong to what follows.

    In "dilated LV and RV dysfunction" the second place, in "LV dilated and
    impaired RV" the second description, in "scar, possible amyloid" the doubt.
    A number never parts from its unit, nor "EF < 35" from "or > 60".
    """
    if last + 1 == len(words):
        return False
    said, following = words[last].terminal, words[last + 1].terminal
    if said in _NUMERIC:
        choice = [word.terminal for word in words[last + 1 : last + 3]]
        return following == "UNIT" or choice == ["OR", "COMPARISON"]
    if said in ("NEGATION", "IS"):
        return following not in _JOINTS | {"STOP", "CLOSING"}  # "LV without scar"
    if said in ("CERTAINTY", "SEVERITY", "POSITIVE", "NEGATIVE"):
        return following in _TAKES_DESCRIPTION_BEFORE | _DESCRIBING
    if said == "ANATOMY" and (following in _TAKES_PLACE_BEFORE or _is_described(words, last + 1)):
        return _joined(words, at, last, {"ANATOMY"})
    if said in _DESCRIBING and following in _TAKES_DESCRIPTION_BEFORE:
        return _joined(words, at, last, _MODIFYING)
    return False


def _is_described(words: Sequence[Word], at: int) -> bool:
    """Whether what begins here says of the place before it how it is: "not large", "not"."""
    first = at
    while at < len(words) and words[at].terminal in _MODIFYING:
        at += 1
    if at == first:
        return False
    if at == len(words) or words[at].terminal in _JOINTS | {"STOP"}:
        return words[at - 1].terminal == "NEGATION"  # "LV dilated, RV not"
    how = words[at]
    behind = words[at + 1].terminal if at + 1 < len(words) else ""
    describes = how.adjective or how.terminal in ("VALUE", "SIZE")
    return describes and behind not in _TAKES_DESCRIPTION_BEFORE | _DESCRIBING | {"ASPECT", "TEST"}


def _joined(words: Sequence[Word], at: int, last: int, between: Set[str]) -> bool:
    """Whether an "and" or a comma stands before the last word and what goes with it."""
    back = last
    while back > at and words[back - 1].terminal in between:
        back -= 1
    return back > at and words[back - 1].terminal in _JOINTS


def _parse(words: Sequence[Word], at: int, end: int) -> Branch:
    parser = _parser().parse_interactive()
    for i in range(at, end):
        parser.feed_token(Token(words[i].terminal, str(i)))
    return parser.feed_eof()


@cache
def _parser() -> Lark:
    grammar = files("retrieval.search.understand").joinpath("grammar.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", lexer="basic")
