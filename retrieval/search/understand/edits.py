"""Changes to the chips of a query, as a reader makes them by number."""

from dataclasses import dataclass

from retrieval.errors import UsageError
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.search.understand.query import added, flipped, understand, without


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
