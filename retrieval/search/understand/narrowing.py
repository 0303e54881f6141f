"""Words of a query that say whose studies are meant, as a filter; the rest says what is looked for.

An encoder of images cannot tell a woman's heart from a man's or 2019 from
2020; the catalog can. Only positive words become a filter: "not at 3 T" stays
what it was.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeVar

from retrieval.errors import UsageError
from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    DateChip,
    FieldStrengthChip,
    SexChip,
    VendorChip,
)
from retrieval.search.understand.query import beside, understand
from retrieval.values.finding import Polarity
from retrieval.values.query import Filter

Bounds = tuple[int | None, int | None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """A query whose words about people, scanners and years became a filter.

    Attributes
    ----------
    text
        What is left of the query, for the channels; never empty.
    where
        The filter, with what the words add.
    words
        The stretches that became a filter, as they were typed.
    """

    text: str
    where: Filter
    words: tuple[str, ...]


def narrowed(text: str, where: Filter) -> Narrowed:
    """Take the words that a filter can answer out of a query.

    Several of one kind widen each other where they name values ("women, men"),
    and must all hold where they are bounds.

    Raises
    ------
    UsageError
        Nothing else is asked, or words and filter contradict each other.
    """
    query = understand(text)
    chips = [chip for chip in query.chips if _filters(chip)]
    mixed = {chip.span for chip in query.chips if not _filters(chip)}
    chips = [chip for chip in chips if chip.span not in mixed]
    spans = sorted({chip.span for chip in chips if chip.span is not None})
    if not spans:
        return Narrowed(text=text, where=where, words=())
    rest = beside(text, spans)
    if not rest:
        raise UsageError(
            f"{text!r} says whose studies, not what to look for; "
            "add words such as: dilated left ventricle"
        )
    words = tuple(text[start:end] for start, end in spans)
    return Narrowed(text=rest, where=_joined(where, chips, words), words=words)


def _filters(chip: Chip) -> bool:
    """Whether the catalog can answer a chip."""
    if chip.polarity is not Polarity.PRESENT:
        return False
    if isinstance(chip, FieldStrengthChip):
        return chip.values.low is not None and chip.values.low == chip.values.high
    return isinstance(chip, SexChip | AgeChip | VendorChip | DateChip)


def _joined(where: Filter, chips: Sequence[Chip], words: Sequence[str]) -> Filter:
    said = ", ".join(words)
    age = _within(
        [(where.age_from, where.age_to), *(c.years for c in chips if isinstance(c, AgeChip))],
        f"age that {said!r}",
    )
    year = _within(
        [(where.year_from, where.year_to), *(c.years for c in chips if isinstance(c, DateChip))],
        f"year that {said!r}",
    )
    fields = (c.values.low for c in chips if isinstance(c, FieldStrengthChip))
    return replace(
        where,
        age_from=age[0],
        age_to=age[1],
        year_from=year[0],
        year_to=year[1],
        sexes=_both(
            where.sexes, {c.sex for c in chips if isinstance(c, SexChip)}, f"sex that {said!r}"
        ),
        vendors=_both(
            where.vendors,
            {c.vendor for c in chips if isinstance(c, VendorChip)},
            f"vendor that {said!r}",
        ),
        field_strengths_t=_both(
            where.field_strengths_t,
            {tesla for tesla in fields if tesla is not None},
            f"field strength that {said!r}",
        ),
    )


def _within(bounds: Sequence[Bounds], what: str) -> Bounds:
    """What lies within all bounds."""
    low = max((b[0] for b in bounds if b[0] is not None), default=None)
    high = min((b[1] for b in bounds if b[1] is not None), default=None)
    if low is not None and high is not None and low > high:
        raise _contradiction(what)
    return low, high


def _both(there: frozenset[T], named: Set[T], what: str) -> frozenset[T]:
    """Values that both allow; an empty set allows all."""
    if not named or not there:
        return there or frozenset(named)
    if there.isdisjoint(named):
        raise _contradiction(what)
    return there & named


def _contradiction(what: str) -> UsageError:
    return UsageError(
        f"no study can have the {what} and the filters ask for together; change one of them"
    )
