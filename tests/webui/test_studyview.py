"""A study's clips on its page."""

import random
from dataclasses import replace

import fake_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.study import Technique, View
from webui.studyview import beat_ms, contents, groups, layout

HEART = fake_archive.heart(0)


@settings(deadline=None)
@given(st.integers(0, 30), st.randoms())
def test_every_clip_is_shown_exactly_once_whatever_is_missing(number, chance):
    clips = list(fake_archive.heart(number).clips)
    clips = chance.sample(clips, chance.randint(0, len(clips)))
    cine, others = groups(clips)
    shown = [c.id for group in (cine, *others) for c in group.clips]
    assert sorted(shown) == sorted(c.id for c in clips)


def test_the_cine_group_holds_the_long_axes_and_the_stack_from_base_to_apex():
    clips = list(HEART.clips)
    random.Random(1).shuffle(clips)
    cine, others = groups(clips)
    assert [c.view for c in cine.long] == [View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER]
    assert [c.slice_index for c in cine.short] == list(range(8))
    assert [group.title for group in others] == ["LGE"]


def test_a_second_stack_stands_apart_under_its_variant():
    again = tuple(
        replace(c, id=c.id[::-1], series="again", variant="after contrast") for c in HEART.clips[:8]
    )
    _, others = groups((*HEART.clips, *again))
    assert [group.title for group in others] == ["LGE", "Further cine, after contrast"]


def test_all_clips_share_the_study_s_beat():
    cine, _ = groups(HEART.clips)
    assert beat_ms(cine, HEART.study) == (1250.0, True)
    silent = replace(HEART.study, heart_rate_bpm=None)
    assert beat_ms(cine, silent) == (1250.0, True)
    bare, _ = groups([replace(c, rr_ms=None, frame_times_ms=()) for c in HEART.clips])
    assert beat_ms(bare, silent) == (1000.0, False)


def test_the_layout_numbers_slices_and_marks_the_clip_that_drove_the_rank():
    driving = HEART.clips[3].id
    told = layout(HEART.study, HEART.clips, driving)
    short = told["cine"]["short"]
    assert [item["label"] for item in short] == [str(n) for n in range(1, 9)]
    assert [item["right"] for item in short] == ["base", "", "", "mid", "", "", "", "apex"]
    assert [item["driving"] for item in short].index(True) == 3
    assert told["cine"]["long"][0]["right"] == "15 phases"
    assert told["rate"] == "48 bpm"


def test_what_a_study_holds_in_one_line():
    assert contents(HEART.clips) == "SAX 8 · 4CH · 2CH · 3CH · LGE 9"
    late = [c for c in HEART.clips if c.technique is Technique.LGE]
    assert contents(late) == "LGE 9"
