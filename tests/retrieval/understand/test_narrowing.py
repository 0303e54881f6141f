"""Words about people, scanners, years and pictures become filters; the rest stays as it was."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import UsageError
from retrieval.phantom.sentences import CONCEPTS, sample_phrases
from retrieval.search.plan import Plan, plan
from retrieval.search.understand.interval import Interval
from retrieval.values.query import Filter, Query
from retrieval.values.study import Sex, Technique, View


def told(text: str, where: Filter | None = None) -> Plan:
    return plan(Query(text=text, where=Filter() if where is None else where))


def test_people_scanners_and_years_leave_the_text() -> None:
    found = told("severely reduced EF under 30 %, women over 60 at 3 T since 2019")
    assert found.asked[0].phrasings == ("severely reduced EF under 30 %",)
    assert found.words == ("women over 60", "at 3 T", "since 2019")
    assert found.where == Filter(
        sexes=frozenset({Sex.FEMALE}),
        age_from=61,
        field_strengths_t=frozenset({3.0}),
        year_from=2019,
    )


@pytest.mark.parametrize(
    ("text", "left", "where"),
    [
        ("women with a dilated LV", "dilated LV", Filter(sexes=frozenset({Sex.FEMALE}))),
        ("HCM on a Philips", "HCM", Filter(vendors=frozenset({"Philips"}))),
        ("scar, women and men", "scar", Filter(sexes=frozenset({Sex.FEMALE, Sex.MALE}))),
        ("scar between 2015 and 2017", "scar", Filter(year_from=2015, year_to=2017)),
        ("scar on LGE", "scar", Filter(techniques=frozenset({Technique.LGE}))),
        ("children with a large RV", "large RV", Filter(age_from=0, age_to=17)),
        (
            "4CH cine of a dilated RV",
            "dilated RV",
            Filter(views=frozenset({View.FOUR_CHAMBER}), techniques=frozenset({Technique.CINE})),
        ),
    ],
)
def test_what_the_filter_and_the_encoder_get(text: str, left: str, where: Filter) -> None:
    found = told(text)
    assert (found.asked[0].phrasings[0].removeprefix("a "), found.where) == (left, where)


@pytest.mark.parametrize("text", ["dilated LV", "late enhancement of the septum"])
def test_findings_are_no_filters(text: str) -> None:
    where = Filter(views=frozenset({View.SHORT_AXIS}))
    found = told(text, where)
    told_of = (found.where, found.never, found.words, found.asked[0].phrasings)
    assert told_of == (where, (), (), (text,))


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("scar not at 3 T", Filter(field_strengths_t=frozenset({3.0}))),
        ("HCM, no children", Filter(age_from=0, age_to=17)),
        ("scar without perfusion", Filter(techniques=frozenset({Technique.PERFUSION}))),
    ],
)
def test_denied_filters_are_what_no_study_may_pass(text: str, never: Filter) -> None:
    found = told(text)
    assert (found.never, found.where) == ((never,), Filter())


@pytest.mark.parametrize(
    ("text", "tesla"),
    [
        ("scar above 1.5 T", Interval(low=1.5)),
        ("scar not above 1.5 T", Interval(high=1.5, holds_high=True)),
    ],
)
def test_ranges_of_tesla_wait_for_the_archive(text: str, tesla: Interval) -> None:
    found = told(text)
    assert (found.field_strengths, found.where) == (tesla, Filter())


def test_words_narrow_a_filter_and_never_widen_it() -> None:
    where = Filter(age_from=50, age_to=70, sexes=frozenset({Sex.FEMALE, Sex.MALE}))
    found = told("scar, women over 60", where).where
    assert (found.age_from, found.age_to, found.sexes) == (61, 70, frozenset({Sex.FEMALE}))


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("scar, women", Filter(sexes=frozenset({Sex.MALE})), "sex"),
        ("scar, women over 60", Filter(age_to=50), "age"),
        ("scar since 2020", Filter(year_to=2015), "year"),
        ("scar at 3 T", Filter(field_strengths_t=frozenset({1.5})), "field strength"),
        ("scar, Philips", Filter(vendors=frozenset({"Siemens"})), "vendor"),
    ],
)
def test_a_contradiction_is_named(text: str, where: Filter, what: str) -> None:
    with pytest.raises(UsageError, match=f"the {what} that .* change one"):
        told(text, where)


def test_filters_alone_are_a_question() -> None:
    found = told("women over 60 at 3 T")
    assert found.lists
    assert found.where == Filter(
        sexes=frozenset({Sex.FEMALE}), age_from=61, field_strengths_t=frozenset({3.0})
    )


def test_no_statement_about_a_heart_is_taken_for_people_scanners_or_years() -> None:
    rng = Random(0)
    for concept in CONCEPTS:
        for split in ("train", "held out"):
            for phrase in sample_phrases(concept, split, 3, rng):
                found = told(phrase)
                pictures = replace(found.where, views=frozenset(), techniques=frozenset())
                assert (pictures, found.never) == (Filter(), ())


@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_text_is_divided_or_refused(text: str) -> None:
    try:
        found = told(text)
    except UsageError:
        return
    assert found.asked or found.judged or found.like or found.words
    for word in found.words:
        assert word in text
