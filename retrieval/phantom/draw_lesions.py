"""Scar, oedema, perfusion defects and what diseases do to the muscle's relaxation times."""

import torch
from torch import Tensor

from retrieval.phantom.conditions import (
    SCAR_DIFFUSE,
    SCAR_MID_WALL,
    SCAR_NONE,
    SCAR_SUBENDOCARDIAL,
    SCAR_SUBEPICARDIAL,
    SCAR_TRANSMURAL,
    Disease,
    People,
)

_ANGLE, _DEPTH = (-0.85, 1.35, 2.75), (0.58, 0.36, 0.45)
"""Middle of the territories of LAD, RCA and LCX."""

_ALL_ROUND = 6.0
"""A width that takes in the whole circumference."""


def draw_scar(people: People) -> dict[str, Tensor]:
    """Draw scar, how it moves and whether it is fresh."""
    draws, have = people.draws, people.have
    mixture = have(Disease.MIXTURE)
    ischaemic = have(Disease.INFARCT) | (mixture & draws.flag(0.4))
    ischaemic |= have(Disease.ISCHAEMIA) & draws.flag(0.4)
    inflamed = have(Disease.MYOCARDITIS) | (mixture & ~ischaemic & draws.flag(0.2))
    band = have(Disease.MID_WALL_SCAR) | (have(Disease.DILATED) & draws.flag(0.25))
    band |= (have(Disease.HYPERTROPHIC) & draws.flag(0.15)) | (inflamed & draws.flag(0.2))
    band |= mixture & ~ischaemic & ~inflamed & draws.flag(0.3)
    through = draws.flag(0.6)
    scar = torch.where(through, SCAR_TRANSMURAL, SCAR_SUBENDOCARDIAL)
    scar = torch.where(ischaemic, scar, SCAR_NONE)
    scar = torch.where(inflamed, SCAR_SUBEPICARDIAL, scar)
    scar = torch.where(band, SCAR_MID_WALL, scar)
    scar = torch.where(have(Disease.DIFFUSE), SCAR_DIFFUSE, scar)
    ischaemic &= ~band & ~inflamed

    territory = draws.choice([0.42, 0.27, 0.31])
    second = (territory + 1 + draws.choice([0.5, 0.5])) % 3
    several = ischaemic & draws.flag(0.4)
    place, lateral = _place(people, territory), draws.flag(0.4)
    centre, depth = place
    apical = ischaemic & (territory == 0) & draws.flag(0.4)
    depth = torch.where(apical, 0.92, depth)
    centre = torch.where(band, torch.where(lateral, 2.6, -0.1), centre)
    centre = torch.where(inflamed & ~band, draws.uniform(1.9, 3.3), centre)
    depth = torch.where(band | inflamed, draws.uniform(0.2, 0.55), depth)
    width = draws.uniform(0.65, 1.25) * torch.where(band | inflamed, 0.85, 1.0)
    share = torch.where(through, draws.uniform(0.72, 1.0), draws.uniform(0.28, 0.5))
    share = torch.where(band | inflamed, draws.uniform(0.22, 0.42), share)
    still = torch.where(through, draws.uniform(0.75, 1.15), draws.uniform(0.5, 0.95))
    aneurysm = through & draws.flag(0.25)
    still = torch.where(aneurysm, draws.uniform(1.1, 1.5), still)
    weak = inflamed & draws.flag(0.35)
    still = torch.where(ischaemic, still, torch.where(weak, draws.uniform(0.2, 0.6), 0.0))
    second_centre, second_depth = _place(people, second)
    fresh = (ischaemic & draws.flag(0.3)) | (inflamed & draws.flag(0.7))
    thin = ischaemic & through & ~fresh
    return {
        "scar_kind": scar,
        "territory": territory,
        "transmurality": share,
        "scar_angle": centre + draws.normal(0.0, 0.2),
        "scar_width": torch.where(apical, _ALL_ROUND, width),
        "scar_depth": depth + draws.normal(0.0, 0.05),
        "scar_reach": draws.uniform(0.28, 0.5),
        "second_territory": second,
        "second_size": torch.where(several & ~apical, draws.uniform(0.6, 1.2), 0.0),
        "second_angle": second_centre + draws.normal(0.0, 0.15),
        "second_depth": second_depth + draws.normal(0.0, 0.05),
        "akinesia": still,
        "thinning": torch.where(thin, draws.uniform(0.15, 0.7), 0.0),
        "acute": (fresh & (scar != SCAR_DIFFUSE)).float(),
    }


def draw_defect(people: People) -> dict[str, Tensor]:
    """Draw perfusion defects: ischaemia with or without scar, and scar that takes up late."""
    draws = people.draws
    ischaemic = people.have(Disease.ISCHAEMIA) | draws.flag(0.04)
    ischaemic |= people.have(Disease.INFARCT, Disease.MIXTURE) & draws.flag(0.3)
    centre, depth = _place(people, draws.choice([0.42, 0.33, 0.25]))
    return {
        "defect_size": torch.where(ischaemic, draws.uniform(0.4, 1.0), 0.0),
        "defect_angle": centre + draws.normal(0.0, 0.15),
        "defect_width": draws.uniform(0.5, 1.1),
        "defect_depth": depth + draws.normal(0.0, 0.06),
        "defect_reach": draws.uniform(0.26, 0.5),
    }


def draw_tissue(people: People, acute: Tensor) -> dict[str, Tensor]:
    """Draw native T1 and T2 of the muscle outside scar and oedema.

    Raised as reported for amyloid (Karamitsos et al., JACC Cardiovasc Imaging
    2013;6:488), cardiomyopathies (Puntmann et al., JACC Cardiovasc Imaging
    2013;6:475) and acute myocarditis (Ferreira et al., J Am Coll Cardiol
    2018;72:3158).
    """
    draws, have = people.draws, people.have
    amyloid, muscle = have(Disease.DIFFUSE), have(Disease.DILATED, Disease.HYPERTROPHIC)
    swollen = have(Disease.MYOCARDITIS) & (acute > 0)
    t1 = people.healthy("native_t1")
    t1 = t1 + torch.where(amyloid, draws.uniform(80, 220), 0.0)
    t1 = t1 + torch.where(muscle, draws.uniform(0, 80), 0.0)
    t1 = t1 + torch.where(swollen, draws.uniform(10, 90), 0.0)
    t2 = people.healthy("native_t2") + torch.where(swollen, draws.uniform(1, 7), 0.0)
    return {"native_t1_ms": t1, "native_t2_ms": t2}


def _place(people: People, territory: Tensor) -> tuple[Tensor, Tensor]:
    """Angle and depth of the middle of each territory."""
    device = people.disease.device
    angle, depth = torch.tensor(_ANGLE, device=device), torch.tensor(_DEPTH, device=device)
    return angle[territory], depth[territory]
