"""From headers to frames: classic instances and functional groups (DICOM PS3.3 C.7.6.16)."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from pydicom.dataset import Dataset

from indexer.dicom.attributes import Attributes
from indexer.dicom.parsing import PARSE_ERRORS
from indexer.raw import Frame, Vector3

Orientation = tuple[float, float, float, float, float, float]

_GROUPS = (
    "CardiacSynchronizationSequence",
    "ContrastBolusUsageSequence",
    "FrameContentSequence",
    "MREchoSequence",
    "MRImageFrameTypeSequence",
    "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRVelocityEncodingSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "TemporalPositionSequence",
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
_SEQUENCE = (
    "SequenceName",
    "PulseSequenceName",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
)
_NO_AGENT = frozenset({"NO", "NONE", "N", "NO CONTRAST"})
_PRIVATE_VENC = (
    ("GEMS_ACQU_01", 0x0019, 0xCC),
    ("SIEMENS MR HEADER", 0x0051, 0x14),
    ("Philips Imaging DD 001", 0x2001, 0x1A),
)
"""Where vendors keep the velocity encoding of classic images: creator, group, element."""

_UNITS = frozenset(
    {"ms", "s", "us", "/s", "1/s", "Hz", "cm/s", "mm/s", "m/s", "%", "rad", "deg", "mm2/s"}
)
"""Units (UCUM) that are passed on; the attributes that hold them are free text."""

_VELOCITY = re.compile(r"^\W*[vV]?0*[1-9]|[\[, ]-?0*[1-9]|0\.\d*[1-9]")
"""A number other than nought ("150", "[0, 0, 150]"), or Siemens' "v150in"."""

_ORTHOGONAL = 0.02
"""How far the halves of an orientation may be from unit length and from a right angle."""


def frames_of(dataset: Dataset, path: Path, *, instance_uid: str, count: int) -> tuple[Frame, ...]:
    """Describe each frame of an image instance.

    A frame's own functional groups win over the shared ones, and those over
    the data set itself; so a classic image is the case without groups, and an
    empty per-frame item (which occurs) changes nothing.

    Parameters
    ----------
    dataset
        Without pixels; Rows and Columns are valid.
    count
        Number of frames, at least 1.
    """
    whole = Attributes(dataset)
    shared = whole.items("SharedFunctionalGroupsSequence")
    base = whole.under(*_groups(shared[0])) if shared else whole
    own = whole.items("PerFrameFunctionalGroupsSequence")
    encoded = _privately_velocity_encoded(dataset)

    def frame(index: int) -> Frame:
        groups = base.under(*_groups(own[index])) if index < len(own) else base
        return _frame(groups, path, index, instance_uid, encoded=encoded)

    frames = tuple(frame(index) for index in range(count))
    return frames if own or count == 1 else tuple(_in_time(frames, whole))


def _in_time(frames: Sequence[Frame], a: Attributes) -> Iterator[Frame]:
    """Give the frames of a classic multi-frame image their times (PS3.3 C.7.6.5, C.7.6.6).

    Such frames follow each other in time; FrameTime or FrameTimeVector says at
    what intervals, from the first frame on.
    """
    steps = a.numbers("FrameTimeVector", len(frames))
    if steps is None:
        step = a.number("FrameTime", low=1e-3, high=1e5)
        steps = (0.0,) + (step,) * (len(frames) - 1) if step else None
    elapsed = steps and tuple(accumulate(steps))
    for place, frame in enumerate(frames):
        trigger = (frame.trigger_ms or 0.0) + elapsed[place] if elapsed else frame.trigger_ms
        yield replace(frame, temporal_position=place + 1, trigger_ms=trigger)


def _groups(item: Dataset) -> Iterator[Dataset]:
    """Yield an item of functional groups, then what each group says."""
    attributes = Attributes(item)
    yield item
    for keyword in _GROUPS:
        yield from attributes.items(keyword)[:1]


