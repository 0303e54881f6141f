"""What a report speaks about, in the order of a reader's template."""

from dataclasses import dataclass

STATED = 0.7
"""A statement needs at least this degree."""

DENIED = 0.2
"""A denial needs at most this degree of what is denied; between the two there is doubt."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a report says one thing about.

    Attributes
    ----------
    head
        The abnormal concept that decides between stating, denying and doubt.
    closer
        Statements that say more than `head` and imply it.
    normal
        Concepts whose statement denies `head`.
    silent
        How often findings leave the topic out.
    """

    head: str
    closer: tuple[str, ...]
    normal: tuple[str, ...]
    silent: float = 0.15


TOPICS: tuple[Topic, ...] = (
    Topic(
        "lv_dilated",
        ("lv_severely_dilated", "lv_moderately_dilated", "lv_mildly_dilated"),
        ("lv_normal_size", "lv_not_dilated"),
    ),
    Topic(
        "ef_reduced",
        ("ef_severely_reduced", "ef_moderately_reduced", "ef_mildly_reduced"),
        ("ef_normal", "ef_low_normal"),
    ),
    Topic(
        "lvh",
        ("lvh_severe", "lvh_mild", "lvh_concentric", "lvh_septal", "lvh_apical"),
        ("wall_normal",),
    ),
    Topic("wall_thinned", (), ("wall_not_thinned",), silent=0.5),
    Topic(
        "wma",
        ("wma_septal", "wma_anterior", "wma_inferior", "wma_lateral", "wma_apical",
         "wma_lad", "wma_rca", "wma_lcx", "wma_extensive"),
        ("no_wma",),
    ),
    Topic("dyssynchrony", (), ("no_dyssynchrony",), silent=0.7),
    Topic(
        "rv_dilated",
        ("rv_severely_dilated", "rv_moderately_dilated", "rv_mildly_dilated"),
        ("rv_normal_size", "rv_not_dilated"),
    ),
    Topic("rvef_reduced", ("rvef_severely_reduced", "rvef_mildly_reduced"), ("rvef_normal",)),
    Topic("rvh", (), ("no_rvh",), silent=0.7),
    Topic("septal_flattening", (), ("no_septal_flattening",), silent=0.6),
    Topic("la_dilated", (), ("la_normal_size",)),
    Topic("ra_dilated", (), ("ra_normal_size",)),
    Topic(
        "scar",
        (
            "scar_ischaemic", "scar_lad", "scar_rca", "scar_lcx", "scar_transmural",
            "scar_subendocardial", "scar_midwall", "scar_subepicardial", "scar_non_ischaemic",
            "scar_in_septum", "scar_in_anterior_wall", "scar_in_inferior_wall",
            "scar_in_lateral_wall", "scar_several_territories", "scar_extensive",
        ),
        ("no_scar",),
    ),
    Topic("enhancement_diffuse", (), ()),
    Topic("oedema", (), ("no_oedema",), silent=0.6),
    Topic("perfusion_defect", ("defect_lad", "defect_rca", "defect_lcx"),
          ("no_perfusion_defect",), silent=0.6),
    Topic("t1_raised", (), ("t1_normal",), silent=0.7),
    Topic("t2_raised", (), ("t2_normal",), silent=0.8),
    Topic("aorta_dilated", ("aorta_aneurysm",), ("aorta_normal",)),
    Topic("effusion", ("effusion_small", "effusion_large"), ("no_effusion",)),
)  # fmt: skip

SYNDROMES = (
    "dilated_cardiomyopathy",
    "hypertrophic_cardiomyopathy",
    "ischaemic_cardiomyopathy",
    "prior_infarct",
    "acute_infarct",
    "amyloid",
    "myocarditis",
    "acute_myocarditis",
    "right_heart_disease",
    "rv_pressure_overload",
    "lv_dilated_preserved",
)
"""Conclusions over several topics."""
