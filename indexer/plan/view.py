"""Which plane an image was cut in, from where it lies in the patient.

The left ventricle's long axis is the yardstick. It is the normal of the
short-axis stack; without one, the line where long-axis planes cross; without
these, the direction usual in a chest. A plane across it is a short axis; a
plane along it is a two-, three- or four-chamber view by its roll about it.

Roll is measured seen from the base towards the apex, 0 degrees pointing
horizontally to the patient's left and back (the lateral wall), 90 degrees
upwards (the anterior wall). The septum faces the opposite side of the lateral
wall, so that the wall segments of the AHA model (Circulation 2002;105:539),
60 degrees each, lie at: anterolateral 30, anterior 90, anteroseptal 150,
inferoseptal 210, inferior 270, inferolateral 330. A four-chamber view cuts
inferoseptum and anterolateral wall (roll 30), a two-chamber view the anterior
and inferior walls (90), a three-chamber view anteroseptum and inferolateral
wall (150).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from indexer.plan.slices import parallel
from retrieval.geometry.planes import (
    Array,
    Plane,
    angle_between_lines,
    cross,
    mean_line,
    roll_about,
    unit,
)
from retrieval.values.study import View

UP: Array = np.array([0.0, 0.0, 1.0])
AXES: tuple[Array, ...] = tuple(np.eye(3))

USUAL_AXIS: Array = unit((0.67, -0.66, -0.33))
"""Base to apex in a supine adult: to the left, the front and the feet (mean of short-axis stacks
of real patients, rounded)."""

STACK = 3
"""As many parallel slices make a stack."""

USUAL_WITHIN_DEG = 55.0
"""A heart's axis lies within this of the usual one, thin and stout people included."""

WHOLE_HEART = 6
UNUSUAL_WITHIN_DEG = 80.0
"""A stack of so many slices covers a ventricle, and may lie further off (animals)."""

UPRIGHT_PLANES = 2
"""A stack on which so many different planes stand upright is a short axis in whatever direction
(a patient registered in another position than he lay in)."""

PATIENT_AXIS_DEG = 15.0
"""Nearer than this to a patient axis, a stack is transaxial, coronal or sagittal."""

EXACTLY_AXIAL_DEG = 6.0
"""A single plane counts as transaxial only when this close; four-chamber views come to 15."""

ACROSS_DEG = 25.0
"""A normal within this of the long axis is a short-axis plane's."""

UPRIGHT_DEG = 75.0
ALONG_DEG = 65.0
"""A normal further than this from the long axis is a long-axis plane's."""

CROSSING_DEG = 25.0
"""Long-axis planes must differ by this for their crossing to be a line worth trusting."""

SHARED_LINE_DEG = 12.0
"""Three planes whose crossings agree this well were turned about one axis, wherever it points
(animals, patients registered in another position)."""

ROLL_DEG = {View.FOUR_CHAMBER: 27.0, View.TWO_CHAMBER: 90.0, View.THREE_CHAMBER: 145.0}
"""Roll of each long-axis view: the AHA segments it cuts, shifted a little to where planes are
planned (four-chamber through the right ventricle's acute margin, three-chamber through the
aortic valve)."""

SURE_ROLL_DEG = 10.0
"""Nearer than this to the border between two views, words may decide between these two."""

OUTFLOW_DEG = 35.0
"""Outflow planes are oblique coronal (left) or sagittal (right) within this."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LongAxis:
    """The left ventricle's long axis.

    Attributes
    ----------
    direction
        (3,) unit vector from base to apex.
    measured
        True if it comes from the study's own planes.
    stack
        True if a short-axis stack gave it.
    usual
        True if it lies as human hearts do; where it does not, roll about it
        tells little.
    """

    direction: Array
    measured: bool
    stack: bool
    usual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What geometry says of a plane: the view, and the other ones it could as well be."""

    view: View
    doubt: frozenset[View] = frozenset()


def long_axis(planes: Sequence[Plane]) -> LongAxis:
    """Find the long axis from all planes of a study that may show the heart on purpose.

    Parameters
    ----------
    planes
        One per slice position and series, localisers left out.
    """
    across = _short_axis_normal(planes)
    if across is not None:
        usual = angle_between_lines(across, USUAL_AXIS) <= USUAL_WITHIN_DEG
        return LongAxis(direction=_to_apex(across), measured=True, stack=True, usual=usual)
    along = _crossing(planes)
    if along is not None:
        return LongAxis(direction=_to_apex(along), measured=True, stack=False, usual=True)
    shared = _shared_line(planes)
    if shared is not None:
        return LongAxis(direction=_to_apex(shared), measured=True, stack=False, usual=False)
    return LongAxis(direction=USUAL_AXIS, measured=False, stack=False, usual=True)


def _to_apex(line: Array) -> Array:
    return line if float(line @ USUAL_AXIS) >= 0 else -line


