"""Clips as files: one compressed array with its record each, named by content."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import blosc2
import numpy as np

from retrieval.durable import replace_file
from retrieval.errors import ClipCorrupt, ClipNotFound
from retrieval.values.clip import Clip, ClipId, ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

_CLIP, _PREVIEW = ".b2nd", ".jpg"


class FolderClipStore:
    """Clips under one folder, fanned out by the first two digits of their ids.

    A file is there whole or not at all. Reading checks the content against
    its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, clip: Clip) -> None:
        """Keep a clip durably; a clip already there is left as it is."""
        path = self._path(clip.record.id, _CLIP)
        if not path.exists():
            replace_file(path, lambda temporary: _save(clip, temporary))

    def read(self, clip: ClipId) -> Clip:
        """Return a clip.

        Raises
        ------
        ClipNotFound
            There is no such file.
        ClipCorrupt
            The file cannot be read, or its content is not what its name promises.
        """
        path = self._path(clip, _CLIP)
        if not path.exists():
            raise ClipNotFound(clip, path)
        try:
            stored = blosc2.open(str(path), mode="r")
            if not isinstance(stored, blosc2.NDArray):
                raise ClipCorrupt(clip, "it holds no array")
            record = _record(json.loads(str(stored.schunk.vlmeta["record"])))
            pixels = np.asarray(stored[:])
        except (RuntimeError, ValueError, KeyError, TypeError, OSError, AttributeError) as error:
            raise ClipCorrupt(clip, f"it cannot be read ({error})") from error
        found = identify(record, pixels)
        if found.record.id != clip:
            raise ClipCorrupt(clip, "its content has another digest")
        return found

    def write_preview(self, clip: ClipId, sheet: bytes) -> None:
        """Keep a clip's sprite sheet durably; one already there is left as it is."""
        path = self._path(clip, _PREVIEW)
        if not path.exists():
            replace_file(path, lambda temporary: temporary.write_bytes(sheet))

    def read_preview(self, clip: ClipId) -> bytes:
        """Return a clip's sprite sheet; ClipNotFound if there is none."""
        path = self._path(clip, _PREVIEW)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise ClipNotFound(clip, path) from error

    def ids(self) -> Iterator[ClipId]:
        """Walk the clips that have a file, in order."""
        for path in sorted(self._folder.glob(f"??/[!.]*{_CLIP}")):
            yield ClipId(path.stem)

    def remove(self, clip: ClipId) -> None:
        """Drop a clip's files; nothing happens if there are none."""
        for suffix in (_CLIP, _PREVIEW):
            self._path(clip, suffix).unlink(missing_ok=True)

    def _path(self, clip: ClipId, suffix: str) -> Path:
        return self._folder / clip[:2] / f"{clip}{suffix}"


def _save(clip: Clip, path: Path) -> None:
    """Compress one phase a chunk, so that a phase can be read alone."""
    stored = blosc2.asarray(
        np.ascontiguousarray(clip.pixels),  # pyright: ignore[reportArgumentType]
        chunks=(1, *clip.pixels.shape[1:]),
        urlpath=str(path),
        mode="w",
        cparams=blosc2.CParams(
            codec=blosc2.Codec.ZSTD, clevel=1, filters=[blosc2.Filter.BITSHUFFLE], nthreads=1
        ),
    )
    stored.schunk.vlmeta["record"] = json.dumps(asdict(clip.record), sort_keys=True)


def _record(stored: dict[str, object]) -> ClipRecord:
    """Turn stored JSON back into a record."""
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}
    fields["id"] = ClipId(str(fields["id"]))
    fields["study"], fields["series"] = (
        StudyId(str(fields["study"])),
        SeriesId(str(fields["series"])),
    )
    fields["view"], fields["technique"] = View(fields["view"]), Technique(fields["technique"])
    return ClipRecord(**fields)  # pyright: ignore[reportArgumentType]
