"""Clips: one slice or plane over one beat, or one still."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import NewType

import numpy as np
from numpy.typing import NDArray

from retrieval.values.study import SeriesId, StudyId, Technique, View

ClipId = NewType("ClipId", str)
"""First 24 hexadecimal digits of the SHA-256 of a clip's metadata and pixels."""

Vector3 = tuple[float, float, float]

PREPROCESSING = "1"
"""Version of the road from DICOM to clip; part of every clip's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecord:
    """Everything about a clip but its pixels. Lengths in mm, times in ms, angles in degrees.

    Attributes
    ----------
    id
        Empty until `identify` has seen the pixels.
    variant
        What tells clips of one view and technique apart, or empty:
        "rest", "stress", "before contrast", "after contrast", "phase-sensitive".
    slice_index, slice_count
        Place in its stack, 0-based. A short-axis stack runs from base to apex
        where that could be told, else along the slice normal.
    phases, rows, columns
        Shape of the pixels.
    spacing_mm
        Between pixel centres, (down the rows, across the columns), as
        PixelSpacing (0028,0030).
    position_mm
        Patient coordinates (LPS) of the centre of the first pixel
        (ImagePositionPatient), or of a file's own frame when not `oriented`.
    row_direction, column_direction
        Unit vectors along a row (to the right on screen) and down a column,
        the two halves of ImageOrientationPatient.
    oriented
        False where the source says nothing of the patient's orientation (ACDC).
    frame_times_ms
        One per phase, from the R wave, increasing; empty where unknown.
    rr_ms
        The beat's length; None where unknown or for stills without a trigger.
    slope, intercept, unit
        Real value = stored x slope + intercept, in `unit` ("" = arbitrary).
    monochrome1
        True where small values are shown bright.
    """

    id: ClipId = ClipId("")
    study: StudyId
    series: SeriesId
    view: View
    technique: Technique
    variant: str = ""
    slice_index: int = 0
    slice_count: int = 1
    phases: int
    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    slice_spacing_mm: float | None = None
    thickness_mm: float | None = None
    position_mm: Vector3 = (0.0, 0.0, 0.0)
    row_direction: Vector3 = (1.0, 0.0, 0.0)
    column_direction: Vector3 = (0.0, 1.0, 0.0)
    oriented: bool = True
    frame_times_ms: tuple[float, ...] = ()
    rr_ms: float | None = None
    tr_ms: float | None = None
    te_ms: float | None = None
    ti_ms: float | None = None
    flip_deg: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    monochrome1: bool = False

    @property
    def normal(self) -> Vector3:
        """Unit normal of the slice: row direction x column direction."""
        n = np.cross(self.row_direction, self.column_direction)
        return (float(n[0]), float(n[1]), float(n[2]))


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One heartbeat in one plane, in order, as the scanner stored it.

    Lossless, full field of view, not windowed: any encoder's raw material.

    Attributes
    ----------
    pixels
        (phases, rows, columns), an integer or float type, stored values
        before slope and intercept. Read-only.
    """

    record: ClipRecord
    pixels: NDArray[np.generic]

    def __post_init__(self) -> None:
        needed = (self.record.phases, self.record.rows, self.record.columns)
        if self.pixels.shape != needed:
            raise ValueError(f"pixels have shape {self.pixels.shape}; the record says {needed}")
        self.pixels.flags.writeable = False

    def values(self) -> NDArray[np.float32]:
        """Real values, (phases, rows, columns) float32, in `record.unit`."""
        return self.pixels.astype(np.float32) * np.float32(self.record.slope) + np.float32(
            self.record.intercept
        )

    def brightness(self) -> NDArray[np.float32]:
        """Values as they are to be looked at: larger is brighter, also for MONOCHROME1."""
        values = self.values()
        return -values if self.record.monochrome1 else values


def identify(record: ClipRecord, pixels: NDArray[np.generic]) -> Clip:
    """Name a clip by its content.

    The same record and pixels give the same id on every machine; any change
    of either, or of `PREPROCESSING`, gives another.
    """
    meta = asdict(replace(record, id=ClipId("")))
    meta["dtype"] = pixels.dtype.newbyteorder("<").str
    digest = hashlib.sha256(PREPROCESSING.encode() + b"\0")
    digest.update(json.dumps(meta, sort_keys=True, separators=(",", ":")).encode())
    little = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    digest.update(little.tobytes())
    return Clip(replace(record, id=ClipId(digest.hexdigest()[:24])), pixels)
