"""What tissue looks like: contrast, coil, noise. Drawn widely, as scanners differ widely."""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.random_draws import Draws
from retrieval.values.study import Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """Brightness of tissues and the scanner's imperfections, for n studies.

    Brightness is relative: blood of a usual cine is about 0.85. Unless said
    otherwise each is (n,).

    Attributes
    ----------
    rv_blood
        Brightness of right-heart blood relative to left-heart blood.
    texture
        Strength of the fine pattern in muscle and organs.
    flow_void
        Share of the signal lost where blood runs fast.
    edge_mm
        Width over which one tissue turns into the next.
    bias
        (n, 6) coefficients of the coil's shading: linear and quadratic, per 100 mm.
    grain
        (n, 2, 18, 18, 18) random fields that lungs, vessels and textures are made of.
    """

    blood: Tensor
    rv_blood: Tensor
    muscle: Tensor
    scar: Tensor
    fat: Tensor
    fluid: Tensor
    lung: Tensor
    vessels: Tensor
    liver: Tensor
    stomach: Tensor
    chest: Tensor
    bone: Tensor
    texture: Tensor
    rv_texture: Tensor
    flow_void: Tensor
    edge_mm: Tensor
    noise: Tensor
    gain_spread: Tensor
    bias: Tensor
    grain: Tensor

    def select(self, index: Tensor | slice) -> Self:
        """The studies at `index`."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


_USUAL: dict[Technique, dict[str, tuple[float, float, float]]] = {
    # usual value, and the furthest a draw at strength 1 goes below and above
    Technique.CINE: {
        "blood": (0.85, 0.25, 0.2),
        "rv_blood": (0.97, 0.17, 0.13),
        "muscle": (0.30, 0.17, 0.2),
        "scar": (0.32, 0.15, 0.2),
        "fat": (0.85, 0.5, 0.5),
        "fluid": (0.95, 0.35, 0.3),
        "lung": (0.05, 0.04, 0.1),
        "vessels": (0.30, 0.25, 0.3),
        "liver": (0.36, 0.2, 0.25),
        "stomach": (0.42, 0.3, 0.4),
        "chest": (0.95, 0.5, 0.5),
        "bone": (0.38, 0.2, 0.3),
    },
    Technique.LGE: {
        "blood": (0.58, 0.25, 0.22),
        "rv_blood": (0.98, 0.12, 0.1),
        "muscle": (0.10, 0.07, 0.14),
        "scar": (0.98, 0.2, 0.35),
        "fat": (0.75, 0.5, 0.5),
        "fluid": (0.06, 0.05, 0.12),
        "lung": (0.04, 0.03, 0.08),
        "vessels": (0.18, 0.15, 0.2),
        "liver": (0.34, 0.2, 0.2),
        "stomach": (0.35, 0.25, 0.3),
        "chest": (0.8, 0.5, 0.4),
        "bone": (0.32, 0.2, 0.25),
    },
}


def sample_appearance(
    n: int,
    generator: torch.Generator,
    *,
    technique: Technique,
    strength: float = 1.0,
) -> Appearance:
    """Draw how `n` studies look; strength 0 gives the usual contrast, no noise and no shading.

    Raises
    ------
    KeyError
        The technique is neither cine nor LGE.
    """
    draws = Draws(n, generator)
    tissues = {
        name: usual + strength * _skewed(draws, below, above)
        for name, (usual, below, above) in _USUAL[technique].items()
    }
    still = technique is Technique.LGE
    return Appearance(
        **tissues,
        texture=draws.uniform(0.0, 0.16) * strength,
        rv_texture=draws.uniform(0.0, 0.35) * strength,
        flow_void=draws.uniform(0.0, 0.0 if still else 0.4) * strength,
        edge_mm=draws.uniform(1.2, 1.2 + 1.0 * strength),
        noise=draws.uniform(0.004, 0.045 if still else 0.035) * strength,
        gain_spread=draws.uniform(0.0, 0.06) * strength,
        bias=draws.normal(0.0, 1.0, 6)
        * torch.tensor([0.3, 0.3, 0.3, 0.12, 0.12, 0.12], device=generator.device)
        * strength,
        grain=draws.normal(0.0, 1.0, 2, 18, 18, 18),
    )


def _skewed(draws: Draws, below: float, above: float) -> Tensor:
    """Between -below and above, half of the draws on either side."""
    u = draws.uniform(-1.0, 1.0)
    return torch.where(u < 0, u * below, u * above)
