"""Limits of normal and healthy values: one table for simulator, reports, chips and evaluation.

The numbers and their sources stand in `reference_ranges.toml`.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from retrieval.values.study import Sex

REFERENCE_AGE = 55
"""Age in years for which healthy values are given."""


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
        """Whether a measured value lies beyond the limit.

        Where the sex is unknown, only if it lies beyond the limits of both.
        """
        if sex is None:
            return all(self.beyond(measured, s) for s in (Sex.FEMALE, Sex.MALE))
        limit = self.value(sex)
        return measured > limit if self.above else measured < limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthy:
    """What healthy adults have.

    Attributes
    ----------
    mean, spread
        Mean and standard deviation of women and of men of `REFERENCE_AGE`, in `unit`.
    per_year
        Change of the mean per year of age.
    papillary
        "cavity" or "muscle": where papillary muscles and trabeculae count; "" where
        it does not matter.
    """

    unit: str
    mean: tuple[float, float]
    spread: tuple[float, float]
    per_year: float
    papillary: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRanges:
    """A version of the table.

    `limits` maps what lies beyond a limit to that limit, `healthy` a quantity
    to what healthy adults have of it.
    """

    version: str
    limits: dict[str, Limit]
    healthy: dict[str, Healthy]


@cache
def reference_ranges() -> ReferenceRanges:
    """Read the table that ships with the package."""
    text = files("retrieval.language").joinpath("reference_ranges.toml").read_text("utf-8")
    table = tomllib.loads(text)
    limits = {name: Limit(**entry) for name, entry in table["limits"].items()}
    healthy = {name: _healthy(entry) for name, entry in table["healthy"].items()}
    return ReferenceRanges(version=table["version"], limits=limits, healthy=healthy)


def _healthy(entry: dict[str, Any]) -> Healthy:
    given: dict[str, Any] = dict(entry)
    for key in ("mean", "spread"):
        given[key] = tuple(entry[key])
    return Healthy(**given)
