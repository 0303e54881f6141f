"""How well an archive of simulated hearts answers the gold set.

Judged by what is true of the hearts alone, which no channel knows. Conjunctions
(`THINNED`) are asked at the prevalence of a clinic: so few of the studies that
answer are drawn that they make up `findings.PREVALENCE` at most, again and
again. Intervals are over patients; every query and every way of asking shares
the draws, so that means and differences have intervals of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import cutoffs, resample
from retrieval.evaluation.findings import draw_positives, drawn_of
from retrieval.evaluation.gold import Ask
from retrieval.evaluation.gold_asking import FUSED, WAYS, Answer
from retrieval.evaluation.resample import Estimate, Floats, Sorted

DRAWS = 400
"""Of patients for an interval, and of studies that answer where those are thinned."""

FEWEST = 5
"""Studies that must answer a query for it to be scored."""

THINNED = ("negation", "combined")
"""Kinds that ask for several things at once."""

METRICS: Mapping[str, Callable[[Sorted, Floats], Floats]] = {
    "precision@10": cutoffs.precision_capped,
    "recall@R": cutoffs.recall_at_relevant,
    "average precision": resample.average_precision,
    "nDCG@10": cutoffs.ndcg,
    "AUC": resample.area_under_roc,
}
"""Precision over the first ten places, or as many as have an answer; recall over the first R."""

BANDS = ((0.0, 0.02), (0.02, 0.05), (0.05, 0.15), (0.15, 0.4), (0.4, 1.0))
"""Of prevalence: above the one, up to the other."""

Estimates = Mapping[str, Mapping[str, Estimate]]
"""By way and metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryScore:
    """How well one query was answered.

    Attributes
    ----------
    relevant, drawn
        Studies that answer it, and how many of them stand in a draw.
    chance
        Precision of an order that nobody decided.
    ways
        By way and metric.
    """

    ask: Ask
    relevant: int
    drawn: int
    chance: float
    ways: Estimates
    chips: tuple[str, ...]
    free: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several queries together: a kind, or a band of prevalence.

    Attributes
    ----------
    less
        By way and metric: the fused answer's mean less that of the way.
    """

    name: str
    queries: int
    chance: float
    ways: Estimates
    less: Estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The same queries among some studies only.

    Attributes
    ----------
    queries
        That enough of its studies answer, and some do not.
    """

    by: str
    name: str
    studies: int
    queries: int
    ways: Estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldScores:
    """Everything that was judged by truth.

    Attributes
    ----------
    groups
        Every query, then kind by kind, then by prevalence.
    unasked
        Queries that fewer than `FEWEST` studies answer, or all.
    """

    groups: tuple[Group, ...]
    queries: tuple[QueryScore, ...]
    strata: tuple[Stratum, ...]
    unasked: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One query over resamplings: (DRAWS,) numbers by way and metric, and on the whole archive."""

    score: QueryScore
    values: Mapping[str, Mapping[str, float]]
    draws: Mapping[str, Mapping[str, Floats]]


def score_gold(
    answers: Sequence[Answer],
    relevant: Sequence[NDArray[np.bool_]],
    patients: Sequence[str],
    strata: Mapping[str, Sequence[str]],
    *,
    draws: int = DRAWS,
) -> GoldScores:
    """Score all answers.

    Parameters
    ----------
    relevant
        (N,) which studies answer, one a query.
    patients
        (N,) whose study each is.
    strata
        (N,) groups of studies by what they are grouped by ("sex").
    """
    everyone = resample.by_patient(patients, np.zeros(len(patients)), draws=draws)
    asked = [(a, r) for a, r in zip(answers, relevant, strict=True) if _tells(r)]
    if not asked:
        return GoldScores(groups=(), queries=(), strata=(), unasked=_texts(answers))
    drawn = [_draw(answer, true, everyone) for answer, true in asked]
    kinds = list(dict.fromkeys(d.score.ask.kind for d in drawn))
    groups = [_group("all queries", drawn)]
    groups += [_group(k, [d for d in drawn if d.score.ask.kind == k]) for k in kinds]
    for low, high in BANDS:
        its = [d for d, (_, r) in zip(drawn, asked, strict=True) if low < r.mean() <= high]
        groups += [_group(f"prevalence {low:.0%} to {high:.0%}", its)] if its else []
    known = {a.ask.text for a, _ in asked}
    return GoldScores(
        groups=tuple(groups),
        queries=tuple(d.score for d in drawn),
        strata=tuple(_strata(asked, everyone, strata)),
        unasked=tuple(text for text in _texts(answers) if text not in known),
    )


def _texts(answers: Sequence[Answer]) -> tuple[str, ...]:
    return tuple(answer.ask.text for answer in answers)


def _tells(relevant: NDArray[np.bool_]) -> bool:
    return FEWEST <= relevant.sum() < len(relevant)


def _draw(answer: Answer, true: NDArray[np.bool_], everyone: Floats) -> _Drawn:
    """Score one query as it is and over resamplings, thinned where its kind is."""
    thin = answer.ask.kind in THINNED
    count = max(1, min(int(true.sum()), drawn_of(true))) if thin else int(true.sum())
    rng = np.random.default_rng(0)
    whole = resample.once(len(true))
    if count < true.sum():
        whole = draw_positives(np.repeat(whole, len(everyone), axis=0), true, count, rng)
        everyone = draw_positives(everyone, true, count, rng)
    values: dict[str, dict[str, float]] = {}
    drawn: dict[str, dict[str, Floats]] = {}
    for way, scores in answer.scores.items():
        ranking = Sorted(scores, true)
        values[way] = {n: float(metric(ranking, whole).mean()) for n, metric in METRICS.items()}
        drawn[way] = {n: _silenced(metric, ranking, everyone) for n, metric in METRICS.items()}
    score = QueryScore(
        ask=answer.ask,
        relevant=int(true.sum()),
        drawn=count,
        chance=count / (count + int((~true).sum())),
        ways={w: {n: _around(values[w][n], drawn[w][n]) for n in METRICS} for w in values},
        chips=answer.chips,
        free=answer.free,
        refused=answer.refused,
    )
    return _Drawn(score, values, drawn)


def _silenced(
    metric: Callable[[Sorted, Floats], Floats], ranking: Sorted, weights: Floats
) -> Floats:
    """The metric, NaN where a resampling drew nothing that answers."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return metric(ranking, weights)


