"""One simulated person to be imaged: the renderer without torch in its interface."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.appearance import Appearance, sample_appearance
from retrieval.phantom.contrasts import USUAL
from retrieval.phantom.physiology import Mix, sample_hearts
from retrieval.phantom.planes import Planes, long_axes, sample_operators, short_axis
from retrieval.phantom.render import render
from retrieval.phantom.truth import HeartTruth
from retrieval.values.study import Technique, View

BodyPlane = Literal["transaxial", "coronal", "sagittal"]

_BODY_PLANES: dict[BodyPlane, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "transaxial": ((1, 0, 0), (0, 1, 0)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
}
"""Row and column directions in LPS, as such images are shown."""

_AT_REST = 0.15
"""What is left at rest of a perfusion defect that stress provokes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """K planes of one person at P phases, in patient coordinates (LPS, mm).

    Attributes
    ----------
    images
        (K, P, height, width) float32, 0 or more; blood of a usual cine is about
        0.85; maps are in ms.
    position_mm
        Centre of each plane's first pixel, (K, 3).
    row, column
        Unit vectors, (K, 3).
    """

    images: NDArray[np.float32]
    position_mm: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Sampling of a plane: square pixels of `pixel_mm`, (height, width) of them."""

    pixel_mm: float
    size: tuple[int, int]
    thickness_mm: float


def on_one_thread() -> None:
    """Render on one thread from now on: processes that share the cores are faster so."""
    torch.set_num_threads(1)


class Subject:
    """A person drawn from a seed. The same calls in the same order give the same images."""

    def __init__(self, seed: int, *, mix: Mix = "archive", strength: float = 0.7) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self._anatomy = Anatomy(sample_hearts(1, self._generator, mix=mix))
        self._operator = sample_operators(1, self._generator, strength=strength)
        self._looks = {
            technique: sample_appearance(1, self._generator, technique=technique, strength=strength)
            for technique in USUAL
        }
        self.truth: HeartTruth = self._anatomy.truths()[0]
        self.lv_length_mm = float(self._anatomy.lv.length_mm[0])

    def stack(
        self,
        technique: Technique,
        grid: Grid,
        *,
        slices: int,
        gap_mm: float,
        phases: Sequence[float],
    ) -> Cut:
        """Image a short-axis stack of `slices`, `gap_mm` apart, at shares of the beat."""
        planes = self._stack(grid, slices, gap_mm)
        return self._image(planes, self._looks[technique], technique, phases)

    def first_pass(
        self,
        grid: Grid,
        *,
        slices: int,
        gap_mm: float,
        triggers: Sequence[float],
        times: Sequence[float],
        stress: bool,
    ) -> Cut:
        """Image the passage of contrast agent in `slices`, one image of each a beat.

        Parameters
        ----------
        triggers
            Share of the beat at which each slice is imaged.
        times
            Shares of the acquisition, increasing.
        stress
            Under stress; at rest little is left of a defect.
        """
        planes = self._stack(grid, slices, gap_mm)
        looks = self._looks[Technique.PERFUSION]
        passing = looks.first_pass
        assert passing is not None  # noqa: S101
        provoked = passing.deprived * (1.0 if stress else _AT_REST)
        cuts = [
            self._image(
                planes.only(k),
                replace(
                    looks,
                    first_pass=replace(
                        passing,
                        deprived=provoked,
                        trigger=torch.full_like(passing.trigger, trigger),
                    ),
                ),
                Technique.PERFUSION,
                times,
            )
            for k, trigger in enumerate(triggers)
        ]
        return Cut(
            images=np.concatenate([c.images for c in cuts]),
            position_mm=np.concatenate([c.position_mm for c in cuts]),
            row=np.concatenate([c.row for c in cuts]),
            column=np.concatenate([c.column for c in cuts]),
        )

    def long_axis(
        self, view: View, technique: Technique, grid: Grid, *, phases: Sequence[float]
    ) -> Cut:
        """Image one long-axis view."""
        planes = long_axes(
            self._anatomy,
            self._operator,
            self._generator,
            views=(view,),
            pixel_mm=grid.pixel_mm,
            size=grid.size,
            thickness_mm=grid.thickness_mm,
        )
        return self._image(planes, self._looks[technique], technique, phases)

    def body_plane(self, name: BodyPlane, grid: Grid) -> Cut:
        """Image one plane along the body's axes through the heart, as localisers do."""
        axes = self._anatomy.hearts.axes[0]
        row, column = (axes @ torch.tensor(v, dtype=torch.float32) for v in _BODY_PLANES[name])
        middle = torch.tensor([15.0, 0.0, 0.45 * self.lv_length_mm])
        height, width = grid.size
        half = (row * (width - 1) + column * (height - 1)) * grid.pixel_mm / 2
        planes = Planes(
            origin_mm=(middle - half)[None, None],
            row=row[None, None],
            column=column[None, None],
            pixel_mm=torch.tensor([grid.pixel_mm]),
            thickness_mm=torch.tensor([grid.thickness_mm]),
            height=height,
            width=width,
            shift_mm=torch.zeros(1, 1, 3),
        )
        return self._image(planes, self._looks[Technique.CINE], Technique.CINE, (0.7,))

    def _stack(self, grid: Grid, slices: int, gap_mm: float) -> Planes:
        return short_axis(
            self._anatomy,
            self._operator,
            self._generator,
            slices=slices,
            gap_mm=gap_mm,
            pixel_mm=grid.pixel_mm,
            size=grid.size,
            thickness_mm=grid.thickness_mm,
        )

    def _image(
        self, planes: Planes, look: Appearance, technique: Technique, phases: Sequence[float]
    ) -> Cut:
        images = render(
            self._anatomy,
            planes,
            torch.tensor([phases], dtype=torch.float32),
            technique=technique,
            appearance=look,
            generator=self._generator,
        )
        hearts = self._anatomy.hearts
        axes, place = hearts.axes[0].double(), hearts.place_mm[0].double()

        def to_patient(vectors: Tensor) -> Tensor:
            return vectors[0].double() @ axes

        row = _unit(to_patient(planes.row))
        column = to_patient(planes.column)
        column = _unit(column - (column * row).sum(-1, keepdim=True) * row)
        return Cut(
            images=images[0].numpy(),
            position_mm=(to_patient(planes.origin_mm) + place).numpy(),
            row=row.numpy(),
            column=column.numpy(),
        )


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)
