"""Whole studies: every image accounted for, and nothing but physics and geometry believed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.plan import plan_study
from indexer.raw import Frame, RawSeries
from retrieval.values.study import State, Technique, View
from tests.indexer.plan_study import scans
from tests.indexer.plan_study.scans import FOUR, SAX, THREE, TWO, cine, flat, image, lge, study

VALUES = st.sampled_from([None, 0.0, 1.0, 250.0, 600.0, 850.0, 5000.0])
TAGS = st.sampled_from([(), ("GR", "SS"), ("GR", "IR"), ("SE",), ("*FL2D1_V150IN", "GR"), ("TAG",)])
KINDS = st.sampled_from(
    [(), ("DERIVED", "PRIMARY", "T1 MAP"), ("ORIGINAL", "PRIMARY", "P"), ("O", "P", "R"), ("MIP",)]
)
PLACES = st.one_of(st.none(), st.tuples(*[st.sampled_from([0.0, 0.2, 8.0, float("nan"), 1e9])] * 3))
TURNS = st.sampled_from(
    [None, *(scans.orientation(n) for n in (SAX, TWO, FOUR, (0, 0, 1))), (0.0,) * 6]
)


@st.composite
def any_frame(draw):
    return Frame(
        file=Path("x"),
        index=draw(st.integers(0, 2)),
        instance_uid=draw(st.sampled_from([f"1.{n}" for n in range(30)])),
        instance_number=draw(st.none() | st.integers(0, 5)),
        rows=draw(st.sampled_from([0, 64, 128])),
        columns=64,
        spacing_mm=draw(st.sampled_from([None, (1.0, 1.0), (2.0, 1.0), (0.0, 1.0)])),
        position_mm=draw(PLACES),
        orientation=draw(TURNS),
        trigger_ms=draw(VALUES),
        acquired_ms=draw(VALUES),
        content_ms=draw(VALUES),
        temporal_position=draw(st.none() | st.integers(0, 30)),
        phase_count=draw(st.sampled_from([None, 1, 2, 25])),
        rr_ms=draw(VALUES),
        heart_rate_bpm=draw(VALUES),
        tr_ms=draw(VALUES),
        te_ms=draw(VALUES),
        ti_ms=draw(VALUES),
        flip_deg=draw(VALUES),
        velocity_encoding=draw(st.booleans()),
        tagging=draw(st.booleans()),
        contrast=draw(st.sampled_from([None, True, False])),
        image_type=draw(KINDS),
        sequence=draw(TAGS),
        complex_component=draw(st.sampled_from(["", "PHASE", "REAL", "IMAGINARY", "MAGNITUDE"])),
        series_description=draw(st.sampled_from(["", "cine 4ch", "LGE", "perf", "t1 map", "loc"])),
        unit=draw(st.sampled_from(["", "ms"])),
    )


@st.composite
def any_series(draw):
    refused = draw(st.sampled_from(["", "", "", "excluded", "quarantined", "failed"]))
    return RawSeries(
        uid=draw(st.sampled_from("abc")),
        modality="MR",
        sop_class="MR",
        frames=tuple(draw(st.lists(any_frame(), max_size=25))),
        refusal=refused and "a reason",
        refused_as=refused,
    )


@settings(deadline=None, max_examples=150)
@given(all_series=st.lists(any_series(), max_size=4), oriented=st.booleans())
def test_every_instance_is_used_or_unused_for_a_reason(all_series, oriented):
    raw = study(*all_series, oriented=oriented)
    plan = plan_study(raw)
    assert [p.uid for p in plan.series] == [s.uid for s in raw.series]
    for told, found in zip(plan.series, raw.series, strict=True):
        used = {f.instance_uid for c in told.clips for f in c.frames}
        unused = Counter(uid for uid, _ in told.unused)
        assert used | set(unused) == {f.instance_uid for f in found.frames}
        assert not used & set(unused)
        assert set(unused.values()) <= {1}
        assert all(why for _, why in told.unused)
        frames = [(f.instance_uid, f.index) for c in told.clips for f in c.frames]
        assert (told.state is State.INDEXED) == bool(told.clips)
        assert bool(told.reason) != bool(told.clips)
        for clip in told.clips:
            assert clip.frame_times_ms == () or len(clip.frame_times_ms) == len(clip.frames)
            assert list(clip.frame_times_ms) == sorted(set(clip.frame_times_ms))
            assert 0 <= clip.slice_index < clip.slice_count
            assert set(clip.frames) <= set(found.frames)
        assert len(frames) >= len(told.clips)
    assert (plan.state is State.INDEXED) == any(p.clips for p in plan.series)
    assert bool(plan.reason) != (plan.state is State.INDEXED)


def whole_exam():
    """A protocol as it is run: scouts, cines, flow, TI scout, perfusion, enhancement, maps."""
    flow = {"sequence": ("*FL2D1", "GR", "SP"), "te_ms": 2.6, "tr_ms": 42.0}
    phase = {"image_type": ("ORIGINAL", "PRIMARY", "P"), "velocity_encoding": True}
    t1 = {"image_type": ("DERIVED", "PRIMARY", "T1 MAP"), "trigger_ms": 560.0, "rr_ms": 850.0}
    said = dict.fromkeys(("series_description", "protocol_name"), "")
    return [
        scans.localiser(series_description="localizer"),
        *[cine(n, series_description=d) for n, d in ((TWO, "2ch"), (THREE, "3ch"), (FOUR, "4ch"))],
        flat(scans.cine_stack(slices=6, series_description="sax")),
        cine(THREE, **flow),
        cine(THREE, **(flow | phase)),
        flat(scans.perfusion(at=at, series_description="perf stress") for at in (-15.0, 0.0, 15.0)),
        [lge(at=10.0 * k) for k in range(5)],
        [lge(at=10.0 * k, image_type=("ORIGINAL", "PRIMARY", "PSIR")) for k in range(5)],
        [lge(n, **said) for n in (TWO, THREE, FOUR)],
        [image(SAX, at=at, **t1) for at in (-20.0, 0.0, 20.0)],
    ]


EXAM = [
    (View.OTHER, Technique.LOCALISER, 0),
    (View.TWO_CHAMBER, Technique.CINE, 1),
    (View.THREE_CHAMBER, Technique.CINE, 1),
    (View.FOUR_CHAMBER, Technique.CINE, 1),
    (View.SHORT_AXIS, Technique.CINE, 6),
    (View.THREE_CHAMBER, Technique.FLOW, 1),
    (View.OTHER, Technique.FLOW, 0),
    (View.SHORT_AXIS, Technique.PERFUSION, 3),
    (View.SHORT_AXIS, Technique.LGE, 0),
    (View.SHORT_AXIS, Technique.LGE, 5),
    (View.OTHER, Technique.LGE, 3),
    (View.SHORT_AXIS, Technique.T1_MAP, 3),
]


def test_a_whole_exam():
    plan = plan_study(study(*whole_exam()))
    assert [(s.view, s.technique, len(s.clips)) for s in plan.series] == EXAM
    assert plan.state is State.INDEXED


@settings(deadline=None, max_examples=8)
@given(random=st.randoms(use_true_random=False))
def test_names_numbers_and_order_change_nothing_but_words(random):
    exam = study(*whole_exam(), manufacturer="SIEMENS")
    frames = [f for s in exam.series for f in s.frames]
    numbers = random.sample(range(len(frames)), len(frames))
    renamed = {
        f.instance_uid: replace(
            f,
            file=Path(f"{n}.ima"),
            instance_number=n,
            series_description="",
            protocol_name="",
        )
        for f, n in zip(frames, numbers, strict=True)
    }
    shuffled = replace(
        exam,
        manufacturer="",
        series=tuple(
            replace(
                s,
                frames=tuple(
                    renamed[f.instance_uid] for f in random.sample(s.frames, len(s.frames))
                ),
            )
            for s in exam.series
        ),
    )
    plain = plan_study(exam)
    told = plan_study(shuffled)

    def blank(clips):
        return [
            replace(c, frames=tuple(renamed[f.instance_uid] for f in c.frames), variant="")
            for c in clips
        ]

    for a, b in zip(plain.series, told.series, strict=True):
        assert blank(a.clips) == blank(b.clips)
        assert replace(a, clips=()) == replace(b, clips=())


def brain(**header):
    """Headers of a head: no heartbeat anywhere."""
    return [
        image((0, 0, 1), at=5.0 * k, sequence=("GR", "IR"), ti_ms=900.0, tr_ms=2300.0, **header)
        for k in range(30)
    ]


def functional():
    """GE writes the time over the run as TriggerTime in functional MR."""
    return [
        image((0, 0, 1), at=5.0 * k, trigger_ms=2000.0 * t, sequence=("EP", "GR"))
        for k in range(4)
        for t in range(40)
    ]


@pytest.mark.parametrize(
    "lists", [[brain()], [functional()], [brain(), functional()], [[image((0, 0, 1), size=64)]]]
)
def test_mr_without_a_heart_is_excluded(lists):
    plan = plan_study(study(*lists))
    assert (plan.state, plan.reason) == (State.EXCLUDED, "no cardiac series")
    assert all(s.state is State.EXCLUDED and s.reason for s in plan.series)


def refused(state, reason="a reason", frames=()):
    return scans.series(frames, refusal=reason, refused_as=state)


@pytest.mark.parametrize(
    ("others", "state", "reason"),
    [
        ([refused("excluded", "not MR: CT")], State.EXCLUDED, "not MR: CT"),
        ([refused("quarantined", "secondary capture")], State.QUARANTINED, "secondary capture"),
        ([refused("failed", "no decoder")], State.FAILED, "no decoder"),
        (
            [refused("excluded", "report"), refused("quarantined", "burnt-in annotation")],
            State.QUARANTINED,
            "burnt-in annotation",
        ),
        ([brain(), refused("quarantined")], State.EXCLUDED, "no cardiac series"),
        ([brain(), refused("failed", "no decoder", cine())], State.FAILED, "no decoder"),
        ([refused("failed", "no decoder", brain())], State.EXCLUDED, "no cardiac series"),
        ([brain(), refused("failed", "unreadable")], State.FAILED, "unreadable"),
        ([scans.localiser(rr_ms=800.0)], State.EXCLUDED, "localiser: not kept"),
        ([], State.EXCLUDED, "no images"),
        ([[]], State.EXCLUDED, "no cardiac series"),
    ],
)
def test_state_of_a_study_without_clips(others, state, reason):
    plan = plan_study(study(*others))
    assert (plan.state, plan.reason) == (state, reason)


def test_a_refused_series_costs_its_study_nothing():
    plan = plan_study(study(refused("quarantined", "secondary capture", [image(SAX)]), cine()))
    assert plan.state is State.INDEXED
    assert plan.series[0].state is State.QUARANTINED
    assert [why for _, why in plan.series[0].unused] == ["secondary capture"]


def test_enhancement_alone_is_a_heart():
    plan = plan_study(study([lge(at=8.0 * k) for k in range(9)]))
    assert plan.state is State.INDEXED
    assert (plan.series[0].view, plan.series[0].technique) == (View.SHORT_AXIS, Technique.LGE)


def test_two_phases_without_orientation_are_a_short_axis_cine():
    frames = [image((0, 0, 1), at=10.0 * k, temporal_position=t) for k in range(9) for t in (1, 12)]
    plan = plan_study(study(frames, oriented=False)).series[0]
    assert (plan.view, plan.technique) == (View.SHORT_AXIS, Technique.CINE)
    assert (plan.slices, plan.phases, plan.slice_spacing_mm) == (9, 2, 10.0)
    assert all([f.temporal_position for f in c.frames] == [1, 12] for c in plan.clips)
    assert not any(c.oriented for c in plan.clips)


def test_all_of_an_exam_in_one_series_is_sorted_out():
    """Some exports put everything under one SeriesInstanceUID."""
    lists = whole_exam()
    plan = plan_study(study(flat(lists)))
    separate = plan_study(study(*lists))
    found = Counter((c.technique, c.view) for c in plan.series[0].clips)
    expected = Counter((c.technique, c.view) for s in separate.series for c in s.clips)
    assert found[Technique.CINE, View.SHORT_AXIS] == 6
    assert found == expected


BARE = {"sequence": ("GR", "SP"), "rr_ms": None, "contrast": None, "trigger_ms": None}


@pytest.mark.parametrize("clock", ["trigger_ms", "acquired_ms", "content_ms"])
def test_a_first_pass_without_a_word_of_a_heartbeat_is_a_first_pass(clock):
    """Twice oblique planes shown again and again; the times grow over the whole run."""
    bare = {**BARE, "acquired_ms": None}
    frames = [
        image(SAX, at=10.0 * place, **(bare | {clock: 30_000 + 800.0 * beat + 200 * place}))
        for beat in range(40)
        for place in range(3)
    ]
    plan = plan_study(study(frames))
    (one,) = plan.series
    assert (plan.state, one.technique, one.slices, one.phases) == (
        State.INDEXED,
        Technique.PERFUSION,
        3,
        40,
    )
    for clip in one.clips:
        assert [getattr(f, clock) for f in clip.frames] == sorted(
            getattr(f, clock) for f in clip.frames
        )


@pytest.mark.parametrize(
    ("normal", "header"),
    [
        ((0, 0, 1), {}),
        ((0, -0.3, 0.95), {}),
        (SAX, {"sequence": ("EP", "GR")}),
        (SAX, {"sequence": ("SE",)}),
        (SAX, {"acquired_ms": 30_000.0}),
    ],
)
def test_other_organs_are_not_watched_for_a_heart(normal, header):
    frames = [
        image(normal, **(BARE | {"acquired_ms": 30_000 + 800.0 * beat} | header))
        for beat in range(40)
    ]
    assert plan_study(study(frames)).reason == "no cardiac series"
