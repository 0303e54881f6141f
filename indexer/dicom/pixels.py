"""Stored pixel values, in any transfer syntax."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import iter_pixels
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from indexer.dicom.attributes import Attributes, tag_of
from indexer.dicom.parsing import PARSE_ERRORS, parse, quiet, unreadable
from indexer.dicom.refusal import frame_count, missing_pixels, require_codec, require_grey
from retrieval.errors import UnreadableFile

Image = NDArray[np.generic]

_PLUGINS = ("pydicom", "pyjpegls", "pylibjpeg")
"""Decoding plug-ins in order of preference; fixed, so that lossy images decode
to the same values on every machine. For RLE this is pydicom's own decoder:
pylibjpeg-rle panics on a broken segment, which no caller can catch."""

_NEEDED = tuple(
    map(
        tag_of,
        (
            "NumberOfFrames",
            "Rows",
            "Columns",
            "SamplesPerPixel",
            "PhotometricInterpretation",
            "BitsAllocated",
            "ModalityLUTSequence",
        ),
    )
)


def read_frames(path: Path, indices: Sequence[int]) -> list[Image]:
    """Read frames of one DICOM file, in the order asked for.

    Parameters
    ----------
    indices
        0-based frame numbers; only these are decoded.

    Returns
    -------
    list of (rows, columns) arrays
        Stored values before slope and intercept, in the machine's byte order.
        Overlays kept in unused bits are gone. The caller owns the arrays.

    Raises
    ------
    MissingCodec
        No decoder for the transfer syntax is installed.
    UnusableSeries
        Colour or bit-packed pixels.
    UnreadableFile
        Truncated or broken pixel data, or no such frame.
    """
    parsed = parse(path, tags=_NEEDED)
    with quiet():
        a = Attributes(parsed.dataset)
        require_grey(a)
        require_codec(parsed.transfer_syntax)
        missing = missing_pixels(a, parsed)
        if missing:  # a codec may spin for seconds on half a stream
            raise UnreadableFile(missing)
        beyond = [i for i in indices if not 0 <= i < frame_count(a)]
        if beyond:
            raise UnreadableFile(f"holds {frame_count(a)} frames; frame {beyond[0]} was asked for")
        try:
            return list(_decode(path, parsed.transfer_syntax, indices)) if indices else []
        except (*PARSE_ERRORS, RuntimeError) as error:
            raise unreadable(error, "pixel data cannot be decoded") from error


def _decode(path: Path, syntax: UID, indices: Sequence[int]) -> Iterator[Image]:
    """Yield the frames, grey and of two dimensions, or raise whatever a codec raises."""
    plugins = get_decoder(syntax).available_plugins
    plugin = next((p for p in _PLUGINS if p in plugins), "")
    wanted = list(indices)
    if syntax == DeflatedExplicitVRLittleEndian:  # decoded from memory, or not at all
        images = iter_pixels(dcmread(path), indices=wanted, raw=True, decoding_plugin=plugin)
    else:
        images = iter_pixels(
            path, indices=wanted, raw=True, decoding_plugin=plugin, transfer_syntax_uid=syntax
        )
    for image in images:
        if image.ndim != 2:
            raise ValueError("a frame must be one plane")
        yield image.astype(image.dtype.newbyteorder("="), copy=False)
