"""Frames sorted into slice positions, by where they lie in the patient."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from indexer.raw import Frame
from retrieval.geometry.planes import Plane, angle_between_lines, unit

SAME_DIRECTION_DEG = 1.0
"""Row and column directions that differ by less are one orientation (headers round)."""

PARALLEL_DEG = 3.0
"""Planes whose normals differ by less are parallel: nobody plans so small an angle."""

SAME_PLACE_MM = 0.5
"""Origins nearer than this are one slice position; no cardiac stack is this fine."""

MAX_SKEW = 0.02
"""How far row and column direction may be from unit length and from a right angle."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The frames of one series that show one slice position with one matrix.

    Attributes
    ----------
    frames
        Sorted by time, or in no meaningful order before that is done.
    """

    plane: Plane
    frames: tuple[Frame, ...]

    def __len__(self) -> int:
        return len(self.frames)


def flaw_of(frame: Frame) -> str:
    """Why a frame cannot be placed in space, or nothing."""
    if frame.rows < 1 or frame.columns < 1:
        return "an image without rows or columns"
    if frame.spacing_mm is None or not all(0 < s < np.inf for s in frame.spacing_mm):
        return "no pixel spacing in the header"
    if frame.position_mm is None or not np.all(np.isfinite(frame.position_mm)):
        return "no image position in the header"
    if frame.orientation is None or not np.all(np.isfinite(frame.orientation)):
        return "no image orientation in the header"
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 1 - MAX_SKEW or max(lengths) > 1 + MAX_SKEW or abs(row @ column) > MAX_SKEW:
        return "the image orientation in the header is not two perpendicular unit vectors"
    return ""


def plane_of(frame: Frame) -> Plane:
    """The plane of a frame that `flaw_of` finds nothing wrong with."""
    if frame.position_mm is None or frame.orientation is None or frame.spacing_mm is None:
        raise ValueError(f"frame {frame.instance_uid} has no geometry")
    return Plane(
        origin=np.array(frame.position_mm, dtype=np.float64),
        row_direction=unit(frame.orientation[:3]),
        column_direction=unit(frame.orientation[3:]),
        rows=frame.rows,
        columns=frame.columns,
        spacing_mm=frame.spacing_mm,
    )


def slices_of(frames: Iterable[Frame]) -> list[Slice]:
    """Sort frames that have geometry into slices.

    Frames share a slice if matrix, pixel spacing and orientation agree and
    their first pixels lie within `SAME_PLACE_MM`. The result does not depend
    on the order of the frames; slices come in the order of their position.
    """
    exact: dict[tuple[object, ...], list[Frame]] = {}
    for frame in frames:
        exact.setdefault(_place(frame), []).append(frame)
    found: list[tuple[Plane, list[Frame]]] = []
    # A fixed order makes the sorting a function of the frames alone.
    for _, members in sorted(exact.items()):
        plane = plane_of(members[0])
        home = next((held for known, held in found if _same_place(known, plane)), None)
        if home is None:
            found.append((plane, members))
        else:
            home.extend(members)
    return [
        Slice(plane, tuple(sorted(members, key=lambda f: (f.instance_uid, f.index))))
        for plane, members in found
    ]


def _place(frame: Frame) -> tuple[object, ...]:
    return (frame.rows, frame.columns, frame.spacing_mm, frame.orientation, frame.position_mm)


def _same_place(a: Plane, b: Plane) -> bool:
    return (
        (a.rows, a.columns) == (b.rows, b.columns)
        and math.dist(a.origin, b.origin) < SAME_PLACE_MM
        and bool(np.allclose(a.spacing_mm, b.spacing_mm, rtol=1e-3))
        and same_orientation(a, b)
    )


def parallel(planes: Iterable[Plane]) -> list[list[Plane]]:
    """Group planes of one normal, in the order given; how they are turned does not matter."""
    groups: list[list[Plane]] = []
    for plane in planes:
        home = next(
            (g for g in groups if angle_between_lines(g[0].normal, plane.normal) < PARALLEL_DEG),
            None,
        )
        if home is None:
            groups.append([plane])
        else:
            home.append(plane)
    return groups


def same_orientation(a: Plane, b: Plane) -> bool:
    """Whether two images are turned alike, in-plane rotation included."""
    return (
        float(a.row_direction @ b.row_direction) > 0
        and float(a.column_direction @ b.column_direction) > 0
        and angle_between_lines(a.row_direction, b.row_direction) < SAME_DIRECTION_DEG
        and angle_between_lines(a.column_direction, b.column_direction) < SAME_DIRECTION_DEG
    )
