"""Pictures and facts packed into one message for a component.

A component's data may be raw bytes; Streamlit sends them over the page's own
websocket and nowhere else. Layout: 4 bytes, little-endian, length of the JSON;
the JSON in UTF-8; then the sprite sheets one after the other. The JSON's
"sheets" says where each lies.
"""

import json
from collections.abc import Iterable
from functools import lru_cache

from retrieval.clips import preview
from retrieval.errors import StoreError
from retrieval.ports import ClipStore
from retrieval.values.clip import ClipId, ClipRecord
from webui.beat import beat_of

CACHED_SHEETS = 1024
"""About 80 kB each."""


class SheetReader:
    """Reads sprite sheets, each from disk once."""

    def __init__(self, clips: ClipStore) -> None:
        self._read = lru_cache(maxsize=CACHED_SHEETS)(clips.read_preview)

    def pack(self, content: dict[str, object], clips: Iterable[ClipId]) -> bytes:
        """Put a component's content and the sheets it names into one message.

        A clip whose sheet cannot be read is listed under "lost" with the
        reason, so that its picture says so and the others still play.
        """
        places: dict[str, tuple[int, int]] = {}
        lost: dict[str, str] = {}
        blobs: list[bytes] = []
        offset = 0
        for clip in dict.fromkeys(clips):
            try:
                blob = self._read(clip)
            except StoreError as error:
                lost[clip] = str(error)
                continue
            places[clip] = (offset, len(blob))
            blobs.append(blob)
            offset += len(blob)
        return pack({**content, "sheets": places, "lost": lost}, blobs)


def pack(content: dict[str, object], blobs: Iterable[bytes] = ()) -> bytes:
    """Frame JSON and blobs as the module says."""
    head = json.dumps(content, separators=(",", ":")).encode()
    return b"".join((len(head).to_bytes(4, "little"), head, *blobs))


def unpack(message: bytes) -> tuple[dict[str, object], memoryview]:
    """Take a message apart again: its JSON, and the bytes after it."""
    end = 4 + int.from_bytes(message[:4], "little")
    return json.loads(message[4:end]), memoryview(message)[end:]


def tile(clip: ClipRecord, heart_rate_bpm: float | None) -> dict[str, object]:
    """What the page needs to play one clip from its sheet."""
    beat = beat_of(clip, heart_rate_bpm)
    return {
        "clip": clip.id,
        "columns": preview.columns(clip.phases),
        "size": preview.TILE_PX,
        "mm": preview.SPACING_MM,
        "phases": clip.phases,
        "beat": beat.ms,
        "bpm": beat.bpm,
        "starts": beat.starts,
    }
