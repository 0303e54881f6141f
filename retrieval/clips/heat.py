"""A map of what mattered, laid over the picture of its clip: in colour, for pages and files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retrieval.clips.preview import SPACING_MM, TILE_PX, tiles
from retrieval.geometry.heart import Point, pixel_of
from retrieval.values.clip import Clip
from retrieval.values.occlusion import Occlusion

FOR, AGAINST = (255, 168, 38), (74, 158, 255)
"""Colours of what spoke for the query and of what spoke against it; told apart by every eye."""

STRONGEST = 0.7
"""How much of the picture the strongest colour covers."""

LEAST_SCALE = 0.02
"""A drop of cosine this large has the strongest colour, unless the map has a larger one."""

SCALE = 3
"""A file shows each pixel of a preview as so many squared."""

NOMINAL_BEAT_MS = 1000.0

Grey = NDArray[np.uint8]


def over_tile(found: Occlusion, centre: Point, size: int) -> NDArray[np.float64]:
    """The map as a square picture of what a preview shows, (size, size), -1 to 1.

    Drops are shares of the largest, or of `LEAST_SCALE` if that is larger.
    Between the middles of cells they run smoothly; beyond the map they are 0.
    """
    at = pixel_of(found.clip, centre)
    step = TILE_PX * SPACING_MM / size
    offset = (np.arange(size) - (size - 1) / 2) * step
    down, across = (
        _mix((middle + offset / mm).astype(np.float64), edges)
        for middle, mm, edges in zip(
            at, found.clip.spacing_mm, (found.rows, found.columns), strict=True
        )
    )
    return down @ (found.places / full_scale(found)) @ across.T


def full_scale(found: Occlusion) -> float:
    """The drop that has the strongest colour."""
    return max(LEAST_SCALE, float(np.abs(found.places).max()))


def painted(pictures: Grey, heat: NDArray[np.float64]) -> Grey:
    """Lay a map (S, S) over grey pictures (P, S, S), as (P, S, S, 3)."""
    colour = np.where(heat[..., None] > 0, FOR, AGAINST)
    cover = (STRONGEST * np.abs(heat))[..., None]
    mixed = pictures[..., None] * (1 - cover) + colour * cover
    return np.round(mixed).astype(np.uint8)


def save(clip: Clip, found: Occlusion, centre: Point, path: Path) -> None:
    """Write the map over its clip: playing, as .gif, or at the phase that mattered most, as .png.

    Raises
    ------
    ValueError
        `path` ends in neither.
    """
    heat = over_tile(found, centre, TILE_PX)
    frames = [
        Image.fromarray(frame).resize((TILE_PX * SCALE, TILE_PX * SCALE), Image.Resampling.BICUBIC)
        for frame in painted(tiles(clip, centre), heat)
    ]
    if path.suffix.lower() == ".png":
        frames[decisive_phase(found)].save(path)
        return
    if path.suffix.lower() != ".gif":
        raise ValueError(f"{path.name} is neither .png nor .gif")
    beat = clip.record.rr_ms or NOMINAL_BEAT_MS
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=beat / len(frames), loop=0
    )


def decisive_phase(found: Occlusion) -> int:
    """The first phase of the group whose hiding costs most; of a still its only one."""
    return found.phases[int(found.times.argmax())] if len(found.times) else 0


def _mix(positions: NDArray[np.float64], edges: Sequence[int]) -> NDArray[np.float64]:
    """(P, cells) weights that read a row of cells at pixel positions, 0-based."""
    bounds = np.asarray(edges, np.float64) - 0.5
    middles = (bounds[1:] + bounds[:-1]) / 2
    cells = np.eye(len(middles))
    weights = np.stack([np.interp(positions, middles, cell) for cell in cells], axis=1)
    outside = (positions < bounds[0]) | (positions > bounds[-1])
    weights[outside] = 0
    return weights