def _short_axis_normal(planes: Sequence[Plane]) -> Array | None:
    """Normal of the most likely short-axis stack.

    A usual direction counts first, then how many other planes stand upright on
    the stack (long-axis planes do), then its number of slices.
    """
    groups = parallel(planes)
    normals = [mean_line([p.normal for p in g]) for g in groups]
    found: list[tuple[tuple[float, ...], Array]] = []
    for group, normal in zip(groups, normals, strict=True):
        slices = heights(group, normal)
        off = angle_between_lines(normal, USUAL_AXIS)
        upright = sum(angle_between_lines(normal, n) > UPRIGHT_DEG for n in normals)
        near_axis = min(angle_between_lines(normal, a) for a in AXES) < PATIENT_AXIS_DEG
        within = USUAL_WITHIN_DEG if slices < WHOLE_HEART else UNUSUAL_WITHIN_DEG
        within = within if upright < UPRIGHT_PLANES else 90.0
        if slices >= STACK and off <= within and not near_axis:
            found.append(((off <= USUAL_WITHIN_DEG, upright, slices, -off), normal))
    return max(found, key=lambda f: f[0])[1] if found else None


def heights(stack: Sequence[Plane], normal: Array) -> int:
    """Number of different positions along a normal, at least 1 mm apart."""
    at = np.sort([p.centre @ normal for p in stack])
    return 1 + int(np.sum(np.diff(at) > 1.0))


def _crossing(planes: Sequence[Plane]) -> Array | None:
    """The line along which long-axis planes cross, if it can be a heart's axis."""
    normals = [
        g[0].normal
        for g in parallel(planes)
        if angle_between_lines(g[0].normal, UP) > EXACTLY_AXIAL_DEG
    ]
    lines = [
        cross(a, b) for a, b in combinations(normals, 2) if angle_between_lines(a, b) > CROSSING_DEG
    ]
    likely = [
        line for line in lines if angle_between_lines(line, USUAL_AXIS) < USUAL_WITHIN_DEG / 2
    ]
    return mean_line(likely) if likely else None


def _shared_line(planes: Sequence[Plane]) -> Array | None:
    """The line that three planes or more were turned about, whatever its direction."""
    alone = [g for g in parallel(planes) if heights(g, g[0].normal) < STACK]
    found: list[tuple[float, Array]] = []
    for three in combinations([g[0].normal for g in alone], 3):
        pairs = list(combinations(three, 2))
        if min(angle_between_lines(a, b) for a, b in pairs) <= CROSSING_DEG:
            continue
        lines = [cross(a, b) for a, b in pairs]
        middle = mean_line(lines)
        found.append((max(angle_between_lines(middle, line) for line in lines), middle))
    spread, line = min(found, key=lambda f: f[0], default=(90.0, USUAL_AXIS))
    return line if spread <= SHARED_LINE_DEG else None


def sight(plane: Plane, axis: LongAxis, *, stacked: int) -> Sight:
    """Say what view a plane is.

    Parameters
    ----------
    stacked
        Number of slices in the plane's own stack; 1 for a plane on its own.
    """
    normal = plane.normal
    axial = angle_between_lines(normal, UP)
    tilt = angle_between_lines(normal, axis.direction)
    if axial < (PATIENT_AXIS_DEG if stacked >= STACK else EXACTLY_AXIAL_DEG):
        return Sight(
            view=View.TRANSAXIAL, doubt=_unless(axial < EXACTLY_AXIAL_DEG, View.FOUR_CHAMBER)
        )
    if tilt <= ACROSS_DEG:
        return Sight(view=View.SHORT_AXIS, doubt=_unless(axis.stack, View.LVOT, View.OTHER))
    if tilt >= (ALONG_DEG if axis.measured else ALONG_DEG - 15):
        return _by_roll(normal, axis)
    return _oblique(normal)


def _unless(sure: bool, *views: View) -> frozenset[View]:  # noqa: FBT001
    return frozenset() if sure else frozenset(views)


def _by_roll(normal: Array, axis: LongAxis) -> Sight:
    if not (axis.usual or axis.stack):
        # Planes alone, of a heart that lies unusually: nothing says which wall is which.
        return Sight(view=View.OTHER, doubt=frozenset(ROLL_DEG))
    roll = roll_about(axis.direction, normal, zero=cross(UP, axis.direction))
    away = {view: _turn(roll, at) for view, at in ROLL_DEG.items()}
    first, second = sorted(away, key=away.__getitem__)[:2]
    unsure = SURE_ROLL_DEG if axis.measured else 2 * SURE_ROLL_DEG
    close = (away[second] - away[first]) / 2 < unsure
    if not axis.usual:
        return Sight(view=first, doubt=frozenset(ROLL_DEG))
    return Sight(view=first, doubt=frozenset({second}) if close else frozenset())


def _turn(a: float, b: float) -> float:
    """Angle in degrees between two lines given by their roll."""
    apart = abs(a - b) % 180.0
    return min(apart, 180.0 - apart)


def _oblique(normal: Array) -> Sight:
    """Neither across nor along the axis: an outflow tract by its tilt, or a plane of its own."""
    every = frozenset(View) - {View.SHORT_AXIS}
    sagittal, coronal, _ = (angle_between_lines(normal, a) for a in AXES)
    if coronal < min(OUTFLOW_DEG, sagittal):
        return Sight(view=View.LVOT, doubt=every)
    if sagittal < OUTFLOW_DEG:
        return Sight(view=View.RVOT, doubt=every)
    return Sight(view=View.OTHER, doubt=every)
