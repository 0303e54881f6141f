"""What blood and muscle show in one technique, frame by frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from retrieval.phantom.appearance import Appearance
from retrieval.phantom.contrasts import USUAL
from retrieval.phantom.first_pass import FirstPass
from retrieval.phantom.physiology import SCAR_DIFFUSE, Hearts
from retrieval.values.study import Technique

Lesion = Literal["scar", "oedema", "defect"]

_DIFFUSE_SHARE = 0.72
"""Diffuse enhancement is fainter than scar."""

_T2_WEIGHT = 1.4
"""Power of T2 by which T2-weighted muscle grows brighter, about TE / T2."""


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
        return _passing(look, look.first_pass, times)
    muscle = look.muscle * _beside_healthy(hearts, technique)
    return Palette(
        blood=look.blood[:, None],
        rv_blood=(look.blood * look.rv_blood)[:, None],
        muscle=muscle[:, None],
        lesions={k: v[:, None] for k, v in _lesions(look, hearts, technique, muscle).items()},
    )


def _beside_healthy(hearts: Hearts, technique: Technique) -> Tensor:
    """How much a heart's muscle as a whole stands out, as a factor, (n,)."""
    t1 = hearts.native_t1_ms / USUAL[Technique.T1_MAP]["muscle"][0]
    t2 = hearts.native_t2_ms / USUAL[Technique.T2_MAP]["muscle"][0]
    factors = {
        Technique.T1_MAP: t1,
        Technique.T2_MAP: t2,
        Technique.T2_WEIGHTED: t2**_T2_WEIGHT,
    }
    return factors.get(technique, torch.ones_like(t1))


def _lesions(
    look: Appearance, hearts: Hearts, technique: Technique, muscle: Tensor
) -> dict[Lesion, Tensor]:
    """What diseased muscle shows; relative to the rest in all but late enhancement."""
    diffuse = hearts.scar_kind == SCAR_DIFFUSE
    if technique is Technique.LGE:
        return {"scar": look.scar * torch.where(diffuse, _DIFFUSE_SHARE, 1.0)}
    oedema = muscle * look.oedema / look.muscle
    if technique is Technique.T1_MAP:
        # Diffuse disease is in the T1 of the muscle as a whole.
        scar = torch.where(diffuse, muscle, muscle * look.scar / look.muscle)
        return {"scar": scar, "oedema": torch.maximum(oedema, scar)}
    if technique in (Technique.T2_MAP, Technique.T2_WEIGHTED):
        return {"oedema": oedema}
    return {}


def _passing(look: Appearance, passing: FirstPass, times: Tensor) -> Palette:
    muscle = look.muscle[:, None]
    return Palette(
        blood=look.blood[:, None] + passing.left(times),
        rv_blood=(look.blood * look.rv_blood)[:, None] + passing.right(times),
        muscle=muscle + passing.muscle_at(times, defect=False),
        lesions={"defect": muscle + passing.muscle_at(times, defect=True)},
    )
