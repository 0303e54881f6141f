"""What an encoder estimates of a heart: good for an order, not for millilitres."""

import math
from dataclasses import dataclass
from enum import StrEnum


class Quantity(StrEnum):
    """What is estimated. Volumes are of one cavity, at end diastole or end systole."""

    LVEDV = "lvedv"
    LVESV = "lvesv"
    LVEF = "lvef"
    LV_MASS = "lv_mass"
    WALL_MAX = "wall_max"
    RVEDV = "rvedv"
    RVESV = "rvesv"
    RVEF = "rvef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One quantity of one study, as an encoder reads it from the images.

    Attributes
    ----------
    value
        In the encoder's own scale, nominally mL, %, g or mm. That scale is
        biased on real hearts by an amount that nobody knows for a given
        archive, so values of one encoder may be compared with each other and
        with nothing else: no reference range, no measurement, no other encoder.
    spread
        One standard deviation of `value`, in the same scale, as the encoder
        itself states it; at least 0. The bias is not in it.
    """

    quantity: Quantity
    value: float
    spread: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(
                f"{self.quantity} is {self.value}; an estimate must be a finite number"
            )
        if not (math.isfinite(self.spread) and self.spread >= 0):
            raise ValueError(
                f"{self.quantity} has spread {self.spread}; a standard deviation must be "
                "a finite number from 0"
            )
