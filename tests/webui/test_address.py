"""The URL is the page's only memory, so it must say everything, and nothing else."""

from dataclasses import replace
from urllib.parse import parse_qs, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.query import Filter
from retrieval.values.study import Sex, StudyId, Technique, View
from webui.address import (
    PAGE_SIZE,
    Address,
    filtered,
    from_params,
    meaning,
    more_like,
    search_for,
    to_params,
)

studies = st.from_regex(r"[0-9a-f]{24}", fullmatch=True).map(StudyId)
words = st.text(min_size=1, max_size=40).map(lambda t: " ".join(t.split())).filter(bool)


@st.composite
def ranges(draw, low, high):
    ends = sorted(draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    return tuple(end if draw(st.booleans()) else None for end in ends)


@st.composite
def addresses(draw):
    ages, years = draw(ranges(0, 90)), draw(ranges(1980, 2040))
    like = draw(st.none() | studies)
    return Address(
        text="" if like else draw(st.just("") | words),
        like=like,
        study=draw(st.none() | studies),
        page=draw(st.integers(1, 999)),
        why=draw(st.none() | studies),
        where=Filter(
            views=draw(st.frozensets(st.sampled_from(View))),
            techniques=draw(st.frozensets(st.sampled_from(Technique))),
            sexes=draw(st.frozensets(st.sampled_from(Sex))),
            field_strengths_t=draw(st.frozensets(st.sampled_from([0.55, 1.5, 3.0, 7.0]))),
            vendors=draw(st.frozensets(st.sampled_from(["GE", "Siemens Healthineers", "a&b=c"]))),
            age_from=ages[0],
            age_to=ages[1],
            year_from=years[0],
            year_to=years[1],
        ),
    )


@settings(deadline=None)
@given(addresses())
def test_an_address_survives_the_url(address):
    url = urlencode(to_params(address), doseq=True)
    assert from_params(parse_qs(url)) == (address, [])


def test_an_empty_address_writes_nothing():
    assert to_params(Address()) == {}
    assert from_params({}) == (Address(), [])


def test_parts_that_mean_nothing_are_named_and_have_no_effect():
    params = {
        "q": ["scar"],
        "view": ["SAX", "5CH"],
        "age": ["60-40"],
        "field": ["x"],
        "year": ["-"],
        "study": ["../etc"],
        "page": ["0"],
        "sort": ["name"],
    }
    address, unread = from_params(params)
    assert address == Address(text="scar", where=Filter(views=frozenset([View.SHORT_AXIS])))
    assert sorted(unread) == [
        "age=60-40",
        "field=x",
        "page=0",
        "sort=name",
        "study=../etc",
        "view=5CH",
        "year=-",
    ]


def test_a_new_question_keeps_the_filters_and_starts_at_the_first_page():
    where = Filter(sexes=frozenset([Sex.FEMALE]))
    old = Address(text="a", where=where, page=3, study=StudyId("0" * 24))
    assert search_for("  dilated   LV ", old) == Address(text="dilated LV", where=where)
    assert more_like(StudyId("1" * 24), old) == Address(like=StudyId("1" * 24), where=where)


def test_other_filters_keep_the_question_and_start_at_the_first_page():
    old = Address(text="a", page=3, study=StudyId("0" * 24))
    where = Filter(age_from=60)
    assert filtered(where, old) == Address(text="a", where=where)


def test_the_query_asks_for_as_many_hits_as_the_page_needs():
    assert Address(text="a", page=3).query().limit == 3 * PAGE_SIZE
    like = StudyId("1" * 24)
    assert (Address(like=like).query().like, Address(like=like).query().text) == (like, "")


def test_words_and_an_example_are_asked_together():
    address, _ = from_params({"q": ["without scar"], "like": ["2" * 24]})
    assert (address.like, address.text, address.asks) == ("2" * 24, "without scar", True)
    assert (address.query().like, address.query().text) == ("2" * 24, "without scar")
    assert search_for("with scar", address) == Address(text="with scar", like=address.like)


def test_edited_chips_stand_in_the_address():
    chips = ("finding:lv_dilation;at=lv", "-finding:scar", "~measurement:lvef:(,35)", "sex:F")
    address = Address(text="dilated LV", chips=chips)
    written = {k: v if isinstance(v, list) else [v] for k, v in to_params(address).items()}
    assert from_params(written) == (address, [])
    assert address.query().chips == chips
    assert meaning(chips[:1], replace(address, page=3)) == replace(address, chips=chips[:1])


def test_a_chip_that_means_nothing_is_named():
    address, unread = from_params({"q": ["scar"], "chip": ["finding:scar", "finding:unicorn"]})
    assert address.chips == ("finding:scar",)
    assert unread == ["chip=finding:unicorn"]
    assert from_params({"q": ["scar"]})[0].chips is None
