"""Changes to the chips of a query, as a reader makes them by number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.errors import UsageError
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.search.understand.query import added, flipped, understand, without
from retrieval.values.finding import Polarity


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Changes to the chips of a query: numbers count from 1."""

    off: tuple[int, ...] = ()
    flip: tuple[int, ...] = ()
    add: tuple[str, ...] = ()


def edited(text: str, edits: Edits, *, literal: bool) -> tuple[str, ...] | None:
    """The query's chips as edited, one line each; None where nothing is.

    Raises
    ------
    UsageError
        A literal query has no chips; or there is no such chip, or no such line.
    """
    if edits == Edits():
        return None
    if literal:
        raise UsageError(
            "a literal query has no chips; leave --literal, or --off, --flip and --add"
        )
    query = understand(text)
    for number in edits.off:
        query = without(query, number - 1)
    for number in edits.flip:
        query = flipped(query, number - 1)
    for line in edits.add:
        query = added(query, read_chip(line))
    return tuple(chip_line(chip) for chip in query.chips)


def reworded(lines: Sequence[str], at: int, text: str) -> tuple[str, ...]:
    """The chips of a query with what some words mean in the place of one of them.

    What was not wanted stays unwanted, unless the words deny something themselves.

    Raises
    ------
    UsageError
        There is no such chip, or the words mean nothing known.
    """
    if not 0 <= at < len(lines):
        raise UsageError(f"there is no chip {at + 1}; there are {len(lines)}")
    old, found = read_chip(lines[at]), understand(text).chips
    if not found:
        raise UsageError(f"no known finding, number or person in {text!r}; say it otherwise")
    if all(chip.polarity is Polarity.PRESENT for chip in found):
        found = tuple(replace(chip, polarity=old.polarity) for chip in found)
    new = [chip_line(replace(chip, on=old.on)) for chip in found]
    return tuple(dict.fromkeys([*lines[:at], *new, *lines[at + 1 :]]))
