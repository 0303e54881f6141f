"""The two moments of a first pass: blood at its brightest, then muscle."""

import numpy as np
from numpy.typing import NDArray

from retrieval.geometry.heart import HEART_RADIUS_MM, Point, crop
from retrieval.values.clip import Clip

_GRID_PX = 30
"""Pixels along each side of the region looked at: finer detail is noise."""

_CENTRAL_MM = 22.0
"""The left ventricle's blood is expected this near to the centre."""

_BLOOD_SHARE = 0.08
"""This share of the region, where it brightens most, counts as blood."""

_MUSCLE = (0.12, 0.65)
"""Muscle brightens by these shares of what blood does."""


def first_pass(clip: Clip, centre: Point) -> tuple[int, int]:
    """Find the frame of brightest blood, and the frame of brightest muscle from then on.

    Each pixel within 45 mm of the centre is taken for its brightening: its
    value, freed from spikes by a median of three frames and smoothed over
    three, above its least one.
    Blood is where that goes highest, nearness to the centre counting; muscle
    is where it goes to a middling height, later than blood. Where no pixel
    does, the last frame stands for muscle. A single frame counts as both.
    """
    count = clip.record.phases
    if count == 1:
        return 0, 0
    images = crop(clip, centre, size=_GRID_PX, spacing_mm=2 * HEART_RADIUS_MM / _GRID_PX)
    rise = _calm(images)
    rise = rise - rise.min(axis=0)
    most = rise.max(axis=0)
    axis = (np.arange(_GRID_PX) - (_GRID_PX - 1) / 2) * (2 * HEART_RADIUS_MM / _GRID_PX)
    away2 = axis[:, None] ** 2 + axis[None, :] ** 2
    near = most * np.exp(-away2 / (2 * _CENTRAL_MM**2))
    blood = near >= np.quantile(near, 1 - _BLOOD_SHARE)
    brightest = int(np.argmax(rise[:, blood].mean(axis=1)))
    share = most / max(float(most[blood].mean()), np.finfo(np.float32).tiny)
    middling = (share > _MUSCLE[0]) & (share < _MUSCLE[1]) & (away2 < HEART_RADIUS_MM**2)
    late = middling & (rise.argmax(axis=0) > brightest)
    if not late.any():
        return brightest, count - 1
    later = rise[brightest:, late].mean(axis=1)
    return brightest, brightest + int(np.argmax(later))


def _calm(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median, then weighted mean, of neighbouring frames; the ends are repeated.

    The median makes the three frames around a peak alike; the mean tells the
    middle one.
    """
    before, here, after = _neighbours(images)
    calm = np.median([before, here, after], axis=0).astype(np.float32)
    before, here, after = _neighbours(calm)
    return np.asarray((before + 2 * here + after) / 4, dtype=np.float32)


def _neighbours(images: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    padded = np.concatenate([images[:1], images, images[-1:]])
    return padded[:-2], padded[1:-1], padded[2:]
