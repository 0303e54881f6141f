"""Diseases leave the marks that readers know, and the truths say so."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.language.reference_ranges import reference_ranges
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.conditions import WEIGHTS, Mix
from retrieval.phantom.physiology import (
    SCAR_NONE,
    SCAR_SUBENDOCARDIAL,
    SCAR_SUBEPICARDIAL,
    SCAR_TRANSMURAL,
    Disease,
    Hearts,
    sample_hearts,
)
from retrieval.phantom.sentences import degrees
from retrieval.phantom.truth import HeartTruth, ScarPattern, Territory

INFERIOR = {
    "scar_kind": SCAR_TRANSMURAL, "territory": 1, "scar_angle": 1.35, "scar_depth": 0.35,
    "scar_width": 0.8, "scar_reach": 0.4, "second_size": 0.0, "transmurality": 0.9,
    "thinning": 0.0, "unevenness": 0.0, "acute": 0.0, "hypertrophy": 0, "hypertrophy_mm": 0.0,
}  # fmt: skip
"""An infarct of the inferior wall in hearts without hypertrophy."""


def hearts(n: int = 4, seed: int = 0, /, **changes: float) -> Hearts:
    drawn = sample_hearts(n, torch.Generator().manual_seed(seed), mix="training")
    filled = {k: torch.full_like(getattr(drawn, k), v) for k, v in changes.items()}
    return replace(drawn, **filled)


def truths(n: int = 4, seed: int = 0, /, **changes: float) -> list[HeartTruth]:
    return Anatomy(hearts(n, seed, **changes)).truths()


@pytest.mark.parametrize("mix", ["archive", "training"])
def test_every_disease_is_drawn_about_as_often_as_its_weight(mix: Mix) -> None:
    drawn = sample_hearts(6000, torch.Generator().manual_seed(1), mix=mix).disease
    assert sum(WEIGHTS[mix]) == pytest.approx(1)
    for disease in Disease:
        weight = WEIGHTS[mix][disease]
        spread = (weight * (1 - weight) / 6000) ** 0.5
        assert float((drawn == disease).float().mean()) == pytest.approx(weight, abs=4 * spread)


def test_training_hearts_have_what_is_rarely_seen_often_enough() -> None:
    asked = ("wma_lateral", "wma_apical", "wma_septal", "wma", "septal_flattening", "oedema",
             "perfusion_defect", "dyskinesia", "lv_dilated_preserved", "ef_low_normal",
             "scar_subepicardial", "acute_infarct", "normal_study")  # fmt: skip
    common = (degrees(asked, truths(350, 2)) > 0.5).mean(axis=0)
    assert (common > 0.015).all(), dict(zip(asked, common, strict=True))


def test_infarcts_are_as_weak_as_dilated_hearts_but_move_unevenly() -> None:
    drawn = hearts(400, 3)
    infarct = Anatomy(drawn.select((drawn.disease == Disease.INFARCT).nonzero()[:, 0])).truths()
    dilated = Anatomy(drawn.select((drawn.disease == Disease.DILATED).nonzero()[:, 0])).truths()
    assert min(t.lvef_pct for t in infarct) < 25
    assert sum(t.lvef_pct < 40 for t in infarct) > 0.4 * len(infarct)
    regional = [len(t.hypokinetic_segments) >= 2 for t in infarct]
    assert sum(regional) > 0.75 * len(infarct)
    assert sum(len(t.hypokinetic_segments) >= 2 for t in dilated) < 0.25 * len(dilated)
    assert sum(len(t.scars) == 2 for t in infarct) > 0.15 * len(infarct)


def test_leaking_valves_enlarge_the_ventricle_and_spare_its_function() -> None:
    drawn = hearts(900, 4)
    for disease in (Disease.AORTIC_REGURGITATION, Disease.MITRAL_REGURGITATION):
        measured = Anatomy(drawn.select((drawn.disease == disease).nonzero()[:, 0])).truths()
        assert sum(t.lvedv_ml / t.bsa_m2 for t in measured) / len(measured) > 105
        assert sum(t.lvef_pct > 50 for t in measured) > 0.75 * len(measured)


@settings(deadline=None, max_examples=12)
@given(less=st.floats(0, 1.4), more=st.floats(0, 1.4))
def test_more_akinesia_moves_less(less: float, more: float) -> None:
    less, more = min(less, more), max(less, more)
    moves = [Anatomy(hearts(2, akinesia=a, **INFERIOR)).lv.motion for a in (less, more)]
    assert (moves[1] <= moves[0] + 1e-6).all()


def test_a_bulging_infarct_is_dyskinetic_a_still_one_akinetic_and_a_slow_one_neither() -> None:
    slow, still, bulging = (truths(akinesia=a, **INFERIOR) for a in (0.6, 1.0, 1.5))
    for a, b, c in zip(slow, still, bulging, strict=True):
        assert a.hypokinetic_segments
        assert a.akinetic_segments == ()
        assert set(b.akinetic_segments) >= {4}
        assert b.dyskinetic_segments == ()
        assert set(c.dyskinetic_segments) >= {4}
        assert set(c.dyskinetic_segments) <= set(c.akinetic_segments)
        assert a.lvef_pct > b.lvef_pct > c.lvef_pct


def test_a_second_territory_is_a_scar_of_its_own() -> None:
    one = {**INFERIOR, "scar_kind": SCAR_SUBENDOCARDIAL, "transmurality": 0.4}
    two = {**one, "second_size": 1.0, "second_territory": 0,
           "second_angle": -0.95, "second_depth": 0.5}  # fmt: skip
    for single, double in zip(
        truths(akinesia=1.0, **one), truths(akinesia=1.0, **two), strict=True
    ):
        assert [s.territory for s in single.scars] == [Territory.RCA]
        assert [s.territory for s in double.scars] == [Territory.RCA, Territory.LAD]
        assert not set(double.scars[0].segments) & {1, 7, 13}
        assert 7 in double.scars[1].segments
        assert double.scar_share_pct > 1.4 * single.scar_share_pct
        assert double.lvef_pct < single.lvef_pct


def test_an_old_infarct_is_thin_where_it_is_scarred() -> None:
    whole = truths(akinesia=1.0, **INFERIOR)
    thinned = truths(akinesia=1.0, **{**INFERIOR, "thinning": 0.65})
    for a, b in zip(whole, thinned, strict=True):
        assert a.thin_segments == ()
        assert set(b.thin_segments) >= {4, 10}
        assert set(b.thin_segments) <= {3, 4, 5, 9, 10, 11, 15}
        assert b.wall_min_mm < 0.6 * a.wall_min_mm


def test_inflammation_scars_the_outer_wall() -> None:
    outer = {**INFERIOR, "scar_kind": SCAR_SUBEPICARDIAL, "transmurality": 0.3, "scar_angle": 2.6}
    drawn = hearts(**outer)
    scar = Anatomy(drawn).lv.scar
    assert (scar.low[scar.present > 0] >= 0.69).all()
    assert (scar.high[scar.present > 0] >= 1).all()
    for truth in Anatomy(drawn).truths():
        assert [s.pattern for s in truth.scars] == [ScarPattern.SUBEPICARDIAL]
        assert truth.scars[0].territory is None
        assert truth.scars[0].transmurality == pytest.approx(0.27, abs=0.05)


def test_oedema_surrounds_fresh_scar_and_no_other() -> None:
    old, fresh = (truths(akinesia=1.0, **{**INFERIOR, "acute": a}) for a in (0.0, 1.0))
    for a, b in zip(old, fresh, strict=True):
        assert (a.acute, a.oedema_segments) == (False, ())
        assert b.acute
        assert set(b.oedema_segments) >= set(b.scars[0].segments)
    none = truths(**{**INFERIOR, "acute": 1.0, "scar_kind": SCAR_NONE})
    assert all(t.oedema_segments == () for t in none)


def test_a_perfusion_defect_needs_no_scar() -> None:
    changes = {"scar_kind": SCAR_NONE, "defect_angle": -0.95, "defect_depth": 0.5,
               "defect_width": 0.8, "defect_reach": 0.4}  # fmt: skip
    for truth in truths(defect_size=0.8, **changes):
        assert 7 in truth.defect_segments
        assert not {4, 5, 10, 11} & set(truth.defect_segments)
        assert truth.scars == ()
    assert all(t.defect_segments == () for t in truths(defect_size=0.0, **changes))


def test_walls_that_start_late_are_measured_late_and_leave_diastole_alone() -> None:
    together, late, later = (Anatomy(hearts(delay_ms=d)) for d in (0.0, 80.0, 160.0))
    for a, b, c in zip(together.truths(), late.truths(), later.truths(), strict=True):
        assert a.dyssynchrony_ms == pytest.approx(0, abs=1)
        assert 30 < b.dyssynchrony_ms < c.dyssynchrony_ms < 160
        assert b.lvedv_ml == pytest.approx(a.lvedv_ml, rel=1e-4)
        assert c.lvesv_ml > a.lvesv_ml


def test_a_loaded_septum_flattens_in_the_phase_of_its_load() -> None:
    usual = {"unevenness": 0.0, "akinesia": 0.0, "delay_ms": 0.0}
    round_, volume, pressure = (
        truths(septal_flattening=d, septal_flattening_es=s, **usual)
        for d, s in ((0.0, 0.0), (0.35, 0.0), (0.0, 0.45))
    )
    for a, b, c in zip(round_, volume, pressure, strict=True):
        assert b.eccentricity_ed > a.eccentricity_ed + 0.12
        assert b.eccentricity_es == pytest.approx(a.eccentricity_es, abs=0.05)
        assert c.eccentricity_es > a.eccentricity_es + 0.15
        assert c.eccentricity_ed == pytest.approx(a.eccentricity_ed, abs=1e-3)


def test_tissue_without_disease_relaxes_as_the_table_says() -> None:
    drawn = hearts(2000, 5)
    healthy, usual = drawn.disease == Disease.NORMAL, reference_ranges().healthy
    for name, value in (("native_t1", drawn.native_t1_ms), ("native_t2", drawn.native_t2_ms)):
        for column, sex in enumerate((drawn.female, ~drawn.female)):
            mean, spread = usual[name].mean[column], usual[name].spread[column]
            assert float(value[healthy & sex].mean()) == pytest.approx(mean, abs=0.4 * spread)
    amyloid = drawn.native_t1_ms[drawn.disease == Disease.DIFFUSE]
    assert (amyloid > drawn.native_t1_ms[healthy].max()).float().mean() > 0.7
    swollen = (drawn.disease == Disease.MYOCARDITIS) & (drawn.acute > 0)
    assert drawn.native_t2_ms[swollen].mean() > drawn.native_t2_ms[healthy].mean() + 2
