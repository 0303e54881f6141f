"""Who has which heart: bodies, chambers, diseases and their mixtures.

Healthy sizes come from the table of reference values
(`retrieval.language.reference_ranges`), by sex and age; diseases move them by
amounts that give mild to severe cases.
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.conditions import (
    HYPERTROPHY_APICAL,
    HYPERTROPHY_CONCENTRIC,
    HYPERTROPHY_NONE,
    HYPERTROPHY_SEPTAL,
    SCAR_DIFFUSE,
    SCAR_MID_WALL,
    SCAR_NONE,
    SCAR_SUBENDOCARDIAL,
    SCAR_SUBEPICARDIAL,
    SCAR_TRANSMURAL,
    WEIGHTS,
    Disease,
    Mix,
    People,
    draw_body,
)
from retrieval.phantom.draw_chambers import draw_left_ventricle, draw_rest, draw_right_ventricle
from retrieval.phantom.draw_lesions import draw_defect, draw_scar, draw_tissue
from retrieval.phantom.random_draws import Draws

__all__ = (
    "HYPERTROPHY_APICAL",
    "HYPERTROPHY_CONCENTRIC",
    "HYPERTROPHY_NONE",
    "HYPERTROPHY_SEPTAL",
    "RIPPLES",
    "SCAR_DIFFUSE",
    "SCAR_MID_WALL",
    "SCAR_NONE",
    "SCAR_SUBENDOCARDIAL",
    "SCAR_SUBEPICARDIAL",
    "SCAR_TRANSMURAL",
    "Disease",
    "Hearts",
    "Mix",
    "sample_hearts",
)

RIPPLES = 48
"""Random numbers that shape one heart's small asymmetries."""


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
    disease
        Value of `Disease`; nothing but the draw of the other fields depends on it.
    contraction
        Share of the cavity's cross-section that healthy myocardium ejects.
    shortening
        Share of its length by which the ventricle shortens.
    unevenness
        How much contraction differs from place to place without a scar.
    delay_ms
        How much later the lateral wall contracts than the septum.
    akinesia
        1 where the scarred territories do not move, 0 where they move fully,
        above 1 where they bulge outwards.
    scar_kind, territory, second_territory, hypertrophy
        Codes named by the constants of this module.
    transmurality
        Share of the wall that enhances (SCAR_MID_WALL and SCAR_SUBEPICARDIAL:
        width of the band).
    second_size
        0 for one infarcted territory; otherwise the width of a second one
        relative to `scar_width`.
    acute
        1 where scar is days old and surrounded by oedema.
    defect_size
        0, or how far a perfusion defect reaches through the wall.
    defect_angle, defect_width, defect_depth, defect_reach
        Where the defect lies, as the fields of the same names do for scar.
    native_t1_ms, native_t2_ms
        Of muscle outside scar and oedema, at 1.5 T.
    septal_flattening, septal_flattening_es
        How much of the cavity's radius towards the septum is missing at
        end-diastole and at end-systole.
    rv_front, rv_back
        Angles of the right ventricle's anterior and inferior insertion.
    rv_corner, rv_roundness
        Angle of its third corner, and how little that is pointed, 0 to 1.
    outflow, outflow_lift_mm
        Width of the outflow tract's lobe, and how far it rises above the valve plane.
    base_slope
        (n, 2): how far the base rises per mm towards x and y.
    base_gap
        Share of the basal wall that gives way to the LV outflow tract.
    ripple
        (n, RIPPLES) standard normal numbers that shape trabeculae and small asymmetries.
    axes
        (n, 3, 3): the heart's x, y and z axis as rows, in patient coordinates (LPS).
    place_mm
        (n, 3): the heart's origin in patient coordinates.
    """

    disease: Tensor
    female: Tensor
    age_years: Tensor
    height_cm: Tensor
    weight_kg: Tensor
    heart_rate_bpm: Tensor
    lv_edv_ml: Tensor
    contraction: Tensor
    shortening: Tensor
    unevenness: Tensor
    delay_ms: Tensor
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
    second_territory: Tensor
    second_size: Tensor
    second_angle: Tensor
    second_depth: Tensor
    akinesia: Tensor
    thinning: Tensor
    acute: Tensor
    defect_size: Tensor
    defect_angle: Tensor
    defect_width: Tensor
    defect_depth: Tensor
    defect_reach: Tensor
    native_t1_ms: Tensor
    native_t2_ms: Tensor
    rv_edv_ml: Tensor
    rv_ef: Tensor
    rv_front: Tensor
    rv_back: Tensor
    rv_corner: Tensor
    rv_roundness: Tensor
    rv_length: Tensor
    rv_wall_mm: Tensor
    rv_trabeculation: Tensor
    moderator_band: Tensor
    outflow: Tensor
    outflow_lift_mm: Tensor
    base_slope: Tensor
    base_gap: Tensor
    septal_flattening: Tensor
    septal_flattening_es: Tensor
    la_ml: Tensor
    la_emptying: Tensor
    ra_ml: Tensor
    aorta_mm: Tensor
    effusion_mm: Tensor
    fat_mm: Tensor
    trabeculation: Tensor
    papillary_mm: Tensor
    papillary_centre: Tensor
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
    values = {"disease": draws.choice(list(WEIGHTS[mix])), **draw_body(draws)}
    people = People(
        draws=draws,
        disease=values["disease"],
        female=values["female"],
        age_years=values["age_years"],
        bsa_m2=(values["height_cm"] * values["weight_kg"] / 3600).sqrt(),
    )
    values |= draw_left_ventricle(people)
    values |= draw_right_ventricle(people)
    values |= draw_scar(people)
    values |= draw_defect(people)
    values |= draw_tissue(people, values["acute"])
    values |= draw_rest(people)
    values["ripple"] = draws.normal(0.0, 1.0, RIPPLES)
    return Hearts(**{name: value.to(device) for name, value in values.items()})