def _frame(a: Attributes, path: Path, index: int, uid: str, *, encoded: bool) -> Frame:
    slope, intercept, unit = _real_values(a)
    return Frame(
        file=path,
        index=index,
        instance_uid=uid,
        instance_number=a.integer("InstanceNumber", low=-(2**31)),
        rows=a.integer("Rows") or 0,
        columns=a.integer("Columns") or 0,
        spacing_mm=_spacing(a),
        thickness_mm=a.number("SliceThickness", low=1e-3, high=1e3),
        position_mm=_position(a),
        orientation=_orientation(a),
        trigger_ms=a.number(
            "TriggerTime", "NominalCardiacTriggerDelayTime", "ActualCardiacTriggerDelayTime"
        ),
        acquired_ms=a.clock_ms(
            "FrameAcquisitionDateTime",
            "FrameReferenceDateTime",
            "AcquisitionDateTime",
            "AcquisitionTime",
        ),
        content_ms=a.clock_ms("ContentTime"),
        temporal_position=a.integer("TemporalPositionIndex", "TemporalPositionIdentifier"),
        phase_count=a.integer("CardiacNumberOfImages", low=1),
        rr_ms=a.number("NominalInterval", "RRIntervalTimeNominal", low=1, high=1e5),
        heart_rate_bpm=a.number("HeartRate", low=1, high=1e3),
        tr_ms=a.number("RepetitionTime", low=1e-3),
        te_ms=a.number("EffectiveEchoTime", "EchoTime", low=0),
        ti_ms=a.number("InversionTimes", "InversionTime", low=1e-3),
        flip_deg=a.number("FlipAngle", low=0, high=360),
        velocity_encoding=encoded or _velocity_encoded(a),
        tagging=a.text("Tagging").upper() not in ("", "NONE"),
        contrast=_contrast(a),
        image_type=_upper(a, "FrameType") or _upper(a, "ImageType"),
        sequence=tuple(t for keyword in _SEQUENCE for t in _upper(a, keyword)),
        complex_component=a.text("ComplexImageComponent").upper(),
        series_description=a.text("SeriesDescription"),
        protocol_name=a.text("ProtocolName"),
        slope=slope,
        intercept=intercept,
        unit=unit,
        monochrome1=a.text("PhotometricInterpretation").upper() == "MONOCHROME1",
    )


def _upper(a: Attributes, keyword: str) -> tuple[str, ...]:
    return tuple(t.upper() for t in a.texts(keyword))


def _spacing(a: Attributes) -> tuple[float, float] | None:
    pair = a.numbers("PixelSpacing", 2)
    if pair is None or not all(1e-3 < mm < 1e3 for mm in pair):
        return None
    return pair[0], pair[1]


def _position(a: Attributes) -> Vector3 | None:
    p = a.numbers("ImagePositionPatient", 3)
    return (p[0], p[1], p[2]) if p is not None and max(map(abs, p)) < 1e6 else None


def _orientation(a: Attributes) -> Orientation | None:
    """Return ImageOrientationPatient if it is two unit vectors at a right angle."""
    v = a.numbers("ImageOrientationPatient", 6)
    if v is None:
        return None
    row, column = v[:3], v[3:]
    lengths = math.hypot(*row), math.hypot(*column)
    cosine = sum(r * c for r, c in zip(row, column, strict=True))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(cosine)) > _ORTHOGONAL:
        return None
    return (v[0], v[1], v[2], v[3], v[4], v[5])


def _velocity_encoded(a: Attributes) -> bool:
    """Say whether the standard attributes tell of phase contrast (PS3.3 C.8.13.5.9)."""
    if a.text("PhaseContrast").upper() == "YES":
        return True
    return bool(a.number("VelocityEncodingMaximumValue", "VelocityEncodingMinimumValue"))


def _privately_velocity_encoded(dataset: Dataset) -> bool:
    """Say whether a vendor's own element holds a velocity encoding other than nought."""
    for creator, group, element in _PRIVATE_VENC:
        try:
            value = dataset.private_block(group, creator)[element].value
        except PARSE_ERRORS:  # KeyError, where another vendor wrote the file, among them
            continue
        if _VELOCITY.search(str(value)):
            return True
    return False


def _contrast(a: Attributes) -> bool | None:
    """Say whether contrast agent was given; None where the header is silent."""
    agent = a.text("ContrastBolusAgent").upper()
    administered = a.text("ContrastBolusAgentAdministered").upper()
    if agent in _NO_AGENT or administered == "NO":
        return False
    volume = a.number("ContrastBolusVolume", low=0)
    given = agent or administered == "YES" or a.items("ContrastBolusAgentSequence") or volume
    return True if given else None


def _real_values(a: Attributes) -> tuple[float, float, str]:
    """Return slope, intercept and unit: the linear real-world mapping, else the rescale."""
    for item in a.items("RealWorldValueMappingSequence"):
        mapping = Attributes(item)
        slope = mapping.number("RealWorldValueSlope")
        if slope:
            units = [Attributes(i) for i in mapping.items("MeasurementUnitsCodeSequence")[:1]]
            unit = units[0].text("CodeValue") if units else ""
            intercept = mapping.number("RealWorldValueIntercept") or 0.0
            return slope, intercept, unit if unit in _UNITS else ""
    slope = a.number("RescaleSlope")
    if not slope:
        return 1.0, 0.0, ""
    unit = a.text("RescaleType")
    return slope, a.number("RescaleIntercept") or 0.0, unit if unit in _UNITS else ""
