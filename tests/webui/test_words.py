"""How things are named on screen."""

from dataclasses import replace
from datetime import UTC, datetime

import fake_archive
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.values.study import Patient, PatientId, Scanner, Sex, StudyId, Technique, View
from webui import words

STACK = [c for c in fake_archive.heart(0).clips if c.technique is Technique.CINE][:8]


def test_a_study_is_named_by_eight_digits():
    assert words.study_name(StudyId("7f3a21c0" + "0" * 16)) == "7F3A 21C0"


@pytest.mark.parametrize("count", [3, 8, 9, 10, 12, 20])
def test_levels_go_from_base_to_apex_in_thirds(count):
    levels = [
        words.level(replace(STACK[0], slice_index=i, slice_count=count)) for i in range(count)
    ]
    assert (levels[0], levels[count // 2], levels[-1]) == ("base", "mid", "apex")
    assert sorted(levels, key=("base", "mid", "apex").index) == levels
    tally = [levels.count(name) for name in ("base", "mid", "apex")]
    assert max(tally) - min(tally) <= 2


def test_a_stack_of_unknown_direction_has_no_base_and_no_apex():
    loose = [replace(STACK[0], slice_index=i, slice_count=9, oriented=False) for i in range(9)]
    assert {words.level(clip) for clip in loose} == {"", "mid"}


def test_clips_are_named_by_view_level_and_technique():
    assert words.clip_name(STACK[4]) == "SAX mid · cine"
    long = replace(STACK[0], view=View.FOUR_CHAMBER, technique=Technique.T1_MAP, slice_count=1)
    assert words.clip_name(long) == "4CH · T1 map"
    again = replace(long, technique=Technique.PERFUSION, variant="stress")
    assert words.clip_name(again) == "4CH · perfusion, stress"


@pytest.mark.parametrize(
    ("sex", "age", "said"),
    [
        (Sex.FEMALE, 67, "F 67 y"),
        (Sex.MALE, 90, "M 90+ y"),
        (None, 5, "5 y"),
        (Sex.OTHER, None, "O"),
        (None, None, ""),
    ],
)
def test_persons(sex, age, said):
    assert words.person(Patient(id=PatientId("p"), sex=sex, age_years=age)) == said


def test_facts_leave_out_what_is_unknown_and_say_so_when_that_is_all():
    study = fake_archive.heart(0).study
    assert words.card_facts(study) == "F 31 y · 2010 · 1.5 T"
    assert words.study_facts(study) == "F 31 y · 2010 · Siemens 1.5 T · 48 bpm · BSA 1.84 m²"
    bare = replace(study, patient=Patient(id=PatientId("p")), year=None, scanner=Scanner())
    assert words.card_facts(bare) == "Sex, age, year and field strength not given"
    assert words.study_facts(replace(bare, heart_rate_bpm=None)) == ""


def test_numbers_are_counted_in_words():
    assert words.studies(1) == "1 study"
    assert words.studies(1284) == "1,284 studies"
    assert words.count(2, "series", "series") == "2 series"


@given(st.floats(-1, 1))
def test_scores_carry_a_true_minus_and_changes_always_a_sign(value):
    for shown in (words.signed(value), words.change(value)):
        assert "-" not in shown
        assert float(shown.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value, abs=0.0005001)
    assert words.change(value)[0] in "+\N{MINUS SIGN}"


def test_a_day_is_written_as_a_reader_would():
    assert words.day(datetime(2026, 11, 3, 23, tzinfo=UTC)) == "3 Nov 2026"
