"""The truths are those of the geometry that is rendered, and the geometry is a heart's."""

import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.lattice import enclosed_ml
from retrieval.phantom.physiology import (
    SCAR_MID_WALL,
    SCAR_NONE,
    SCAR_TRANSMURAL,
    Hearts,
    sample_hearts,
)
from retrieval.phantom.rhythm import end_systole, rhythm
from retrieval.phantom.segments import segment_means, segment_table
from retrieval.phantom.truth import Hypertrophy, ScarPattern
from retrieval.values.study import Sex


def hearts(n: int = 64, seed: int = 0, **changes: float) -> Hearts:
    drawn = sample_hearts(n, torch.Generator().manual_seed(seed), mix="training")
    filled = {k: torch.full_like(getattr(drawn, k), v) for k, v in changes.items()}
    return replace(drawn, **filled)


def beat(n: int, phases: int = 24) -> torch.Tensor:
    return (torch.arange(phases) / phases).expand(n, phases)


def test_same_seed_same_hearts_and_another_seed_others() -> None:
    first, again, other = hearts(8, 5), hearts(8, 5), hearts(8, 6)
    for f in fields(first):
        assert torch.equal(getattr(first, f.name), getattr(again, f.name))
    assert not torch.equal(first.lv_edv_ml, other.lv_edv_ml)


def test_cavities_hold_the_volumes_asked_for() -> None:
    drawn = hearts()
    truths = Anatomy(drawn).truths()
    for i, truth in enumerate(truths):
        assert truth.lvedv_ml == pytest.approx(float(drawn.lv_edv_ml[i]), rel=1e-4)
        assert truth.rvedv_ml == pytest.approx(float(drawn.rv_edv_ml[i]), rel=1e-3)
        assert truth.rvef_pct == pytest.approx(100 * float(drawn.rv_ef[i]), abs=0.1)
        assert truth.lvef_pct == pytest.approx(100 * (1 - truth.lvesv_ml / truth.lvedv_ml))


def test_muscle_keeps_its_volume_through_the_beat() -> None:
    anatomy = Anatomy(hearts(16))
    moment = anatomy.at(beat(16))
    muscle = enclosed_ml(moment.epi, moment.length_mm) - enclosed_ml(moment.endo, moment.length_mm)
    assert torch.allclose(muscle, muscle[:, :1].expand_as(muscle), rtol=1e-3)


def test_the_ventricle_is_largest_at_the_r_wave_and_smallest_at_end_systole() -> None:
    drawn = hearts(8, akinesia=0.0, delay_ms=0.0)
    moment = Anatomy(drawn).at(beat(8, 100))
    volume = enclosed_ml(moment.endo, moment.length_mm)
    assert (volume[:, :1] >= volume - 1e-3).all()
    smallest = volume.argmin(1) / 100
    assert torch.allclose(smallest, end_systole(drawn), atol=0.011)


@pytest.mark.parametrize(("rate", "low", "high"), [(60, 0.33, 0.40), (100, 0.44, 0.52)])
def test_systole_takes_a_larger_share_of_a_faster_beat(rate: int, low: float, high: float) -> None:
    share = end_systole(hearts(1, heart_rate_bpm=rate))
    assert low < float(share) < high


@settings(deadline=None, max_examples=30)
@given(phase=st.floats(0, 3), rate=st.integers(45, 105))
def test_the_beat_repeats_and_stays_within_bounds(phase: float, rate: int) -> None:
    drawn = hearts(1, heart_rate_bpm=rate)
    at = torch.tensor([[phase, phase + 1]])
    state = rhythm(drawn, at)
    for value in (state.contraction, state.filling_valves, state.ejecting_valves, state.flow):
        assert (value >= -1e-6).all()
        assert (value <= 1 + 1e-6).all()
    assert torch.allclose(state.contraction[:, 0], state.contraction[:, 1], atol=1e-3)


