"""Numbers of a sentence with their unit: plain ones, ranges and bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.language.quantities import Item, Quantity, Unit, vocabulary

_BOUNDS = {"less": "<", "more": ">", "at_most": "<=", "at_least": ">=", "up_to": "up to"}
_BEHIND = {"or_more": ">=", "or_less": "<="}
_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<"}
_DENIED_WITHIN = 3
"""Items between a negation and the comparison that it turns ("no wall thicker than")."""

Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Amount:
    """What a sentence says of how much.

    Attributes
    ----------
    values
        The number, or the two ends of a range, in increasing order.
    grouped
        The same if commas and points part thousands; empty if they cannot.
    bound
        "", "<", ">", "<=", ">=" or "up to".
    unit
        None where none is said.
    start, end
        Its half-open range of items.
    """

    values: tuple[float, ...]
    grouped: tuple[float, ...]
    bound: str
    unit: Unit | None
    start: int
    end: int

    def in_unit_of(self, quantity: Quantity) -> tuple[Ends, tuple[bool, bool]] | None:
        """Its ends and whether they are held, in the unit of a quantity.

        Returns
        -------
        tuple or None
            None where no heart has that much.
        """
        factor = 1.0 if self.unit is None else self.unit.factor
        fraction = quantity.unit == "%" and self.unit is None and max(self.values) <= 1
        factor = 100.0 if fraction else factor
        low, high = quantity.plausible
        for values in (self.values, self.grouped):
            # Rounded, as 0.29 * 100 is not 29.
            found = [round(factor * value, 6) for value in values]
            if found and all(low <= value <= high for value in found):
                return self._ends(found, largest=quantity.needs_unit)
        return None

    def _ends(self, values: Sequence[float], *, largest: bool) -> tuple[Ends, tuple[bool, bool]]:
        low, high = values[0], values[-1]
        holds = self.bound not in ("<", ">")
        if self.bound in (">", ">="):
            return (low, None), (holds, False)
        # Lengths "up to 17 mm" are that at the largest place, and that is what counts.
        if self.bound in ("<", "<=") or (self.bound == "up to" and not largest):
            return (None, high), (False, holds)
        return (high if self.bound else low, high), (True, True)


def amount_at(items: Sequence[Item], at: int) -> Amount:
    """Read the amount that begins with the number at a place."""
    numbers, unit, end = _numbers(items, at)
    bound = _bound(items, at)
    if _role(items, end) in _BEHIND:
        bound, end = _BEHIND[items[end].role], end + 1
    values = tuple(sorted({n.value for n in numbers}))
    whole = {n.grouped for n in numbers if n.grouped is not None}
    grouped = tuple(sorted(whole)) if len(whole) == len(values) else ()
    return Amount(values, grouped, bound, unit, at, end)


def _numbers(items: Sequence[Item], at: int) -> tuple[list[Item], Unit | None, int]:
    """The ends of a range, the largest of "39 x 41", the last of "from 30 to 45", or the number."""
    numbers = [items[at]]
    unit, end = _unit(items, at + 1)
    end = _without_spread(items, end)
    if unit is None:
        unit, end = _unit(items, end)
    while (role := _joint(items, at, end)) and _role(items, end + 1) == "number":
        second, behind = _unit(items, end + 2)
        if unit is not None and second is not None and second.base != unit.base:
            break
        numbers.append(items[end + 1])
        unit, end = second or unit, behind
        if role == "to":
            changed = _is(items, at - 1, "from") and _role(items, at - 2) != "ranging"
            return numbers[-1:] if changed else numbers, unit, end
        numbers = [max(numbers, key=lambda n: n.value)]
    return numbers, unit, end


def _joint(items: Sequence[Item], at: int, end: int) -> str:
    """Whether "to" or "times" joins the number at a place to one behind `end`; else ""."""
    role = _role(items, end)
    if role == "to" and _is(items, end, "and"):
        return role if _is(items, at - 1, "between") else ""
    return role if role in ("to", "times") else ""


def amounts_from(items: Sequence[Item], at: int, *, spaced: bool) -> list[Amount]:
    """Read amounts one after the other: "55/48 %", "31 % and 44 %".

    Parameters
    ----------
    spaced
        Whether nothing need stand between them, as in the columns of a table.
    """
    found = [amount_at(items, at)]
    while True:
        end = found[-1].end
        behind = end
        while _is(items, behind, ",", "/", "and", "&", "|"):
            behind += 1
        if _role(items, behind) != "number" or (behind == end and not spaced):
            break
        found.append(amount_at(items, behind))
    for i in range(len(found) - 2, -1, -1):
        if found[i].unit is None:
            found[i] = replace(found[i], unit=found[i + 1].unit)
    return found


def _unit(items: Sequence[Item], at: int) -> tuple[Unit | None, int]:
    """The unit at a place: "mm", also in "17-mm", "| ml" and "(ml)"."""
    unit, end = vocabulary().unit_at(items, at)
    if unit is None and _is(items, at, "-", "|", "(", "["):
        unit, end = vocabulary().unit_at(items, at + 1)
        if _is(items, at, "(", "[") and not _is(items, end, ")", "]"):
            unit = None
        elif unit is not None and _is(items, at, "(", "["):
            end += 1
    return (unit, end) if unit is not None else (None, at)


def _without_spread(items: Sequence[Item], at: int) -> int:
    spread = _role(items, at) == "spread" and _role(items, at + 1) == "number"
    return at + 2 if spread else at


def _bound(items: Sequence[Item], at: int) -> str:
    before = at - 1
    while _is(items, before, "the", "a", "about", "approximately"):
        before -= 1
    sign = _BOUNDS.get(_role(items, before), "")
    if sign in _OPPOSITE:
        between = items[max(0, before - _DENIED_WITHIN) : before]
        denied = [i for i, item in enumerate(between) if item.role == "negation"]
        if denied and all(_passes(item) for item in between[denied[-1] + 1 :]):
            return _OPPOSITE[sign]
    return sign


def _passes(item: Item) -> bool:
    """Whether a negation reaches over an item to a comparison."""
    return item.role == "quantity" or item.text in ("does", "is", "measures", "segment", "of")


def _role(items: Sequence[Item], at: int) -> str:
    return items[at].role if 0 <= at < len(items) else ""


def _is(items: Sequence[Item], at: int, *texts: str) -> bool:
    return 0 <= at < len(items) and items[at].text in texts
