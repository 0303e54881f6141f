"""Findings: what a report says is present, absent or uncertain."""

from dataclasses import dataclass
from enum import StrEnum


class Polarity(StrEnum):
    """Whether a finding is stated, denied, left open, or was never looked for."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"
    NOT_ASSESSED = "not assessed"


class FindingName(StrEnum):
    """The findings that CineSeek names; values are what a reader sees."""

    LV_DILATION = "LV dilation"
    LV_DYSFUNCTION = "LV dysfunction"
    LV_HYPERTROPHY = "LV hypertrophy"
    RV_DILATION = "RV dilation"
    RV_DYSFUNCTION = "RV dysfunction"
    SCAR = "scar"
    WALL_MOTION = "regional wall motion abnormality"
    LA_DILATION = "LA dilation"
    RA_DILATION = "RA dilation"
    AORTIC_DILATION = "aortic dilation"
    PERICARDIAL_EFFUSION = "pericardial effusion"
    DIFFUSE_ENHANCEMENT = "diffuse enhancement"
    RV_HYPERTROPHY = "RV hypertrophy"
    SEPTAL_FLATTENING = "septal flattening"
    OEDEMA = "myocardial oedema"
    PERFUSION_DEFECT = "perfusion defect"
    MYOCARDITIS = "myocarditis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One statement of a report.

    Attributes
    ----------
    start, end
        The sentence's half-open range of characters in the report's text.
    """

    name: FindingName
    polarity: Polarity
    start: int
    end: int
