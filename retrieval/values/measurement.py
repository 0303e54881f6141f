"""Measurements: the numbers that a report states of a heart."""

import math
from dataclasses import dataclass

LARGEST = frozenset({"wall", "rv_wall", "effusion", "aortic_root"})
"""Quantities measured in several places of one heart, of which the largest is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One number, range or bound that a report states of one quantity.

    Attributes
    ----------
    quantity
        Id of the quantity: "lvef", "lvedv_index", "wall", ...
    low, high
        Ends of the range in which the value lies, in `unit`. Equal for a
        plain number ("EF 35 %"); one is None for a bound ("EF > 55 %").
    holds_low, holds_high
        Whether an end itself may be the value: False for "> 55" and where
        there is no end.
    unit
        The one unit of the quantity, as a reader sees it: "%", "mL/m2", ...
    start, end
        The sentence's half-open range of characters in the report's text.

    Raises
    ------
    ValueError
        No end is given, one is no finite number, the two are the wrong way
        round or the range between them is empty.
    """

    quantity: str
    low: float | None
    high: float | None
    holds_low: bool
    holds_high: bool
    unit: str
    start: int
    end: int

    def __post_init__(self) -> None:
        ends = [x for x in (self.low, self.high) if x is not None]
        if not ends or not all(math.isfinite(x) for x in ends):
            raise ValueError(
                f"{self.quantity} lies between {self.low} and {self.high}; "
                "at least one must be given, and be a finite number"
            )
        if (self.low is None and self.holds_low) or (self.high is None and self.holds_high):
            raise ValueError(f"{self.quantity} holds an end that it does not have")
        if self.low is None or self.high is None:
            return
        point = self.low == self.high and self.holds_low and self.holds_high
        if not (self.low < self.high or point):
            raise ValueError(
                f"{self.quantity} lies between {self.low} and {self.high}, where nothing is; "
                "the low end must lie below the high end, or both be the one value"
            )

    def within(
        self, low: float | None, high: float | None, *, holds_low: bool, holds_high: bool
    ) -> bool | None:
        """Whether the value lies in a range that is asked for.

        Parameters
        ----------
        low, high
            Ends of the range, in `unit`; None where it has none.
        holds_low, holds_high
            Whether an end itself lies in the range.

        Returns
        -------
        bool or None
            True if every value that the report allows lies in the range, False
            if none does, None if the report leaves it open.
        """
        if self._misses(low, high, holds_low=holds_low, holds_high=holds_high):
            return False
        above = low is None or self._starts_in(low, holds=holds_low)
        below = high is None or self._ends_in(high, holds=holds_high)
        return True if above and below else None

    def _misses(
        self, low: float | None, high: float | None, *, holds_low: bool, holds_high: bool
    ) -> bool:
        too_low = (
            low is not None
            and self.high is not None
            and (self.high < low or (self.high == low and not (self.holds_high and holds_low)))
        )
        too_high = (
            high is not None
            and self.low is not None
            and (self.low > high or (self.low == high and not (self.holds_low and holds_high)))
        )
        return too_low or too_high

    def _starts_in(self, low: float, *, holds: bool) -> bool:
        if self.low is None:
            return False
        return self.low > low or (self.low == low and (holds or not self.holds_low))

    def _ends_in(self, high: float, *, holds: bool) -> bool:
        if self.high is None:
            return False
        return self.high < high or (self.high == high and (holds or not self.holds_high))
