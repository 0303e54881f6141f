"""Image planes in patient space.

Patient coordinates are DICOM's: millimetres, x to the patient's left, y to the
back, z to the head (LPS; PS3.3 C.7.6.2.1.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One image's place in the patient.

    Attributes
    ----------
    origin
        (3,) centre of the first pixel, in mm.
    row_direction, column_direction
        (3,) unit vectors: along a row (to the right on screen) and down a column.
    rows, columns
        Size in pixels.
    spacing_mm
        Between pixel centres, (down the rows, across the columns).
    normal
        (3,) unit normal: row direction x column direction.
    """

    origin: Array
    row_direction: Array
    column_direction: Array
    rows: int
    columns: int
    spacing_mm: tuple[float, float]
    normal: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "normal", unit(cross(self.row_direction, self.column_direction)))

    @property
    def centre(self) -> Array:
        """(3,) middle of the field of view, in mm."""
        return self.points([((self.rows - 1) / 2, (self.columns - 1) / 2)])[0]

    def points(self, pixels: ArrayLike) -> Array:
        """Patient coordinates (N, 3) of N (row, column) indices, 0-based, fractions allowed."""
        at = np.asarray(pixels, dtype=np.float64)
        down, across = self.spacing_mm
        return (
            self.origin
            + at[:, :1] * down * self.column_direction
            + at[:, 1:] * across * self.row_direction
        )

    def height_of(self, point: ArrayLike) -> float:
        """Signed distance of a point from the plane, along the normal, in mm."""
        return float((np.asarray(point, dtype=np.float64) - self.origin) @ self.normal)


def unit(vector: ArrayLike) -> Array:
    """Scale a vector to length 1; ValueError for one without direction."""
    v = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(v))
    if not np.isfinite(length) or length == 0:
        raise ValueError(f"{v.tolist()} has no direction")
    return v / length


def cross(a: ArrayLike, b: ArrayLike) -> Array:
    """(3,) vector product of two vectors; many times faster than np.cross, which takes stacks."""
    x, y = np.asarray(a, dtype=np.float64).tolist(), np.asarray(b, dtype=np.float64).tolist()
    return np.array(
        [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
    )


def angle_between_lines(a: ArrayLike, b: ArrayLike) -> float:
    """Angle in degrees, 0 to 90, between two directions whose signs do not matter.

    >>> round(angle_between_lines((1, 0, 0), (-1, 1, 0)))
    45
    """
    u, v = unit(a), unit(b)
    # atan2 keeps its precision near 0 and 90 degrees, where arccos loses half its digits.
    return float(np.degrees(np.arctan2(np.linalg.norm(cross(u, v)), abs(float(u @ v)))))


def mean_line(directions: Sequence[ArrayLike]) -> Array:
    """(3,) unit vector along the mean of directions whose signs do not matter.

    The first principal axis: it maximises the sum of squared cosines.
    """
    rows = np.stack([unit(d) for d in directions])
    _, vectors = np.linalg.eigh(rows.T @ rows)
    return vectors[:, -1]


def roll_about(axis: ArrayLike, normal: ArrayLike, *, zero: ArrayLike) -> float:
    """How far a plane that holds `axis` is turned about it, in degrees from 0 up to 180.

    Parameters
    ----------
    axis
        The line that the plane is turned about.
    normal
        The plane's normal; its part along the axis is left out.
    zero
        Where turning starts: 0 degrees is the plane through the axis and this
        direction. It need not be perpendicular to the axis. Angles grow from
        `zero` towards axis x zero.
    """
    a = unit(axis)
    start = unit(np.asarray(zero, dtype=np.float64) - (np.asarray(zero) @ a) * a)
    ahead = cross(a, start)
    lies_along = cross(normal, a)
    roll = float(np.degrees(np.arctan2(lies_along @ ahead, lies_along @ start))) % 180.0
    return 0.0 if roll == 180.0 else roll  # -1e-15 % 180 rounds up to 180
