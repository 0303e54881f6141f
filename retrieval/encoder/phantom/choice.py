"""Which clips of a study the phantom encoder looks at, and where they lie in their stacks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder.phantom.contract import VIEWS, InputContract, known_view
from retrieval.errors import UnusableSeries
from retrieval.values.clip import Clip, ClipRecord
from retrieval.values.study import Technique, View

SAME_SLICE_MM = 2.0
"""Two clips of one stack nearer than this show the same slice."""


@dataclass(frozen=True, slots=True)
class Place:
    """One chosen clip and where it lies in its stack, in mm."""

    clip: Clip
    position_mm: float
    gap_mm: float


def choose(clips: Sequence[Clip], contract: InputContract) -> list[Place]:
    """Pick the clips to look at: evenly spread stacks, and some of every other plane.

    Where a technique has more clips than its limit, one plane of each view is
    kept before the stack, and the stack before further planes.

    Raises
    ------
    UnusableSeries
        Nothing is left.
    """
    known = sorted(
        (c for c in clips if contract.sees(c.record)), key=lambda c: _canonical(c, contract)
    )
    if not known:
        seen = ", ".join(sorted({str(c.record.technique) for c in clips})) or "nothing"
        taught = ", ".join(contract.techniques)
        raise UnusableSeries(f"the phantom encoder knows {taught}; this study has {seen}")
    chosen: list[Place] = []
    for technique, group in groupby(known, key=lambda c: c.record.technique):
        limit = contract.technique_limit[contract.techniques.index(technique)]
        chosen += _of_one_technique(list(group), limit, contract)
    return chosen


def _of_one_technique(clips: Sequence[Clip], limit: int, contract: InputContract) -> list[Place]:
    """At most `limit` of the clips of one technique, the stack first, then view by view."""
    stack: list[Place] = []
    planes: list[list[Clip]] = []
    for view, group in groupby(clips, key=_view):
        if view == VIEWS.index(View.SHORT_AXIS):
            stack = _slices(list(group))
        else:
            planes.append([same[0] for same in _by_slice(list(group))][: contract.plane_limit])
    firsts = min(len(planes), limit if not stack else limit // 2)
    slices = _spread(stack, min(contract.stack_limit, limit - firsts))
    rounds = [
        (k, v) for k in range(contract.plane_limit) for v, p in enumerate(planes) if k < len(p)
    ]
    kept = sorted((v, k) for k, v in rounds[: limit - len(slices)])
    return slices + [Place(planes[v][k], 0.0, 0.0) for v, k in kept]


def _view(clip: Clip) -> int:
    return VIEWS.index(known_view(clip.record.view))


def _canonical(clip: Clip, contract: InputContract) -> tuple[int, int, int, int, str, str]:
    """An order of clips that does not depend on how they came; the preferred ones first."""
    r = clip.record
    technique = contract.techniques.index(r.technique)
    return (technique, _view(clip), _second_best(r), -r.phases, r.variant, r.id)


def _second_best(record: ClipRecord) -> int:
    """0 for the variant that is taken where a slice has several, else 1.

    Stress shows the defects that perfusion is made for; magnitude images are
    what late enhancement was taught with.
    """
    if record.technique is Technique.PERFUSION:
        return int(record.variant != "stress")
    return int(record.variant in ("phase-sensitive", "stress"))


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
    if not places:
        return []
    count = min(limit, len(places))
    picks = np.unique(np.round(np.linspace(0, len(places) - 1, count)).astype(int))
    heights = np.array([places[i].position_mm for i in picks])
    gap = float(heights[-1] - heights[0]) / (len(picks) - 1) if len(picks) > 1 else 0.0
    return [Place(places[i].clip, places[i].position_mm, gap) for i in picks]
