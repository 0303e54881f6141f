"""Measurements of a report: the numbers that it states, each of one quantity in one unit.

Names of quantities and what words do to numbers stand in `quantities.toml`;
`numerals` reads the numbers, `unsaid` says which of them are not this study's,
and `naming` gives each to the quantity that it is of.
"""

import re
from collections.abc import Iterator, Sequence

from retrieval.language.naming import Topic, read
from retrieval.language.quantities import Item, vocabulary
from retrieval.language.sections import Section, SectionKind, split_sections
from retrieval.language.sentences import sentences
from retrieval.values.measurement import Measurement

_ADVICE = frozenset(
    {"recommendation", "recommendations", "advice", "plan", "empfehlung", "disclaimer"}
)
"""Headings of what should be done; numbers there are conditions."""

_STOPS = frozenset(".!?;")
_BARE_NUMBER = re.compile(r"[^\S\n]*\n[^\S\n]*\d+(?:[.,]\d+)?\s*%[.;)]*")
"""A line of nothing but a percentage; it has no letter, so it is no sentence by itself."""

_HEADING_WORDS = 4
"""Items in front of the colon of a heading: "Left ventricle (short axis):"."""


def find_measurements(text: str) -> tuple[Measurement, ...]:
    """Read the measurements of a report or of any piece of text.

    Sections that say why and how the study was made, or what should be done,
    are left out, and so is what is said of earlier studies, of limits of normal
    and of relatives. A value that no heart can have is taken for a slip and
    left out. A quantity without a chamber is the one's under whose heading it
    stands or which the sentence named last, else the left ventricle's.

    Returns
    -------
    tuple of Measurement
        In the order of the text.
    """
    found: list[Measurement] = []
    for section in split_sections(text):
        if section.kind is not SectionKind.CONTEXT and section.heading not in _ADVICE:
            found += _in_section(text, section)
    return tuple(found)


def _in_section(text: str, section: Section) -> Iterator[Measurement]:
    topic, before = Topic(), Topic()
    told: set[tuple[str, str]] = set()
    for start, end in _unwrapped(text, section):
        items = vocabulary().items(text[start:end])
        own = _places(items)
        if _is_heading(items):
            topic, told = Topic(own, columns=_is_bare(items) and len(own) > 1), set()
        elif own or text[:start].rstrip(" \t").endswith("\n\n"):
            topic = topic if topic.columns else Topic()
        elif any((place, i.kind) in told for place in topic.places for i in items):
            topic = Topic()  # "RV: EDV 175 ml, EF 48 %. Normal EF.": nobody says one twice
        pronoun = bool(items) and items[0].role == "pronoun"
        for one in read(items, before if pronoun else topic):
            told.add((one.quantity.place, one.quantity.kind))
            (low, high), (holds_low, holds_high) = one.ends
            yield Measurement(
                quantity=one.quantity.id,
                low=low,
                high=high,
                holds_low=holds_low,
                holds_high=holds_high,
                unit=one.quantity.unit,
                start=start,
                end=end,
            )
        name = next((i for i in reversed(items) if i.role == "quantity"), before.name)
        before = Topic(own or before.places, name=name)


def _unwrapped(text: str, section: Section) -> Iterator[tuple[int, int]]:
    """Sentences, joined where a line ends between a name and its number."""
    last: tuple[int, int] | None = None
    for start, stop in sentences(text, section.start, section.end):
        bare = _BARE_NUMBER.match(text, stop, section.end)
        end = bare.end() if bare and text[stop - 1] not in _STOPS else stop
        if last is not None and _goes_on(text, last[1], start, end):
            last = (last[0], end)
            continue
        if last is not None:
            yield last
        last = (start, end)
    if last is not None:
        yield last


def _goes_on(text: str, before: int, start: int, end: int) -> bool:
    """Whether a sentence begins with a number and its unit, and the line before has no end."""
    if text[before:start].count("\n") != 1 or text[before - 1] in _STOPS:
        return False
    items = vocabulary().items(text[start:end])
    return items[0].role == "number" and vocabulary().unit_at(items, 1)[0] is not None


def _places(items: Sequence[Item]) -> tuple[str, ...]:
    """The chambers that a sentence names."""
    return tuple(dict.fromkeys(place for item in items for place in item.places))


def _is_bare(items: Sequence[Item]) -> bool:
    """Whether a sentence is nothing but chambers: a heading, or the head of a table."""
    return all(item.role == "place" or item.text in ("|", "*", "#", ":") for item in items)


def _is_heading(items: Sequence[Item]) -> bool:
    """Whether a sentence begins like "Right ventricle: dilated.", or is a chamber alone."""
    if not any(item.role == "place" for item in items):
        return False
    colon = next((i for i, item in enumerate(items) if item.text == ":"), len(items))
    head = items[: min(colon, _HEADING_WORDS)]
    named = bool(head) and head[0].role == "place"
    plain = not any(item.role in ("number", "quantity") for item in head)
    return _is_bare(items) or (named and plain and colon <= _HEADING_WORDS)
