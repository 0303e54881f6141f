"""Who has which heart: bodies, chambers, diseases and their mixtures.

Healthy chamber sizes follow the sex-specific reference values of the UK
Biobank (Petersen et al., J Cardiovasc Magn Reson 2017;19:18) and the ranges
collected by Kawel-Boehm et al. (J Cardiovasc Magn Reson 2020;22:87), rounded;
diseases move them by amounts that give mild to severe cases.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Literal, Self

import torch
from torch import Tensor

from retrieval.phantom.random_draws import Draws

Mix = Literal["archive", "training"]
"""archive: what a hospital might hold. training: more disease, broader and less correlated."""


class Disease(IntEnum):
    """The leading condition of a simulated heart; the values index `_WEIGHTS`."""

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


_WEIGHTS: dict[Mix, list[float]] = {
    "archive": [0.41, 0.10, 0.12, 0.10, 0.09, 0.02, 0.03, 0.04, 0.04, 0.03, 0.02],
    "training": [0.16, 0.11, 0.12, 0.13, 0.11, 0.04, 0.05, 0.03, 0.03, 0.03, 0.19],
}

HYPERTROPHY_NONE, HYPERTROPHY_CONCENTRIC, HYPERTROPHY_SEPTAL, HYPERTROPHY_APICAL = range(4)
SCAR_NONE, SCAR_SUBENDOCARDIAL, SCAR_TRANSMURAL, SCAR_MID_WALL, SCAR_DIFFUSE = range(5)
TERRITORY_LAD, TERRITORY_RCA, TERRITORY_LCX = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearts:
    """Parameters of n hearts; each field a tensor whose first dimension is n.

    Volumes in mL, lengths in mm, angles in radians around the LV long axis (0
    towards the right ventricle, positive towards the inferior wall), depths as
    shares of the ventricle's length (0 at the base, 1 at the apex). Volumes
    and ejection fractions are what the geometry aims at; what it reaches is
    measured by `Anatomy.truths`.

    Attributes
    ----------
    contraction
        Share of the cavity's cross-section that healthy myocardium ejects.
    shortening
        Share of its length by which the ventricle shortens.
    akinesia
        1 where the scarred territory does not move, 0 where it moves fully.
    scar_kind, territory, hypertrophy
        Codes named by the constants of this module.
    transmurality
        Share of the wall that enhances (SCAR_MID_WALL: width of the band).
    ripple
        (n, 24) standard normal numbers that shape trabeculae and small asymmetries.
    axes
        (n, 3, 3): the heart's x, y and z axis as rows, in patient coordinates (LPS).
    place_mm
        (n, 3): the heart's origin in patient coordinates.
    """

    female: Tensor
    age_years: Tensor
    height_cm: Tensor
    weight_kg: Tensor
    heart_rate_bpm: Tensor
    lv_edv_ml: Tensor
    contraction: Tensor
    shortening: Tensor
    lv_length_mm: Tensor
    lv_bluntness: Tensor
    lv_waist: Tensor
    wall_mm: Tensor
    hypertrophy: Tensor
    hypertrophy_mm: Tensor
    hypertrophy_angle: Tensor
    scar_kind: Tensor
    territory: Tensor
    transmurality: Tensor
    scar_angle: Tensor
    scar_width: Tensor
    scar_depth: Tensor
    scar_reach: Tensor
    akinesia: Tensor
    thinning: Tensor
    rv_edv_ml: Tensor
    rv_ef: Tensor
    rv_spread: Tensor
    rv_length: Tensor
    rv_fullness: Tensor
    rv_skew: Tensor
    outflow: Tensor
    septal_flattening: Tensor
    la_ml: Tensor
    la_emptying: Tensor
    ra_ml: Tensor
    aorta_mm: Tensor
    effusion_mm: Tensor
    fat_mm: Tensor
    trabeculation: Tensor
    papillary_mm: Tensor
    early_filling: Tensor
    ripple: Tensor
    axes: Tensor
    place_mm: Tensor

    def __len__(self) -> int:
        return int(self.female.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.female.device

    @property
    def bsa_m2(self) -> Tensor:
        """Body surface area by Mosteller (N Engl J Med 1987;317:1098), (n,)."""
        return (self.height_cm * self.weight_kg / 3600).sqrt()

    def select(self, index: Tensor | slice) -> Self:
        """The hearts at `index` (integers, mask or slice), in that order."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def sample_hearts(
    n: int, generator: torch.Generator, *, device: str | torch.device = "cpu", mix: Mix = "archive"
) -> Hearts:
    """Draw `n` hearts.

    The draws happen on the generator's device, so that one seed gives one set
    of hearts wherever they are sent afterwards.
    """
    draws = Draws(n, generator)
    disease = draws.choice(_WEIGHTS[mix])
    values = _body(draws)
    values |= _left_ventricle(draws, disease, values)
    values |= _scar(draws, disease)
    values |= _right_ventricle(draws, disease, values)
    values |= _surroundings(draws, disease, values)
    return Hearts(**{name: value.to(device) for name, value in values.items()})


