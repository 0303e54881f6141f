"""A planned clip and its decoded frames made into a clip."""

from collections.abc import Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from indexer.plan.plans import ClipPlan
from indexer.plan.slices import plane_of
from retrieval.errors import UnusableSeries
from retrieval.geometry.planes import Array
from retrieval.values.clip import Clip, ClipRecord, Vector3, identify
from retrieval.values.study import SeriesId, StudyId

Image = NDArray[np.generic]

INTEGERS = tuple(np.dtype(t) for t in ("u1", "i1", "u2", "i2", "u4", "i4"))
"""Narrowest first: one image has one type, whatever its decoder happened to return."""

LARGEST = 1e18
"""Real values beyond this are garbage: the square of a larger one overflows float32."""


def assemble(
    plan: ClipPlan, images: Sequence[NDArray[np.generic]], *, study: StudyId, series: SeriesId
) -> Clip:
    """Make one clip.

    Parameters
    ----------
    images
        Stored values (rows, columns), one per frame of the plan, in its order.

    Returns
    -------
    Clip
        Stored values as the scanner wrote them, in the narrowest integer type
        that holds them (floats stay as they are). Where slope or
        intercept differ between frames the pixels are real values instead
        (float32), with slope 1.

    Raises
    ------
    UnusableSeries
        An image's shape is not what its header says, frames differ in unit
        or polarity, or a pixel is no finite number.
    """
    frames = plan.frames
    if len(images) != len(frames):
        raise ValueError(f"{len(images)} images were given for {len(frames)} frames")
    for frame, image in zip(frames, images, strict=True):
        if image.shape != (frame.rows, frame.columns):
            raise UnusableSeries(
                f"an image decodes to {image.shape}; its header says "
                f"({frame.rows}, {frame.columns})"
            )
    if len({f.unit for f in frames}) > 1:
        raise UnusableSeries(f"one slice has values in {sorted({f.unit for f in frames})}")
    pixels, slope, intercept, monochrome1 = _pixels(plan, images)
    _require_finite(pixels, slope, intercept)
    first = frames[0]
    plane = plane_of(first)
    record = ClipRecord(
        study=study,
        series=series,
        view=plan.view,
        technique=plan.technique,
        variant=plan.variant,
        slice_index=plan.slice_index,
        slice_count=plan.slice_count,
        phases=len(frames),
        rows=first.rows,
        columns=first.columns,
        spacing_mm=plane.spacing_mm,
        slice_spacing_mm=plan.slice_spacing_mm,
        thickness_mm=first.thickness_mm,
        position_mm=_vector(plane.origin),
        row_direction=_vector(plane.row_direction),
        column_direction=_vector(plane.column_direction),
        oriented=plan.oriented,
        frame_times_ms=plan.frame_times_ms,
        rr_ms=plan.rr_ms,
        tr_ms=_middle([f.tr_ms for f in frames]),
        te_ms=_middle([f.te_ms for f in frames]),
        ti_ms=_middle([f.ti_ms for f in frames]),
        flip_deg=_middle([f.flip_deg for f in frames]),
        slope=slope,
        intercept=intercept,
        unit=first.unit,
        monochrome1=monochrome1,
    )
    return identify(record, pixels)


def _pixels(plan: ClipPlan, images: Sequence[Image]) -> tuple[Image, float, float, bool]:
    """Stacked pixels with the slope, intercept and polarity that belong to them."""
    scales = {(f.slope, f.intercept) for f in plan.frames}
    polarities = {f.monochrome1 for f in plan.frames}
    if len(polarities) > 1:
        raise UnusableSeries("one slice mixes MONOCHROME1 and MONOCHROME2 images")
    if len(scales) == 1:
        slope, intercept = scales.pop()
        return _narrowest(np.stack(images)), slope, intercept, polarities.pop()
    # Philips scales every image on its own; only real values compare then.
    with np.errstate(over="ignore", invalid="ignore"):
        real = np.stack(
            [
                i.astype(np.float64) * f.slope + f.intercept
                for f, i in zip(plan.frames, images, strict=True)
            ]
        )
    _require_finite(real, 1.0, 0.0)
    return real.astype(np.float32), 1.0, 0.0, polarities.pop()


def _require_finite(pixels: Image, slope: float, intercept: float) -> None:
    """Raise unless every real value is a number that float32, which all later sums use, holds."""
    with np.errstate(over="ignore", invalid="ignore"):
        ends = np.array([pixels.min(), pixels.max()], dtype=np.float64) * slope + intercept
        finite = bool(np.all(np.abs(ends) <= LARGEST))
    if not finite:
        raise UnusableSeries("pixel values that are no finite numbers")


def _narrowest(pixels: Image) -> Image:
    if pixels.dtype.kind not in "iu":
        return pixels
    low, high = int(pixels.min()), int(pixels.max())
    for dtype in INTEGERS:
        held = np.iinfo(dtype)
        if held.min <= low and high <= held.max:
            return pixels.astype(dtype)
    return pixels


def _vector(v: Array) -> Vector3:
    return (float(v[0]), float(v[1]), float(v[2]))


def _middle(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(median(known)) if known else None
