"""Scores of the gold set as plain values: JSON for programs, tables for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from retrieval.evaluation.findings import PREVALENCE
from retrieval.evaluation.gold_asking import FUSED, TOP, WAYS
from retrieval.evaluation.gold_judging import GoldReport, Overlaps
from retrieval.evaluation.gold_scores import FEWEST, METRICS, THINNED, Estimates, Group, QueryScore
from retrieval.evaluation.tables import Table, figure, interval, plain

MAIN = "precision@10"
"""What is told first."""

SINGLE = tuple(way for way in WAYS if way != FUSED)


def json(report: GoldReport) -> dict[str, Any]:
    """Everything."""
    scores = report.scores
    return {
        "studies": report.studies,
        "patients": report.patients,
        "reported": report.reported,
        "gold": report.digest,
        "groups": [_group(group) for group in scores.groups],
        "queries": [_query(query) for query in scores.queries],
        "strata": [
            {
                "by": s.by,
                "name": s.name,
                "studies": s.studies,
                "queries": s.queries,
                "ways": _estimates(s.ways),
            }
            for s in scores.strata
        ],
        "not asked": list(scores.unasked),
        "paraphrases": _overlaps(report.paraphrases),
        "opposites": _overlaps(report.opposites),
        "worst": [
            {"query": w.query.ask.text, "cause": w.cause, **asdict(w.missed)} for w in report.worst
        ],
    }


def tables(report: GoldReport) -> list[Table]:
    """What is printed: kinds, what fusing is worth, strata, wordings, and the worst queries."""
    return [
        by_group(report.scores.groups, MAIN),
        gains(report.scores.groups, MAIN),
        by_group(report.scores.groups, "recall@R"),
        strata(report, "AUC"),
        overlap_summary(report),
        worst(report),
    ]


def by_group(groups: Sequence[Group], metric: str) -> Table:
    """One row a group, one column a way."""
    return Table(
        columns=(metric, "queries", *WAYS, "chance"),
        rows=tuple(
            (
                group.name,
                str(group.queries),
                *(interval(group.ways[way][metric]) for way in WAYS),
                figure(group.chance),
            )
            for group in groups
        ),
        note=f"{' and '.join(THINNED)}: those that answer are thinned to {PREVALENCE:.0%} at most; "
        "[95 % over patients]",
    )


def gains(groups: Sequence[Group], metric: str) -> Table:
    """What the fused answer has over each single way."""
    return Table(
        columns=(f"{metric}: {FUSED} less", *SINGLE),
        rows=tuple(
            (group.name, *(interval(group.less[way][metric]) for way in SINGLE)) for group in groups
        ),
        note="paired: the same queries and the same draws of patients",
    )


def strata(report: GoldReport, metric: str) -> Table:
    """One row a group of studies."""
    return Table(
        columns=("among", "", "studies", "queries", *(f"{metric}, {way}" for way in WAYS)),
        rows=tuple(
            (
                s.by,
                s.name,
                str(s.studies),
                str(s.queries),
                *(interval(s.ways[way][metric]) for way in WAYS),
            )
            for s in report.scores.strata
        ),
        note=f"queries that at least {FEWEST} of its studies answer, ranked among those alone",
    )


def overlap_summary(report: GoldReport) -> Table:
    """Paraphrases and opposites, over all groups."""
    told = (
        ("paraphrases", "at least", report.paraphrases),
        ("opposites", "at most", report.opposites),
    )
    rows = []
    for name, least, its in told:
        rows.append((f"{name}, mean", *(interval(its.mean[way]) for way in WAYS)))
        rows.append((f"{name}, share {least} {its.aim}", *(figure(its.met[way]) for way in WAYS)))
    return Table(
        columns=(f"overlap of the first {TOP}", *WAYS),
        rows=tuple(rows),
        note="intervals over groups of wordings",
    )


def overlap_groups(its: Overlaps) -> Table:
    """One row a group of wordings."""
    return Table(
        columns=("wordings", *WAYS),
        rows=tuple(
            (" | ".join(texts), *(figure(shared[way]) for way in WAYS))
            for texts, shared in sorted(its.groups, key=lambda g: g[1][FUSED])
        ),
    )


def worst(report: GoldReport) -> Table:
    """The queries with the least precision, and where to begin to look."""
    return Table(
        columns=(
            "query",
            "relevant",
            *WAYS,
            "understood as",
            "wrong",
            "agreeing",
            "silent",
            "cause",
        ),
        rows=tuple(
            (
                w.query.ask.text,
                str(w.query.relevant),
                *(figure(w.query.ways[way][MAIN].value) for way in WAYS),
                understood(w.query),
                f"{w.missed.wrong} of {w.missed.hits}",
                str(w.missed.agreeing),
                str(w.missed.silent),
                w.cause,
            )
            for w in report.worst
        ),
        note="of the first ten hits: wrong ones; those whose report agrees with the query; those "
        "whose report is silent",
    )


def queries(scored: Sequence[QueryScore], metric: str) -> Table:
    """One row a query, in the order of the file."""
    return Table(
        columns=("query", "kind", "relevant", "drawn", "chance", *WAYS, "understood as"),
        rows=tuple(
            (
                q.ask.text,
                q.ask.kind,
                str(q.relevant),
                str(q.drawn),
                figure(q.chance),
                *(interval(q.ways[way][metric]) for way in WAYS),
                understood(q),
            )
            for q in scored
        ),
    )


def understood(query: QueryScore) -> str:
    """Chips, what no chip stands for, and why it was refused if it was."""
    free = [f"free: {query.free}"] if query.free else []
    refused = [f"refused: {query.refused}"] if query.refused else []
    return "; ".join([*query.chips, *free, *refused])


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "queries": group.queries,
        "chance": group.chance,
        "ways": _estimates(group.ways),
        f"{FUSED} less": _estimates(group.less),
    }


def _query(query: QueryScore) -> dict[str, Any]:
    return {
        "query": query.ask.text,
        "kind": query.ask.kind,
        "relevant": query.relevant,
        "drawn": query.drawn,
        "chance": query.chance,
        "chips": list(query.chips),
        "free": query.free,
        "refused": query.refused,
        "ways": _estimates(query.ways),
    }


def _overlaps(its: Overlaps) -> dict[str, Any]:
    return {
        "aim": its.aim,
        "mean": {way: plain(asdict(estimate)) for way, estimate in its.mean.items()},
        "met": dict(its.met),
        "groups": [{"wordings": list(t), "overlap": dict(shared)} for t, shared in its.groups],
    }


def _estimates(ways: Estimates) -> Mapping[str, Any]:
    return {w: {m: plain(asdict(its[m])) for m in METRICS} for w, its in ways.items()}