def _body(draws: Draws) -> dict[str, Tensor]:
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


def _by_sex(values: dict[str, Tensor], female: float, male: float) -> Tensor:
    return torch.where(values["female"], female, male)


def _bsa(values: dict[str, Tensor]) -> Tensor:
    return (values["height_cm"] * values["weight_kg"] / 3600).sqrt()


def _is(disease: Tensor, *names: Disease) -> Tensor:
    return torch.isin(disease, torch.tensor([int(d) for d in names], device=disease.device))


def _left_ventricle(draws: Draws, disease: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    mixture = _is(disease, Disease.MIXTURE)
    dilated = _is(disease, Disease.DILATED) | (mixture & draws.flag(0.35))
    thick = _is(disease, Disease.HYPERTROPHIC) | (mixture & ~dilated & draws.flag(0.45))
    infarct = _is(disease, Disease.INFARCT)
    remodelled = infarct & draws.flag(0.35)

    index = draws.normal(_by_sex(values, 74.0, 84.0), _by_sex(values, 9.0, 11.0))
    index = torch.where(dilated, _by_sex(values, 116.0, 128.0) * draws.uniform(0.9, 1.55), index)
    index = torch.where(remodelled, index * draws.uniform(1.25, 1.7), index)
    index = torch.where(thick, index * draws.uniform(0.75, 1.02), index)
    index = torch.where(_is(disease, Disease.DIFFUSE), index * draws.uniform(0.75, 1.0), index)
    lv_edv = index.clamp(38, 215) * _bsa(values)

    ejection = draws.normal(_by_sex(values, 0.625, 0.605), 0.04).clamp(0.53, 0.72)
    ejection = torch.where(dilated, draws.uniform(0.14, 0.46), ejection)
    ejection = torch.where(thick, draws.uniform(0.57, 0.78), ejection)
    ejection = torch.where(infarct, ejection * draws.uniform(0.72, 1.0), ejection)
    ejection = torch.where(_is(disease, Disease.DIFFUSE), draws.uniform(0.38, 0.62), ejection)
    ejection = torch.where(mixture & ~dilated & ~thick, draws.uniform(0.25, 0.70), ejection)
    shortening = (0.17 * ejection / 0.6 * draws.uniform(0.75, 1.2)).clamp(0.02, 0.22)
    contraction = (1 - (1 - ejection) / (1 - shortening)).clamp(0.04, 0.88)

    kind = 1 + draws.choice([0.42, 0.38, 0.20])
    hypertrophy = torch.where(thick, kind, HYPERTROPHY_NONE)
    extra = torch.where(
        hypertrophy == HYPERTROPHY_CONCENTRIC, draws.uniform(4.5, 11), draws.uniform(7, 17)
    )
    wall = draws.normal(_by_sex(values, 5.9, 6.7), 0.6)
    wall = wall * torch.where(dilated, draws.uniform(0.8, 1.05), 1.0)
    amyloid = _is(disease, Disease.DIFFUSE)
    hypertrophy = torch.where(amyloid, HYPERTROPHY_CONCENTRIC, hypertrophy)
    extra = torch.where(amyloid, draws.uniform(4.5, 10), extra)
    length = 86 * (lv_edv / 145) ** 0.29 * draws.normal(1.0, 0.055)
    return {
        "lv_edv_ml": lv_edv,
        "contraction": contraction,
        "shortening": shortening,
        "lv_length_mm": length,
        "lv_bluntness": draws.uniform(1.9, 2.7) + torch.where(dilated, 0.4, 0.0),
        "lv_waist": draws.uniform(0.02, 0.14),
        "wall_mm": wall,
        "hypertrophy": hypertrophy,
        "hypertrophy_mm": torch.where(hypertrophy > 0, extra, 0.0),
        "hypertrophy_angle": draws.uniform(-0.7, 0.3),
        "early_filling": (0.78 - 0.003 * (values["age_years"] - 40)).clamp(0.5, 0.8)
        * draws.uniform(0.9, 1.08),
    }


def _scar(draws: Draws, disease: Tensor) -> dict[str, Tensor]:
    mixture = _is(disease, Disease.MIXTURE)
    ischaemic = _is(disease, Disease.INFARCT) | (mixture & draws.flag(0.35))
    dilated = _is(disease, Disease.DILATED)
    thick = _is(disease, Disease.HYPERTROPHIC)
    mid_wall = _is(disease, Disease.MID_WALL_SCAR) | (dilated & draws.flag(0.25))
    mid_wall |= thick & draws.flag(0.15)
    mid_wall |= mixture & ~ischaemic & draws.flag(0.3)
    through = draws.flag(0.55)
    kind = torch.where(through, SCAR_TRANSMURAL, SCAR_SUBENDOCARDIAL)
    scar = torch.where(ischaemic, kind, SCAR_NONE)
    scar = torch.where(mid_wall, SCAR_MID_WALL, scar)
    scar = torch.where(_is(disease, Disease.DIFFUSE), SCAR_DIFFUSE, scar)

    territory = draws.choice([0.45, 0.32, 0.23])
    centre = torch.tensor([-0.95, 1.35, 2.75], device=territory.device)[territory]
    depth = torch.tensor([0.62, 0.32, 0.38], device=territory.device)[territory]
    lateral = draws.flag(0.4)
    centre = torch.where(mid_wall, torch.where(lateral, 2.6, -0.1), centre)
    depth = torch.where(mid_wall, 0.3, depth)
    share = torch.where(through, draws.uniform(0.78, 1.0), draws.uniform(0.28, 0.5))
    share = torch.where(mid_wall, draws.uniform(0.25, 0.42), share)
    still = torch.where(through, draws.uniform(0.75, 1.1), draws.uniform(0.35, 0.8))
    return {
        "scar_kind": scar,
        "territory": territory,
        "transmurality": share,
        "scar_angle": centre + draws.normal(0.0, 0.15),
        "scar_width": draws.uniform(0.5, 0.95) * torch.where(mid_wall, 0.9, 1.0),
        "scar_depth": depth + draws.normal(0.0, 0.05),
        "scar_reach": draws.uniform(0.24, 0.42),
        "akinesia": torch.where(ischaemic & ~mid_wall, still, 0.0),
        "thinning": torch.where(ischaemic & through & ~mid_wall, draws.uniform(0.1, 0.55), 0.0),
    }


def _right_ventricle(draws: Draws, disease: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    mixture = _is(disease, Disease.MIXTURE)
    right = _is(disease, Disease.RIGHT_HEART)
    large = right | (_is(disease, Disease.DILATED) & draws.flag(0.22)) | (mixture & draws.flag(0.4))
    index = draws.normal(_by_sex(values, 75.0, 87.0), _by_sex(values, 9.0, 11.0))
    index = torch.where(large, _by_sex(values, 112.0, 126.0) * draws.uniform(0.93, 1.5), index)
    ejection = draws.normal(_by_sex(values, 0.585, 0.555), 0.04).clamp(0.47, 0.68)
    poor = (large & draws.flag(0.75)) | (_is(disease, Disease.DILATED) & draws.flag(0.35))
    ejection = torch.where(poor, draws.uniform(0.18, 0.45), ejection)
    pressure = right & draws.flag(0.5)
    return {
        "rv_edv_ml": index * _bsa(values),
        "rv_ef": ejection,
        "rv_spread": draws.uniform(1.05, 1.4) + torch.where(large, 0.12, 0.0),
        "rv_length": draws.uniform(0.80, 0.97),
        "rv_fullness": draws.uniform(0.45, 0.75),
        "rv_skew": draws.uniform(0.1, 0.45),
        "outflow": draws.uniform(0.25, 0.6),
        "septal_flattening": torch.where(
            pressure, draws.uniform(0.1, 0.3), draws.uniform(0.0, 0.04)
        ),
    }


def _surroundings(draws: Draws, disease: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    bsa = _bsa(values)
    mixture = _is(disease, Disease.MIXTURE)
    stiff = _is(disease, Disease.DILATED, Disease.HYPERTROPHIC, Disease.DIFFUSE)
    left = _is(disease, Disease.ATRIAL) | ((stiff | mixture) & draws.flag(0.4))
    right = (_is(disease, Disease.ATRIAL) & draws.flag(0.6)) | (
        (_is(disease, Disease.RIGHT_HEART) | mixture) & draws.flag(0.45)
    )
    right |= _is(disease, Disease.DIFFUSE) & draws.flag(0.4)
    wide = _is(disease, Disease.AORTIC) | (mixture & draws.flag(0.2))
    fluid = _is(disease, Disease.EFFUSION) | (_is(disease, Disease.DIFFUSE) & draws.flag(0.6))
    fluid |= mixture & draws.flag(0.2)
    small = _is(disease, Disease.DIFFUSE)
    la_index = torch.where(left, draws.uniform(56, 92), draws.normal(38.0, 6.0))
    ra_index = torch.where(right, draws.uniform(66, 105), draws.normal(43.0, 6.5))
    aorta = draws.normal(_by_sex(values, 29.5, 33.0), 2.0) + (values["age_years"] - 55) * 0.04
    return {
        "la_ml": la_index.clamp(min=20) * bsa,
        "la_emptying": torch.where(left, draws.uniform(0.2, 0.42), draws.uniform(0.45, 0.6)),
        "ra_ml": ra_index.clamp(min=22) * bsa,
        "aorta_mm": torch.where(wide, draws.uniform(43, 56), aorta),
        "effusion_mm": torch.where(
            fluid, torch.where(small, draws.uniform(4, 10), draws.uniform(7, 24)), 0.0
        ),
        "fat_mm": draws.uniform(0.5, 5.0) * (values["weight_kg"] / 78),
        "trabeculation": draws.uniform(0.03, 0.17),
        "papillary_mm": draws.uniform(3.2, 5.4),
        "ripple": draws.normal(0.0, 1.0, 24),
    }
