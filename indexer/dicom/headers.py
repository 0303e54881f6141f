"""What one DICOM file is: its identity, what may be used of it, and its frames."""

from dataclasses import dataclass
from pathlib import Path

from pydicom.uid import MediaStorageDirectoryStorage

from indexer.dicom import sr
from indexer.dicom.attributes import Attributes, tag_of
from indexer.dicom.frames import frames_of
from indexer.dicom.identifiers import identifiers_of
from indexer.dicom.parsing import parse, quiet
from indexer.dicom.refusal import Refusal, frame_count, modality_of, refusal_of
from indexer.raw import Frame
from retrieval.errors import UnreadableFile
from retrieval.values.study import State

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_IDENTITY = tuple(map(tag_of, ("SOPClassUID", *_UIDS)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which instance a file holds; no UID is empty."""

    study_uid: str
    series_uid: str
    instance_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """What one file says of its study, patient and scanner; fields as in `RawStudy`."""

    patient_id: str = ""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One instance, read without its pixels.

    Attributes
    ----------
    frames
        Empty where `refusal` says why.
    report
        Text of a structured report, else empty.
    """

    modality: str
    sop_class: str
    frames: tuple[Frame, ...]
    refusal: Refusal | None
    report: str
    facts: StudyFacts
    identifiers: frozenset[str]


def identify(path: Path) -> Identity:
    """Read just enough of a DICOM file to know where it belongs.

    Raises
    ------
    UnreadableFile
        No data set, a DICOMDIR, or an instance without UIDs.
    """
    parsed = parse(path, tags=_IDENTITY, pixels=False)
    with quiet():
        media = Attributes(parsed.dataset.file_meta).text("MediaStorageSOPClassUID")
        a = Attributes(parsed.dataset)
        study, series, instance = (a.text(uid) for uid in _UIDS)
    if media == MediaStorageDirectoryStorage:
        raise UnreadableFile("DICOMDIR, an index of other files")
    for uid, name in zip((study, series, instance), _UIDS, strict=True):
        if not uid:
            raise UnreadableFile(f"DICOM without {name}")
    return Identity(study_uid=study, series_uid=series, instance_uid=instance)


def read_header(path: Path) -> Header:
    """Read all that an instance says, but its pixels.

    Raises
    ------
    UnreadableFile
        The file cannot be read as DICOM.
    """
    parsed = parse(path)
    with quiet():
        a = Attributes(parsed.dataset)
        modality = modality_of(a)
        report = sr.text_of(parsed.dataset) if modality == "SR" else ""
        refusal = _report_refusal(report) if modality == "SR" else refusal_of(a, parsed)
        frames: tuple[Frame, ...] = ()
        if refusal is None:
            uid = a.text("SOPInstanceUID")
            frames = frames_of(parsed.dataset, path, instance_uid=uid, count=frame_count(a))
        return Header(
            modality=modality,
            sop_class=a.text("SOPClassUID"),
            frames=frames,
            refusal=refusal,
            report=report,
            facts=_facts(a),
            identifiers=identifiers_of(parsed.dataset),
        )


def _report_refusal(text: str) -> Refusal:
    reason = "report, not images" if text else "structured report without text"
    return Refusal(reason=reason, state=State.EXCLUDED)


def _facts(a: Attributes) -> StudyFacts:
    return StudyFacts(
        patient_id=a.text("PatientID"),
        issuer=a.text("IssuerOfPatientID"),
        patient_name=a.text("PatientName"),
        accession=a.text("AccessionNumber"),
        study_date=a.text("StudyDate"),
        birth_date=a.text("PatientBirthDate"),
        age=a.text("PatientAge"),
        sex=a.text("PatientSex").upper(),
        height_m=a.number("PatientSize", low=0.2, high=2.7),
        weight_kg=a.number("PatientWeight", low=0.3, high=600),
        manufacturer=a.text("Manufacturer"),
        model=a.text("ManufacturerModelName"),
        software="; ".join(a.texts("SoftwareVersions")),
        field_strength_t=_field_strength(a),
    )


def _field_strength(a: Attributes) -> float | None:
    """Return tesla; older scanners wrote gauss, ten thousand to the tesla."""
    tesla = a.number("MagneticFieldStrength", low=0.01, high=25)
    gauss = a.number("MagneticFieldStrength", low=100, high=250_000)
    return tesla if gauss is None else gauss / 10_000
