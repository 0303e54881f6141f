"""Words of a query that say whose studies are meant, as filters of the catalog.

An encoder of images cannot tell a woman's heart from a man's or 2019 from
2020; the catalog can.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TypeGuard, TypeVar

from retrieval.errors import UsageError
from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    DateChip,
    FieldStrengthChip,
    SexChip,
    TechniqueChip,
    VendorChip,
    ViewChip,
)
from retrieval.search.understand.interval import Interval
from retrieval.values.finding import Polarity
from retrieval.values.query import Filter

Bounds = tuple[int | None, int | None]
T = TypeVar("T")

_FILTERS = (
    SexChip,
    AgeChip,
    VendorChip,
    DateChip,
    FieldStrengthChip,
    ViewChip,
    TechniqueChip,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a query's words about people, scanners, years and pictures leave.

    Attributes
    ----------
    where
        A study must pass this.
    never
        A study must pass none of these.
    field_strengths
        Tesla asked for as a range, which no filter can hold.
    words
        The stretches that became filters, as they were typed.
    """

    where: Filter
    never: tuple[Filter, ...]
    field_strengths: Interval | None
    words: tuple[str, ...]


def narrowing(chips: Sequence[Chip], where: Filter, *, said: Callable[[Chip], str]) -> Narrowing:
    """Add to a filter what chips ask for that the catalog can answer.

    Several of one kind widen each other where they name values ("women, men"),
    and must all hold where they are bounds.

    Parameters
    ----------
    said
        The words that a chip stands for.

    Raises
    ------
    UsageError
        Chips and filter contradict each other.
    """
    about = [chip for chip in chips if isinstance(chip, _FILTERS)]
    wanted = [chip for chip in about if chip.polarity is Polarity.PRESENT]
    denied = [chip for chip in about if chip.polarity is Polarity.ABSENT]
    words = tuple(dict.fromkeys(said(chip) for chip in about))
    ranges = [chip for chip in about if _is_range(chip)]
    return Narrowing(
        where=_joined(where, [chip for chip in wanted if chip not in ranges], words),
        never=tuple(_joined(Filter(), [c], words) for c in denied if c not in ranges),
        field_strengths=_overlap([_tesla(chip) for chip in ranges]),
        words=words,
    )


def _is_range(chip: Chip) -> TypeGuard[FieldStrengthChip]:
    return isinstance(chip, FieldStrengthChip) and not _single(chip.values)


def _tesla(chip: FieldStrengthChip) -> Interval:
    """The field strengths that a range allows, or leaves where it is denied."""
    given = chip.values
    if chip.polarity is Polarity.PRESENT:
        return given
    if given.low is None and given.high is not None:
        return Interval(low=given.high, holds_low=not given.holds_high)
    if given.high is None and given.low is not None:
        return Interval(high=given.low, holds_high=not given.holds_low)
    raise UsageError(f"a field strength outside of {given} T is two ranges; ask for one of them")


def _single(values: Interval) -> bool:
    return values.low is not None and values.low == values.high


def _overlap(ranges: Sequence[Interval]) -> Interval | None:
    if not ranges:
        return None
    common: Interval | None = ranges[0]
    for one in ranges[1:]:
        common = None if common is None else common.within(one)
    if common is None:
        raise _contradiction("field strength that the words")
    return common


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
        views=_both(
            where.views,
            {view for c in chips if isinstance(c, ViewChip) for view in c.views},
            f"view that {said!r}",
        ),
        techniques=_both(
            where.techniques,
            {c.technique for c in chips if isinstance(c, TechniqueChip)},
            f"technique that {said!r}",
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
