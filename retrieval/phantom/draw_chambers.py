"""Sizes, shapes and function of chambers and vessels, healthy and diseased."""

import torch
from torch import Tensor

from retrieval.phantom.conditions import (
    HYPERTROPHY_CONCENTRIC,
    HYPERTROPHY_NONE,
    Disease,
    People,
)


def draw_left_ventricle(people: People) -> dict[str, Tensor]:
    """Draw the left ventricle."""
    draws, have = people.draws, people.have
    mixture = have(Disease.MIXTURE)
    dilated = have(Disease.DILATED) | (mixture & draws.flag(0.3))
    thick = have(Disease.HYPERTROPHIC) | (mixture & ~dilated & draws.flag(0.4))
    loaded = have(Disease.AORTIC_REGURGITATION, Disease.MITRAL_REGURGITATION)
    loaded |= mixture & ~dilated & ~thick & draws.flag(0.25)
    infarct = have(Disease.INFARCT)
    remodelled = infarct & draws.flag(0.5)
    amyloid = have(Disease.DIFFUSE)
    concentric = amyloid | have(Disease.AORTIC_STENOSIS)

    index = people.healthy("lvedv_index")
    beyond = people.by_sex(98.0, 107.0)
    index = torch.where(dilated, people.by_sex(112.0, 124.0) * draws.uniform(0.88, 1.6), index)
    index = torch.where(loaded, beyond * draws.uniform(0.95, 1.5), index)
    index = torch.where(remodelled, index * draws.uniform(1.15, 1.85), index)
    index = torch.where(thick | concentric, index * draws.uniform(0.72, 1.05), index)
    underfilled = have(Disease.RIGHT_HEART) & draws.flag(0.6)
    index = torch.where(underfilled, index * draws.uniform(0.65, 1.0), index)
    lv_edv = index.clamp(32, 225) * people.bsa_m2

    ejection = _ejection(people, dilated=dilated, thick=thick, loaded=loaded, infarct=infarct)
    ejection = torch.where(remodelled, ejection * draws.uniform(0.65, 1.0), ejection)
    shortening = (0.17 * ejection / 0.6 * draws.uniform(0.7, 1.25)).clamp(0.02, 0.23)
    contraction = (1 - (1 - ejection) / (1 - shortening)).clamp(0.04, 0.88)

    kind = 1 + draws.choice([0.42, 0.38, 0.20])
    hypertrophy = torch.where(thick, kind, HYPERTROPHY_NONE)
    hypertrophy = torch.where(concentric, HYPERTROPHY_CONCENTRIC, hypertrophy)
    all_round = hypertrophy == HYPERTROPHY_CONCENTRIC
    extra = torch.where(all_round, draws.uniform(3.5, 11), draws.uniform(6, 17))
    wall = people.healthy("wall")
    wall = wall * torch.where(dilated, draws.uniform(0.75, 1.1), 1.0)
    wall = wall * torch.where(loaded, draws.uniform(1.0, 1.25), 1.0)
    length = 86 * (lv_edv / 145) ** 0.29 * draws.normal(1.0, 0.06)
    uneven = draws.uniform(0.05, 0.2) + torch.where(dilated, draws.uniform(0.0, 0.6), 0.0)
    late = (dilated & draws.flag(0.45)) | (mixture & draws.flag(0.2)) | draws.flag(0.02)
    return {
        "lv_edv_ml": lv_edv,
        "contraction": contraction,
        "shortening": shortening,
        "unevenness": uneven,
        "delay_ms": torch.where(late, draws.uniform(60, 190), draws.uniform(0, 20)),
        "lv_length_mm": length,
        "lv_bluntness": draws.uniform(1.8, 2.8) + torch.where(dilated, 0.4, 0.0),
        "lv_waist": draws.uniform(0.0, 0.16),
        "wall_mm": wall,
        "hypertrophy": hypertrophy,
        "hypertrophy_mm": torch.where(hypertrophy > 0, extra, 0.0),
        "hypertrophy_angle": draws.uniform(-0.8, 0.5),
        "early_filling": (0.78 - 0.003 * (people.age_years - 40)).clamp(0.5, 0.8)
        * draws.uniform(0.9, 1.08),
        "trabeculation": draws.uniform(0.01, 0.10),
        "papillary_mm": draws.uniform(3.2, 6.4),
        "papillary_centre": draws.uniform(0.62, 0.84),
    }


def _ejection(
    people: People, *, dilated: Tensor, thick: Tensor, loaded: Tensor, infarct: Tensor
) -> Tensor:
    """Ejection fraction that muscle without scar would reach, as a share."""
    draws, have = people.draws, people.have
    ejection = (people.healthy("lvef") / 100).clamp(0.53, 0.73)
    ejection = torch.where(dilated, draws.uniform(0.11, 0.47), ejection)
    ejection = torch.where(thick, draws.uniform(0.55, 0.8), ejection)
    ejection = torch.where(infarct, draws.uniform(0.32, 0.68), ejection)
    ejection = torch.where(have(Disease.DIFFUSE), draws.uniform(0.34, 0.64), ejection)
    ejection = torch.where(have(Disease.MYOCARDITIS), draws.uniform(0.4, 0.67), ejection)
    ejection = torch.where(have(Disease.AORTIC_STENOSIS), draws.uniform(0.45, 0.75), ejection)
    ejection = torch.where(have(Disease.LOW_NORMAL), draws.uniform(0.43, 0.56), ejection)
    ejection = torch.where(loaded, draws.uniform(0.5, 0.68), ejection)
    leaking = have(Disease.MITRAL_REGURGITATION)
    ejection = torch.where(leaking, draws.uniform(0.58, 0.76), ejection)
    other = have(Disease.MIXTURE) & ~dilated & ~thick & ~loaded
    return torch.where(other, draws.uniform(0.2, 0.72), ejection)


