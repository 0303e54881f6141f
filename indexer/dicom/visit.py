"""What is written of one visit: its images and series as values, before they are DICOM."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What all files of a study share. Dates as DICOM writes them."""

    study_uid: str
    frame_of_reference_uid: str
    patient_name: str
    patient_id: str
    birth_date: str
    sex: str
    age_years: int
    height_m: float
    weight_kg: float
    accession: str
    study_date: str
    study_time: str
    description: str
    model: str
    software: str
    field_strength_t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image: pixels as stored, and where and when it was taken.

    Attributes
    ----------
    pixels
        (rows, columns) uint16.
    position_mm, row, column
        ImagePositionPatient and the two halves of ImageOrientationPatient.
    slice_index, phase_index
        0-based places in the stack and in the beat.
    trigger_ms, rr_ms
        From the R wave, and the beat's length; None without a trigger.
    taken_s
        Seconds from the study's start.
    """

    instance_uid: str
    pixels: NDArray[np.uint16]
    position_mm: Vector3
    row: Vector3
    column: Vector3
    slice_index: int
    phase_index: int
    trigger_ms: float | None
    rr_ms: float | None
    taken_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series and how it was acquired. Lengths in mm, times in ms, angles in degrees.

    Attributes
    ----------
    dynamic
        The images of a slice are moments of a run over many beats, not phases
        of one.
    weighting
        AcquisitionContrast (0008,9209) of an Enhanced instance.
    unit
        RescaleType where a slope is written: "US" for no unit, "ms" for maps.
    compressed
        Run-length coded instead of plain.
    attributes
        Further attributes of every instance, by keyword.
    numbers
        InstanceNumber of each image, in the order of `images`.
    """

    uid: str
    number: int
    description: str
    protocol: str
    images: tuple[Image, ...]
    numbers: tuple[int, ...]
    image_type: tuple[str, ...]
    pixel_mm: float
    thickness_mm: float
    gap_mm: float | None
    tr_ms: float
    te_ms: float
    ti_ms: float | None
    flip_deg: float
    contrast: bool
    dynamic: bool
    weighting: str
    bits_stored: int
    slope: float | None
    intercept: float | None
    unit: str
    compressed: bool
    attributes: dict[str, str | list[str] | float | int]
