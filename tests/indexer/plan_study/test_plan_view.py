"""Views, from where planes lie in the patient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.plan import plan_study
from retrieval.values.study import View
from tests.indexer.plan_study import scans
from tests.indexer.plan_study.scans import (
    FOUR,
    SAX,
    THREE,
    TWO,
    cine,
    cine_stack,
    flat,
    lge,
    long_axis_normal,
    study,
    unit,
)

LONG_AXES = {
    View.FOUR_CHAMBER: (12, 45),
    View.TWO_CHAMBER: (72, 104),
    View.THREE_CHAMBER: (130, 165),
}
"""Rolls at which each view is planned, person by person."""


def views(*all_series):
    return [s.view for s in plan_study(study(*all_series)).series]


@st.composite
def hearts(draw):
    """A long axis within some 25 degrees of the usual one: thin, stout, young and old."""
    push = [draw(st.floats(-0.3, 0.3)) for _ in range(3)]
    return unit(scans.USUAL_AXIS + np.array(push))


@settings(max_examples=60, deadline=None)
@given(axis=hearts(), data=st.data())
def test_long_axis_views_are_told_by_their_roll_about_the_stack(axis, data):
    rolls = {v: data.draw(st.floats(*span)) for v, span in LONG_AXES.items()}
    planes = {v: long_axis_normal(roll, axis) for v, roll in rolls.items()}
    sax = flat(cine_stack(axis, phases=8))
    found = views(sax, *(cine(n, phases=8) for n in planes.values()))
    assert found == [View.SHORT_AXIS, *planes]


@settings(max_examples=40, deadline=None)
@given(axis=hearts(), data=st.data())
def test_crossing_long_axes_do_without_a_stack(axis, data):
    rolls = [data.draw(st.floats(*span)) for span in LONG_AXES.values()]
    normals = [long_axis_normal(roll, axis) for roll in rolls]
    assert views(*(cine(n, phases=8) for n in normals)) == list(LONG_AXES)


@pytest.mark.parametrize(
    ("normal", "view"),
    [
        (SAX, View.SHORT_AXIS),
        (FOUR, View.FOUR_CHAMBER),
        (TWO, View.TWO_CHAMBER),
        (THREE, View.THREE_CHAMBER),
        ((0, 0, 1), View.TRANSAXIAL),
        ((0, 1, 0), View.LVOT),
        ((1, 0, 0), View.RVOT),
    ],
)
def test_a_plane_on_its_own(normal, view):
    assert views(cine(normal)) == [view]
    assert views(cine(-np.asarray(normal, float))) == [view]


@pytest.mark.parametrize("normal", [FOUR, TWO, THREE, SAX])
def test_a_plane_may_be_turned_in_itself(normal):
    frames = cine(normal)
    turned = []
    for f in frames:
        row, column = np.array(f.orientation[:3]), np.array(f.orientation[3:])
        a = np.radians(70)
        new = (np.cos(a) * row + np.sin(a) * column, np.cos(a) * column - np.sin(a) * row)
        turned.append(scans.replace(f, orientation=tuple(np.concatenate(new).tolist())))
    assert views(turned) == views(frames)


def test_a_transaxial_stack():
    assert views(flat(cine_stack((0.05, -0.1, 1), phases=8)))[0] is View.TRANSAXIAL


@pytest.mark.parametrize("axis", [(0.25, -0.5, -0.83), (0.05, -0.35, -0.93)])
def test_an_animal_heart(axis):
    """Hearts of quadrupeds lie along the body."""
    assert views(flat(cine_stack(axis, phases=8)))[0] is View.SHORT_AXIS


def test_a_patient_registered_in_another_position():
    """Then roll about the axis says nothing, and words are asked."""
    axis = (0.2, 0.62, -0.76)
    planes = [long_axis_normal(roll, axis) for roll in (20.0, 80.0, 140.0)]
    said = ["3ch", "cine 4ch", "2ch_ssfp"]
    axes = [cine(n, phases=8, series_description=d) for n, d in zip(planes, said, strict=True)]
    assert views(flat(cine_stack(axis, phases=8)), *axes) == ["SAX", "3CH", "4CH", "2CH"]


def test_a_long_axis_stack_is_no_short_axis_stack():
    found = views(flat(cine_stack(FOUR, slices=12, phases=8)), flat(cine_stack(slices=8, phases=8)))
    assert found == [View.FOUR_CHAMBER, View.SHORT_AXIS]


def test_three_planes_in_one_series_are_three_views():
    plan = plan_study(study(flat(cine_stack()), flat(cine(n) for n in (TWO, THREE, FOUR))))
    assert {c.view for c in plan.series[1].clips} == set(LONG_AXES)
    assert plan.series[1].view is View.OTHER
    assert plan.series[1].slices == 3
    assert plan.series[1].slice_spacing_mm is None
    assert {c.slice_count for c in plan.series[1].clips} == {1}


def test_stills_take_their_axis_from_the_cine_stack():
    sax = flat(cine_stack())
    stills = [[lge(n)] for n in (SAX, TWO, THREE, FOUR)]
    assert views(sax, *stills)[1:] == [View.SHORT_AXIS, *(View(v) for v in ("2CH", "3CH", "4CH"))]


@pytest.mark.parametrize(
    ("roll", "view"),
    [(0, "4CH"), (54, "4CH"), (63, "2CH"), (113, "2CH"), (122, "3CH"), (172, "3CH"), (179, "4CH")],
)
def test_where_one_view_ends_and_the_next_begins(roll, view):
    assert views(flat(cine_stack(phases=8)), cine(long_axis_normal(roll), phases=8))[1] == view


def test_words_decide_between_neighbours_only():
    border = long_axis_normal((27 + 90) / 2)
    sax = flat(cine_stack())
    two = cine(border, series_description="cine_2ch")
    four = cine(border, series_description="CINE VIERKAMMERBLICK 4ch")
    three = cine(border, series_description="cine 3ch")
    sure = cine(FOUR, series_description="cine 2ch")
    found = views(sax, two, four, three, sure)
    assert found[1:3] == [View.TWO_CHAMBER, View.FOUR_CHAMBER]
    assert found[3] is not View.THREE_CHAMBER
    assert found[4] is View.FOUR_CHAMBER


def test_flow_planes_are_named_by_a_cine_beside_them_only():
    flow = {"velocity_encoding": True, "sequence": ("*FL2D1", "GR", "SP"), "te_ms": 2.6}
    aorta = unit((0.3, 0.3, 0.9))
    found = views(flat(cine_stack()), cine(THREE), cine(THREE, **flow), cine(aorta, **flow))
    assert found[2:] == [View.THREE_CHAMBER, View.OTHER]


@pytest.mark.parametrize("flip", [1, -1])
def test_short_axis_slices_run_from_base_to_apex(flip):
    """Whichever way the normal points and the files come."""
    frames = flat(cine_stack(flip * SAX, phases=8))
    clips = plan_study(study(frames[::-1])).series[0].clips
    along = [np.array(c.frames[0].position_mm) @ SAX for c in clips]
    assert [c.slice_index for c in clips] == list(range(9))
    assert along == sorted(along)


@pytest.mark.parametrize("axis", [(0.1, -0.3, -0.95), (0.3, 0.2, -0.9), (0.02, 0.03, 1.0)])
def test_planes_turned_about_an_unusual_axis_are_long_axes_of_no_known_name(axis):
    """A pig's three long axes without a stack: geometry cannot name them, but words may."""
    turned = [long_axis_normal(roll, unit(axis)) for roll in (10, 70, 130)]
    assert views(*(cine(n) for n in turned)) == [View.OTHER] * 3
    words = {"2ch": View.TWO_CHAMBER, "3ch": View.THREE_CHAMBER, "4ch": View.FOUR_CHAMBER}
    named = (cine(n, series_description=w) for n, w in zip(turned, words, strict=True))
    assert views(*named) == list(words.values())
