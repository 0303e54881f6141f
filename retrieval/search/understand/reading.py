"""What a parsed stretch of words says: chips, and claims that negations may still reach."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from retrieval.search.understand.claims import Claim, Place, parts_of
from retrieval.search.understand.dates import date_chip
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.statements import (
    described,
    lead_of,
    statement,
    tested,
)
from retrieval.search.understand.terms import Kind, Term
from retrieval.values.finding import Polarity
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
    again
        Whether the claim says of its places only, or denies, what was said before.
    """

    chips: tuple[Chip, ...] = ()
    claims: tuple[Claim, ...] = ()
    either: bool = False
    again: bool = False


def read(stretch: Branch, row: Row, end: int) -> Part | None:
    """Say what a stretch means whose last word is before `end`; None if it means nothing."""
    (branch,) = branches_in(stretch)
    kind = str(branch.data)
    if kind in ("statement", "named"):
        claims = statement(branch, row, end)
        return Part(claims=claims) if claims else None
    if kind == "measured":
        return _measured(branch, row)
    if kind in ("technique", "acquired"):
        return _technique(branch, row)
    if kind == "again":
        return _again(branch, row)
    if kind == "tested":
        return _tested(branch, row)
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
    numbers = [row.number(token) for token in tokens_in(branch, "NUMBER", "DECADE")]
    units = row.names(tokens_in(branch, "UNIT"))
    if len(units) > 1:
        return None
    unit = units[0] if units else ""
    if branch.data == "decade":
        return Comparison(Interval(numbers[0], numbers[0] + 10, holds_low=True), unit)
    if branch.data == "spread":
        middle, reach = numbers
        return Comparison(Interval.closed(middle - reach, middle + reach), unit)
    if len(numbers) > 1:
        return Comparison(Interval.closed(min(numbers), max(numbers)), unit)
    named = tokens_in(branch, "COMPARISON", "BOUND")
    operator = row.the(branch, "COMPARISON", "BOUND").code if named else "="
    if tokens_in(branch, "NEGATION"):
        operator = amounts.OPPOSITE.get(operator, "")
    if not operator:
        return None
    about = bool(tokens_in(branch, "ABOUT"))
    return Comparison(Interval.compared(operator, numbers[0]), unit, about)


_COMPARISONS = ("compared", "bounded", "ranged", "spread", "exact", "decade")


def _measured(branch: Branch, row: Row) -> Part | None:
    told = _both([_comparison(one, row) for one in branches_in(branch, *_COMPARISONS)])
    quantities = _quantities(branch, row)
    if told is None or not quantities:
        return None
    chips = [amounts.measurement(quantity, told, row.terms) for quantity in quantities]
    clear = tuple(chip for chip in chips if chip is not None)
    # "Septum over 15" may be anything, "septum over 15 mm" is a thickness.
    named = tokens_in(branch, "MEASUREMENT", "TECHNIQUE")
    unclear = len(clear) < len(chips) or not (told.unit or named)
    claims = described(branch, lead_of(branch, row), row)
    senseless = bool(branches_in(branch, "descs", "inner")) and not claims
    if tokens_in(branch, "FINDING"):
        claims = (Claim(ids=frozenset({row.the(branch, "FINDING").id}), noun=True),)
    return None if unclear or senseless else Part(clear, claims)


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
        first = Comparison(values, next(iter(units), ""), about=first.about or one.about)
    return first


def _quantities(branch: Branch, row: Row) -> list[Term]:
    """The measurement of each place named; none if one of them does not have it."""
    named = [t for one in branch.find_data("aspects") for t in tokens_in(one)]
    named += tokens_in(branch, "MEASUREMENT", "FINDING", "TECHNIQUE")
    term = row.terms[row.word(named[0]).term] if named else None
    if term is not None and term.kind in (Kind.FINDING, Kind.TECHNIQUE):
        measured = term.reads_as if term.kind is Kind.FINDING else term.measures
        return [row.terms[measured]] if measured else []
    places = [part for place in row.places(branch) for part in parts_of(place, row.terms)]
    if term is None:
        place = row.terms.terms.get(places[0][-1]) if len(places) == 1 else None
        return [row.terms[place.reads_as]] if place is not None and place.reads_as else []
    if term.kind is Kind.MEASUREMENT and not places:
        return [term]
    found = [_quantity_in(place, term, row) for place in places]
    names = dict.fromkeys(one.id for one in found if one is not None)
    return [row.terms[name] for name in names] if len(named) == 1 and all(found) else []


def _quantity_in(place: Place, term: Term, row: Row) -> Term | None:
    """What a measurement or an aspect is called where it is of a place."""
    composed = row.terms.compose({term.id, *place}, Kind.MEASUREMENT)
    if composed:
        return row.terms[next(iter(composed))]
    of_left = all(_in_left_ventricle(one, row) for one in place)
    return term if term.kind is Kind.MEASUREMENT and of_left else None


def _in_left_ventricle(place: str, row: Row) -> bool:
    # Segments have no term; they are all of the left ventricle.
    term = row.terms.terms.get(place)
    return term is None or place == "lv" or "lv" in term.narrower_than


def _technique(branch: Branch, row: Row) -> Part | None:
    term = row.the(branch, "TECHNIQUE", "DUAL", "TEST", "FINDING")
    if term.kind is Kind.FINDING:
        # "Late enhancement was acquired": not the finding, but what shows it.
        showing = [t for t in row.terms.of_kind(Kind.TECHNIQUE) if t.reads_as == term.id]
        return Part((_picture(showing[0]),)) if showing else None
    if not term.reads_as or branch.data == "acquired":
        return Part((_picture(term),))
    claim = Claim(ids=frozenset({term.reads_as}), noun=True)
    return Part((_picture(term),), (claim,), either=True)


def _again(branch: Branch, row: Row) -> Part:
    """Read "but the RV is not", which says again what was said, or denies it."""
    negated = bool(tokens_in(branch, "NEGATION"))
    claim = Claim(ids=frozenset(), places=row.places(branch), negated=negated)
    return Part(claims=(claim,), again=True)


def _tested(branch: Branch, row: Row) -> Part | None:
    """Read a test's result, or the test alone where none is said: "no perfusion"."""
    named = [t for one in branch.find_data("aspects") for t in tokens_in(one)]
    named += tokens_in(branch, "TEST")
    if len(named) > 1 or named[0].type != "TEST":
        return None
    test = row.terms[row.word(named[0]).term]
    claim = tested(branch, test, row)
    if claim is not None:
        return Part(claims=(claim,))
    polarity = Polarity.ABSENT if lead_of(branch, row).negated else Polarity.PRESENT
    return Part((replace(_picture(test), polarity=polarity),))


def _picture(term: Term) -> TechniqueChip:
    return TechniqueChip(technique=Technique(term.code))
