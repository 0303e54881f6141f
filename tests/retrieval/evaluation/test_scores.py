"""From judged questions to scores."""

import json

import numpy as np
import pytest

from retrieval.evaluation import views
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.scores import METRICS, QueryScores, evaluate, levels, summarise
from retrieval.search.searcher import Order
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Query
from retrieval.values.study import StudyId

A, B, C, D, E = (StudyId(name) for name in "ABCDE")


class Fixed:
    """Answers every question with one order, and remembers what it was asked."""

    def __init__(self, *order: tuple[StudyId, float], eligible: int = 5) -> None:
        self.asked: list[Query] = []
        self._order = Order(studies=order, eligible=eligible, missing=eligible - len(order))

    def rank(self, query: Query, *, access: Access) -> Order:
        assert access is LOCAL_OPERATOR
        self.asked.append(query)
        return self._order


def one(searcher: Fixed, relevant: set[StudyId], among: set[StudyId] | None = None):
    judgment = Judgment(
        query="q",
        relevant=frozenset(relevant),
        among=None if among is None else frozenset(among),
    )
    (found,) = evaluate(searcher, [judgment], access=LOCAL_OPERATOR).queries
    return found


def test_every_eligible_study_is_ranked_in_the_channel_asked_for():
    searcher = Fixed((A, 0.9))
    judgment = Judgment(query="large heart", relevant=frozenset([A]))
    evaluate(searcher, [judgment], access=LOCAL_OPERATOR, channel=Channel.REPORT)
    (asked,) = searcher.asked
    assert (asked.text, asked.limit, asked.channel) == ("large heart", None, Channel.REPORT)


def test_the_place_of_the_relevant_studies_is_what_counts():
    found = one(Fixed((A, 0.9), (B, 0.8), (C, 0.7), (D, 0.6), (E, 0.5)), {B, D})
    assert (found.relevant, found.judged) == (2, 5)
    assert found.values["first rank"] == 2
    assert found.values["recall@1"] == 0
    assert found.values["recall@5"] == 1
    assert found.values["precision@10"] == 0.2
    assert found.values["auc"] == pytest.approx(3 / 6)


def test_an_order_counts_as_it_stands_whatever_its_scores():
    """Studies whose report denies what is wanted come later, with their scores."""
    order = Order(studies=((A, 0.2), (B, 0.2), (C, 0.9), (D, 0.1)), eligible=4, missing=0)
    found = levels(order)
    assert list(found) == [A, B, C, D]
    assert found[A] == found[B] > found[C] > found[D]
    assert one(Fixed(*order.studies), {C}).values["first rank"] == 3
    assert levels(Order(studies=(), eligible=0, missing=0)) == {}


def test_grades_are_the_gains_and_those_left_out_come_last():
    judgment = Judgment(
        query="q",
        relevant=frozenset([B, D]),
        among=frozenset([A, B, D, E]),
        grades={A: 1, B: 3, D: 2, E: 0},
    )
    ranker = Fixed((A, 0.9), (C, 0.8), (B, 0.7))  # D and E tie for last, C is not judged
    (found,) = evaluate(ranker, [judgment], access=LOCAL_OPERATOR).queries
    places = 1 / np.log2(np.arange(2, 6))
    gained = np.dot([1, 3, 1, 1], places)  # either of the last two is the 2 as often
    assert found.values["ndcg@10"] == pytest.approx(gained / np.dot([3, 2, 1, 0], places))
    assert found.values["first rank"] == 2
    assert found.judged == 4


def test_studies_that_were_not_judged_are_taken_out_first():
    order = Fixed((A, 0.9), (B, 0.8), (C, 0.7))
    assert one(order, {C}, {B, C}).values["first rank"] == 2
    assert one(order, {C}, {B, C}).judged == 2


def test_eligible_studies_that_a_ranking_leaves_out_tie_for_last():
    found = one(Fixed((A, 0.9), eligible=5), {B})
    assert found.judged == 5
    assert found.values["first rank"] == pytest.approx(1 + (4 + 1) / 2)
    among = one(Fixed((A, 0.9), eligible=5), {B}, {A, B, C})
    assert among.judged == 3
    assert among.values["first rank"] == pytest.approx(1 + (2 + 1) / 2)


def test_a_relevant_study_that_is_not_eligible_counts_as_missed():
    found = one(Fixed((A, 0.9), (B, 0.8), eligible=2), {A, E})
    assert found.judged == 3
    assert found.values["recall@1"] == 0.5
    assert found.values["recall@10"] == 1  # the third of three places
    assert found.values["auc"] == 0.5


def scored(*first_ranks: float, auc: float = 0.5) -> list[QueryScores]:
    return [
        QueryScores(
            query="q",
            relevant=1,
            judged=9,
            values=dict.fromkeys(METRICS, 0.25)
            | {"first rank": rank, "reciprocal rank": 1 / rank, "auc": auc},
        )
        for rank in first_ranks
    ]


def test_means_medians_and_their_intervals():
    overall = summarise(scored(1, 2, 4))
    assert overall["median rank"].value == 2
    assert overall["mrr"].value == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert (overall["median rank"].low, overall["median rank"].high) == (1, 4)
    assert overall["mrr"].low < overall["mrr"].value < overall["mrr"].high
    constant = overall["recall@5"]
    assert (constant.low, constant.value, constant.high) == (0.25, 0.25, 0.25)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        sample = scored(*(1 / rng.uniform(0.2, 1, size=40)))
        estimate = summarise(sample)["mrr"]
        covered += estimate.low <= 0.6 <= estimate.high
    assert 51 <= covered <= 60  # 0.95 of 60 is 57; 51 is three standard deviations below


def test_the_same_scores_give_the_same_interval():
    assert summarise(scored(1, 2, 4)) == summarise(scored(1, 2, 4))


def test_what_has_no_value_is_left_out_of_means_and_is_null_in_json():
    mixed = [*scored(1, auc=float("nan")), *scored(2, auc=0.8)]
    assert summarise(mixed)["auc"].value == 0.8
    nothing = summarise(scored(1, auc=float("nan")))["auc"]
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()

    scores = evaluate(
        Fixed((A, 1.0), eligible=1),
        [Judgment(query="q", relevant=frozenset([A]))],
        access=LOCAL_OPERATOR,
    )
    told = json.loads(json.dumps(views.scores_json(scores), allow_nan=False))
    assert told["queries"][0]["auc"] is None
    assert told["overall"]["auc"] == {"value": None, "low": None, "high": None}
    assert told["overall"]["recall@1"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_rows_for_people():
    scores = evaluate(
        Fixed((A, 0.9), (B, 0.8), eligible=2),
        [Judgment(query="large heart", relevant=frozenset([B]))],
        access=LOCAL_OPERATOR,
    )
    assert views.query_rows(scores) == [("large heart", "1", "2", "0.1", "1", "0.631", "2", "0")]
    assert ("median rank", "2", "2 to 2") in views.overall_rows(scores)