def _around(value: float, draws: Floats) -> Estimate:
    """The interval of the draws that have a number."""
    told = draws[~np.isnan(draws)]
    return resample.estimate(value, told if len(told) else draws)


def _group(name: str, members: Sequence[_Drawn]) -> Group:
    values = {
        way: {n: float(np.mean([m.values[way][n] for m in members])) for n in METRICS}
        for way in WAYS
    }
    draws = {way: {n: _mean([m.draws[way][n] for m in members]) for n in METRICS} for way in WAYS}
    return Group(
        name=name,
        queries=len(members),
        chance=float(np.mean([m.score.chance for m in members])),
        ways={w: {n: _around(values[w][n], draws[w][n]) for n in METRICS} for w in WAYS},
        less={
            w: {
                n: _around(values[FUSED][n] - values[w][n], draws[FUSED][n] - draws[w][n])
                for n in METRICS
            }
            for w in WAYS
            if w != FUSED
        },
    )


def _mean(rows: Sequence[Floats]) -> Floats:
    """(B,) mean over those queries that have a number in a draw; NaN where none has."""
    table = np.array(rows)
    told = ~np.isnan(table)
    count = told.sum(axis=0)
    total = np.where(told, table, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def _strata(
    asked: Sequence[tuple[Answer, NDArray[np.bool_]]],
    everyone: Floats,
    strata: Mapping[str, Sequence[str]],
) -> list[Stratum]:
    found: list[Stratum] = []
    for by, names in strata.items():
        for name in sorted(set(names)):
            inside = np.array([one == name for one in names])
            its = [(a, true[inside]) for a, true in asked if _tells(true[inside])]
            if not its:
                continue
            found.append(
                Stratum(
                    by=by,
                    name=name,
                    studies=int(inside.sum()),
                    queries=len(its),
                    ways=_inside(its, inside, everyone[:, inside]),
                )
            )
    return found


def _inside(
    asked: Sequence[tuple[Answer, NDArray[np.bool_]]], inside: NDArray[np.bool_], weights: Floats
) -> Estimates:
    """Means over queries, each ranked among the studies of a stratum alone; none are thinned."""
    whole = resample.once(weights.shape[1])
    found: dict[str, dict[str, Estimate]] = {}
    for way in WAYS:
        rankings = [Sorted(a.scores[way][inside], true) for a, true in asked]
        found[way] = {}
        for name, metric in METRICS.items():
            value = float(np.mean([metric(r, whole)[0] for r in rankings]))
            draws = _mean([_silenced(metric, r, weights) for r in rankings])
            found[way][name] = _around(value, draws)
    return found
