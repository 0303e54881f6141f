"""How far an encoder's scores can be relied on, on one archive, finding by finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from retrieval.values.embedding import EncoderId

GOOD_FROM, FAIR_FROM = 0.85, 0.70
"""Least lower end of the AUC's 95 % interval for either badge."""


class Badge(StrEnum):
    """What to think of an encoder's answers for one finding."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "do not rely on it"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What scores for one finding mean on one archive, by what its reports state and deny.

    Attributes
    ----------
    positives, negatives
        Studies whose report states the finding, and denies it.
    slope, intercept
        Log-odds that the report of a judged study states the finding: slope
        times score plus intercept (Platt 1999). The slope is 0 or more.
    auc, auc_low, auc_high
        Chance that a study with the finding scores above one without it, and
        its 95 % interval by patient.
    brier_skill, error, fold_slope
        Of probabilities for patients that the fit did not see: Brier skill
        against always saying the prevalence (1 is perfect, 0 is useless),
        expected calibration error over ten bins of equal size, and the slope of
        a logistic regression on their log-odds (1 is right; below, too sure).
    """

    positives: int
    negatives: int
    slope: float
    intercept: float
    auc: float
    auc_low: float
    auc_high: float
    brier_skill: float
    error: float
    fold_slope: float

    @property
    def prevalence(self) -> float:
        """Share of the judged studies that have the finding."""
        return self.positives / (self.positives + self.negatives)

    @property
    def badge(self) -> Badge:
        """By the lower end of the AUC's interval."""
        if self.auc_low >= GOOD_FROM:
            return Badge.GOOD
        return Badge.FAIR if self.auc_low >= FAIR_FROM else Badge.POOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """An encoder's calibrations on one archive, made with one generation.

    Attributes
    ----------
    studies
        How many were looked at.
    trained_on
        How many were left out because the encoder was trained on their patients.
    findings
        By term of the lexicon.
    too_few
        Studies whose report states, and denies, a finding that could not be
        assessed for want of them.
    """

    encoder_id: EncoderId
    generation: str
    studies: int
    trained_on: int
    findings: Mapping[str, Calibration]
    too_few: Mapping[str, tuple[int, int]]

    def badge(self, term: str) -> Badge:
        """Of one term of the lexicon."""
        found = self.findings.get(term)
        return Badge.NOT_ASSESSED if found is None else found.badge


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """How probable it is, by images alone, that a reader would say that a study has a finding.

    Attributes
    ----------
    term
        Of the lexicon. Severity and place of the chip are not in the number.
    probability
        0 to 1.
    """

    term: str
    probability: float
    badge: Badge


class Conviction(StrEnum):
    """Whether anything in an answer is convincing."""

    CONVINCING = "convincing"
    NOTHING = "no convincing match"
    UNKNOWN = "not assessed"
