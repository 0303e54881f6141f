"""Which instances may become clips, told from headers alone."""

from dataclasses import dataclass

from pydicom.pixels.common import PhotometricInterpretation
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
)

from indexer.dicom.attributes import Attributes
from indexer.dicom.parsing import Parsed
from retrieval.errors import MissingCodec, UnusableSeries
from retrieval.values.study import State

_MR_IMAGES = frozenset(
    {MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage}
)
_CAPTURED_FROM = frozenset({"", "MR", "OT", "SC", "DOC"})
"""Modalities under which a screen of an MR scanner is captured."""

_MODALITY_TERMS = """
AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID GM HC HD IO
IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS
PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SM
SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL XC
"""
_MODALITIES = frozenset(_MODALITY_TERMS.split())
"""Defined terms of Modality (PS3.3 C.7.3.1.1.1)."""

_COLOURS = frozenset(PhotometricInterpretation)
_MAX_PIXELS = 1 << 24
"""Pixels in one frame; no MR image comes near, and a header can claim four thousand million."""

_CODECS = {
    "1.2.840.10008.1.2.4.50": "pylibjpeg pylibjpeg-libjpeg",
    "1.2.840.10008.1.2.4.51": "pylibjpeg pylibjpeg-libjpeg",
    "1.2.840.10008.1.2.4.57": "pylibjpeg pylibjpeg-libjpeg",
    "1.2.840.10008.1.2.4.70": "pylibjpeg pylibjpeg-libjpeg",
    "1.2.840.10008.1.2.4.80": "pyjpegls",
    "1.2.840.10008.1.2.4.81": "pyjpegls",
    "1.2.840.10008.1.2.4.90": "pylibjpeg pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg pylibjpeg-openjpeg",
    "1.2.840.10008.1.2.5": "pydicom",
}
"""Packages of Python that decode each transfer syntax."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an instance may not become a clip.

    Attributes
    ----------
    state
        EXCLUDED, QUARANTINED or FAILED.
    whole_series
        Whether the rest of its series is not to be trusted either.
    """

    reason: str
    state: State
    whole_series: bool = False


def modality_of(a: Attributes) -> str:
    """Return Modality, or "MR" where it is blank and the SOP class says so."""
    said = a.text("Modality").upper()
    return said or ("MR" if a.text("SOPClassUID") in _MR_IMAGES else "")


def refusal_of(a: Attributes, parsed: Parsed) -> Refusal | None:
    """Return why an instance may not become a clip, or None if it may."""
    return _wrong_kind(a) or _unsafe(a) or _unusable(a, parsed)


def _wrong_kind(a: Attributes) -> Refusal | None:
    """Refuse what is no MR image (design of the ledger: excluded; captures are quarantined)."""
    modality, sop_class = modality_of(a), UID(a.text("SOPClassUID"))
    kind = sop_class.name
    if kind.startswith("Encapsulated"):
        return Refusal(reason="encapsulated document", state=State.QUARANTINED)
    if "Secondary Capture" in kind and modality in _CAPTURED_FROM:
        return Refusal(reason="secondary capture", state=State.QUARANTINED)
    if modality != "MR":
        return Refusal(reason=f"not MR: {_told(modality)}", state=State.EXCLUDED)
    registered = kind != str(sop_class)
    if registered and sop_class not in _MR_IMAGES:
        return Refusal(reason=f"not an MR image: {kind}", state=State.EXCLUDED)
    return None


def _told(modality: str) -> str:
    """Return a modality as it may be quoted: a defined term, and no other text of the header."""
    if not modality:
        return "no modality"
    return modality if modality in _MODALITIES else "unknown modality"


def _unsafe(a: Attributes) -> Refusal | None:
    """Refuse pixels that may show a name."""
    if a.text("BurnedInAnnotation").upper() == "YES":
        return Refusal(reason="burnt-in annotation", state=State.QUARANTINED, whole_series=True)
    words = " ".join(a.texts("ImageType")).upper().replace("_", " ")
    if "SCREEN SAVE" in words or "SCREENSAVE" in words or "SCREEN CAPTURE" in words:
        return Refusal(reason="screen capture", state=State.QUARANTINED)
    return None


def _unusable(a: Attributes, parsed: Parsed) -> Refusal | None:
    """Refuse pixels that cannot be decoded to one grey value each."""
    try:
        require_grey(a)
    except UnusableSeries as error:
        return Refusal(reason=error.reason, state=State.EXCLUDED)
    try:
        require_codec(parsed.transfer_syntax)
    except MissingCodec as error:
        return Refusal(reason=str(error), state=State.FAILED)
    reason = missing_pixels(a, parsed)
    return Refusal(reason=reason, state=State.FAILED) if reason else None


def require_grey(a: Attributes) -> None:
    """Raise UnusableSeries unless each pixel is one number of whole bytes."""
    photometric = a.text("PhotometricInterpretation").upper()
    samples = a.integer("SamplesPerPixel")
    if samples not in (None, 1) or photometric not in ("", "MONOCHROME1", "MONOCHROME2"):
        known = photometric if photometric in _COLOURS else "more than one sample per pixel"
        raise UnusableSeries(f"colour image ({known})")
    bits = a.integer("BitsAllocated")
    if bits == 1:
        raise UnusableSeries("bit-packed image (1 bit per pixel)")
    if a.items("ModalityLUTSequence"):
        raise UnusableSeries("modality lookup table: stored values are not linear in real ones")


def missing_pixels(a: Attributes, parsed: Parsed) -> str:
    """Say what keeps a file from holding the pixels that its header claims, or ""."""
    rows, columns = a.integer("Rows") or 0, a.integer("Columns") or 0
    if not parsed.pixel_bytes:
        return "no pixel data"
    if not 1 < rows * columns <= _MAX_PIXELS:
        return f"impossible image size: {rows} rows, {columns} columns"
    if parsed.truncated:
        return f"truncated pixel data: the file ends after {parsed.pixel_bytes} bytes of it"
    frames = frame_count(a)
    if parsed.fragments is not None:
        enough = frames <= parsed.fragments
    else:
        enough = frames * _frame_bytes(a, parsed.transfer_syntax) <= parsed.pixel_bytes
    claim = f"{frames} frames of {rows} x {columns}"
    return "" if enough else f"{parsed.pixel_bytes} bytes of pixel data cannot hold {claim}"


def _frame_bytes(a: Attributes, syntax: UID) -> int:
    """Return the least that one frame takes: exact if native, an item header if not."""
    if syntax.is_encapsulated:
        return 8
    bits = a.integer("BitsAllocated") or 8
    return (a.integer("Rows") or 0) * (a.integer("Columns") or 0) * bits // 8


def frame_count(a: Attributes) -> int:
    """Return NumberOfFrames, 1 where it is absent or nonsense."""
    return a.integer("NumberOfFrames", low=1) or 1


def require_codec(transfer_syntax: UID) -> None:
    """Raise MissingCodec unless an installed decoder handles a transfer syntax."""
    try:
        available = get_decoder(transfer_syntax).is_available
    except NotImplementedError:
        available = False
    if not available:
        package = _CODECS.get(str(transfer_syntax), "a plug-in of pydicom that decodes it")
        known = transfer_syntax.name != str(transfer_syntax)
        told = f"{transfer_syntax.name} ({transfer_syntax})" if known else "of no known kind"
        raise MissingCodec(told, install=package)
