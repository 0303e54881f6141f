"""What tissue looks like: contrast, coil, noise. Drawn widely, as scanners differ widely.

Contrast is drawn in the manner of SynthSeg (Billot et al., Med Image Anal
2023;86:102789): around what a technique usually shows, and for a few studies
in any order at all, so that nothing is learnt from brightness alone.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from retrieval.phantom.contrasts import (
    BRIGHT_BLOOD_T2,
    MAPS,
    SURROUNDINGS,
    USUAL,
    Contrast,
)
from retrieval.phantom.first_pass import FirstPass, sample_first_pass
from retrieval.phantom.flaws import Flaws, sample_flaws
from retrieval.phantom.random_draws import Draws
from retrieval.values.study import Technique

_ODD = 0.06
"""Share of studies whose tissues are bright and dark in any order."""

_LEAST_BLOOD, _TIMES_MUSCLE = 0.2, 1.6
"""In cine blood is brighter than muscle by this much and this many times, on whatever scanner:
where no blood is seen at end-systole there is none, and no cavity is to be guessed at."""

_WIDER = 0.25
"""Share of studies whose contrast strays twice as far."""

_BRIGHT_BLOOD = 0.4
"""Share of T2-weighted studies that do not suppress blood."""

_LEAST_OEDEMA = 1.3
"""Oedema is brighter than muscle by this factor on any T2-weighted image."""

_HIGH_FIELD = 0.4
"""Share of maps taken at 3 T."""

_AT_3T = {
    Technique.T1_MAP: {"blood": 1.15, "muscle": 1.2, "scar": 1.2, "oedema": 1.2, "liver": 1.35},
    Technique.T2_MAP: {"blood": 0.85, "muscle": 0.9, "scar": 0.9, "oedema": 0.9, "liver": 0.7},
}
"""Relaxation at 3 T as multiples of that at 1.5 T (Kawel-Boehm et al., J Cardiovasc Magn Reson
2020;22:87; Stanisz et al., Magn Reson Med 2005;54:507)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """Brightness of tissues and the scanner's imperfections, for n studies.

    Brightness is relative: blood of a usual cine is about 0.85. Of maps it is
    the relaxation time in ms. Unless said otherwise each is (n,).

    Attributes
    ----------
    rv_blood
        Brightness of right-heart blood relative to left-heart blood.
    scar, oedema
        Brightness of diseased muscle where this technique tells it from the rest.
    texture
        Strength of the fine pattern in muscle and organs.
    flow_void
        Share of the signal lost where blood runs fast.
    edge_mm
        Width over which one tissue turns into the next.
    noise
        In units of brightness; of maps, as a share of the value.
    bias
        (n, 6) coefficients of the coil's shading: linear and quadratic, per 100 mm.
    grain
        (n, 2, 18, 18, 18) random fields that lungs, vessels and textures are made of.
    flaws
        What the scan itself did wrong.
    first_pass
        Passage of the contrast agent; None unless the technique is perfusion.
    """

    blood: Tensor
    rv_blood: Tensor
    muscle: Tensor
    scar: Tensor
    oedema: Tensor
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
    flaws: Flaws
    first_pass: FirstPass | None = None

    def select(self, index: Tensor | slice) -> Self:
        """The studies at `index`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        some: dict[str, Any] = {
            name: value[index] for name, value in values.items() if isinstance(value, Tensor)
        }
        passing = None if self.first_pass is None else self.first_pass.select(index)
        return type(self)(**some, flaws=self.flaws.select(index), first_pass=passing)


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
        The technique is none that is simulated.
    """
    draws = Draws(n, generator)
    tissues = _tissues(draws, technique, strength)
    moving = technique is Technique.CINE
    mapped = technique in MAPS
    coil = torch.tensor([0.34, 0.34, 0.34, 0.14, 0.14, 0.14], device=generator.device)
    shading = draws.normal(0.0, 1.0, 6) * coil * draws.uniform(0.4, 1.4)[:, None]
    passing = technique is Technique.PERFUSION
    return Appearance(
        **tissues,
        texture=draws.uniform(0.0, 0.05 if mapped else 0.16) * strength,
        rv_texture=draws.uniform(0.0, 0.1 if mapped else 0.35) * strength,
        flow_void=draws.uniform(0.0, 0.4 if moving else 0.0) * strength,
        edge_mm=draws.uniform(1.2, 1.2 + 1.0 * strength),
        noise=draws.uniform(0.004, _NOISE[technique]) * strength,
        gain_spread=draws.uniform(0.0, 0.01 if mapped else 0.06) * strength,
        bias=shading * (0.06 if mapped else 1.0) * strength,
        grain=draws.normal(0.0, 1.0, 2, 18, 18, 18),
        flaws=sample_flaws(draws, technique, strength),
        first_pass=sample_first_pass(draws, strength) if passing else None,
    )


