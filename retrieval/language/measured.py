"""Numbers of a report held against the limits of normal: "LVEF 35 %", "wall < 12 mm"."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.language.lexicon import Mark
from retrieval.language.reference_ranges import Limit, reference_ranges
from retrieval.values.finding import Polarity
from retrieval.values.study import Sex

_INDEXED = frozenset({"index", "indexed", "bsa"})
_LESS = frozenset({"<", "≤", "below", "under", "less", "lower", "beneath"})
_MORE = frozenset({">", "≥", "above", "over", "more", "greater", "higher", "exceeds", "exceeding"})

MILLIMETRES_PER_CENTIMETRE = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that a text states.

    Attributes
    ----------
    value
        In the unit asked for.
    bound
        "<" or ">" where the text says only that the quantity lies below or
        above the number, else "".
    """

    value: float
    bound: str = ""


def number_behind(marks: Sequence[Mark], at: int, unit: str) -> Measured | None:
    """Find the first number from a place on that comes in a unit.

    Parameters
    ----------
    unit
        "%", "mm" (centimetres are converted) or "index" (mL/m2).
    """
    indexed = any(m.what in _INDEXED for m in marks)
    for i, mark in enumerate(marks):
        if mark.kind != "number" or mark.at < at:
            continue
        after = " ".join(m.what for m in marks[i + 1 : i + 5])
        factor = _factor(after, float(mark.what), unit, indexed=indexed)
        if factor:
            before = {m.what for m in marks[max(0, i - 2) : i]}
            bound = "<" if before & _LESS else ">" if before & _MORE else ""
            return Measured(factor * float(mark.what), bound)
    return None


def judge(measured: Measured, limit: str) -> Polarity | None:
    """Hold a number against a limit.

    Returns
    -------
    Polarity or None
        PRESENT beyond the limit, ABSENT within it, UNCERTAIN between the
        limits of the sexes; None where a bound leaves it open.
    """
    one = reference_ranges().limits[limit]
    judged = {_beyond(measured, one, sex) for sex in (Sex.FEMALE, Sex.MALE)}
    if len(judged) > 1:
        return None if None in judged else Polarity.UNCERTAIN
    beyond = judged.pop()
    if beyond is None:
        return None
    return Polarity.PRESENT if beyond else Polarity.ABSENT


def _beyond(measured: Measured, limit: Limit, sex: Sex) -> bool | None:
    if not measured.bound:
        return limit.beyond(measured.value, sex)
    # "< 40" is beyond a lower limit of 50, "< 60" may be; "< 10" is within an upper limit of 12.
    upward = measured.bound == ">"
    at = limit.value(sex)
    decided = measured.value >= at if upward else measured.value <= at
    return limit.above == upward if decided else None


def _factor(after: str, number: float, unit: str, *, indexed: bool) -> float | None:
    """By what to multiply a number to have it in a unit, or None if it is in another one."""
    if unit == "%":
        fits = after.startswith(("%", "percent", "per cent")) or not after[:1].isalpha()
        return (100.0 if number <= 1 else 1.0) if fits else None
    if unit == "mm":
        if after.startswith("cm"):
            return MILLIMETRES_PER_CENTIMETRE
        return 1.0 if after.startswith("mm") else None
    squared = after.startswith(("ml / m", "ml per square", "ml / sqm", "ml per m"))
    return 1.0 if squared or (indexed and after.startswith("ml")) else None
