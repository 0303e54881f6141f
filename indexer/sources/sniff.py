"""What one file is, from its first bytes and, if it is an image, its identity."""

import stat
from dataclasses import replace
from pathlib import Path

from indexer.dicom.headers import identify
from indexer.raw import RawFile
from indexer.sources import nifti
from retrieval.errors import UnreadableFile

_HEAD = 512
_SIGNATURES = (
    (b"PK\x03\x04", "zip archive"),
    (b"PK\x05\x06", "zip archive"),
    (b"\x1f\x8b", "gzip file"),
    (b"BZh", "bzip2 file"),
    (b"\xfd7zXZ\0", "xz file"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"Rar!\x1a\x07", "rar archive"),
    (b"%PDF-", "PDF document"),
    (b"\x89PNG\r\n\x1a\n", "PNG picture"),
    (b"\xff\xd8\xff", "JPEG picture"),
    (b"GIF8", "GIF picture"),
    (b"SQLite format 3\0", "SQLite database"),
)
_CONTROL = frozenset(range(0x20)) - frozenset(b"\t\n\r\f\x1b") | {0x7F}


def sniff(path: Path) -> RawFile:
    """Tell what a file is; where it is part of no study, `unused` says why.

    Only a regular file is opened (a pipe would wait for ever). Nothing that a
    file holds raises.
    """
    file = RawFile(path=path, size=0, modified_ns=0)
    try:
        status = path.stat()
        file = replace(file, size=status.st_size, modified_ns=status.st_mtime_ns)
        return _identified(file, _head(path, status.st_mode))
    except OSError as error:
        return replace(file, unused=f"cannot be opened: {error.strerror}")
    except UnreadableFile as error:
        return replace(file, unused=error.reason)


def _head(path: Path, mode: int) -> bytes:
    if not stat.S_ISREG(mode):
        raise UnreadableFile("not a regular file")
    with path.open("rb") as file:
        return file.read(_HEAD)


def _identified(file: RawFile, head: bytes) -> RawFile:
    """Return the file with its UIDs, or raise UnreadableFile with what it is instead."""
    if not head:
        raise UnreadableFile("empty file")
    if nifti.is_nifti(file.path):
        return nifti.identify(file)
    if not _may_be_dicom(head):
        raise UnreadableFile(_kind(file.path, head))
    found = identify(file.path)
    return replace(
        file,
        study_uid=found.study_uid,
        series_uid=found.series_uid,
        instance_uid=found.instance_uid,
    )


def _may_be_dicom(head: bytes) -> bool:
    """Say whether a file has the DICM prefix, or begins like a data set without one.

    Without a preamble the first element must be of group 0002 or 0008 (every
    data set's first groups) in either byte order, and short.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    for order in ("little", "big"):
        group = int.from_bytes(head[0:2], order)
        element = int.from_bytes(head[2:4], order)
        explicit = head[4:6].isalpha() and head[4:6].isupper()
        length = int.from_bytes(head[6:8] if explicit else head[4:8], order)
        if group in (0x0002, 0x0008) and element <= 0x0100 and length <= 1024:
            return True
    return False


def _kind(path: Path, head: bytes) -> str:
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    if nifti.is_companion(path):
        return "companion of an ACDC patient"
    return "text file" if _CONTROL.isdisjoint(head) else "not DICOM"
