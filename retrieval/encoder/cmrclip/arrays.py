"""From our clips to the six arrays that CMR-CLIP reads: ours, for upstream never published it.

Each view is cut around the heart at a fixed physical scale and windowed once,
so that 224 x 224 pixels show what the published arrays are believed to show:
most of a usual field of view. Which long axis "lax" is was not published
either; the article's figure suggests the four-chamber view.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.geometry.heart import Point, crop, heart_centre
from retrieval.geometry.stacks import tallest_stack
from retrieval.values.clip import Clip, ClipRecord
from retrieval.values.study import Technique, View

SIZE_PX = 224
SPACING_MM = 1.4
"""314 mm across: the middle of the usual 300 to 340 mm cardiac field of view."""

PHASES = 30
LGE_SLICES = (10, 15)
"""Fewest and most short-axis LGE slices the published set accepted."""

WINDOW_PERCENTILES = (1.0, 99.0)
LONG_AXES = (View.FOUR_CHAMBER, View.THREE_CHAMBER, View.TWO_CHAMBER)
LGE_NAMES = {
    View.FOUR_CHAMBER: "lge_lax",
    View.TWO_CHAMBER: "lge_2ch",
    View.THREE_CHAMBER: "lge_3ch",
}


def sees(record: ClipRecord) -> bool:
    """Whether a clip can become part of one of the six arrays."""
    views = (View.SHORT_AXIS, *LONG_AXES)
    return record.technique in (Technique.CINE, Technique.LGE) and record.view in views


def study_arrays(clips: Sequence[Clip]) -> tuple[dict[str, NDArray[np.uint8]], list[Clip]]:
    """Make the arrays of those views that a study has.

    A cine of another number of phases is resampled in time to 30 (linear,
    cyclic); a short-axis LGE stack of more than 15 slices is thinned evenly.

    Returns
    -------
    tuple
        Arrays by their published names (224, 224, slices[, 30]) uint8, and the
        clips they were made from.
    """
    usable = sorted((c for c in clips if sees(c.record)), key=lambda c: c.record.id)
    if not usable:
        return {}, []
    centre = heart_centre(usable)
    chosen: dict[str, list[Clip]] = {}
    for view in LONG_AXES:
        cine, lge = _of(usable, Technique.CINE, view), _of(usable, Technique.LGE, view)
        if cine:
            chosen.setdefault("cine_lax", [_middle(cine)])
        if lge:
            chosen[LGE_NAMES[view]] = [_middle(lge)]
    if cine := _of(usable, Technique.CINE, View.SHORT_AXIS):
        chosen["cine_sa"] = [_middle(cine)]
    if lge := _of(usable, Technique.LGE, View.SHORT_AXIS):
        chosen["lge_sa"] = _thinned(lge, LGE_SLICES[1])
    arrays = {
        name: np.stack([_images(c, centre, name) for c in group], axis=2)
        for name, group in chosen.items()
    }
    stills = {n: a[..., 0] if n.startswith("lge") else a for n, a in arrays.items()}
    return stills, [clip for group in chosen.values() for clip in group]


def _of(clips: Sequence[Clip], technique: Technique, view: View) -> list[Clip]:
    """The tallest stack of one technique and view."""
    found = {
        c.record.id: c for c in clips if c.record.technique is technique and c.record.view is view
    }
    return [found[r.id] for r in tallest_stack(clip.record for clip in found.values())]


def _middle(clips: Sequence[Clip]) -> Clip:
    return clips[len(clips) // 2]


def _thinned(clips: Sequence[Clip], most: int) -> list[Clip]:
    places = np.linspace(0, len(clips) - 1, min(most, len(clips))).round().astype(int)
    return [clips[i] for i in places]


def _images(clip: Clip, centre: Point, name: str) -> NDArray[np.uint8]:
    """(224, 224, phases) uint8, one window for the clip."""
    images = crop(clip, centre, size=SIZE_PX, spacing_mm=SPACING_MM)
    images = _in_time(images, PHASES) if name.startswith("cine") else images[:1]
    low, high = np.percentile(images, WINDOW_PERCENTILES)
    scaled = (images - low) / max(float(high - low), np.finfo(np.float32).tiny)
    return np.moveaxis(np.round(np.clip(scaled, 0, 1) * 255).astype(np.uint8), 0, -1)


def _in_time(images: NDArray[np.float32], phases: int) -> NDArray[np.float32]:
    """Resample one beat to `phases` phases, linear and cyclic."""
    if len(images) == phases:
        return images
    at = np.arange(phases) * len(images) / phases
    before = np.floor(at).astype(int)
    share = (at - before).astype(np.float32)[:, None, None]
    after = images[(before + 1) % len(images)]
    return np.asarray(images[before] * (1 - share) + after * share, dtype=np.float32)
