"""Machine findings: where studies stood when an encoder was asked. No report, no diagnosis."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from retrieval.values.embedding import EncoderId
from retrieval.values.study import StudyId


class Method(StrEnum):
    """How studies were scored: by words, or from examples in one of two ways."""

    PROMPTS = "prompts"
    PROTOTYPES = "prototypes"
    LOGISTIC = "logistic"


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFinding:
    """Where one study stood among those compared, as it was written down.

    Attributes
    ----------
    name
        What it was written under; with `question` and encoder it is a study's only one.
    question
        What was asked, in words; for examples the name again.
    asked
        The phrasings, or `like STUDY` and `unlike STUDY`.
    score
        In the method's own scale: cosine, share of distances, or log-odds. Of
        no meaning but for the order.
    percentile
        Per cent of the studies compared that score less, and half of those
        that score the same, itself among them; 0 to 100.
    low, high
        The spread of the percentile over phrasings or examples; None where one
        alone was given, which tells nothing of it.
    studies
        How many were compared, this one among them.
    made_at
        Aware of its time zone.
    made_by
        Program and version.
    """

    name: str
    question: str
    method: Method
    asked: tuple[str, ...]
    score: float
    percentile: float
    low: float | None
    high: float | None
    studies: int
    made_at: datetime
    made_by: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.score):
            raise ValueError(f"score of {self.name!r} is {self.score}; it must be a finite number")
        bounds = [v for v in (self.low, self.percentile, self.high) if v is not None]
        if len(bounds) == 2 or not all(0 <= v <= 100 for v in bounds) or bounds != sorted(bounds):
            raise ValueError(
                f"percentile of {self.name!r} is {self.percentile} within {self.low} to "
                f"{self.high}; it must lie in an interval of 0 to 100, or have none"
            )
        if self.made_at.tzinfo is None:
            raise ValueError(f"{self.made_at} has no time zone; a time that is kept needs one")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMachineFinding:
    """One row of the catalog's table of machine findings."""

    study: StudyId
    encoder_id: EncoderId
    finding: MachineFinding
