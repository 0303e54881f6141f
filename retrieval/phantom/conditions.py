"""The conditions hearts are drawn with, and the people who have them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import torch
from torch import Tensor

from retrieval.language.reference_ranges import REFERENCE_AGE, reference_ranges
from retrieval.phantom.random_draws import Draws

Mix = Literal["archive", "training"]
"""archive: what a hospital might hold. training: more disease, broader and less correlated."""


class Disease(IntEnum):
    """The leading condition of a simulated heart; the values index `WEIGHTS`."""

    NORMAL = 0
    DILATED = 1
    HYPERTROPHIC = 2
    INFARCT = 3
    RIGHT_HEART = 4
    MID_WALL_SCAR = 5
    DIFFUSE = 6
    ATRIAL = 7
    AORTIC = 8
    EFFUSION = 9
    MIXTURE = 10
    MYOCARDITIS = 11
    AORTIC_REGURGITATION = 12
    MITRAL_REGURGITATION = 13
    AORTIC_STENOSIS = 14
    ISCHAEMIA = 15
    LOW_NORMAL = 16


WEIGHTS: dict[Mix, tuple[float, ...]] = {
    "archive": (0.37, 0.08, 0.105, 0.09, 0.08, 0.02, 0.03, 0.03, 0.03, 0.02, 0.02,
                0.03, 0.015, 0.015, 0.02, 0.025, 0.02),
    "training": (0.13, 0.10, 0.10, 0.15, 0.11, 0.03, 0.04, 0.02, 0.02, 0.02, 0.13,
                 0.04, 0.02, 0.02, 0.02, 0.025, 0.025),
}  # fmt: skip

HYPERTROPHY_NONE, HYPERTROPHY_CONCENTRIC, HYPERTROPHY_SEPTAL, HYPERTROPHY_APICAL = range(4)
(
    SCAR_NONE,
    SCAR_SUBENDOCARDIAL,
    SCAR_TRANSMURAL,
    SCAR_MID_WALL,
    SCAR_DIFFUSE,
    SCAR_SUBEPICARDIAL,
) = range(6)


@dataclass(frozen=True, slots=True)
class People:
    """Whose hearts are drawn, and with which leading condition; (n,) each."""

    draws: Draws
    disease: Tensor
    female: Tensor
    age_years: Tensor
    bsa_m2: Tensor

    def have(self, *diseases: Disease) -> Tensor:
        """Who has one of the diseases, (n,) bool."""
        wanted = torch.tensor([int(d) for d in diseases], device=self.disease.device)
        return torch.isin(self.disease, wanted)

    def by_sex(self, female: float, male: float) -> Tensor:
        """One number for women, another for men, (n,)."""
        return torch.where(self.female, female, male)

    def healthy(self, quantity: str) -> Tensor:
        """Draw a quantity of the reference table for people of this sex and age, (n,)."""
        usual = reference_ranges().healthy[quantity]
        mean = self.by_sex(*usual.mean) + usual.per_year * (self.age_years - REFERENCE_AGE)
        return self.draws.normal(mean, self.by_sex(*usual.spread))


def draw_body(draws: Draws) -> dict[str, Tensor]:
    """Draw people and how their hearts lie."""
    female = draws.flag(0.45)
    height = draws.normal(torch.where(female, 164.0, 177.0), 7.0)
    body_mass_index = draws.normal(26.0, 4.0).clamp(18, 38)
    return {
        "female": female,
        "age_years": draws.normal(56.0, 16.0).clamp(18, 89).floor(),
        "height_cm": height.round(),
        "weight_kg": (body_mass_index * (height / 100) ** 2).round(),
        "heart_rate_bpm": draws.normal(67.0, 10.0).clamp(45, 105).round(),
        "axes": _axes(draws),
        "place_mm": draws.normal(0.0, 12.0, 3),
    }


def _axes(draws: Draws) -> Tensor:
    """How hearts lie in chests, (n, 3, 3).

    In LPS coordinates the apex points left, anterior and inferior, and the
    right ventricle lies to the right and in front of the left; y = z × x then
    points inferior.
    """
    device = draws.generator.device
    apex = torch.tensor([0.63, -0.62, -0.47], device=device)
    right = torch.tensor([-0.75, -0.66, -0.10], device=device)
    z = draws.normal(apex, 0.09, 3)
    z = z / z.norm(dim=1, keepdim=True)
    x = draws.normal(right, 0.07, 3)
    x = x - (x * z).sum(1, keepdim=True) * z
    x = x / x.norm(dim=1, keepdim=True)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=1)