_NOISE: dict[Technique, float] = {
    Technique.CINE: 0.035,
    Technique.LGE: 0.045,
    Technique.PERFUSION: 0.06,
    Technique.T2_WEIGHTED: 0.06,
    Technique.T1_MAP: 0.05,
    Technique.T2_MAP: 0.07,
}
"""Most noise, in the units of `Appearance.noise`."""


def _tissues(draws: Draws, technique: Technique, strength: float) -> dict[str, Tensor]:
    """Brightness of every tissue, (n,) each."""
    if technique in MAPS:
        return _relaxation(draws, technique, strength)
    reach = strength * torch.where(draws.flag(_WIDER), 1.7, 1.0)
    drawn = _drawn(draws, USUAL[technique], reach)
    if technique is Technique.T2_WEIGHTED:
        bright = draws.flag(_BRIGHT_BLOOD * strength)
        other = _drawn(draws, BRIGHT_BLOOD_T2, reach)
        drawn = {k: torch.where(bright, other[k], v) for k, v in drawn.items()}
    found = _reordered(draws, drawn, strength)
    if technique is Technique.CINE:
        least = torch.maximum(found["muscle"] + _LEAST_BLOOD, _TIMES_MUSCLE * found["muscle"])
        found["blood"] = torch.maximum(found["blood"], least)
    if technique is Technique.T2_WEIGHTED:
        found["oedema"] = torch.maximum(found["oedema"], _LEAST_OEDEMA * found["muscle"])
    return found


def _drawn(draws: Draws, contrast: Contrast, reach: Tensor | float) -> dict[str, Tensor]:
    return {
        name: (usual + reach * _skewed(draws, below, above)).clamp(min=0.01)
        for name, (usual, below, above) in contrast.items()
    }


def _relaxation(draws: Draws, technique: Technique, strength: float) -> dict[str, Tensor]:
    """Relaxation times in ms; both field strengths keep diseased muscle above healthy muscle."""
    drawn = _drawn(draws, USUAL[technique], strength)
    high = draws.flag(_HIGH_FIELD * strength)
    for name, factor in _AT_3T[technique].items():
        drawn[name] = drawn[name] * torch.where(high, factor, 1.0)
    return drawn


def _reordered(draws: Draws, drawn: dict[str, Tensor], strength: float) -> dict[str, Tensor]:
    """Give a few studies brightness in any order; diseased muscle keeps its distance."""
    odd = draws.flag(_ODD * strength)
    found = dict(drawn)
    for name in ("blood", "muscle", *SURROUNDINGS):
        found[name] = torch.where(odd, draws.uniform(0.05, 1.0), drawn[name])
    for name in ("scar", "oedema"):
        kept = (found["muscle"] + drawn[name] - drawn["muscle"]).clamp(min=0.01)
        found[name] = torch.where(odd, kept, drawn[name])
    return found


def _skewed(draws: Draws, below: float, above: float) -> Tensor:
    """Between -below and above, half of the draws on either side."""
    u = draws.uniform(-1.0, 1.0)
    return torch.where(u < 0, u * below, u * above)
