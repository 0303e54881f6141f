"""Image planes through a heart: short-axis stacks and the standard long axes."""

import math
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.random_draws import Draws
from retrieval.values.study import View

_LONG_AXIS_ANGLE = {
    View.FOUR_CHAMBER: 0.10,
    View.TWO_CHAMBER: math.radians(-97),
    View.THREE_CHAMBER: math.radians(-52),
    View.LVOT: math.radians(-35),
}
"""Angle around the long axis of one of the walls that the plane cuts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """K image planes for each of n hearts, in heart coordinates (millimetres).

    Attributes
    ----------
    origin_mm
        Centre of the first pixel, (n, K, 3).
    row, column
        Unit vectors along a row (right on screen) and down a column, (n, K, 3).
    pixel_mm, thickness_mm
        (n,) each; pixels are square.
    height, width
        In pixels.
    shift_mm
        How far the patient had moved when the plane was imaged, (n, K, 3); the
        nominal geometry above does not know of it.
    """

    origin_mm: Tensor
    row: Tensor
    column: Tensor
    pixel_mm: Tensor
    thickness_mm: Tensor
    height: int
    width: int
    shift_mm: Tensor

    def __len__(self) -> int:
        return int(self.origin_mm.shape[0])

    @property
    def count(self) -> int:
        """How many planes each heart has."""
        return int(self.origin_mm.shape[1])

    @property
    def normal(self) -> Tensor:
        """Row × column, (n, K, 3)."""
        return torch.linalg.cross(self.row, self.column)

    def select(self, index: Tensor | slice) -> Self:
        """The planes of the hearts at `index`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[index] for k, v in values.items() if isinstance(v, Tensor)})

    def only(self, plane: int) -> Self:
        """One of the planes of every heart."""
        one = slice(plane, plane + 1)
        return replace(
            self,
            origin_mm=self.origin_mm[:, one],
            row=self.row[:, one],
            column=self.column[:, one],
            shift_mm=self.shift_mm[:, one],
        )

    def coarser(self, step: int) -> Self:
        """The same planes with pixels `step` times as large; the size must divide."""
        middle = (step - 1) / 2 * self.pixel_mm[:, None, None]
        return replace(
            self,
            origin_mm=self.origin_mm + middle * (self.row + self.column),
            pixel_mm=self.pixel_mm * step,
            height=self.height // step,
            width=self.width // step,
        )

    def points(
        self, offset_mm: Tensor | float = 0.0, *, nodes: tuple[int, int] | None = None
    ) -> Tensor:
        """Where the pixels' centres really were, (n, 3, K, height x width).

        Parameters
        ----------
        offset_mm
            Moves them along the normal, for sub-slices; (n,) or a number.
        nodes
            Spread this many rows and columns evenly from the first pixel to
            the last, instead of one per pixel.
        """
        high, wide = nodes or (self.height, self.width)
        pixel = self.pixel_mm[:, None, None, None]
        device = self.origin_mm.device
        across = torch.linspace(0, self.width - 1, wide, device=device) * pixel
        along = torch.linspace(0, self.height - 1, high, device=device) * pixel
        offset = torch.as_tensor(offset_mm, device=device).expand(len(self))[:, None, None]
        start = (self.origin_mm + self.shift_mm + offset * self.normal).transpose(1, 2)
        down = start[..., None] + self.column.transpose(1, 2)[..., None] * along
        right = self.row.transpose(1, 2)[..., None] * across
        return (down[..., None] + right[..., None, :]).flatten(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """How the planes were planned and how still the patient lay. (n,) or (n, 2) or (n, 3) tensors.

    Attributes
    ----------
    tilt
        (n, 2) radians by which the planned long axis misses the true one.
    turn
        Rotation of the image in its plane, radians.
    offset_mm
        (n, 2) of the field of view's centre from the heart's, in the plane.
    depth_mm
        Shift of a stack along the long axis.
    restless_mm
        Spread of the displacement between breath-holds.
    lapses
        Share of planes taken at a breath-hold that failed, 3 to 8 mm away.
    swing
        Spread of the long-axis planes' angle around the axis, radians.
    """

    tilt: Tensor
    turn: Tensor
    offset_mm: Tensor
    depth_mm: Tensor
    restless_mm: Tensor
    lapses: Tensor
    swing: Tensor


def sample_operators(n: int, generator: torch.Generator, *, strength: float = 1.0) -> Operator:
    """Draw how `n` studies were planned; strength 0 is a perfect operator and a still patient."""
    draws = Draws(n, generator)
    return Operator(
        tilt=draws.normal(0.0, 0.06 * strength, 2),
        turn=draws.normal(0.15 * strength, 0.22 * strength),
        offset_mm=draws.normal(0.0, 6.0 * strength, 2),
        depth_mm=draws.uniform(-4.0 * strength, 4.0 * strength),
        restless_mm=draws.uniform(0.0, 1.8 * strength),
        lapses=torch.where(draws.flag(0.25), draws.uniform(0.0, 0.3 * strength), 0.0),
        swing=draws.uniform(0.0, 0.12 * strength),
    )


def short_axis(  # noqa: PLR0913
    anatomy: Anatomy,
    operator: Operator,
    generator: torch.Generator,
    *,
    slices: int,
    gap_mm: float | Tensor,
    pixel_mm: float | Tensor,
    size: tuple[int, int],
    thickness_mm: float | Tensor = 8.0,
) -> Planes:
    """A stack of `slices` planes from base to apex, centred on the left ventricle.

    Seen from the apex, with the right ventricle on the left of the image.

    Parameters
    ----------
    gap_mm
        Between slice centres.
    size
        (height, width) in pixels.
    """
    n = len(anatomy)
    row, column, z = _tilted(anatomy, operator)
    middle = anatomy.lv.length_mm * 0.5 - 2 + operator.depth_mm
    steps = torch.arange(slices, device=anatomy.device) - (slices - 1) / 2
    along = steps[None, :] * _per_heart(gap_mm, n, anatomy.device)[:, None]
    axis = torch.tensor([0.0, 0.0, 1.0], device=anatomy.device)
    centre = (middle[:, None, None] * axis)[:, :1] + along[..., None] * z[:, None]
    centre = centre + torch.tensor([9.0, 0.0, 0.0], device=anatomy.device)
    row, column = _turned(row, column, operator.turn)
    rows = row[:, None].expand(n, slices, 3)
    columns = column[:, None].expand(n, slices, 3)
    return _planes(centre, rows, columns, operator, generator, pixel_mm, size, thickness_mm)


def long_axes(
    anatomy: Anatomy,
    operator: Operator,
    generator: torch.Generator,
    *,
    views: tuple[View, ...],
    pixel_mm: float | Tensor,
    size: tuple[int, int],
    thickness_mm: float | Tensor = 8.0,
) -> Planes:
    """One plane per view, each containing the long axis as planned.

    4CH shows the apex upwards and the right ventricle on the left; 2CH, 3CH
    and LVOT show the apex on the left and the inferior or inferolateral wall
    below.
    """
    n = len(anatomy)
    draws = Draws(n, generator)
    x, y, z = _tilted_axes(anatomy, operator)
    rows, columns, centres = [], [], []
    for view in views:
        angle = _LONG_AXIS_ANGLE[view] + draws.normal(0.0, 1.0) * operator.swing
        wall = torch.cos(angle)[:, None] * x + torch.sin(angle)[:, None] * y
        four = view is View.FOUR_CHAMBER
        row, column = (-wall, -z) if four else (-z, -wall)
        depth = 0.28 * anatomy.lv.length_mm
        aside = 12.0 if four else 0.0
        row, column = _turned(row, column, operator.turn if four else operator.turn - 0.45)
        rows.append(row)
        columns.append(column)
        centres.append(depth[:, None] * z + aside * wall)
    stacked = [torch.stack(v, dim=1) for v in (centres, rows, columns)]
    centre, row, column = stacked
    return _planes(centre, row, column, operator, generator, pixel_mm, size, thickness_mm)


def _tilted_axes(anatomy: Anatomy, operator: Operator) -> tuple[Tensor, Tensor, Tensor]:
    """The heart's axes as the operator found them, (n, 3) each."""
    n, device = len(anatomy), anatomy.device
    ones = torch.ones(n, device=device)
    z = torch.stack([operator.tilt[:, 0], operator.tilt[:, 1], ones], 1)
    z = z / z.norm(dim=1, keepdim=True)
    x = torch.tensor([1.0, 0.0, 0.0], device=device) - z[:, :1] * z
    x = x / x.norm(dim=1, keepdim=True)
    return x, torch.linalg.cross(z, x), z


def _tilted(anatomy: Anatomy, operator: Operator) -> tuple[Tensor, Tensor, Tensor]:
    """Row, column and stack direction of short-axis images, (n, 3) each."""
    x, y, z = _tilted_axes(anatomy, operator)
    return -x, y, z


def _turned(row: Tensor, column: Tensor, turn: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = torch.cos(turn)[:, None], torch.sin(turn)[:, None]
    return cos * row + sin * column, cos * column - sin * row


def _per_heart(value: float | Tensor, n: int, device: torch.device) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32, device=device).expand(n)


def _planes(  # noqa: PLR0913
    centre: Tensor,
    row: Tensor,
    column: Tensor,
    operator: Operator,
    generator: torch.Generator,
    pixel_mm: float | Tensor,
    size: tuple[int, int],
    thickness_mm: float | Tensor,
) -> Planes:
    n, count, _ = centre.shape
    device = centre.device
    pixel = _per_heart(pixel_mm, n, device)
    height, width = size
    centre = (
        centre + operator.offset_mm[:, None, :1] * row + operator.offset_mm[:, None, 1:] * column
    )
    half = (row * (width - 1) + column * (height - 1)) * pixel[:, None, None] / 2
    return Planes(
        origin_mm=centre - half,
        row=row,
        column=column,
        pixel_mm=pixel,
        thickness_mm=_per_heart(thickness_mm, n, device),
        height=height,
        width=width,
        shift_mm=_displaced(Draws(n, generator), operator, count).to(device),
    )


def _displaced(draws: Draws, operator: Operator, count: int) -> Tensor:
    """How far the patient had moved at each of `count` planes, (n, count, 3) mm."""
    breath = draws.normal(0.0, 1.0, count, 3) * operator.restless_mm[:, None, None]
    away = draws.normal(0.0, 1.0, count, 3)
    away = away / away.norm(dim=2, keepdim=True).clamp(min=1e-6)
    failed = draws.uniform(0.0, 1.0, count) < operator.lapses[:, None]
    lapse = torch.where(failed, draws.uniform(3.0, 8.0, count), 0.0)
    return breath + away * lapse[..., None]
