"""Shapes that real hearts have: triangular right ventricles, an uneven base, trabeculae."""

from dataclasses import asdict, replace

import pytest
import torch
from torch import Tensor

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.lattice import ANGLES, enclosed_ml
from retrieval.phantom.moment import Base
from retrieval.phantom.physiology import Hearts, sample_hearts
from retrieval.phantom.planes import Planes, sample_operators, short_axis
from retrieval.phantom.render import LABELS, label
from retrieval.phantom.rhythm import end_systole

MIDDLE = 14
"""A node of the lattice a third of the way to the apex."""


def hearts(n: int = 4, seed: int = 0, /, **changes: float) -> Hearts:
    drawn = sample_hearts(n, torch.Generator().manual_seed(seed), mix="training")
    filled = {k: torch.full_like(getattr(drawn, k), v) for k, v in changes.items()}
    return replace(drawn, **filled)


def ed_es(drawn: Hearts) -> Tensor:
    systole = end_systole(drawn)
    return torch.stack([torch.zeros_like(systole), systole], 1)


def fine_stack(anatomy: Anatomy) -> Planes:
    still = sample_operators(len(anatomy), torch.Generator().manual_seed(1), strength=0)
    return short_axis(
        anatomy, still, torch.Generator(), slices=60, gap_mm=4.0, pixel_mm=2.0, size=(90, 90)
    )  # fmt: skip


def counted(anatomy: Anatomy, phases: Tensor) -> dict[str, Tensor]:
    """Volumes in mL (n, P) by counting labelled pixels."""
    maps = label(anatomy, fine_stack(anatomy), phases).sum((1, 4, 5)) * 2.0 * 2.0 * 4.0 / 1000
    return dict(zip(LABELS, maps.unbind(-1), strict=True))


def test_a_heart_is_the_same_alone_and_in_a_batch() -> None:
    drawn = hearts(6)
    together = Anatomy(drawn).truths()
    for i in (0, 3, 5):
        alone = asdict(Anatomy(drawn.select(slice(i, i + 1))).truths()[0])
        for name, value in asdict(together[i]).items():
            if isinstance(value, float):
                assert alone[name] == pytest.approx(value, rel=1e-4, abs=1e-3), name
            elif name != "scars":
                assert alone[name] == value, name


def test_the_uneven_base_moves_tissue_and_keeps_its_volume() -> None:
    lifted = hearts(2, outflow_lift_mm=18.0, outflow=0.4)
    level = replace(
        lifted,
        outflow_lift_mm=torch.zeros_like(lifted.outflow_lift_mm),
        base_slope=torch.zeros_like(lifted.base_slope),
    )
    up, flat = Anatomy(lifted), Anatomy(level)
    phases = ed_es(lifted)[:, :1]
    there, here = counted(up, phases), counted(flat, phases)
    for name in ("lv blood", "rv blood", "lv muscle"):
        assert torch.allclose(there[name], here[name], rtol=0.03)
    for i, truth in enumerate(up.truths()):
        assert float(there["rv blood"][i, 0]) == pytest.approx(truth.rvedv_ml, rel=0.04)
    above = fine_stack(up).points().flatten(2)[:, 2] < -8
    rv = LABELS.index("rv blood")
    shown = [
        (label(a, fine_stack(a), phases)[:, :, 0, rv].flatten(1) * above).sum(1) for a in (up, flat)
    ]
    assert (shown[0] > 20).all()
    assert (shown[1] < 1).all()


def test_the_base_rises_most_in_the_middle_of_the_outflow_tract() -> None:
    base = Base(torch.zeros(1, 2), torch.tensor([[20.0, -30.0]]), torch.tensor([12.0]))
    x, y = torch.tensor([[20.0, 33.0, -40.0]]), torch.tensor([[-30.0, -30.0, 20.0]])
    rise = base.rise_mm(x, y)[0]
    assert float(rise[0]) == pytest.approx(12)
    assert 12 * 0.55 < float(rise[1]) < 12 * 0.65
    assert float(rise[2]) < 0.01
    sloped = replace(base, slope=torch.tensor([[0.1, -0.2]]), lift_mm=torch.zeros(1))
    assert float(sloped.rise_mm(x, y)[0, 2]) == pytest.approx(-4 - 4)
    assert (sloped.rise_mm(x, y).abs() <= sloped.most_mm(torch.tensor([[45.0]]))).all()


