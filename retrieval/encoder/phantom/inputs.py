"""What the phantom encoder looks at: from the clips of a study to arrays of fixed physical scale.

The same contract holds for simulated studies in training and for real ones;
it is saved in every checkpoint and is part of the encoder's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UnusableSeries
from retrieval.geometry.heart import Point, crop, end_systole, heart_centre, phase_at
from retrieval.values.clip import Clip, ClipId, ClipRecord
from retrieval.values.study import Technique, View

Images = NDArray[np.float32]

TECHNIQUES = (Technique.CINE, Technique.LGE)
"""Techniques the encoder knows; a clip's technique is its place in this tuple."""

VIEWS = (View.SHORT_AXIS, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.OTHER)
"""Views the encoder knows; any other view counts as the last."""

SAME_SLICE_MM = 2.0
"""Two clips of one stack nearer than this show the same slice."""

LEFT_OUT_VARIANTS = ("phase-sensitive", "stress")
"""Variants used only where a slice has no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputContract:
    """How clips become network input.

    Attributes
    ----------
    version
        Raised whenever the code of this module changes what it computes.
    size_px, spacing_mm
        The square cut out around the heart; never a zoom.
    percentiles, ceiling
        Each clip's percentiles become 0 and 1; brighter pixels stop at `ceiling`.
    sample_step
        Percentiles are taken over every such row and column.
    stack_limit
        Most slices of one technique's short-axis stack, evenly spread.
    plane_limit
        Most clips of each other view and technique.
    """

    version: int = 1
    size_px: int = 96
    spacing_mm: float = 2.0
    percentiles: tuple[float, float] = (1.0, 99.0)
    ceiling: float = 1.4
    sample_step: int = 3
    stack_limit: int = 12
    plane_limit: int = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInput:
    """One study as arrays, K clips in canonical order.

    Attributes
    ----------
    clips
        K ids.
    images
        (K, 2, size, size) float32 in [0, ceiling]: end-diastole and
        end-systole of a cine, twice the same image of a still.
    technique, view
        (K,) int64, places in TECHNIQUES and VIEWS.
    position_mm
        (K,) float32 along the slice normal from the middle of the clip's own
        stack, towards the apex where that is known; 0 for single planes.
    gap_mm
        (K,) float32 between neighbouring chosen slices of the stack, on average;
        0 for single planes.
    """

    clips: tuple[ClipId, ...]
    images: Images
    technique: NDArray[np.int64]
    view: NDArray[np.int64]
    position_mm: NDArray[np.float32]
    gap_mm: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Place:
    """One chosen clip and where it lies in its stack, in mm."""

    clip: Clip
    position_mm: float
    gap_mm: float


def prepare(clips: Sequence[Clip], contract: InputContract) -> StudyInput:
    """Choose clips of one study and cut the heart out of them.

    The order of `clips` does not matter.

    Raises
    ------
    UnusableSeries
        No clip is of a technique the encoder knows.
    """
    places = choose(clips, contract)
    known = sorted((p.clip for p in places), key=lambda c: c.record.id)
    centre = heart_centre(known)
    systole = end_systole(known, centre)
    records = [p.clip.record for p in places]
    return StudyInput(
        clips=tuple(r.id for r in records),
        images=np.stack([look(p.clip, centre, systole, contract) for p in places]),
        technique=np.array([TECHNIQUES.index(r.technique) for r in records], np.int64),
        view=np.array([VIEWS.index(known_view(r.view)) for r in records], np.int64),
        position_mm=np.array([p.position_mm for p in places], np.float32),
        gap_mm=np.array([p.gap_mm for p in places], np.float32),
    )


def choose(clips: Sequence[Clip], contract: InputContract) -> list[Place]:
    """Pick the clips to look at: evenly spread stacks, and some of every other plane.

    Raises
    ------
    UnusableSeries
        Nothing is left.
    """
    known = [c for c in clips if c.record.technique in TECHNIQUES]
    if not known:
        seen = ", ".join(sorted({str(c.record.technique) for c in clips})) or "nothing"
        raise UnusableSeries(f"the phantom encoder knows cine and LGE; this study has {seen}")
    chosen: list[Place] = []
    for (_, view), group in groupby(sorted(known, key=_canonical), key=_kind):
        same = list(group)
        if view == VIEWS.index(View.SHORT_AXIS):
            chosen += _spread(_slices(same), contract.stack_limit)
        else:
            one_per_plane = [stack[0] for stack in _by_slice(same)]
            chosen += [Place(c, 0.0, 0.0) for c in one_per_plane[: contract.plane_limit]]
    return chosen


def known_view(view: View) -> View:
    """The view itself, or OTHER if the encoder was not taught it."""
    return view if view in VIEWS else View.OTHER


def look(clip: Clip, centre: Point, systole: float, contract: InputContract) -> Images:
    """(2, size, size): the two phases of one clip, at physical scale, in [0, ceiling]."""
    phases = clip.record.phases
    images = crop(clip, centre, size=contract.size_px, spacing_mm=contract.spacing_mm)
    later = 0
    if clip.record.technique is Technique.CINE and phases > 1:
        later = max(1, phase_at(phases, systole))
    return standardise(images[[0, later]], contract)


def standardise(pair: Images, contract: InputContract) -> Images:
    """Map the percentiles of (2, size, size) to 0 and 1; both phases share one scale."""
    step = contract.sample_step
    low, high = np.percentile(pair[:, ::step, ::step], contract.percentiles)
    scale = max(float(high - low), np.finfo(np.float32).tiny)
    return np.clip((pair - np.float32(low)) / np.float32(scale), 0, np.float32(contract.ceiling))


def _kind(clip: Clip) -> tuple[int, int]:
    record = clip.record
    return TECHNIQUES.index(record.technique), VIEWS.index(known_view(record.view))


def _canonical(clip: Clip) -> tuple[int, int, bool, int, str, str]:
    """An order of clips that does not depend on how they came; the preferred ones first."""
    r = clip.record
    return (*_kind(clip), r.variant in LEFT_OUT_VARIANTS, -r.phases, r.variant, r.id)


def _height(record: ClipRecord, normal: NDArray[np.float64]) -> float:
    """Where the middle of a slice lies along a normal, mm."""
    middle = (
        np.asarray(record.position_mm)
        + np.asarray(record.row_direction) * record.spacing_mm[1] * (record.columns - 1) / 2
        + np.asarray(record.column_direction) * record.spacing_mm[0] * (record.rows - 1) / 2
    )
    return float(middle @ normal)


def _by_slice(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Group clips that show the same slice of one orientation, in the order given."""
    groups: list[list[Clip]] = []
    for clip in clips:
        for group in groups:
            if _same_slice(group[0].record, clip.record):
                group.append(clip)
                break
        else:
            groups.append([clip])
    return groups