def test_valves_of_one_side_are_never_both_open() -> None:
    state = rhythm(hearts(16), beat(16, 200))
    assert (torch.minimum(state.filling_valves, state.ejecting_valves) < 1e-6).all()


def test_surfaces_lie_within_each_other() -> None:
    moment = Anatomy(hearts(32)).at(beat(32, 8))
    within = [moment.lumen, moment.endo, moment.epi, moment.rv, moment.shell, moment.fluid]
    for inner, outer in zip(within, [*within[1:], moment.sac], strict=True):
        assert (inner <= outer + 1e-3).all()


def test_a_still_infarct_lowers_the_ejection_fraction_and_is_named() -> None:
    changes = {"scar_kind": SCAR_TRANSMURAL, "scar_angle": 1.35, "scar_depth": 0.3}
    changes |= {"scar_width": 0.8, "scar_reach": 0.4, "territory": 1, "thinning": 0.0}
    moving = Anatomy(hearts(8, akinesia=0.0, **changes)).truths()
    still = Anatomy(hearts(8, akinesia=1.0, **changes)).truths()
    for a, b in zip(moving, still, strict=True):
        assert b.lvef_pct < a.lvef_pct - 3
        assert a.hypokinetic_segments == ()
        assert {4, 10} <= set(b.hypokinetic_segments) <= {3, 4, 5, 9, 10, 11, 15}


def test_scars_are_described_as_drawn() -> None:
    drawn = hearts(400)
    for i, truth in enumerate(Anatomy(drawn).truths()):
        kind = int(drawn.scar_kind[i])
        assert (kind == SCAR_NONE) == (truth.scars == ())
        for scar in truth.scars:
            ischaemic = scar.pattern in (ScarPattern.SUBENDOCARDIAL, ScarPattern.TRANSMURAL)
            assert ischaemic == (scar.territory is not None)
            assert scar.segments
            assert 0.05 < scar.transmurality <= 1
            if scar.pattern is ScarPattern.DIFFUSE:
                assert len(scar.segments) == 17
    assert {int(k) for k in drawn.scar_kind} == set(range(6))


def test_mid_wall_scar_leaves_the_endocardium() -> None:
    lv = Anatomy(hearts(8, scar_kind=SCAR_MID_WALL, transmurality=0.3)).lv
    present = lv.scar.present > 0
    assert present.any()
    assert (lv.scar.low[present] >= 0.3).all()
    assert (lv.scar.high[present] <= 0.7).all()


def test_a_transmural_scar_begins_at_the_endocardium() -> None:
    lv = Anatomy(hearts(8, scar_kind=SCAR_TRANSMURAL, transmurality=0.9)).lv
    present = lv.scar.present > 0
    assert (lv.scar.low[present] < 0).all()
    assert float(lv.scar.high.max()) == pytest.approx(0.9, abs=0.01)


def test_thinning_thins_and_hypertrophy_thickens_the_wall_where_it_should() -> None:
    plain = Anatomy(hearts(4, hypertrophy=0, thinning=0.0)).lv
    septal = Anatomy(
        hearts(4, hypertrophy=2, hypertrophy_mm=12.0, hypertrophy_angle=0.0, thinning=0.0)
    ).lv
    more = (septal.epi_mm - septal.endo_mm) - (plain.epi_mm - plain.endo_mm)
    toward_rv, away = more[:, 48, 10], more[:, 0, 10]
    assert (toward_rv > 8).all()
    assert (away < 3).all()


