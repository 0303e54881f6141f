"""Metrics against brute force over every order of tied studies, and against published values."""

import itertools
import json
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import ndcg_score, roc_auc_score

from retrieval.evaluation import metrics as m

METRICS = {
    "found@3": (lambda r: m.found_at(r, 3), lambda rel: sum(rel[:3])),
    "recall@1": (lambda r: m.recall_at(r, 1), lambda rel: rel[0] / sum(rel)),
    "recall@4": (lambda r: m.recall_at(r, 4), lambda rel: sum(rel[:4]) / sum(rel)),
    "precision@5": (lambda r: m.precision_at(r, 5), lambda rel: sum(rel[:5]) / 5),
    "first rank": (m.first_rank, lambda rel: rel.index(1) + 1),
    "reciprocal rank": (m.reciprocal_rank, lambda rel: 1 / (rel.index(1) + 1)),
    "ndcg@3": (lambda r: m.ndcg_at(r, 3), lambda rel: dcg(rel[:3]) / dcg([1] * min(3, sum(rel)))),
    "ndcg@10": (lambda r: m.ndcg_at(r, 10), lambda rel: dcg(rel) / dcg([1] * sum(rel))),
}


def dcg(gains) -> float:
    return sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def brute_force(scores, relevant, value) -> float:
    """Mean of a metric over all orders that agree with the scores."""
    best_first = sorted(set(scores), reverse=True)
    by_score = [[r for s, r in zip(scores, relevant, strict=True) if s == b] for b in best_first]
    orders = itertools.product(*(itertools.permutations(group) for group in by_score))
    return float(np.mean([value([int(r) for group in order for r in group]) for order in orders]))


@pytest.mark.parametrize("name", METRICS)
@settings(deadline=None, max_examples=60)
@given(
    ranking=st.lists(
        st.tuples(st.sampled_from([0.1, 0.2, 0.3, m.LAST]), st.booleans()), min_size=1, max_size=6
    ).filter(lambda pairs: any(relevant for _, relevant in pairs))
)
def test_the_expected_value_over_every_order_of_ties(name: str, ranking):
    scores, relevant = zip(*ranking, strict=True)
    ours, value = METRICS[name]
    assert ours(m.groups(scores, relevant)) == pytest.approx(brute_force(scores, relevant, value))


@settings(deadline=None, max_examples=60)
@given(
    ranking=st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30).filter(
        lambda pairs: len({relevant for _, relevant in pairs}) == 2
    )
)
def test_agrees_with_scikit_learn(ranking):
    scores, relevant = zip(*ranking, strict=True)
    grouped = m.groups(scores, relevant)
    assert m.area_under_roc(grouped) == pytest.approx(roc_auc_score(relevant, scores))
    expected = ndcg_score([relevant], [scores], k=10)
    assert m.ndcg_at(grouped, 10) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "r"), [(10, 1), (200, 30), (1000, 1)])
def test_constant_scores_give_what_chance_gives(n: int, r: int):
    grouped = m.groups(np.zeros(n), np.arange(n) < r)
    assert m.precision_at(grouped, 10) == pytest.approx(r / n)
    assert m.recall_at(grouped, 10) == pytest.approx(10 / n)
    assert m.area_under_roc(grouped) == 0.5
    assert m.first_rank(grouped) == pytest.approx((n + 1) / (r + 1))


def test_a_perfect_ranking_is_perfect_and_a_reversed_one_is_not():
    scores, relevant = np.arange(50, 0, -1), np.arange(50) < 12
    best, worst = m.groups(scores, relevant), m.groups(-scores, relevant)
    assert m.precision_at(best, 10) == m.area_under_roc(best) == 1
    assert m.ndcg_at(best, 10) == pytest.approx(1)
    assert m.recall_at(best, 10) == pytest.approx(10 / 12)
    assert (m.first_rank(best), m.reciprocal_rank(best)) == (1, 1)
    assert m.precision_at(worst, 10) == m.ndcg_at(worst, 10) == m.area_under_roc(worst) == 0
    assert m.first_rank(worst) == 39


def test_area_is_unknown_where_everything_is_relevant():
    assert np.isnan(m.area_under_roc(m.groups([1, 2], [True, True])))


def test_nothing_relevant_or_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="no study is relevant"):
        m.groups([1.0, 2.0], [False, False])
    with pytest.raises(ValueError, match="must be of one length"):
        m.groups([1.0, 2.0], [True])


@settings(deadline=None)
@given(seed=st.integers(0, 999))
def test_both_directions_are_treated_alike(seed: int):
    similarity = np.random.default_rng(seed).integers(0, 3, size=(7, 7)).astype(float)
    symmetric = similarity + similarity.T
    assert m.paired(symmetric) == m.paired(symmetric.T)


