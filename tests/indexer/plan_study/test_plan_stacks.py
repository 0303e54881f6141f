"""Slices and stacks, inside a series and over several."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.plan import plan_study
from retrieval.values.study import State, View
from tests.indexer.plan_study.scans import FOUR, SAX, cine, cine_stack, flat, image, lge, study


@pytest.mark.parametrize("gap", [6.0, 8.0, 10.0, 12.5])
def test_spacing_is_measured_along_the_normal(gap):
    """Thickness and whatever headers call spacing or location do not matter."""
    plan = plan_study(study(flat(cine_stack(slices=7, gap=gap, thickness_mm=8.0)))).series[0]
    assert plan.slice_spacing_mm == pytest.approx(gap, abs=1e-3)
    assert {c.slice_spacing_mm for c in plan.clips} == {plan.slice_spacing_mm}
    assert (plan.slices, plan.phases) == (7, 25)


def test_one_missing_slice_does_not_change_the_spacing():
    slices = cine_stack(slices=9)
    plan = plan_study(study(flat(slices[:4] + slices[5:]))).series[0]
    assert (plan.slices, plan.slice_spacing_mm) == (8, pytest.approx(10.0, abs=1e-3))
    assert {c.slice_count for c in plan.clips} == {8}


@settings(deadline=None, max_examples=15)
@given(order=st.permutations(range(8)))
def test_one_series_for_each_slice_is_one_stack(order):
    slices = cine_stack(slices=8, phases=8)
    whole = plan_study(study(flat(slices))).series[0]
    plans = plan_study(study(*(slices[i] for i in order))).series
    assert {p.view for p in plans} == {View.SHORT_AXIS}
    assert {p.slice_spacing_mm for p in plans} == {None}
    clips = sorted((p.clips[0] for p in plans), key=lambda c: c.slice_index)
    assert [c.frames for c in clips] == [c.frames for c in whole.clips]
    assert [c.slice_count for c in clips] == [8] * 8
    assert [c.slice_spacing_mm for c in clips] == [c.slice_spacing_mm for c in whole.clips]


def test_a_slice_again_in_a_series_of_its_own_is_not_counted_twice():
    slices = cine_stack(slices=6)
    again = [replace(f, instance_uid=f"2.{f.instance_uid}") for f in slices[2]]
    first, second = plan_study(study(flat(slices), again)).series
    assert {c.slice_count for c in first.clips} == {6}
    assert [c.slice_count for c in second.clips] == [1]
    assert second.view is View.SHORT_AXIS


@pytest.mark.parametrize(
    "other",
    [{"phases": 12}, {"te_ms": 2.9}],
    ids=["another number of phases", "another echo time"],
)
def test_slices_acquired_otherwise_are_another_stack(other):
    plans = plan_study(study(flat(cine_stack(slices=6)), cine(at=35.0, **other))).series
    assert [c.slice_count for p in plans for c in p.clips] == [6] * 6 + [1]


def test_a_slice_far_away_is_another_stack():
    plans = plan_study(study(flat(cine_stack(slices=5)), cine(at=90.0))).series
    assert plans[1].clips[0].slice_count == 1


def test_cine_and_late_enhancement_are_two_stacks():
    stills = [lge(at=8.0 * k) for k in range(5)]
    plans = plan_study(study(flat(cine_stack(slices=9)), stills)).series
    assert {c.slice_count for c in plans[0].clips} == {9}
    assert {c.slice_count for c in plans[1].clips} == {5}
    assert plans[1].slice_spacing_mm == pytest.approx(8.0, abs=1e-3)


def test_parallel_long_axis_planes_lie_in_a_stack():
    plan = plan_study(study(flat(cine_stack()), flat(cine_stack(FOUR, slices=3, gap=7.0)))).series[
        1
    ]
    assert plan.view is View.FOUR_CHAMBER
    assert [c.slice_index for c in plan.clips] == [0, 1, 2]
    assert plan.slice_spacing_mm == pytest.approx(7.0, abs=1e-3)


def test_rounding_of_headers_does_not_part_a_slice():
    frames = [
        replace(f, orientation=tuple(np.round(f.orientation, 4 + k % 3).tolist()))
        for k, f in enumerate(cine())
    ]
    plan = plan_study(study(frames)).series[0]
    assert (plan.slices, plan.phases) == (1, 25)


def test_a_stray_image_of_another_matrix_does_not_cost_the_cine():
    slices = cine_stack(slices=4)
    stray = replace(slices[0][0], rows=64, columns=64, instance_uid="9.9")
    plan = plan_study(study(flat([*slices, [stray]]))).series[0]
    assert (plan.state, plan.slices, plan.phases) == (State.INDEXED, 4, 25)
    assert [u for u, _ in plan.unused] == ["9.9"]


FLAWS = [
    ({"position_mm": None}, "no image position in the header"),
    ({"orientation": None}, "no image orientation in the header"),
    ({"orientation": (1.0, 0, 0, 1.0, 0, 0)}, "not two perpendicular unit vectors"),
    ({"position_mm": (0.0, float("nan"), 0.0)}, "no image position in the header"),
    ({"spacing_mm": None}, "no pixel spacing in the header"),
    ({"spacing_mm": (0.0, 1.0)}, "no pixel spacing in the header"),
    ({"rows": 0}, "without rows or columns"),
]


@pytest.mark.parametrize(("flaw", "reason"), FLAWS)
def test_a_series_that_cannot_be_placed_fails_alone(flaw, reason):
    broken = [replace(f, **flaw) for f in cine(FOUR)]
    plan = plan_study(study(flat(cine_stack(slices=3)), broken))
    assert plan.state is State.INDEXED
    assert plan.series[0].state is State.INDEXED
    assert plan.series[1].state is State.FAILED
    assert reason in plan.series[1].reason
    assert len(plan.series[1].unused) == 25


@pytest.mark.parametrize(("flaw", "reason"), FLAWS)
def test_one_image_that_cannot_be_placed_is_unused_alone(flaw, reason):
    frames = cine()
    plan = plan_study(study([replace(frames[0], **flaw), *frames[1:]])).series[0]
    assert (plan.state, plan.phases) == (State.INDEXED, 24)
    ((uid, why),) = plan.unused
    assert uid == frames[0].instance_uid
    assert reason in why


def test_file_order_gives_slices_where_nothing_tells_base_from_apex():
    """Without patient orientation the stack runs along its own normal."""
    frames = [
        replace(image(SAX, at=10.0 * k), temporal_position=t) for k in range(5) for t in (1, 2)
    ]
    plan = plan_study(study(frames[::-1], oriented=False)).series[0]
    along = [np.array(c.frames[0].position_mm) @ SAX for c in plan.clips]
    assert along == sorted(along) or along == sorted(along, reverse=True)
    normal = np.cross(frames[0].orientation[:3], frames[0].orientation[3:])
    assert [float(np.array(c.frames[0].position_mm) @ normal) for c in plan.clips] == sorted(
        float(np.array(c.frames[0].position_mm) @ normal) for c in plan.clips
    )
