"""Where the heart lies in a study, and images of it at a fixed physical scale.

Nothing here segments anything: the heart is what moves most near the middle of
a cine's field of view. Lengths are millimetres; points are patient coordinates
(or a file's own frame where the source is not oriented).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from retrieval.values.clip import Clip, ClipRecord
from retrieval.values.study import Technique, View

Point = NDArray[np.float64]
"""(3,) millimetres."""
Image = NDArray[np.float32]

GRID_MM = 2.5
"""Motion is looked for on a grid of this spacing; finer detail is noise to it."""

SMOOTHING_MM = 5.0
CENTRAL_SIGMA_MM = 60.0
"""The heart is expected around the middle of the field of view, this wide."""

BORDER_MM = 20.0
"""Nothing this near to the edge counts: wrap-around and moving arms live there."""

HEART_RADIUS_MM = 45.0
"""A disc that holds the left ventricle and most of its motion."""

SATURATION = 0.25
"""Motion above this share of the greatest counts as no more."""

SYSTOLE_SEARCH = (0.15, 0.65)
"""End-systole is looked for in this part of the beat."""


NEAR_GREATEST = 0.9
"""A difference from end-diastole above this share of the greatest is near it."""


def heart_centre(clips: Sequence[Clip]) -> Point:
    """Find the middle of the beating left ventricle, in millimetres.

    In-plane it is the centroid of motion, summed over the stack of the most
    informative cine plane; along the stack it is the stack's middle. Where no
    clip moves, it is the middle of the field of view of the largest stack.

    Raises
    ------
    ValueError
        `clips` is empty.
    """
    if not clips:
        raise ValueError("a heart cannot be found in no clips")
    stack = _best_stack(clips)
    records = [clip.record for clip in stack]
    maps = [_motion(clip) for clip in stack]
    total = np.sum([m for m, _ in maps], axis=0)
    step = maps[0][1]
    if np.any(total > 0):
        row, column = _blob(total, step, records[0].spacing_mm)
    else:
        row, column = (total.shape[0] - 1) / 2, (total.shape[1] - 1) / 2
    at = (row * step[0] + (step[0] - 1) / 2, column * step[1] + (step[1] - 1) / 2)
    return np.mean([point_of(record, at) for record in records], axis=0)


def point_of(record: ClipRecord, pixel: tuple[float, float]) -> Point:
    """Patient coordinates of a (row, column) position, 0-based, pixel centres at integers.

    PS3.3 C.7.6.2.1.1.
    """
    row, column = pixel
    return (
        np.asarray(record.position_mm)
        + np.asarray(record.row_direction) * column * record.spacing_mm[1]
        + np.asarray(record.column_direction) * row * record.spacing_mm[0]
    )


def pixel_of(record: ClipRecord, point: Point) -> tuple[float, float]:
    """(row, column) of a point's projection along the normal into the clip's plane."""
    offset = np.asarray(point) - np.asarray(record.position_mm)
    column = float(offset @ np.asarray(record.row_direction)) / record.spacing_mm[1]
    row = float(offset @ np.asarray(record.column_direction)) / record.spacing_mm[0]
    return row, column


def crop(
    clip: Clip,
    centre: Point,
    *,
    size: int,
    spacing_mm: float,
    phases: Sequence[int] | None = None,
) -> Image:
    """Cut a square at physical scale around the heart.

    Parameters
    ----------
    centre
        (3,) mm; its projection into the clip's plane becomes the middle.
    size, spacing_mm
        Pixels along each side and the distance between them: never a zoom, so
        millimetres stay comparable between studies.
    phases
        Those wanted, in this order; None for every one. They come out the same.

    Returns
    -------
    Image
        (phases, size, size) float32 of `Clip.brightness`. Triangle filter as
        wide as the coarser grid (linear interpolation when enlarging, smooth
        averaging when reducing); beyond the field of view the clip's minimum.
    """
    row, column = pixel_of(clip.record, centre)
    down = _resampler(clip.record.rows, row, clip.record.spacing_mm[0], size, spacing_mm)
    across = _resampler(clip.record.columns, column, clip.record.spacing_mm[1], size, spacing_mm)
    values = (clip if phases is None else _only(clip, phases)).brightness()
    floor = _darkest(clip)
    return np.asarray(down @ (values - floor) @ across.T + floor, dtype=np.float32)


def end_systole(clips: Sequence[Clip], centre: Point) -> float:
    """Fraction of the beat at which the heart differs most from end-diastole.

    Frame 0 follows the R wave and counts as end-diastole. Short-axis cines
    decide where there are any, all slices together. What counts is the middle
    of the time at which the difference is near its greatest, so that a heart
    that hardly moves, whose difference is mostly noise, is taken in the middle
    of systole and not at a chance maximum. Without a cine, or where nothing
    changes at all, it is 1/3, the usual end of systole at rest.

    Returns
    -------
    float
        In (0, 1); `phase_at` turns it into a phase of a clip.
    """
    cines = [c for c in clips if c.record.technique is Technique.CINE and c.record.phases > 1]
    cines = [c for c in cines if c.record.view is View.SHORT_AXIS] or cines
    if not cines:
        return 1 / 3
    fractions = np.linspace(0, 1, 61)
    total = np.zeros_like(fractions)
    for clip in cines:
        images = crop(clip, centre, size=32, spacing_mm=2 * HEART_RADIUS_MM / 32)
        change = np.abs(images - images[:1]).mean(axis=(1, 2))
        times = np.arange(clip.record.phases + 1) / clip.record.phases
        total += np.interp(fractions, times, np.append(change, 0.0))
    if min(c.record.phases for c in cines) == 2:
        return 0.5
    inside = (fractions >= SYSTOLE_SEARCH[0]) & (fractions <= SYSTOLE_SEARCH[1])
    found, change = fractions[inside], total[inside]
    near = np.clip(change - NEAR_GREATEST * change.max(), 0, None)
    return float((near * found).sum() / near.sum()) if near.any() else 1 / 3


def phase_at(phases: int, fraction: float) -> int:
    """The phase nearest to a fraction of the beat; fraction 0 is phase 0."""
    return round(fraction * phases) % phases


def _only(clip: Clip, phases: Sequence[int]) -> Clip:
    return Clip(replace(clip.record, phases=len(phases)), clip.pixels[list(phases)])


def _darkest(clip: Clip) -> np.float32:
    """The least brightness of any phase; the brightness of a value grows or falls with it."""
    falls = (clip.record.slope < 0) != clip.record.monochrome1
    pixel = clip.pixels.max() if falls else clip.pixels.min()
    one = replace(clip.record, phases=1, rows=1, columns=1)
    return np.float32(Clip(one, np.full((1, 1, 1), pixel)).brightness()[0, 0, 0])


def _plane(clip: Clip) -> tuple[object, ...]:
    """What clips of one stack share."""
    r = clip.record
    directions = tuple(np.round((*r.row_direction, *r.column_direction), 2))
    return (r.view, directions, r.rows, r.columns, tuple(np.round(r.spacing_mm, 3)))


def _best_stack(clips: Sequence[Clip]) -> list[Clip]:
    """The stack that shows the heart best: short-axis cine, else any cine, else the largest."""

    def worth(stack: list[Clip]) -> tuple[bool, bool, int]:
        record = stack[0].record
        moving = record.technique is Technique.CINE and record.phases > 1
        return (moving, record.view is View.SHORT_AXIS, len(stack))

    def key(clip: Clip) -> tuple[str, str]:
        return (str(clip.record.technique), repr(_plane(clip)))

    stacks = [list(group) for _, group in groupby(sorted(clips, key=key), key=key)]
    return sorted(max(stacks, key=worth), key=lambda c: c.record.id)


def _motion(clip: Clip) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """How much each place of a coarse grid changes over the beat, and the grid's step in pixels.

    Zero everywhere for stills and techniques other than cine.
    """
    record = clip.record
    step = (
        max(1, round(GRID_MM / record.spacing_mm[0])),
        max(1, round(GRID_MM / record.spacing_mm[1])),
    )
    rows, columns = record.rows // step[0], record.columns // step[1]
    if record.technique is not Technique.CINE or record.phases < 2 or not rows or not columns:
        return np.zeros((max(rows, 1), max(columns, 1))), step
    values = clip.brightness()[:, : rows * step[0], : columns * step[1]]
    coarse = values.reshape(-1, rows, step[0], columns, step[1]).mean(axis=(2, 4))
    scale = float(np.percentile(coarse, 99) - np.percentile(coarse, 1)) or 1.0
    sigma = [SMOOTHING_MM / (s * mm) for s, mm in zip(step, record.spacing_mm, strict=True)]
    return ndimage.gaussian_filter(coarse.std(axis=0) / scale, sigma), step


def _blob(
    motion: NDArray[np.float64], step: tuple[int, int], spacing_mm: tuple[float, float]
) -> tuple[float, float]:
    """(row, column) on the coarse grid of the largest moving region near the middle."""
    pitch = (step[0] * spacing_mm[0], step[1] * spacing_mm[1])
    y = np.arange(motion.shape[0])[:, None] * pitch[0]
    x = np.arange(motion.shape[1])[None, :] * pitch[1]
    middle = (y.max() / 2, x.max() / 2)
    prior = np.exp(-((y - middle[0]) ** 2 + (x - middle[1]) ** 2) / (2 * CENTRAL_SIGMA_MM**2))
    border = min(BORDER_MM, y.max() / 4, x.max() / 4)
    inside = (y >= border) & (y <= y.max() - border) & (x >= border) & (x <= x.max() - border)
    background = np.percentile(motion[inside], 80) if inside.any() else 0.0
    energy = np.where(inside, np.clip(motion - background, 0, None), 0.0)
    # The prior chooses the region but must not pull the centroid within it.
    wide = ndimage.gaussian_filter(energy * prior**2, [HEART_RADIUS_MM / 2 / p for p in pitch])
    at = np.unravel_index(int(np.argmax(wide)), wide.shape)
    # A failing left ventricle moves little beside a bright right one: count what moves, not
    # how much.
    energy = np.minimum(energy, SATURATION * float(energy.max()))
    row, column = float(at[0]) * pitch[0], float(at[1]) * pitch[1]
    for _ in range(3):
        disc = (y - row) ** 2 + (x - column) ** 2 < HEART_RADIUS_MM**2
        weight = energy * disc
        if not weight.sum() > 0:
            break
        row, column = (
            float((weight * y).sum() / weight.sum()),
            float((weight * x).sum() / weight.sum()),
        )
    return row / pitch[0], column / pitch[1]


def _resampler(
    count: int, centre: float, from_mm: float, size: int, to_mm: float
) -> NDArray[np.float32]:
    """(size, count) matrix that resamples one axis; rows outside the field of view are zero."""
    wanted = centre + (np.arange(size) - (size - 1) / 2) * (to_mm / from_mm)
    reach = max(1.0, to_mm / from_mm)
    weights = np.clip(1 - np.abs(np.arange(count)[None, :] - wanted[:, None]) / reach, 0, None)
    sums = weights.sum(axis=1, keepdims=True)
    outside = (wanted < -0.5) | (wanted > count - 0.5)
    weights = np.where(outside[:, None] | (sums == 0), 0.0, weights / np.where(sums > 0, sums, 1))
    return weights.astype(np.float32)
