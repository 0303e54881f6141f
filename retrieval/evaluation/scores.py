"""Scores: how well a searcher answers judged questions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import metrics
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.resample import DRAWS, Estimate, estimate
from retrieval.search.searcher import Order
from retrieval.values.query import Access, Channel, Query
from retrieval.values.study import StudyId

METRICS: dict[str, Callable[[metrics.Groups], float]] = {
    "recall@1": lambda r: metrics.recall_at(r, 1),
    "recall@5": lambda r: metrics.recall_at(r, 5),
    "recall@10": lambda r: metrics.recall_at(r, 10),
    "precision@10": lambda r: metrics.precision_at(r, 10),
    "first rank": metrics.first_rank,
    "reciprocal rank": metrics.reciprocal_rank,
    "ndcg@10": lambda r: metrics.ndcg_at(r, 10),
    "auc": metrics.area_under_roc,
}
"""Per question; see `retrieval.evaluation.metrics`. Grades, where there are any, are the gains."""

_SUMMARIES: dict[str, tuple[str, Callable[..., NDArray[np.float64]]]] = {
    **{
        name: (name, np.mean)
        for name in ("recall@1", "recall@5", "recall@10", "precision@10", "ndcg@10", "auc")
    },
    "mrr": ("reciprocal rank", np.mean),
    "median rank": ("first rank", np.median),
}
"""Over questions: which metric, and how it is summed up."""


class Ranks(Protocol):
    """What can be evaluated: a `Searcher`."""

    def rank(self, query: Query, *, access: Access) -> Order:
        """Rank the eligible studies."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryScores:
    """How well one question was answered.

    Attributes
    ----------
    relevant, judged
        Studies that answer it, and studies it was judged on.
    values
        One number per entry of `METRICS`.
    """

    query: str
    relevant: int
    judged: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores per question, and over all of them by name."""

    queries: tuple[QueryScores, ...]
    overall: dict[str, Estimate]


def evaluate(
    searcher: Ranks,
    judgments: Sequence[Judgment],
    *,
    access: Access,
    channel: Channel = Channel.VIDEO,
    literal: bool = False,
) -> Scores:
    """Ask every judged question and score the rankings.

    With `literal` the encoder is asked the words as they stand, as tables of
    encoders want it; else they are understood, as in a search. Judged studies
    that a ranking leaves out (no vector, no matching report, not indexed) tie
    for last.
    """
    queries = tuple(
        _score(
            searcher,
            judgment,
            Query(text=judgment.query, literal=literal, limit=None, channel=channel),
            access,
        )
        for judgment in judgments
    )
    return Scores(queries=queries, overall=summarise(queries))


def summarise(queries: Sequence[QueryScores], *, seed: int = 0) -> dict[str, Estimate]:
    """Sum up over questions, with intervals over resampled questions.

    An interval says how much a number owes to these very questions; it knows
    nothing of other archives. With one question it has no width.

    Questions without a value (area under the curve where all is relevant) do
    not count for it; a number that no question has is NaN.
    """
    overall: dict[str, Estimate] = {}
    for name, (metric, summary) in _SUMMARIES.items():
        values = np.array([query.values[metric] for query in queries])
        values = values[~np.isnan(values)]
        if not len(values):
            overall[name] = Estimate(value=np.nan, low=np.nan, high=np.nan)
            continue
        draws = np.random.default_rng(seed).integers(len(values), size=(DRAWS, len(values)))
        overall[name] = estimate(float(summary(values)), summary(values[draws], axis=1))
    return overall


def levels(order: Order) -> dict[StudyId, float]:
    """Scores that fall along an order, those that tie in it staying tied.

    An order is not always one of falling scores: studies whose report denies
    what is wanted come later, whatever their score.
    """
    found: dict[StudyId, float] = {}
    level, before = 0.0, None
    for study, score in order.studies:
        level -= before is not None and score != before
        found[study], before = level, score
    return found


def _score(searcher: Ranks, judgment: Judgment, query: Query, access: Access) -> QueryScores:
    order = searcher.rank(query, access=access)
    ranked = levels(order)
    if judgment.among is not None:
        ranked = {study: score for study, score in ranked.items() if study in judgment.among}
    unfound = len(judgment.relevant - ranked.keys())
    judged = order.eligible if judgment.among is None else len(judgment.among)
    left_out = max(judged - len(ranked), unfound)
    scores = [*ranked.values(), *[metrics.LAST] * left_out]
    truth = [study in judgment.relevant for study in ranked]
    truth += [i < unfound for i in range(left_out)]
    grouped = metrics.groups(scores, truth)
    values = {name: metric(grouped) for name, metric in METRICS.items()}
    if judgment.grades is not None:
        lost = judgment.grades.keys() - ranked.keys()
        grades = [judgment.grades[study] for study in (*ranked, *lost)]
        values["ndcg@10"] = metrics.graded_ndcg_at(scores, grades, 10)
    return QueryScores(
        query=judgment.query,
        relevant=len(judgment.relevant),
        judged=len(scores),
        values=values,
    )