def test_archives_hold_the_prevalences_that_searches_are_measured_at() -> None:
    """Between 7 and 23 % of each finding, over four archives of 200; normal hearts over 30 %."""
    truths = Anatomy(sample_hearts(800, torch.Generator().manual_seed(3))).truths()

    def share(flags: list[bool]) -> float:
        return sum(flags) / len(flags)

    assert 0.07 < share([t.lvedv_ml / t.bsa_m2 > 108 for t in truths]) < 0.2
    assert 0.07 < share([t.hypertrophy is not Hypertrophy.NONE for t in truths]) < 0.2
    assert 0.1 < share([t.lvef_pct < 50 for t in truths]) < 0.23
    assert 0.07 < share([t.rvedv_ml / t.bsa_m2 > 112 for t in truths]) < 0.2
    assert 0.1 < share([t.scars != () for t in truths]) < 0.25
    unremarkable = [
        t.scars == ()
        and t.hypertrophy is Hypertrophy.NONE
        and t.lvef_pct > 52
        and t.rvef_pct > 45
        and t.effusion_mm == 0
        and t.lvedv_ml / t.bsa_m2 < 108
        for t in truths
    ]
    assert share(unremarkable) > 0.3


def test_healthy_hearts_are_of_healthy_size() -> None:
    """Means within about one standard deviation of Petersen 2017 (UK Biobank), by sex."""
    drawn = sample_hearts(900, torch.Generator().manual_seed(4))
    truths = [
        t
        for t in Anatomy(drawn).truths()
        if t.scars == () and t.hypertrophy is Hypertrophy.NONE and t.lvef_pct > 53
    ]

    def mean(sex: Sex, name: str, *, indexed: bool) -> float:
        values = [getattr(t, name) / (t.bsa_m2 if indexed else 1) for t in truths if t.sex is sex]
        return sum(values) / len(values)

    for sex, volume, mass, ejection in ((Sex.MALE, 85, 55, 58), (Sex.FEMALE, 74, 43, 61)):
        assert mean(sex, "lvedv_ml", indexed=True) == pytest.approx(volume, abs=10)
        assert mean(sex, "lv_mass_g", indexed=True) == pytest.approx(mass, abs=9)
        assert mean(sex, "lvef_pct", indexed=False) == pytest.approx(ejection, abs=4)


@pytest.mark.parametrize(
    ("angle", "level", "segment"),
    [
        (-90, 0.1, 1),
        (-30, 0.1, 2),
        (30, 0.1, 3),
        (90, 0.1, 4),
        (150, 0.1, 5),
        (-150, 0.1, 6),
        (-90, 0.5, 7),
        (90, 0.5, 10),
        (-90, 0.8, 13),
        (0, 0.8, 14),
        (90, 0.8, 15),
        (179, 0.8, 16),
        (0, 1.05, 17),
    ],
)
def test_aha_segments_lie_where_the_model_has_them(angle: int, level: float, segment: int) -> None:
    table = segment_table(torch.tensor([0.9]))
    row = round((math.radians(angle) + math.pi) / (2 * math.pi) * 96) % 96
    column = round(level * 0.9 / 0.025)
    assert int(table[0, row, column]) == segment


def test_segment_means_are_weighted_means() -> None:
    table = segment_table(torch.tensor([0.9]))
    values = torch.where(table == 4, 3.0, 1.0)
    values[table == 7] = torch.arange(int((table == 7).sum())).float()
    weight = torch.ones_like(values)
    means = segment_means(values, weight, table)
    assert float(means[0, 3]) == pytest.approx(3.0)
    assert float(means[0, 6]) == pytest.approx((int((table == 7).sum()) - 1) / 2)


def test_hearts_lie_as_hearts_do() -> None:
    """Apex left, anterior, inferior; right ventricle to the right and in front; right-handed."""
    axes = hearts(200).axes
    x, y, z = axes.unbind(1)
    assert torch.allclose(axes @ axes.transpose(1, 2), torch.eye(3).expand(200, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(axes), torch.ones(200), atol=1e-5)
    assert (z[:, 0] > 0.2).all()
    assert (z[:, 1] < -0.2).all()
    assert (z[:, 2] < 0).all()
    assert (x[:, 0] < -0.3).all()
    assert (x[:, 1] < -0.2).all()
    assert (y[:, 2] < -0.5).all()
