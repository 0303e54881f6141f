"""What kind of picture a frame is: a magnitude, a phase, a map.

Image types as Siemens, Philips and GE write them, and DICOM PS3.3 C.8.13.3.1
for Enhanced MR; all compared in upper case with "_" read as a space.
"""

import re
from enum import Enum

from indexer.raw import Frame


class Picture(Enum):
    """What one frame's pixels are."""

    MAGNITUDE = "magnitude"
    PHASE_SENSITIVE = "phase-sensitive"
    VELOCITY = "velocity"
    MAP = "map"
    PART = "phase, real or imaginary part"
    COMPUTED = "projection, subtraction or screen shot"


_MAP = re.compile(r"\b(T1|T2|T2 ?\*|T2 ?STAR|R2|R2 ?\*|R2 ?STAR|ECV) ?MAP\b|^ECV$|^QUANTITY$")
_VELOCITY = re.compile(r"VELOCITY|^PHASE CONTRAST|^FLOW ENCODED$")
_PHASE = frozenset({"P", "PHASE", "PHASE MAP"})
_REAL = frozenset({"R", "REAL", "CR", "R IR", "CR IR"})
_PHASE_SENSITIVE = frozenset({"PS", "PSIR", "PHASE SENSITIVE", "PHASESENSITIVE"})
_COMPUTED = frozenset(
    {"PROJECTION IMAGE", "MIP", "MAX IP", "MIN IP", "SUBTRACTION", "SCREEN SAVE", "CSA REPORT"}
)
_ENCODING = re.compile(r"_V\d+")
"""Siemens names a velocity-encoding sequence by its limit in cm/s: *fl2d1_v150in."""

MAP_UNITS = frozenset({"MS", "MILLISECOND", "MSEC", "S", "1/S", "S-1", "HZ"})


def types_of(frame: Frame) -> frozenset[str]:
    """ImageType's values, comparable."""
    return frozenset(
        " ".join(value.upper().replace("_", " ").split()) for value in frame.image_type
    )


def is_inversion(frame: Frame) -> bool:
    """Whether an inversion pulse goes before the image, as tags say (not the TI alone)."""
    tags = {part for value in frame.sequence for part in re.split(r"[\\ ]", value.upper())}
    return "IR" in tags or any(t.startswith(("IR_", "IRP")) for t in tags)


def picture_of(frame: Frame) -> Picture:
    """Tell what a frame's pixels are."""
    types = types_of(frame)
    if types & _COMPUTED:
        return Picture.COMPUTED
    if frame.unit.upper() in MAP_UNITS or any(_MAP.search(t) for t in types):
        return Picture.MAP
    if any(_VELOCITY.search(t) for t in types):
        return Picture.VELOCITY
    component = frame.complex_component.upper()
    inverted = is_inversion(frame) or frame.ti_ms is not None
    if types & _PHASE or component == "PHASE":
        return Picture.PHASE_SENSITIVE if inverted and not encodes(frame) else Picture.VELOCITY
    if types & _REAL or component == "REAL":
        return Picture.PHASE_SENSITIVE if inverted else Picture.PART
    if "IMAGINARY" in types or "I" in types or component == "IMAGINARY":
        return Picture.PART
    if types & _PHASE_SENSITIVE and not types & {"M", "MAG", "MAGNITUDE"}:
        return Picture.PHASE_SENSITIVE
    return Picture.MAGNITUDE


def encodes(frame: Frame) -> bool:
    """Whether velocity is encoded when the frame is acquired, as tags say."""
    return (
        frame.velocity_encoding
        or any(_ENCODING.search(value.upper()) for value in frame.sequence)
        or "PCA" in types_of(frame)
    )
