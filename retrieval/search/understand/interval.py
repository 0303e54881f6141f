"""Ranges of numbers whose ends may lie in or out."""

import math
import re
from dataclasses import dataclass
from typing import Self

_TEXT = re.compile(r"([\[(])([-+\d.e]*),([-+\d.e]*)([\])])")


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers.

    Attributes
    ----------
    low, high
        Its ends; None where it has none.
    holds_low, holds_high
        Whether an end itself lies in it; False where there is no end.
    """

    low: float | None = None
    high: float | None = None
    holds_low: bool = False
    holds_high: bool = False

    def __post_init__(self) -> None:
        ends = [x for x in (self.low, self.high) if x is not None]
        if not all(math.isfinite(x) for x in ends):
            raise ValueError(f"{self} has an end that is no finite number")
        if (self.low is None and self.holds_low) or (self.high is None and self.holds_high):
            raise ValueError(f"{self} holds an end that it does not have")
        if self.low is None or self.high is None:
            return
        point = self.low == self.high and self.holds_low and self.holds_high
        if not (self.low < self.high or point):
            raise ValueError(f"{self} is empty; its low end must lie below its high end")

    def __contains__(self, value: float) -> bool:
        above = self.low is None or value > self.low or (self.holds_low and value == self.low)
        below = self.high is None or value < self.high or (self.holds_high and value == self.high)
        return above and below

    def __str__(self) -> str:
        low = "" if self.low is None else _number(self.low)
        high = "" if self.high is None else _number(self.high)
        return f"{'[' if self.holds_low else '('}{low},{high}{']' if self.holds_high else ')'}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes.

        Raises
        ------
        ValueError
            It is no interval, or an empty one.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no interval; write one as [40,50) or (,35)")
        opening, low, high, closing = match.groups()
        return cls(
            float(low) if low else None,
            float(high) if high else None,
            opening == "[",
            closing == "]",
        )

    @classmethod
    def closed(cls, low: float, high: float) -> Self:
        """The numbers from `low` to `high`, both in it."""
        return cls(low, high, holds_low=True, holds_high=True)

    @classmethod
    def compared(cls, operator: str, value: float) -> Self:
        """The numbers for which "number `operator` value" is true; of <, <=, >, >=, =."""
        if operator == "=":
            return cls.closed(value, value)
        holds = operator.endswith("=")
        return cls(high=value, holds_high=holds) if operator[0] == "<" else cls(value, None, holds)

    def within(self, other: "Interval") -> "Interval | None":
        """What both hold; None where that is nothing."""
        low, holds_low = max(_start(self), _start(other), key=lambda e: (e[0], not e[1]))
        high, holds_high = min(_end(self), _end(other))
        if low > high or (low == high and not (holds_low and holds_high)):
            return None
        return Interval(
            low if math.isfinite(low) else None,
            high if math.isfinite(high) else None,
            holds_low,
            holds_high,
        )


def _start(one: Interval) -> tuple[float, bool]:
    return (-math.inf if one.low is None else one.low, one.holds_low)


def _end(one: Interval) -> tuple[float, bool]:
    return (math.inf if one.high is None else one.high, one.holds_high)


def _number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    return repr(float(value)).removesuffix(".0")
