"""Small sprite sheets of clips, for players and cards.

A sheet is one greyscale JPEG. Phase p is the tile in column p % n, row p // n,
with n = ceil(sqrt(phases)). Every tile shows the same 200 mm around the heart,
so sizes compare between studies, and is windowed once for the whole clip, so
brightness does not flicker.
"""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retrieval.geometry.heart import Point, crop
from retrieval.values.clip import Clip

TILE_PX = 160
SPACING_MM = 1.25
WINDOW_PERCENTILES = (1.0, 99.5)
JPEG_QUALITY = 85


def columns(phases: int) -> int:
    """Tiles in a row of the sheet of a clip with so many phases."""
    return math.ceil(math.sqrt(phases))


def tiles(clip: Clip, centre: Point) -> NDArray[np.uint8]:
    """(phases, TILE_PX, TILE_PX) grey levels, as a sheet shows them before compression."""
    images = crop(clip, centre, size=TILE_PX, spacing_mm=SPACING_MM)
    low, high = np.percentile(images, WINDOW_PERCENTILES)
    scaled = (images - low) / max(float(high - low), np.finfo(np.float32).tiny)
    return np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def sheet(clip: Clip, centre: Point) -> bytes:
    """Render the sprite sheet of one clip.

    Parameters
    ----------
    centre
        The study's heart centre, (3,) mm, from `retrieval.geometry.heart`.
    """
    pictures = tiles(clip, centre)
    n = columns(len(pictures))
    rows = math.ceil(len(pictures) / n)
    canvas = np.zeros((rows * TILE_PX, n * TILE_PX), np.uint8)
    for phase, picture in enumerate(pictures):
        top, left = phase // n * TILE_PX, phase % n * TILE_PX
        canvas[top : top + TILE_PX, left : left + TILE_PX] = picture
    out = io.BytesIO()
    Image.fromarray(canvas).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
