"""What the headers of an archive say, before de-identification.

These values never leave the indexer; they hold names, dates and paths.
"""

from dataclasses import dataclass
from pathlib import Path

Vector3 = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One image plane: a classic instance, or one frame of a multi-frame instance.

    Everything is None (or empty) where the header is silent or nonsense.
    Lengths in mm, times in ms, angles in degrees.

    Attributes
    ----------
    file, index
        The file, and the frame's 0-based number in it.
    spacing_mm
        (down the rows, across the columns).
    orientation
        ImageOrientationPatient: row direction, then column direction.
    trigger_ms
        TriggerTime, NominalCardiacTriggerDelayTime or CardiacSynchronization's,
        from the R wave.
    acquired_ms
        Time of day of the acquisition, from AcquisitionDateTime or
        AcquisitionTime.
    content_ms
        ContentTime, likewise.
    phase_count
        CardiacNumberOfImages (0018,1090).
    slope, intercept, unit
        Modality LUT or real-world value mapping.
    sequence
        SequenceName, PulseSequenceName, ScanningSequence, SequenceVariant,
        ScanOptions: upper case, in one tuple.
    """

    file: Path
    index: int
    instance_uid: str
    instance_number: int | None = None
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None = None
    thickness_mm: float | None = None
    position_mm: Vector3 | None = None
    orientation: tuple[float, float, float, float, float, float] | None = None
    trigger_ms: float | None = None
    acquired_ms: float | None = None
    content_ms: float | None = None
    temporal_position: int | None = None
    phase_count: int | None = None
    rr_ms: float | None = None
    heart_rate_bpm: float | None = None
    tr_ms: float | None = None
    te_ms: float | None = None
    ti_ms: float | None = None
    flip_deg: float | None = None
    velocity_encoding: bool = False
    tagging: bool = False
    contrast: bool | None = None
    image_type: tuple[str, ...] = ()
    sequence: tuple[str, ...] = ()
    complex_component: str = ""
    series_description: str = ""
    protocol_name: str = ""
    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    monochrome1: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSeries:
    """One series as found.

    Attributes
    ----------
    refusal
        Why no frame of it may become a clip ("secondary capture",
        "encapsulated document", "burnt-in annotation", "not MR: CT", a missing
        codec, ...), else empty. `refused_as` is then "excluded",
        "quarantined" or "failed".
    frames
        In no meaningful order.
    """

    uid: str
    modality: str
    sop_class: str
    frames: tuple[Frame, ...]
    refusal: str = ""
    refused_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One file seen. `unused` says why, if nothing of it can be used.

    `study_uid`, `series_uid` are empty for files that are no part of a study.
    """

    path: Path
    size: int
    modified_ns: int
    study_uid: str = ""
    series_uid: str = ""
    instance_uid: str = ""
    unused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReport:
    """Text of a report with its keys, as found (CSV, JSON Lines or DICOM SR)."""

    study_uid: str = ""
    accession: str = ""
    text: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStudy:
    """One study as found, identifiers included.

    Attributes
    ----------
    study_date, birth_date
        As the header says (YYYYMMDD, may be invalid or empty).
    identifiers
        Every text of the headers that may name a person, place or visit
        (names, ids, accession numbers, addresses, institutions, operators), so
        that they can be removed from report text.
    oriented
        False for sources that know nothing of patient orientation.
    """

    uid: str
    patient_id: str
    issuer: str = ""
    patient_name: str = ""
    accession: str = ""
    study_date: str = ""
    birth_date: str = ""
    age: str = ""
    sex: str = ""
    height_m: float | None = None
    weight_kg: float | None = None
    manufacturer: str = ""
    model: str = ""
    software: str = ""
    field_strength_t: float | None = None
    contrast: bool | None = None
    identifiers: tuple[str, ...] = ()
    oriented: bool = True
    series: tuple[RawSeries, ...] = ()
    files: tuple[RawFile, ...] = ()
    reports: tuple[RawReport, ...] = ()
