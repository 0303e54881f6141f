"""The filter panel counts what each choice would leave."""

from dataclasses import replace
from itertools import pairwise

import fake_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.query import Filter
from retrieval.values.study import Sex
from webui.backend import READER, coverage_of
from webui.parts.filters import MAX_BARS, bars, panel

READING = fake_archive.reading()
COVERAGE = coverage_of(READING.catalog, READER)


def groups(where):
    content = panel(where, READING.catalog, COVERAGE, access=READER)
    return {part["name"]: part for part in content["parts"]}, content["any"]


def test_the_panel_offers_every_filter_in_its_order():
    parts, any_set = groups(Filter())
    assert list(parts) == ["age", "sex", "technique", "view", "field", "vendor", "year"]
    assert not any_set
    assert [o["label"] for o in parts["technique"]["options"]] == ["Cine", "LGE"]
    assert [o["label"] for o in parts["field"]["options"]] == ["1.5 T", "3 T"]
    assert [o["label"] for o in parts["view"]["options"]] == ["SAX", "2CH", "3CH", "4CH"]


def test_a_choice_does_not_change_its_own_counts_but_those_of_the_others():
    free, _ = groups(Filter())
    women, any_set = groups(Filter(sexes=frozenset([Sex.FEMALE])))
    assert any_set
    assert [o["count"] for o in women["sex"]["options"]] == [
        o["count"] for o in free["sex"]["options"]
    ]
    assert [o["on"] for o in women["sex"]["options"]] == [True, False]
    assert sum(o["count"] for o in women["vendor"]["options"]) == 12


def test_a_choice_that_leaves_nothing_stays_with_a_zero():
    parts, _ = groups(Filter(sexes=frozenset([Sex.FEMALE])))
    assert {o["label"]: o["count"] for o in parts["field"]["options"]} == {"1.5 T": 12, "3 T": 0}


def test_histograms_count_the_studies_that_the_other_filters_leave():
    where = Filter(sexes=frozenset([Sex.FEMALE]), age_from=60)
    parts, _ = groups(where)
    assert sum(b["count"] for b in parts["age"]["bars"]) == 12
    left = READING.catalog.eligible(where, access=READER)
    assert sum(b["count"] for b in parts["year"]["bars"]) == len(left) < 12
    age = parts["age"]
    assert (age["min"], age["max"], age["low"], age["high"]) == (31, 90, 60, 90)
    assert age["open"]


def test_studies_of_unknown_age_are_said_to_be_without():
    known = dict(list(COVERAGE.ages.items())[5:])
    content = panel(Filter(), READING.catalog, replace(COVERAGE, ages=known), access=READER)
    assert content["parts"][0]["note"] == "5 without"


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 90), st.integers(1, 50), min_size=2))
def test_pooling_into_bars_loses_no_study(counts):
    first, last = min(counts), max(counts)
    made = bars(counts, first, last)
    assert len(made) <= MAX_BARS
    assert sum(bar["count"] for bar in made) == sum(counts.values())
    assert made[0]["from"] == first
    assert made[-1]["to"] == last
    assert all(a["to"] + 1 == b["from"] for a, b in pairwise(made))
