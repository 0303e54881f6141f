"""The state of a batch of hearts at some phases of the beat."""

import math
from dataclasses import dataclass, fields, replace
from typing import Self

from torch import Tensor

from retrieval.phantom.rhythm import Rhythm

PAPILLARY_CENTRE = 0.70
"""Where papillary muscles stand, as a share of the cavity's radius."""

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
        Half the radial extent of a papillary muscle around PAPILLARY_CENTRE of
        the cavity's radius; 0 or less where there is none.
    rv
        Outer surface of the right ventricular cavity; equals `epi` beside it.
    shell
        Outer surface of both ventricles' muscle.
    fluid, sac
        Outer surface of the pericardial fluid, and of the fat around it.
    scar_low, scar_high
        The enhancing band as shares of the wall, (n, ANGLES, DEPTHS).
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
    rv: Tensor
    shell: Tensor
    fluid: Tensor
    sac: Tensor
    scar_low: Tensor
    scar_high: Tensor
    valve_radius_mm: Tensor
    left_atrium: Ellipsoid
    right_atrium: Ellipsoid
    aorta: Tube
    pulmonary: Tube

    def select(self, index: slice) -> Self:
        """The hearts at `index`, at the same phases."""
        return replace(self, **{f.name: _part(getattr(self, f.name), index) for f in fields(self)})


def _part(
    value: Tensor | Rhythm | Ellipsoid | Tube, index: slice
) -> Tensor | Rhythm | Ellipsoid | Tube:
    if isinstance(value, Tensor):
        return value[index]
    return replace(value, **{f.name: getattr(value, f.name)[index] for f in fields(value)})
