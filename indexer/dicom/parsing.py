"""Opening DICOM files that may be anything."""

import logging
import os
import struct
import warnings
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pydicom import config
from pydicom.dataset import FileDataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from retrieval.errors import UnreadableFile

PARSE_ERRORS = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom raises on malformed bytes, found by fuzzing it. Its OSErrors have no errno."""

MAX_INFLATED = 1 << 29
"""Bytes that a deflated data set may grow to; a few kilobytes can claim terabytes."""

_DEFERRED = 1 << 26
"""Elements of more bytes are passed over: raw data in private elements, never text."""

_PIXELS = 0x7FE00000
_PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_DEFLATED_UID = DeflatedExplicitVRLittleEndian.encode()
_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xE000FFFE
"""Item tag (FFFE,E000), its two halves read as one little-endian number."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's remarks on malformed values to itself: they quote the values.

    Not safe in threads, as `warnings.catch_warnings` is not; use processes.
    """
    log, mode = logging.getLogger("pydicom"), config.settings.reading_validation_mode
    was_disabled = log.disabled
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom(\.|$)")
        log.disabled = True
        config.settings.reading_validation_mode = config.IGNORE
        try:
            yield
        finally:
            log.disabled = was_disabled
            config.settings.reading_validation_mode = mode


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A data set without its pixels.

    Attributes
    ----------
    transfer_syntax
        As the file says; told from the encoding where it does not.
    pixel_bytes
        Bytes of pixel data that the file holds; 0 where it has none.
    fragments
        Whole fragments of encapsulated pixel data (the offset table is not
        one); None for native data.
    truncated
        Whether the pixel data should go on where the file ends.
    """

    dataset: FileDataset
    transfer_syntax: UID
    pixel_bytes: int = 0
    fragments: int | None = None
    truncated: bool = False


def parse(path: Path, *, tags: Collection[int] = (), pixels: bool = True) -> Parsed:
    """Read a file's data set up to its pixel data.

    Parameters
    ----------
    tags
        If given, only these elements are kept.
    pixels
        Whether to look how much pixel data there is. If not, reading ends
        after the last of `tags`: cheap for a first look.

    Raises
    ------
    UnreadableFile
        The bytes are not a DICOM data set, or the file cannot be opened.
    """
    try:
        with path.open("rb") as file, quiet():
            return _parse(file, tags, last=_PIXELS - 1 if pixels else max(tags))
    except PARSE_ERRORS as error:
        raise unreadable(error, "not a valid DICOM data set") from error


def unreadable(error: BaseException, claim: str) -> UnreadableFile:
    """Turn one of `PARSE_ERRORS` into ours; no value of the file is quoted."""
    if isinstance(error, OSError) and error.errno:
        return UnreadableFile(f"cannot be opened: {error.strerror}")
    return UnreadableFile(f"{claim} ({type(error).__name__})")


def _parse(file: BinaryIO, tags: Collection[int], *, last: int) -> Parsed:
    ending: list[int] = []

    def past_header(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001
        if int(tag) > last:
            ending[:] = [int(tag), length]
        return bool(ending)

    deflated = _refuse_bomb(file)
    dataset = read_partial(
        file,
        past_header,
        defer_size=None if deflated else _DEFERRED,
        force=True,
        specific_tags=list(tags) or None,
    )
    parsed = Parsed(dataset, _transfer_syntax(dataset))
    tag, length = ending or (0, 0)
    if tag >> 16 != _PIXELS >> 16:
        return parsed
    if parsed.transfer_syntax == DeflatedExplicitVRLittleEndian:
        return replace(parsed, pixel_bytes=length)
    start = file.tell() + (8 if dataset.original_encoding[0] else 12)
    end = file.seek(0, os.SEEK_END)
    if tag in _PIXEL_DATA and length != _UNDEFINED:
        there = max(0, min(length, end - start))
        return replace(parsed, pixel_bytes=there, truncated=there < length)
    if tag not in _PIXEL_DATA:  # an offset table comes first; what follows is not walked
        return replace(parsed, pixel_bytes=end - start)
    file.seek(start)
    return _walk_fragments(file, parsed, end)


def _walk_fragments(file: BinaryIO, parsed: Parsed, end: int) -> Parsed:
    """Count the items of encapsulated pixel data (PS3.5 A.4) without reading them."""
    items, total, place, truncated = 0, 0, file.tell(), False
    while place + 8 <= end and not truncated:
        file.seek(place)
        tag, length = struct.unpack("<LL", file.read(8))
        if tag != _ITEM:
            break
        place += 8 + length
        truncated = place > end
        items, total = items + (not truncated), total + length * (not truncated)
    return replace(parsed, pixel_bytes=total, fragments=max(0, items - 1), truncated=truncated)


def _transfer_syntax(dataset: FileDataset) -> UID:
    """Return the file's transfer syntax, or the one its encoding amounts to."""
    said = dataset.file_meta.get("TransferSyntaxUID")
    if said:
        return UID(str(said).strip("\0 "))
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _refuse_bomb(file: BinaryIO) -> bool:
    """Say whether `file` is deflated; leave it at its start.

    Raises
    ------
    UnreadableFile
        It would inflate to more than `MAX_INFLATED` bytes.
    """
    head = file.read(4096)
    if _DEFLATED_UID in head:
        meta_length = head.find(b"\x02\x00\x00\x00UL\x04\x00")
        start = (
            meta_length + 12 + int.from_bytes(head[meta_length + 8 : meta_length + 12], "little")
        )
        if meta_length < 0:
            raise UnreadableFile("deflated, without the length of its file meta information")
        file.seek(start)
        _measure_inflated(file)
    file.seek(0)
    return _DEFLATED_UID in head


def _measure_inflated(file: BinaryIO) -> None:
    inflate, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    chunk = file.read(1 << 16)
    while chunk and not inflate.eof:
        total += len(inflate.decompress(chunk, 1 << 22))
        if total > MAX_INFLATED:
            raise UnreadableFile(f"inflates to more than {MAX_INFLATED >> 20} MB")
        chunk = inflate.unconsumed_tail or file.read(1 << 16)