def draw_right_ventricle(people: People) -> dict[str, Tensor]:
    """Draw the right ventricle and what its load does to the septum."""
    draws, have = people.draws, people.have
    mixture, right = have(Disease.MIXTURE), have(Disease.RIGHT_HEART)
    dilated = have(Disease.DILATED)
    large = right | (dilated & draws.flag(0.25)) | (mixture & draws.flag(0.4))
    index = people.healthy("rvedv_index").clamp(min=45)
    index = torch.where(large, people.by_sex(106.0, 120.0) * draws.uniform(0.93, 1.5), index)
    small = ~large & have(Disease.HYPERTROPHIC, Disease.DIFFUSE, Disease.INFARCT)
    index = torch.where(small, index * draws.uniform(0.75, 1.0), index)
    ejection = (people.healthy("rvef") / 100).clamp(0.47, 0.69)
    poor = (large & draws.flag(0.6)) | (dilated & draws.flag(0.4))
    ejection = torch.where(poor, draws.uniform(0.15, 0.46), ejection)

    load = draws.choice([0.45, 0.35, 0.2])
    loaded = right | (mixture & large & draws.flag(0.5))
    pressure, volume = loaded & (load == 0), loaded & (load == 1)
    at_rest = draws.uniform(0.0, 0.04)
    flat = torch.where(pressure, draws.uniform(0.08, 0.42), at_rest)
    flat = torch.where(volume, draws.uniform(0.18, 0.46), flat)
    flat_es = torch.where(pressure, draws.uniform(0.26, 0.54), at_rest)
    wall = people.healthy("rv_wall").clamp(min=1.6)
    wall = torch.where(pressure, draws.uniform(4.5, 10.5), wall)
    stiff = have(Disease.DIFFUSE)
    wall = torch.where(stiff, draws.uniform(3.5, 7.5), wall)
    return {
        "rv_edv_ml": index * people.bsa_m2,
        "rv_ef": ejection,
        "rv_front": draws.uniform(-1.5, -1.05),
        "rv_back": draws.uniform(0.95, 1.4),
        "rv_corner": draws.uniform(-0.2, 0.75),
        "rv_roundness": draws.uniform(0.0, 0.75),
        "rv_length": draws.uniform(0.84, 1.0),
        "rv_wall_mm": wall,
        "rv_trabeculation": draws.uniform(0.05, 0.55),
        "moderator_band": draws.uniform(0.0, 1.0),
        "outflow": draws.uniform(0.15, 0.5),
        "outflow_lift_mm": draws.uniform(4.0, 20.0),
        "septal_flattening": flat,
        "septal_flattening_es": flat_es,
    }


def draw_rest(people: People) -> dict[str, Tensor]:
    """Draw atria, the aorta, the pericardium and the base."""
    draws, have = people.draws, people.have
    bsa, mixture = people.bsa_m2, have(Disease.MIXTURE)
    stiff = have(Disease.DILATED, Disease.HYPERTROPHIC, Disease.DIFFUSE, Disease.AORTIC_STENOSIS)
    left = have(Disease.ATRIAL) | ((stiff | mixture) & draws.flag(0.4))
    left |= have(Disease.MITRAL_REGURGITATION) & draws.flag(0.9)
    right = have(Disease.ATRIAL) & draws.flag(0.6)
    right |= (have(Disease.RIGHT_HEART) | mixture) & draws.flag(0.45)
    right |= have(Disease.DIFFUSE) & draws.flag(0.4)
    valve = have(Disease.AORTIC_STENOSIS, Disease.AORTIC_REGURGITATION) & draws.flag(0.55)
    wide = have(Disease.AORTIC) | valve | (mixture & draws.flag(0.2))
    fluid = have(Disease.EFFUSION) | (have(Disease.DIFFUSE) & draws.flag(0.55))
    fluid |= (have(Disease.MYOCARDITIS) & draws.flag(0.3)) | (mixture & draws.flag(0.2))
    little = have(Disease.DIFFUSE, Disease.MYOCARDITIS)
    la_index = torch.where(left, draws.uniform(55, 98), people.healthy("la_volume_index"))
    ra_index = torch.where(right, draws.uniform(66, 110), people.healthy("ra_volume_index"))
    aorta = torch.where(wide, draws.uniform(40, 56), people.healthy("aortic_root"))
    slope = torch.tensor([-0.06, 0.02], device=bsa.device)
    return {
        "la_ml": la_index.clamp(min=20) * bsa,
        "la_emptying": torch.where(left, draws.uniform(0.15, 0.42), draws.uniform(0.45, 0.6)),
        "ra_ml": ra_index.clamp(min=22) * bsa,
        "aorta_mm": aorta.clamp(min=23),
        "effusion_mm": torch.where(
            fluid, torch.where(little, draws.uniform(4, 11), draws.uniform(6, 26)), 0.0
        ),
        "fat_mm": draws.uniform(0.3, 6.0) * bsa / 1.9,
        "base_slope": draws.normal(slope, 0.07, 2),
        "base_gap": draws.uniform(0.0, 0.9),
    }
