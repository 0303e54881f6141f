"""What a parsed stretch of words says: chips, and claims that negations may still reach."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.search.understand import amounts
from retrieval.search.understand.amounts import Comparison
from retrieval.search.understand.branches import (
    Branch,
    Row,
    branches_in,
    tokens_in,
)
from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    LikeChip,
    SexChip,
    TechniqueChip,
    VendorChip,
    ViewChip,
)
from retrieval.search.understand.claims import Claim
from retrieval.search.understand.dates import date_chip
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.statements import described, lead_of, statement
from retrieval.search.understand.terms import Kind, Term
from retrieval.values.study import Sex, StudyId, Technique, View


@dataclass(frozen=True, slots=True)
class Part:
    """What one stretch says.

    Attributes
    ----------
    chips
        Settled ones.
    claims
        Of findings; a technique that may be one (`either`) has its claim here too.
    either
        Whether the claim holds only if the words around make it one, else the chip.
    """

    chips: tuple[Chip, ...] = ()
    claims: tuple[Claim, ...] = ()
    either: bool = False


def read(stretch: Branch, row: Row, end: int) -> Part | None:
    """Say what a stretch means whose last word is before `end`; None if it means nothing."""
    (branch,) = branches_in(stretch)
    kind = str(branch.data)
    if kind in ("statement", "named"):
        claims = statement(branch, row, end)
        return Part(claims=claims) if claims else None
    if kind == "measured":
        return _measured(branch, row)
    if kind == "technique":
        return _technique(branch, row)
    chips = _chips(kind, branch, row)
    return Part(chips) if chips else None


def _chips(kind: str, branch: Branch, row: Row) -> tuple[Chip, ...]:
    """The chips of all but findings, measurements and techniques."""
    if kind == "view":
        views = tuple(View(code) for code in row.the(branch, "VIEW").code.split())
        return (ViewChip(views=views),)
    if kind == "vendor":
        vendor = row.the(branch, "VENDOR").name
        return (VendorChip(vendor=vendor),)
    if kind == "like":
        return tuple(_like(study, row) for study in branches_in(branch))
    if kind == "date":
        chip = date_chip(branch, row)
        return () if chip is None else (chip,)
    if kind == "bare":
        told = _comparison(branches_in(branch)[0], row)
        chip = None if told is None else amounts.by_unit(told)
        return () if chip is None else (chip,)
    return _person(branch, row)


def _like(study: Branch, row: Row) -> LikeChip:
    named = tokens_in(study, "STUDY")
    return LikeChip(study=StudyId(row.word(named[0]).term) if named else None)


def _person(branch: Branch, row: Row) -> tuple[Chip, ...]:
    chips: list[Chip] = []
    if tokens_in(branch, "SEX", "AGE_BAND"):
        term = row.the(branch, "SEX", "AGE_BAND")
        if term.code:
            chips.append(SexChip(sex=Sex(term.code)))
        if term.values:
            chips.append(AgeChip(values=_band(term)))
    for child in branches_in(branch):
        age = _age(child, row)
        if age is None:
            return ()
        chips.append(age)
    return tuple(chips)


def _age(branch: Branch, row: Row) -> AgeChip | None:
    if branch.data == "years":
        return _age(branches_in(branch)[0], row)
    if branch.data == "decade":
        first = row.number(tokens_in(branch, "NUMBER", "DECADE")[0])
        return None if first % 10 else AgeChip(values=Interval.closed(first, first + 9))
    told = _comparison(branch, row)
    return None if told is None else amounts.age(told)


def _band(term: Term) -> Interval:
    first, *last = term.values
    return Interval.closed(first, last[0]) if last else Interval.compared(">=", first)


def _comparison(branch: Branch, row: Row) -> Comparison | None:
    numbers = [row.number(token) for token in tokens_in(branch, "NUMBER")]
    units = row.names(tokens_in(branch, "UNIT"))
    if len(units) > 1:
        return None
    unit = units[0] if units else ""
    if len(numbers) > 1:
        return Comparison(Interval.closed(min(numbers), max(numbers)), unit)
    named = tokens_in(branch, "COMPARISON", "BOUND")
    operator = row.the(branch, "COMPARISON", "BOUND").code if named else "="
    if tokens_in(branch, "NEGATION"):
        operator = amounts.OPPOSITE.get(operator, "")
    return Comparison(Interval.compared(operator, numbers[0]), unit) if operator else None


_COMPARISONS = ("compared", "bounded", "ranged", "exact")


def _measured(branch: Branch, row: Row) -> Part | None:
    told = _both([_comparison(one, row) for one in branches_in(branch, *_COMPARISONS)])
    quantity = _quantity(branch, row)
    if told is None or quantity is None:
        return None
    chip = amounts.measurement(quantity, told, row.terms)
    # "Septum over 15" may be anything, "septum over 15 mm" is a thickness.
    unclear = not told.unit and not tokens_in(branch, "MEASUREMENT")
    claims = described(branch, lead_of(branch, row), row)
    senseless = bool(branches_in(branch, "descs", "inner")) and not claims
    if tokens_in(branch, "FINDING"):
        claims = (Claim(ids=frozenset({row.the(branch, "FINDING").id}), noun=True),)
    return None if chip is None or unclear or senseless else Part((chip,), claims)


def _both(told: Sequence[Comparison | None]) -> Comparison | None:
    """What all comparisons hold; None if that is nothing or their units differ."""
    first, *more = told
    for one in more:
        if first is None or one is None:
            return None
        values = first.values.within(one.values)
        units = {first.unit, one.unit} - {""}
        if values is None or len(units) > 1:
            return None
        first = Comparison(values, next(iter(units), ""))
    return first


def _quantity(branch: Branch, row: Row) -> Term | None:
    """The measurement of the place named, if it is one that has it."""
    places = row.places(branch)
    if tokens_in(branch, "FINDING"):
        finding = row.the(branch, "FINDING")
        return row.terms[finding.reads_as] if finding.reads_as else None
    if not tokens_in(branch, "MEASUREMENT"):
        place = row.terms.terms.get(places[0][-1]) if len(places) == 1 else None
        return row.terms[place.reads_as] if place is not None and place.reads_as else None
    quantity = row.the(branch, "MEASUREMENT")
    for place in places:
        composed = row.terms.compose({quantity.id, *place}, Kind.MEASUREMENT)
        if composed:
            return row.terms[next(iter(composed))]
        if not all(_in_left_ventricle(one, row) for one in place):
            return None
    return quantity


def _in_left_ventricle(place: str, row: Row) -> bool:
    # Segments have no term; they are all of the left ventricle.
    term = row.terms.terms.get(place)
    return term is None or place == "lv" or "lv" in term.narrower_than


def _technique(branch: Branch, row: Row) -> Part:
    term = row.the(branch, "TECHNIQUE", "DUAL")
    chip = TechniqueChip(technique=Technique(term.code))
    if not term.reads_as:
        return Part((chip,))
    claim = Claim(ids=frozenset({term.reads_as}), noun=True)
    return Part((chip,), (claim,), either=True)