def test_lesions_fluid_and_aorta_are_labelled_where_they_are() -> None:
    drawn = hearts(3, 2, effusion_mm=9.0, scar_kind=2, acute=1.0, defect_size=0.7,
                   scar_width=0.8, hypertrophy=0, hypertrophy_mm=0.0)  # fmt: skip
    anatomy, phases = Anatomy(drawn), ed_es(drawn)[:, :1]
    found, moment = counted(anatomy, phases), anatomy.at(phases)
    gap = enclosed_ml(moment.fluid, moment.length_mm) - enclosed_ml(moment.shell, moment.length_mm)
    assert torch.allclose(found["fluid"], gap, rtol=0.05)
    assert (found["aorta"] > 5).all()
    share = 100 * found["scar"] / found["lv muscle"]
    for i, truth in enumerate(anatomy.truths()):
        assert float(share[i, 0]) == pytest.approx(truth.scar_share_pct, rel=0.1)
        assert (truth.defect_segments != ()) == bool(found["defect"][i, 0] > 0.5)
    assert (found["oedema"] >= found["scar"]).all()
    assert (found["oedema"] <= found["lv muscle"]).all()
    well = Anatomy(replace(drawn, effusion_mm=torch.zeros(3), acute=torch.zeros(3)))
    dry = counted(well, phases)
    assert float(dry["fluid"].sum()) == 0
    assert float(dry["oedema"].sum()) == 0


def test_a_pointed_right_ventricle_stands_out_at_its_corner() -> None:
    def extent(**changes: float) -> Tensor:
        drawn = hearts(rv_corner=0.5, outflow=0.0, **changes)
        moment = Anatomy(drawn).at(torch.zeros(len(drawn), 1))
        return (moment.rv - moment.epi)[:, 0, :, MIDDLE]

    pointed, rounded = extent(rv_roundness=0.0), extent(rv_roundness=1.0)
    corner = pointed.argmax(1).float() / ANGLES * 2 * torch.pi - torch.pi
    assert torch.allclose(corner, torch.full_like(corner, 0.4), atol=0.15)
    assert (pointed.amax(1) > 1.25 * rounded.amax(1)).all()


def test_a_large_right_ventricle_wraps_further_around_the_left() -> None:
    def insertions(volume: float) -> tuple[Tensor, Tensor]:
        drawn = hearts(lv_edv_ml=140.0, rv_edv_ml=volume, outflow=0.0)
        moment = Anatomy(drawn).at(torch.zeros(len(drawn), 1))
        beside = (moment.rv - moment.epi)[:, 0, :, MIDDLE] > 3
        middle = ANGLES // 2
        return beside[:, :middle].float().mean(1), beside[:, middle:].float().mean(1)

    for small, large in zip(insertions(130.0), insertions(300.0), strict=True):
        assert (large > small + 0.06).all()


def test_what_is_left_of_a_closed_ventricle_is_blood() -> None:
    """A dark disc in the middle of a ventricle is wall, never cavity."""
    drawn = hearts(
        8, 3, akinesia=0.0, trabeculation=0.10, papillary_mm=6.0, contraction=0.85, unevenness=0.0
    )
    moment = Anatomy(drawn).at(ed_es(drawn))
    cavity, blood = (enclosed_ml(table, moment.length_mm) for table in (moment.endo, moment.lumen))
    assert (cavity[:, 1] < 0.25 * cavity[:, 0]).all()
    assert (blood[:, 1] > 0.75 * cavity[:, 1]).all()
    assert (moment.papillary[:, 1].amax((1, 2)) < 0.4 * moment.papillary[:, 0].amax((1, 2))).all()


def test_strands_pass_into_the_wall_as_the_right_ventricle_empties() -> None:
    drawn = hearts(6, rv_trabeculation=0.4, moderator_band=0.0, rv_ef=0.6)
    moment = Anatomy(drawn).at(ed_es(drawn))
    extent = moment.rv - moment.epi
    filled = (moment.rv - moment.rv_lumen).sum((2, 3)) / extent.sum((2, 3))
    assert (filled[:, 1] < 0.7 * filled[:, 0]).all()


def test_strands_take_blood_from_the_right_ventricle_but_not_volume() -> None:
    smooth, rough = (
        Anatomy(hearts(rv_trabeculation=amount, moderator_band=band)).at(torch.zeros(4, 1))
        for amount, band in ((0.0, 0.0), (0.5, 1.0))
    )
    assert torch.equal(smooth.rv, rough.rv)
    assert torch.equal(smooth.rv, smooth.rv_lumen)
    assert (rough.rv_lumen <= rough.rv).all()
    assert (rough.rv_lumen >= rough.epi - 1e-3).all()
    assert ((rough.rv - rough.rv_lumen) > 2).flatten(1).any(1).all()