def independent(similarity: np.ndarray) -> tuple[dict[int, float], float, float]:
    """Recall at 1, 5, 10, 50, median and mean rank, from nothing but comparisons."""
    ranks, recalls = [], {k: [] for k in (1, 5, 10, 50)}
    for i, row in enumerate(similarity.tolist()):
        better = sum(score > row[i] for score in row)
        tied = sum(score == row[i] for score in row)  # itself among them
        ranks.append(sum(better + place for place in range(1, tied + 1)) / tied)
        for k, shares in recalls.items():
            shares.append(sum(better + place <= k for place in range(1, tied + 1)) / tied)
    means = {k: sum(shares) / len(shares) for k, shares in recalls.items()}
    return means, float(np.median(ranks)), sum(ranks) / len(ranks)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), levels=st.integers(1, 6), n=st.integers(2, 60))
def test_paired_retrieval_agrees_with_an_independent_computation_both_ways(
    seed: int, levels: int, n: int
):
    similarity = np.random.default_rng(seed).integers(0, levels, size=(n, n)).astype(float)
    for direction in (similarity, similarity.T):
        found = m.paired(direction)
        recall, median, mean = independent(direction)
        assert found.recall == pytest.approx(recall)
        assert (found.median_rank, found.mean_rank) == pytest.approx((median, mean))


@pytest.mark.parametrize("n", [10, 37, 400])
def test_a_constant_encoder_scores_exactly_chance_both_ways(n: int):
    constant = np.ones((n, 4)) @ np.ones((4, n))
    for direction in (constant, constant.T):
        found = m.paired(direction)
        assert found.recall == pytest.approx({k: min(1, k / n) for k in (1, 5, 10, 50)})
        assert found.median_rank == found.mean_rank == (n + 1) / 2


FIXTURE = Path(__file__).parents[3].parent / "shared" / "data" / "cmrclip_parity" / "metrics.json"


@pytest.fixture(scope="module")
def published() -> dict:
    if not FIXTURE.exists():
        pytest.skip("../shared/data/cmrclip_parity is not here")
    return json.loads(FIXTURE.read_text())


def as_published(found: m.Paired) -> dict[str, float]:
    percent = {f"R{k}": 100 * share for k, share in found.recall.items()}
    mean = float(np.exp(np.mean([np.log(percent[f"R{k}"]) for k in (1, 5, 10)])))
    return {
        **percent,
        "MedR": found.median_rank,
        "MeanR": found.mean_rank,
        "geometric_mean_R1-R5-R10": mean,
    }


def test_video_to_text_is_reproduced(published):
    similarity = np.array(published["sims"])
    assert as_published(m.paired(similarity.T)) == pytest.approx(published["v2t"])


def test_text_to_video_differs_in_the_one_query_whose_ties_were_decided_in_its_favour(published):
    similarity = np.array(published["sims"])
    tied = [i for i, row in enumerate(similarity) if np.sum(row == row[i]) > 1]
    assert tied == [3]
    others = similarity.copy()
    rank = int(np.sum(similarity[3] > similarity[3, 3])) + 1
    assert rank == 1  # the published rank: as if it had won against its six equals
    others[3, 3] += 1e-9
    assert as_published(m.paired(others)) == pytest.approx(published["t2v"])

    ours = as_published(m.paired(similarity))
    equals = int(np.sum(similarity[3] == similarity[3, 3]))
    mean_rank = (1 + equals) / 2
    assert (equals, mean_rank) == (7, 4)
    assert ours["MeanR"] == pytest.approx(published["t2v"]["MeanR"] + (mean_rank - 1) / 25)
    assert ours["R1"] == pytest.approx(published["t2v"]["R1"] - 4 * (1 - 1 / equals))


def test_the_published_area_is_reproduced(published):
    found = m.area_under_roc(m.groups(published["p"], published["y"]))
    assert found == pytest.approx(published["auc"])


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6).filter(
        lambda rows: any(grade for _, grade in rows)
    ),
    st.integers(1, 7),
)
def test_grades_gain_what_they_say_over_every_order_of_the_ties(rows, k):
    scores, grades = zip(*rows, strict=True)
    ideal = dcg(sorted(grades, reverse=True)[:k])
    assert m.graded_ndcg_at(scores, grades, k) == pytest.approx(
        brute_force(scores, grades, lambda order: dcg(order[:k]) / ideal)
    )
    binary = [min(grade, 1) for grade in grades]
    assert m.graded_ndcg_at(scores, binary, k) == pytest.approx(
        m.ndcg_at(m.groups(scores, binary), k)
    )


def test_grades_that_tell_nothing_are_refused():
    with pytest.raises(ValueError, match="every grade is 0"):
        m.graded_ndcg_at([1, 2], [0, 0], 10)
