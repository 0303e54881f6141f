"""The state of a batch of hearts at some phases of the beat."""

import math
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.regions import Band
from retrieval.phantom.rhythm import Rhythm

ATRIAL_CUT = 0.75
"""An atrium is an ellipsoid cut by the valve plane at this share of its long semi-axis."""

CUT_VOLUME = math.pi * (2 / 3 + ATRIAL_CUT - ATRIAL_CUT**3 / 3)
"""Volume of such an ellipsoid of semi-axes 1."""


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Solids with axes along the heart's, (n, P, 3) each, cut at the valve plane."""

    centre_mm: Tensor
    semi_mm: Tensor


@dataclass(frozen=True, slots=True)
class Tube:
    """A vessel along a broken line. `points_mm` (n, P, K, 3), `radius_mm` (n,)."""

    points_mm: Tensor
    radius_mm: Tensor


OUTFLOW_WIDTH_MM = 13.0
"""How far around its middle the outflow tract lifts the base (standard deviation)."""


@dataclass(frozen=True, slots=True)
class Base:
    """Departure of the valves from a plane across the long axis.

    Every column of tissue parallel to the long axis is shifted along it as a
    whole, which leaves all volumes as they are.

    Attributes
    ----------
    slope
        Rise per mm towards x and y, (n, 2).
    place_mm, lift_mm
        Middle (n, 2) and height (n,) of the outflow tract above its surroundings.
    """

    slope: Tensor
    place_mm: Tensor
    lift_mm: Tensor

    def rise_mm(self, x: Tensor, y: Tensor) -> Tensor:
        """How far the base lies above the valve plane, away from the apex, (n, M)."""
        to_x, to_y = (self.slope[:, i, None] for i in (0, 1))
        off2 = (x - self.place_mm[:, :1]).square() + (y - self.place_mm[:, 1:]).square()
        bump = torch.exp(off2 * (-0.5 / OUTFLOW_WIDTH_MM**2))
        return (to_x * x).addcmul(to_y, y).addcmul(self.lift_mm[:, None], bump)

    def most_mm(self, reach_mm: Tensor) -> Tensor:
        """Bound of the rise within a distance (n, 1) of the long axis, (n, 1)."""
        return self.slope.norm(dim=1, keepdim=True) * reach_mm + self.lift_mm[:, None]


_Table = Rhythm | Ellipsoid | Tube | Band | Base


@dataclass(frozen=True, slots=True)
class Moment:
    """The hearts at P phases each. Tables are (n, P, ANGLES, DEPTHS) radii in mm.

    Attributes
    ----------
    base_mm, length_mm
        Where the valve plane lies on the long axis, and how far the epicardial
        apex is from it, (n, P).
    endo, epi
        Surfaces of the compact left ventricular wall.
    lumen
        Where blood without trabeculae ends.
    papillary
        Half the radial extent of a papillary muscle around `papillary_centre` of
        the lumen's radius; 0 or less where there is none.
    papillary_centre
        (n,).
    rv
        Outer surface of the right ventricular cavity; equals `epi` beside it.
    rv_lumen
        Where its blood without trabeculae ends.
    shell
        Outer surface of both ventricles' muscle.
    fluid, sac
        Outer surface of the pericardial fluid, and of the fat around it.
    scar, oedema, defect
        Bands of the wall, (n, ANGLES, DEPTHS).
    valves
        How the base departs from the valve plane.
    valve_radius_mm
        Of the mitral annulus, (n, P).
    """

    beat: Rhythm
    base_mm: Tensor
    length_mm: Tensor
    endo: Tensor
    epi: Tensor
    lumen: Tensor
    papillary: Tensor
    papillary_centre: Tensor
    rv: Tensor
    rv_lumen: Tensor
    shell: Tensor
    fluid: Tensor
    sac: Tensor
    scar: Band
    oedema: Band
    defect: Band
    valves: Base
    valve_radius_mm: Tensor
    left_atrium: Ellipsoid
    right_atrium: Ellipsoid
    aorta: Tube
    pulmonary: Tube

    def select(self, index: slice) -> Self:
        """The hearts at `index`, at the same phases."""
        return replace(self, **{f.name: _part(getattr(self, f.name), index) for f in fields(self)})


def _part(value: Tensor | _Table, index: slice) -> Tensor | _Table:
    if isinstance(value, Tensor):
        return value[index]
    return replace(value, **{f.name: getattr(value, f.name)[index] for f in fields(value)})
