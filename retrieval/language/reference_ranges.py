"""Limits of normal, one table for simulator, reports, chips and evaluation.

The numbers and their sources stand in `reference_ranges.toml`.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from retrieval.values.study import Sex


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of normal.

    Attributes
    ----------
    quantity
        What is measured: "lvedv_index", "lvef", "wall", ...
    female, male
        The limit in `unit`.
    above
        True where larger values lie beyond the limit.
    width
        Scale over which two careful readers still disagree, in `unit`.
    """

    quantity: str
    unit: str
    female: float
    male: float
    above: bool
    width: float
    source: str

    def value(self, sex: Sex | None) -> float:
        """The limit for one sex; midway between the two where the sex is unknown."""
        if sex is Sex.FEMALE:
            return self.female
        if sex is Sex.MALE:
            return self.male
        return (self.female + self.male) / 2

    def beyond(self, measured: float, sex: Sex | None) -> bool:
        """Whether a measured value lies beyond the limit."""
        limit = self.value(sex)
        return measured > limit if self.above else measured < limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRanges:
    """A version of the table; `limits` maps what lies beyond a limit to that limit."""

    version: str
    limits: dict[str, Limit]


@cache
def reference_ranges() -> ReferenceRanges:
    """Read the table that ships with the package."""
    text = files("retrieval.language").joinpath("reference_ranges.toml").read_text("utf-8")
    table = tomllib.loads(text)
    limits = {name: Limit(**entry) for name, entry in table["limits"].items()}
    return ReferenceRanges(version=table["version"], limits=limits)
