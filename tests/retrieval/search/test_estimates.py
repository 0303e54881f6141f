"""Places in an archive, judged by counting."""

from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.search.estimates import COVERAGE, percentiles, ranked, standings
from retrieval.search.fuse import fuse, ranks
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.study import StudyId

VOLUME, EJECTION = Quantity.LVEDV, Quantity.LVEF

few = st.integers(-4, 4).map(float)  # so that many are equal
estimates_of_few = st.builds(
    lambda q, v, s: Estimate(quantity=q, value=v, spread=s),
    st.sampled_from([VOLUME, EJECTION]),
    few,
    st.sampled_from([0.0, 0.5, 3.0]),
)
archives = st.dictionaries(
    st.text("abc", min_size=1, max_size=4).map(StudyId),
    st.lists(estimates_of_few, max_size=2, unique_by=lambda e: e.quantity),
    max_size=12,
)


def counted(value, values):
    """The slow way: compare with each."""
    return 100 * sum(1.0 if v < value else 0.5 if v == value else 0.0 for v in values) / len(values)


def of(quantity, estimates):
    return {s: e for s, several in estimates.items() for e in several if e.quantity is quantity}


@settings(deadline=None)
@given(archives)
def test_percentiles_and_intervals_agree_with_counting(estimates):
    reach = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    for study, several in estimates.items():
        found = standings(study, estimates)
        assert [s.quantity for s in found] == sorted(
            (e.quantity for e in several), key=list(Quantity).index
        )
        for standing in found:
            all_ = of(standing.quantity, estimates)
            own, values = all_[study], [e.value for e in all_.values()]
            assert standing.studies == len(values)
            assert standing.percentile == pytest.approx(counted(own.value, values))
            ends = (own.value - reach * own.spread, own.value + reach * own.spread)
            assert standing.low == pytest.approx(counted(ends[0], values))
            assert standing.high == pytest.approx(counted(ends[1], values))
            assert 0 <= standing.low <= standing.percentile <= standing.high <= 100


@settings(deadline=None)
@given(archives, st.booleans())
def test_the_order_is_that_of_the_values_then_of_the_ids(estimates, largest_first):
    found = ranked(VOLUME, estimates, largest_first=largest_first)
    values = {s: e.value for s, e in of(VOLUME, estimates).items()}
    assert sorted(found) == sorted(values)
    for one, next_ in pairwise(found):
        if values[one] == values[next_]:
            assert one < next_
        else:
            assert (values[one] > values[next_]) == largest_first


def archive(values, spread=0.0):
    return {
        StudyId(f"s{n}"): (Estimate(quantity=VOLUME, value=v, spread=spread),)
        for n, v in enumerate(values)
    }


def test_places_do_not_depend_on_the_bias():
    values = np.random.default_rng(1).normal(150, 40, 60)
    plain, shifted = archive(values, 12.0), archive(values - 41, 12.0)
    assert [standings(s, plain) for s in plain] == [standings(s, shifted) for s in shifted]
    assert ranked(VOLUME, plain) == ranked(VOLUME, shifted)


def test_a_study_alone_is_in_the_middle_and_says_nothing_more():
    alone = archive([150.0], spread=10.0)
    (standing,) = standings(StudyId("s0"), alone)
    assert (standing.low, standing.percentile, standing.high) == (0.0, 50.0, 100.0)
    assert standing.studies == 1


def test_a_study_of_which_nothing_is_estimated_has_no_place():
    assert standings(StudyId("nobody"), archive([1.0, 2.0])) == []
    assert ranked(EJECTION, archive([1.0, 2.0])) == []


def test_an_order_can_be_fused_with_others():
    found = ranked(VOLUME, archive([1.0, 3.0, 2.0]))
    assert found == ["s1", "s2", "s0"]
    assert fuse(ranks(found), {"s2": 1})[0][0] == "s2"


def test_percentiles_of_numbers_that_no_study_has():
    found = percentiles(np.array([3.0, 1.0, 2.0, 2.0]), np.array([0.0, 1.5, 2.0, 9.0]))
    assert found.tolist() == [0.0, 25.0, 50.0, 100.0]
