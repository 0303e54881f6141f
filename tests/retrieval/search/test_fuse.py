"""Reciprocal rank fusion."""

import hypothesis.strategies as st
from hypothesis import given, settings

from retrieval.search.fuse import RRF_K, fuse, ranks, shared_ranks
from retrieval.values.study import StudyId

rankings = st.lists(
    st.lists(st.sampled_from([StudyId(c) for c in "abcdefg"]), unique=True), max_size=3
)


@settings(deadline=None)
@given(rankings)
def test_every_study_appears_once_with_the_sum_of_its_reciprocal_ranks(given_rankings):
    fused = fuse(*map(ranks, given_rankings))
    assert {s for s, _ in fused} == {s for ranking in given_rankings for s in ranking}
    assert len(fused) == len({s for s, _ in fused})
    for study, score in fused:
        assert score == sum(
            1 / (RRF_K + ranking.index(study) + 1) for ranking in given_rankings if study in ranking
        )
    assert fused == sorted(fused, key=lambda item: (-item[1], item[0]))


def test_one_ranking_keeps_its_order():
    ranking = [StudyId("c"), StudyId("a"), StudyId("b")]
    assert [study for study, _ in fuse(ranks(ranking))] == ranking


def test_equal_scores_share_the_better_rank():
    scores = dict(zip(map(StudyId, "abcd"), (2.0, 0.5, 2.0, 1.0), strict=True))
    assert shared_ranks(scores) == {"a": 1, "c": 1, "d": 3, "b": 4}
    assert fuse(shared_ranks(scores))[:2] == [("a", 1 / (RRF_K + 1)), ("c", 1 / (RRF_K + 1))]
