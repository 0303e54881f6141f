"""Chips as people read them: "severe LV dilation", "no scar", "LVEF < 35 %", "women"."""

from collections.abc import Sequence

from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    DateChip,
    FieldStrengthChip,
    FindingChip,
    LikeChip,
    MeasurementChip,
    SexChip,
    TechniqueChip,
    VendorChip,
    ViewChip,
)
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Terms
from retrieval.values.finding import Polarity
from retrieval.values.study import Sex

_SEXES = {Sex.FEMALE: "women", Sex.MALE: "men", Sex.OTHER: "other sex"}
_SHORT = 10
"""Study ids are long; their beginnings tell them apart for a reader."""


def chip_label(chip: Chip, lexicon: Terms | None = None) -> str:
    """A chip in words, "no" or "not" before what is to be absent."""
    terms = shipped_terms() if lexicon is None else lexicon
    said = _finding(chip, terms) if isinstance(chip, FindingChip) else _other(chip, terms)
    if chip.polarity is Polarity.PRESENT:
        return said
    return f"no {said}" if isinstance(chip, FindingChip) else f"not {said}"


def term_name(term: str, lexicon: Terms | None = None) -> str:
    """A term's preferred name, or its id in words where the lexicon does not have it."""
    return _name(term, shipped_terms() if lexicon is None else lexicon)


def _finding(chip: FindingChip, terms: Terms) -> str:
    term = terms[chip.term]
    places = [_name(place, terms) for place in chip.anatomy if place != term.anatomy]
    patterns = [_name(pattern, terms) for pattern in chip.pattern]
    severity = " to ".join(_name(one, terms) for one in chip.severity)
    certainty = "" if chip.certainty in ("", "definite") else chip.certainty
    where = f"in {' '.join(places)}" if places else ""
    return " ".join(filter(None, (certainty, severity, *patterns, term.name, where)))


def _other(chip: Chip, terms: Terms) -> str:
    match chip:
        case MeasurementChip():
            label = f"{terms[chip.quantity].name} {_range(chip.values)} {chip.unit}".strip()
            return label if chip.plausible else f"{label} (impossible, so without effect)"
        case SexChip():
            return _SEXES[chip.sex]
        case AgeChip():
            return f"age {_range(chip.values)}"
        case FieldStrengthChip():
            return f"{_range(chip.values)} T"
        case DateChip():
            return _dates(chip)
        case LikeChip():
            return f"like {chip.study[:_SHORT] if chip.study else 'this study'}"
        case _:
            return _picture(chip)


def _picture(chip: Chip) -> str:
    match chip:
        case ViewChip():
            return _any(chip.views)
        case TechniqueChip():
            return str(chip.technique)
        case VendorChip():
            return chip.vendor
        case _:
            raise TypeError(f"{type(chip).__name__} has no label")


def _any(values: Sequence[str]) -> str:
    return " or ".join(values)


def _range(values: Interval) -> str:
    low, high = values.low, values.high
    if low is not None and low == high:
        return f"{low:g}"
    if low is None and high is not None:
        return f"{'≤' if values.holds_high else '<'} {high:g}"
    if high is None and low is not None:
        return f"{'≥' if values.holds_low else '>'} {low:g}"
    return f"{low:g} to {high:g}"


def _dates(chip: DateChip) -> str:
    first, last = chip.years
    if first == last:
        return f"in {first}"
    if last is None:
        return f"since {first}"
    return f"until {last}" if first is None else f"{first} to {last}"


def _name(term: str, terms: Terms) -> str:
    return terms[term].name if term in terms.terms else term.replace("_", " ")
