"""What the trunk saw in clips, alone and brought together study by study."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from retrieval.encoder.phantom.overview import overview


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the trunk saw in N clips.

    Attributes
    ----------
    features
        (N, F) pooled features: how the clip looks.
    geometry
        (N, CLIP_GEOMETRY): what the segmentation says in millimetres.
    tissue
        (N, TISSUE): how bright blood and muscle are.
    regions
        (N, R, S/2, S/2) log-odds of the segmentation.
    """

    features: Tensor
    geometry: Tensor
    tissue: Tensor
    regions: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """K clips of each of B studies, ready to be read; see `StudyInput` for the last four.

    Attributes
    ----------
    features, geometry, tissue
        (B, K, F), (B, K, CLIP_GEOMETRY) and (B, K, TISSUE), as in `Seen`.
    present
        (B, K) bool; at least one True per study.
    technique, view, position_mm, gap_mm
        (B, K).
    """

    features: Tensor
    geometry: Tensor
    tissue: Tensor
    present: Tensor
    technique: Tensor
    view: Tensor
    position_mm: Tensor
    gap_mm: Tensor

    def to(self, device: str) -> Self:
        """The same on another device."""
        return type(self)(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def overview(self) -> Tensor:
        """(B, OVERVIEW): what each study says at a glance."""
        return overview(
            self.geometry, self.tissue, self.present, self.technique, self.view, self.position_mm
        )

    def packed(self) -> Self:
        """The same studies without the empty slots that all of them have; order is kept."""
        longest = int(self.present.sum(1).max())
        first = (~self.present).to(torch.uint8).argsort(dim=1, stable=True)[:, :longest]

        def taken(values: Tensor) -> Tensor:
            shape = first.shape + (1,) * (values.ndim - 2)
            return values.take_along_dim(first.view(shape), dim=1)

        return type(self)(**{f.name: taken(getattr(self, f.name)) for f in fields(self)})
