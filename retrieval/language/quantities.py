"""The quantities that reports measure, and the words by which they do; see `quantities.toml`."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from retrieval.language.lexicon import lexicon, tokens_of

_GROUPED = re.compile(r"\d{1,3}[.,]\d{3}")
_LONGEST_UNIT = 6
"""Words and signs: "ml / m ^ 2"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One quantity.

    Attributes
    ----------
    id
        As a measurement term of the search has it: "lvef", "wall", ...
    unit
        Its one unit.
    plausible
        Lowest and highest value, in `unit`, that is no slip.
    place, kind
        The chamber ("" for none) and what is measured of it.
    indexed
        Whether it is per body surface area.
    needs_unit
        Whether a bare number is none of these.
    """

    id: str
    unit: str
    plausible: tuple[float, float]
    place: str
    kind: str
    indexed: bool = False
    needs_unit: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as written: `factor` of it is 1 of the unit `base`; "other" is nobody's."""

    base: str
    factor: float


@dataclass(frozen=True, slots=True)
class Item:
    """A word, phrase, number or sign of a sentence.

    Attributes
    ----------
    role
        "quantity", "place", "number", a role of the table's words, or "" for others.
    text
        The words, lower case, one blank between.
    places
        The chambers that it names.
    kind, indexed
        Of a quantity: what is measured, and whether per body surface area.
    value
        Of a number, a comma being a decimal point.
    """

    role: str
    text: str
    places: tuple[str, ...] = ()
    kind: str = ""
    indexed: bool = False
    value: float = 0.0

    @property
    def grouped(self) -> float | None:
        """The number if its comma or point parts thousands ("1,050"); None if it cannot."""
        return float(re.sub("[.,]", "", self.text)) if _GROUPED.fullmatch(self.text) else None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The table, ready to look up.

    Attributes
    ----------
    quantities
        By id.
    phrases
        Words of a phrase to the item it makes.
    units
        A unit as written, its words joined by blanks.
    words
        Words by what they do.
    """

    quantities: Mapping[str, Quantity]
    phrases: Mapping[tuple[str, ...], Item]
    units: Mapping[str, Unit]
    words: Mapping[str, frozenset[str]]
    longest: int

    def measured(self, place: str, kind: str) -> list[Quantity]:
        """The quantities of one kind in one place."""
        return [q for q in self.quantities.values() if (q.place, q.kind) == (place, kind)]

    def items(self, sentence: str) -> list[Item]:
        """Read a sentence from left to right, the longest known phrase first."""
        tokens = tokens_of(sentence)
        found: list[Item] = []
        at = 0
        while at < len(tokens):
            length, item = self._longest(tokens, at)
            found.append(item)
            at += length
        return found

    def unit_at(self, items: Sequence[Item], at: int) -> tuple[Unit | None, int]:
        """The unit that begins at a place, and the place behind it."""
        for length in range(_LONGEST_UNIT, 0, -1):
            unit = self.units.get(" ".join(i.text for i in items[at : at + length]))
            if unit is not None and at + length <= len(items):
                return unit, at + length
        return None, at

    def _longest(self, tokens: Sequence[str], at: int) -> tuple[int, Item]:
        for length in range(min(self.longest, len(tokens) - at), 0, -1):
            item = self.phrases.get(tuple(tokens[at : at + length]))
            if item is not None:
                return length, item
        token = tokens[at]
        if token[0].isdecimal():
            return 1, Item("number", token, value=float(token.replace(",", ".")))
        return 1, Item("", token)


@cache
def vocabulary() -> Vocabulary:
    """Read the table that ships with the package."""
    text = files("retrieval.language").joinpath("quantities.toml").read_text("utf-8")
    table = tomllib.loads(text)
    phrases = dict(_lexicon_places())
    for item in _items(table):
        phrases[tuple(item.text.split())] = item
    units = {
        " ".join(tokens_of(phrase)): Unit(base, factor)
        for base, written in table["units"].items()
        for phrase, factor in written.items()
    }
    return Vocabulary(
        quantities={name: _quantity(name, entry) for name, entry in table["quantity"].items()},
        phrases=phrases,
        units=units,
        words={role: frozenset(words) for role, words in table["words"].items()},
        longest=max(map(len, phrases)),
    )


def _lexicon_places() -> Iterator[tuple[tuple[str, ...], Item]]:
    for words, meanings in lexicon().phrases.items():
        if all(kind == "anatomy" for kind, _ in meanings):
            places = tuple(what for _, what in meanings)
            yield words, Item("place", " ".join(words), places)


_LOOKED_UP = frozenset({"link", "beside", "verb", "study"})
"""Words that keep their role besides: `Vocabulary.words` alone knows of these."""


def _items(table: Mapping[str, Any]) -> Iterator[Item]:
    for role, phrases in table["words"].items():
        if role not in _LOOKED_UP:
            yield from (Item(role, _joined(phrase)) for phrase in phrases)
    for place, phrases in table["places"].items():
        yield from (Item("place", _joined(phrase), (place,)) for phrase in phrases)
    kinds = {entry["kind"] for entry in table["quantity"].values()}
    for name, phrases in table["names"].items():
        words = name.split()
        (kind,) = kinds.intersection(words)
        places = tuple(words[: words.index(kind)])
        for phrase in phrases:
            yield Item("quantity", _joined(phrase), places, kind, "indexed" in words)


def _joined(phrase: str) -> str:
    return " ".join(tokens_of(phrase))


def _quantity(name: str, entry: Mapping[str, Any]) -> Quantity:
    given = dict(entry)
    low, high = given.pop("plausible")
    return Quantity(id=name, plausible=(low, high), **given)
