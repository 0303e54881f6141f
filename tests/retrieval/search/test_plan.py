"""Who is asked what: the encoder, the reports, the catalog; and what a reader's edits change."""

from dataclasses import replace

import pytest

from retrieval.errors import UsageError
from retrieval.search.asked import Asked
from retrieval.search.plan import plan
from retrieval.values.query import Filter, Query
from retrieval.values.study import StudyId

STUDY = "0123456789abcdef01234567"
TEXT = "dilated left ventricle without scar, LVEF < 35 %, women"


def lines(query: Query) -> tuple[str, ...]:
    return plan(query).lines


def typed(query: Query) -> str:
    """The group of words that the encoder is asked as they stand."""
    first = plan(query).asked
    return first[0].phrasings[0] if first else ""


def test_the_encoder_is_asked_what_it_can_see() -> None:
    found = plan(Query(text=TEXT))
    assert typed(Query(text=TEXT)) == "dilated left ventricle, LVEF < 35 %"
    assert "enlarged left ventricular cavity" in found.asked[1].phrasings
    assert not any("scar" in phrase for one in found.asked for phrase in one.phrasings)
    assert [type(chip).__name__ for chip in found.judged] == [
        "FindingChip", "FindingChip", "MeasurementChip",
    ]  # fmt: skip
    assert [chip.term for chip in found.wanted] == ["lv_dilation"]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("dilated left ventricle", 0.25),
        ("severely dilated LV, women over 60", 0.25),
        ("dilated LV without scar", 0.25),
        ("subendocardial scar", 1.0),
        ("scar in the septum", 1.0),
        ("baggy dilated left ventricle of an athlete", 1.0),
        ("dilated left ventricle, LVEF < 35 %", 1.0),
        ("something quite else", 1.0),
        ("preserved EF", 1.0),
    ],
)
def test_words_that_say_no_more_than_the_phrasings_count_less(text: str, weight: float) -> None:
    first, *known = plan(Query(text=text)).asked
    assert first.weight == weight
    assert all(one.weight == 1 for one in known)


def test_a_literal_query_is_asked_as_it_stands() -> None:
    found = plan(Query(text=TEXT, literal=True))
    assert found.asked == (Asked((TEXT,)),)
    assert (found.chips, found.judged, found.where) == ((), (), Filter())


def test_what_nobody_knows_is_asked_as_it_stands() -> None:
    assert plan(Query(text="big baggy heart, men")).asked == (Asked(("big baggy heart",)),)


def test_a_denial_alone_asks_reports_only() -> None:
    found = plan(Query(text="no late gadolinium enhancement"))
    assert (found.asked, found.free) == ((), "")
    assert len(found.judged) == 1


def test_edited_chips_stand_in_place_of_the_understood_ones() -> None:
    query = Query(text="dilated left ventricle with scar")
    lv, scar = lines(query)
    off = replace(query, chips=(lv, f"~{scar}"))
    assert typed(off) == "dilated left ventricle"
    assert [chip.term for chip in plan(off).judged] == ["lv_dilation"]
    flipped = replace(query, chips=(lv, f"-{scar}"))
    assert typed(flipped) == "dilated left ventricle"
    assert [chip.term for chip in plan(flipped).wanted] == ["lv_dilation"]
    more = replace(query, chips=(lv, scar, "finding:hcm"))
    assert typed(more) == query.text
    assert "hypertrophic cardiomyopathy" in plan(more).asked[1].phrasings


def test_examples_may_be_named_in_words_or_beside_them() -> None:
    named = plan(Query(text=f"like {STUDY} but with preserved EF"))
    beside = plan(Query(text="preserved EF", like=StudyId(STUDY)))
    this = plan(Query(text="like this, but without scar", like=StudyId(STUDY)))
    assert named.like == beside.like == this.like == (StudyId(STUDY),)
    assert named.judged[0].term == "lv_dysfunction"
    assert (named.asked, this.asked) == ((Asked(("preserved EF",)),), ())


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("scar with preserved ejection fraction", "scar with preserved ejection fraction"),
        ("big RV with a normal sized LV", "big RV with a normal sized LV"),
        ("dilated left ventricle without scar", "dilated left ventricle"),
        ("EF preserved, no effusion", "EF preserved"),
        ("RV not enlarged", ""),
        ("non-dilated LV", ""),
        ("scar absent", ""),
    ],
)
def test_what_is_called_normal_is_asked_and_what_is_denied_is_not(text: str, asked: str) -> None:
    found = plan(Query(text=text)).asked
    assert (found[0].phrasings[0] if found else "") == asked
    assert len(found) == (2 if text == "dilated left ventricle without scar" else bool(asked))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(text="like this, but without scar"), "open one"),
        (Query(text="women over 60", chips=("~sex:F",)), "nothing is left"),
        (Query(text="women with an EF under 350 %"), "no heart measures"),
        (Query(text="EF under 350 %"), "no heart measures"),
        (Query(text="scar", chips=("~finding:scar",)), "turn a chip on"),
        (Query(text="scar", chips=("finding:nothing",)), "cannot be read"),
        (Query(text="scar, not between 1 and 2 T"), "two ranges"),
    ],
)
def test_what_cannot_be_planned_says_why(query: Query, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan(query)


@pytest.mark.parametrize(
    "text", ["men over 80", "Philips, 2018", "four-chamber cines of girls", "not at 3 T"]
)
def test_words_that_only_say_whose_studies_list_them(text: str) -> None:
    planned = plan(Query(text=text))
    assert planned.lists
    assert (planned.asked, planned.judged, planned.like) == ((), (), ())
    assert not plan(Query(text=f"{text}, dilated left ventricle")).lists
