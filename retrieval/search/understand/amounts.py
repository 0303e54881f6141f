"""Numbers of a query with comparison and unit, brought to the one unit of each quantity."""

from dataclasses import dataclass

from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    FieldStrengthChip,
    MeasurementChip,
)
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.terms import Term, Terms

OLDEST = 120
"""No age is greater."""

STRONGEST_T = 12.0
"""No scanner of whole bodies is stronger; fields are given in tesla."""

ABOUT_YEARS = 5
"""How far from an age "about" reaches."""

OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}
"""What a denied comparison says."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Values asked for, as said.

    Attributes
    ----------
    unit
        A term id, or empty where none is said.
    about
        Whether the one value is said to be no more than near.
    """

    values: Interval
    unit: str
    about: bool = False


def measurement(quantity: Term, told: Comparison, terms: Terms) -> MeasurementChip | None:
    """Ask for values of a quantity; None if the unit is not one of it.

    A fraction ("EF below 0.35") is a percentage, and a volume or a mass in
    units per square metre is the indexed one. "About 40" reaches as far to both
    sides as the table says of the quantity.
    """
    if told.unit:
        unit = terms[told.unit]
        base = unit.base or unit.id
        if base != quantity.unit:
            indexed = terms[quantity.indexed] if quantity.indexed else None
            if indexed is None or indexed.unit != base:
                return None
            quantity = indexed
        factor = unit.factor
    else:
        fraction = quantity.unit == "percent" and all(x <= 1 for x in _ends(told.values))
        factor = 100.0 if fraction else 1.0
    values = _scaled(told.values, factor)
    return measurement_of(quantity, _near(values, quantity.about) if told.about else values, terms)


def measurement_of(quantity: Term, values: Interval, terms: Terms) -> MeasurementChip:
    """Ask for values that are in the quantity's unit."""
    low, high = quantity.plausible
    return MeasurementChip(
        quantity=quantity.id,
        values=values,
        unit=terms[quantity.unit].name,
        plausible=all(low <= end <= high for end in _ends(values)),
    )


def by_unit(told: Comparison) -> Chip | None:
    """What a number with its unit asks for by itself: a field strength or an age."""
    if told.unit == "tesla":
        ends = _ends(told.values)
        possible = all(0 < end <= STRONGEST_T for end in ends)
        return FieldStrengthChip(values=told.values) if possible else None
    return age(told) if told.unit == "year" else None


def age(told: Comparison) -> AgeChip | None:
    """Ask for an age; None if the unit is another or nobody is that old."""
    possible = all(0 <= end <= OLDEST for end in _ends(told.values))
    if told.unit not in ("", "year") or not possible:
        return None
    return AgeChip(values=_near(told.values, ABOUT_YEARS) if told.about else told.values)


def _near(values: Interval, reach: float) -> Interval:
    """What lies around a value; nothing that is asked for here can be negative."""
    low, high = _ends(values)
    return Interval.closed(max(0.0, round(low - reach, 6)), round(high + reach, 6))


def _ends(values: Interval) -> list[float]:
    return [end for end in (values.low, values.high) if end is not None]


def _scaled(values: Interval, factor: float) -> Interval:
    return Interval(
        _times(values.low, factor), _times(values.high, factor), values.holds_low, values.holds_high
    )


def _times(value: float | None, factor: float) -> float | None:
    # Rounded, as 0.29 * 100 is not 29.
    return None if value is None else round(value * factor, 6)
