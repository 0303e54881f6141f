"""Scores as plain values: JSON for programs, rows of text for people."""

import math
from typing import Any

from retrieval.evaluation.resample import Estimate
from retrieval.evaluation.scores import Scores

Json = dict[str, Any]
Row = tuple[str, ...]

QUERY_COLUMNS: Row = ("query", "relevant", "judged", "P@10", "R@10", "nDCG@10", "first", "AUC")
OVERALL_COLUMNS: Row = ("over all queries", "value", "95 % interval")

_SHOWN = ("precision@10", "recall@10", "ndcg@10", "first rank", "auc")


def scores_json(scores: Scores) -> Json:
    """Everything; what has no value is null."""
    return {
        "overall": {name: _estimate(estimate) for name, estimate in scores.overall.items()},
        "queries": [
            {
                "query": query.query,
                "relevant": query.relevant,
                "judged": query.judged,
                **{name: _number(value) for name, value in query.values.items()},
            }
            for query in scores.queries
        ],
    }


def query_rows(scores: Scores) -> list[Row]:
    """One row a query, under `QUERY_COLUMNS`."""
    return [
        (
            query.query,
            str(query.relevant),
            str(query.judged),
            *(_words(query.values[name]) for name in _SHOWN),
        )
        for query in scores.queries
    ]


def overall_rows(scores: Scores) -> list[Row]:
    """One row a number, under `OVERALL_COLUMNS`."""
    return [
        (name, _words(estimate.value), f"{_words(estimate.low)} to {_words(estimate.high)}")
        for name, estimate in scores.overall.items()
    ]


def _estimate(estimate: Estimate) -> Json:
    return {
        "value": _number(estimate.value),
        "low": _number(estimate.low),
        "high": _number(estimate.high),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _words(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}".rstrip("0").rstrip(".")
