"""Reciprocal rank fusion."""

import hypothesis.strategies as st
from hypothesis import given, settings

from retrieval.search.fuse import RRF_K, fuse
from retrieval.values.study import StudyId

rankings = st.lists(
    st.lists(st.sampled_from([StudyId(c) for c in "abcdefg"]), unique=True), max_size=3
)


@settings(deadline=None)
@given(rankings)
def test_every_study_appears_once_with_the_sum_of_its_reciprocal_ranks(given_rankings):
    fused = fuse(*given_rankings)
    assert {s for s, _ in fused} == {s for ranking in given_rankings for s in ranking}
    assert len(fused) == len({s for s, _ in fused})
    for study, score in fused:
        assert score == sum(
            1 / (RRF_K + ranking.index(study) + 1) for ranking in given_rankings if study in ranking
        )
    assert fused == sorted(fused, key=lambda item: (-item[1], item[0]))


def test_one_ranking_keeps_its_order():
    ranking = [StudyId("c"), StudyId("a"), StudyId("b")]
    assert [study for study, _ in fuse(ranking)] == ranking
