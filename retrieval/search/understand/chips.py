"""Chips: what a query asks for, each one thing that can be turned off, flipped or edited."""

from dataclasses import dataclass
from datetime import date

from retrieval.search.understand.interval import Interval
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.study import Sex, StudyId, Technique, View

Span = tuple[int, int]
"""Half-open range of characters of the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """What every chip has.

    Attributes
    ----------
    span
        Where the query says it; None for a chip that was added or edited. Chips
        that one phrase states together ("LA and RA dilation") share a span.
    polarity
        PRESENT, or ABSENT for what the query does not want.
    on
        Whether it takes part.
    """

    span: Span | None = None
    polarity: Polarity = Polarity.PRESENT
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityRange:
    """What a severity of a finding means in numbers, by the table of reference ranges.

    Attributes
    ----------
    quantity, unit
        What is measured.
    female, male
        The values of each sex that have this severity.
    """

    quantity: str
    unit: str
    female: Interval
    male: Interval

    @property
    def is_band(self) -> bool:
        """Whether it ends on both sides, so that a number tells, and no adjective does better."""
        return all(None not in (one.low, one.high) for one in (self.female, self.male))

    def of(self, sex: Sex | None) -> Interval | None:
        """The values for one sex; where it is unknown only those of both, None if there are none.

        Of neither sex is as unknown: the table has no line for it.
        """
        if sex is Sex.FEMALE:
            return self.female
        if sex is Sex.MALE:
            return self.male
        return self.female.within(self.male)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingChip(Chip):
    """A finding.

    Attributes
    ----------
    term
        Identifier of the lexicon's term.
    finding
        The project's own name of it, or None where reports are not read for it.
    anatomy
        Where it is, as term ids: the chamber, or the walls and levels ("basal", "septum");
        "segment_8" is the eighth of the 17 AHA segments.
    pattern
        Patterns of late enhancement: "subendocardial", "patchy", ...
    severity
        Severities named, in order; two for "mild to moderate", none where none is said.
    certainty
        "possible", "probable" or "definite"; empty where nothing is said.
    range
        What the severity means in numbers (of the finding as such where none is
        named); None where the table of ranges has no limit for it.
    """

    term: str
    finding: FindingName | None = None
    anatomy: tuple[str, ...] = ()
    pattern: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    certainty: str = ""
    range: SeverityRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementChip(Chip):
    """A measurement and the values asked for.

    Attributes
    ----------
    quantity
        Term id of the measurement: "lvef", "lvedv_index", "wall", ...
    values
        In `unit`, the one unit of this quantity. A plain number ("EF 35 %") is
        a range of one point.
    plausible
        Whether every end lies where hearts can; else it is a slip or a joke,
        and no study should be left out for it.
    """

    quantity: str
    values: Interval
    unit: str
    plausible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewChip(Chip):
    """Any of these views."""

    views: tuple[View, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueChip(Chip):
    """A technique that was acquired."""

    technique: Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class SexChip(Chip):
    """The patient's sex."""

    sex: Sex


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeChip(Chip):
    """The patient's age in years, as said: "over 60" leaves 60 out."""

    values: Interval

    @property
    def years(self) -> tuple[int | None, int | None]:
        """First and last whole year, both in; 90 of the archive stands for 90 and over."""
        low, high = self.values.low, self.values.high
        first = None if low is None else _first_above(low, holds=self.values.holds_low)
        last = None if high is None else -_first_above(-high, holds=self.values.holds_high)
        return first, last


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldStrengthChip(Chip):
    """The scanner's field strength in tesla."""

    values: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorChip(Chip):
    """The scanner's vendor by its usual name; an archive may spell it otherwise."""

    vendor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateChip(Chip):
    """When the study was made; first and last day, both in, None for no end."""

    first: date | None = None
    last: date | None = None

    @property
    def years(self) -> tuple[int | None, int | None]:
        """First and last year that have such a day: all that the catalog can tell."""
        return (
            None if self.first is None else self.first.year,
            None if self.last is None else self.last.year,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeChip(Chip):
    """An example study; None for "this", the one that the reader has open."""

    study: StudyId | None = None


def _first_above(value: float, *, holds: bool) -> int:
    """The least whole number above a value, or the value itself if it is whole and held."""
    whole = int(value // 1)
    if whole == value:
        return whole if holds else whole + 1
    return whole + 1
