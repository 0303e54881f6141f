"""Studies and series, as everything after de-identification knows them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

StudyId = NewType("StudyId", str)
"""Keyed pseudonym of a StudyInstanceUID: 24 lower-case hexadecimal digits."""

SeriesId = NewType("SeriesId", str)
"""Keyed pseudonym of a SeriesInstanceUID: 24 lower-case hexadecimal digits."""

PatientId = NewType("PatientId", str)
"""Keyed pseudonym of (issuer, PatientID): 24 lower-case hexadecimal digits."""


class View(StrEnum):
    """The plane a series was cut in."""

    SHORT_AXIS = "SAX"
    TWO_CHAMBER = "2CH"
    THREE_CHAMBER = "3CH"
    FOUR_CHAMBER = "4CH"
    LVOT = "LVOT"
    RVOT = "RVOT"
    TRANSAXIAL = "transaxial"
    OTHER = "other"


class Technique(StrEnum):
    """How a series was acquired (clinicians say "sequence", which means other things here)."""

    CINE = "cine"
    LGE = "LGE"
    EARLY_ENHANCEMENT = "early enhancement"
    PERFUSION = "perfusion"
    T1_MAP = "T1map"
    T2_MAP = "T2map"
    T2_WEIGHTED = "T2w"
    T2_STAR = "T2star"
    TAGGING = "tagging"
    FLOW = "flow"
    TI_SCOUT = "TI scout"
    LOCALISER = "localiser"
    UNKNOWN = "unknown"


class State(StrEnum):
    """Where a study or a series stands. Every one is in exactly one state."""

    INDEXED = "indexed"
    EXCLUDED = "excluded"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    PENDING = "pending"


class Sex(StrEnum):
    """PatientSex (0010,0040)."""

    FEMALE = "F"
    MALE = "M"
    OTHER = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is kept of the person at the time of one study.

    Attributes
    ----------
    age_years
        Whole years; 90 stands for 90 and over.
    bsa_m2
        Body surface area by Mosteller: sqrt(height in cm x weight in kg / 3600)
        (N Engl J Med 1987;317:1098), from the two fields beside it.
    """

    id: PatientId
    sex: Sex | None = None
    age_years: int | None = None
    height_cm: float | None = None
    weight_kg: float | None = None
    bsa_m2: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """The machine that made a study."""

    vendor: str | None = None
    model: str | None = None
    software: str | None = None
    field_strength_t: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One acquisition inside a study, and what became of it.

    Attributes
    ----------
    reason
        Why the state is not ``indexed``; empty when it is.
    slices, phases, clips
        Slice positions, phases per slice (the most any slice has), clips kept.
    spacing_mm
        Distance between pixel centres (down the rows, across the columns).
    slice_spacing_mm
        Distance between neighbouring slices along their normal, from
        ImagePositionPatient; None for one slice.
    """

    id: SeriesId
    view: View
    technique: Technique
    state: State
    reason: str = ""
    slices: int = 0
    phases: int = 0
    clips: int = 0
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One visit of one patient. Carries no name, no original id and no true date but the year.

    Attributes
    ----------
    year
        The true year of the study, if its date names one.
    acquired_on
        StudyDate shifted by the patient's keyed number of days: order and
        intervals within a patient are kept, the day itself is not true.
    contrast
        Whether contrast agent was given; None where the headers do not say.
    reason
        Why the state is not ``indexed``; empty when it is.
    """

    id: StudyId
    patient: Patient
    site: str
    state: State
    reason: str = ""
    year: int | None = None
    acquired_on: date | None = None
    scanner: Scanner = Scanner()
    contrast: bool | None = None
    heart_rate_bpm: float | None = None
    series: tuple[Series, ...] = ()
