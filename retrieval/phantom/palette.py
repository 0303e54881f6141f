"""What blood and muscle show in one technique, frame by frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from retrieval.phantom.appearance import Appearance
from retrieval.phantom.first_pass import FirstPass
from retrieval.phantom.physiology import SCAR_DIFFUSE, SCAR_MID_WALL, SCAR_NONE, Hearts
from retrieval.values.study import Technique

Lesion = Literal["scar", "oedema", "defect"]

_DIFFUSE_SHARE = 0.72
"""Diffuse enhancement is fainter than scar."""

_DIFFUSE_RAISES = {Technique.T1_MAP: 1.12, Technique.T2_MAP: 1.04}
"""Relaxation of diffusely diseased muscle beside healthy muscle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Brightness (n, F), where F is the number of frames or 1 if all frames show the same.

    `lesions` holds what is laid over muscle, in this order.
    """

    blood: Tensor
    rv_blood: Tensor
    muscle: Tensor
    lesions: Mapping[Lesion, Tensor]

    def select(self, index: slice) -> Self:
        """The studies at `index`."""
        return type(self)(
            blood=self.blood[index],
            rv_blood=self.rv_blood[index],
            muscle=self.muscle[index],
            lesions={name: value[index] for name, value in self.lesions.items()},
        )


def palette_of(look: Appearance, hearts: Hearts, technique: Technique, times: Tensor) -> Palette:
    """What these hearts show; `times` (n, P) matter to perfusion alone."""
    if look.first_pass is not None:
        return _passing(look, look.first_pass, hearts, times)
    raised = torch.where(hearts.scar_kind == SCAR_DIFFUSE, _DIFFUSE_RAISES.get(technique, 1.0), 1.0)
    muscle = look.muscle * raised
    return Palette(
        blood=look.blood[:, None],
        rv_blood=(look.blood * look.rv_blood)[:, None],
        muscle=muscle[:, None],
        lesions={k: v[:, None] for k, v in _lesions(look, hearts, technique, muscle).items()},
    )


def _lesions(
    look: Appearance, hearts: Hearts, technique: Technique, muscle: Tensor
) -> dict[Lesion, Tensor]:
    diffuse = hearts.scar_kind == SCAR_DIFFUSE
    if technique is Technique.LGE:
        return {"scar": look.scar * torch.where(diffuse, _DIFFUSE_SHARE, 1.0)}
    swollen = torch.where(_ischaemic(hearts), look.oedema, muscle)
    if technique is Technique.T1_MAP:
        scar = torch.where(diffuse, muscle, look.scar)
        return {"scar": torch.maximum(scar, swollen)}
    if technique in (Technique.T2_MAP, Technique.T2_WEIGHTED):
        return {"scar": swollen}
    return {}


def _passing(look: Appearance, passing: FirstPass, hearts: Hearts, times: Tensor) -> Palette:
    healthy = passing.muscle_at(times, defect=False)
    deprived = passing.muscle_at(times, defect=True)
    muscle = look.muscle[:, None]
    return Palette(
        blood=look.blood[:, None] + passing.left(times),
        rv_blood=(look.blood * look.rv_blood)[:, None] + passing.right(times),
        muscle=muscle + healthy,
        lesions={"scar": muscle + torch.where(_ischaemic(hearts)[:, None], deprived, healthy)},
    )


def _ischaemic(hearts: Hearts) -> Tensor:
    kind = hearts.scar_kind
    return (kind != SCAR_NONE) & (kind != SCAR_DIFFUSE) & (kind != SCAR_MID_WALL)