def _same_slice(a: ClipRecord, b: ClipRecord) -> bool:
    normal = np.asarray(a.normal)
    parallel = abs(float(normal @ np.asarray(b.normal))) > np.cos(np.radians(10))
    return parallel and abs(_height(a, normal) - _height(b, normal)) < SAME_SLICE_MM


def _slices(clips: Sequence[Clip]) -> list[Place]:
    """One place per slice of a stack, sorted towards the apex where `slice_index` tells it."""
    normal = np.asarray(clips[0].record.normal)
    slices = [group[0] for group in _by_slice(clips)]
    heights = np.array([_height(c.record, normal) for c in slices])
    indices = np.array([c.record.slice_index for c in slices], float)
    if float(((heights - heights.mean()) * (indices - indices.mean())).sum()) < 0:
        heights = -heights
    heights = heights - (heights.min() + heights.max()) / 2
    order = np.argsort(heights, kind="stable")
    return [Place(slices[i], float(heights[i]), 0.0) for i in order]


def _spread(places: Sequence[Place], limit: int) -> list[Place]:
    """At most `limit` of the sorted places, evenly spread, each with their mean distance."""
    count = min(limit, len(places))
    picks = np.unique(np.round(np.linspace(0, len(places) - 1, count)).astype(int))
    heights = np.array([places[i].position_mm for i in picks])
    gap = float(heights[-1] - heights[0]) / (len(picks) - 1) if len(picks) > 1 else 0.0
    return [Place(places[i].clip, places[i].position_mm, gap) for i in picks]
