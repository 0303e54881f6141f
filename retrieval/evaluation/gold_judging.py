"""The judge: asks the gold set of an archive of simulated hearts and gathers what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.evaluation.gold import Gold, answers
from retrieval.evaluation.gold_asking import (
    FUSED,
    WAYS,
    Answers,
    Missed,
    ask_all,
    look_into,
    overlaps,
)
from retrieval.evaluation.gold_scores import GoldScores, QueryScore, score_gold
from retrieval.evaluation.resample import DRAWS, Estimate, estimate
from retrieval.evaluation.truths import Truths
from retrieval.phantom.sentences_hearts import Hearts
from retrieval.ports import CatalogReader
from retrieval.values.query import Access
from retrieval.values.study import Study

WORST = 20
"""Queries that are looked into."""

SAME, OPPOSITE = 0.8, 0.2
"""Least overlap of wordings that ask for the same, and most of opposites, that is aimed at."""

CLEARLY = 0.2
"""By how much one way must do better than the fused answer to be named as better."""

AGES = ((40, "under 40"), (65, "40 to 64"), (200, "65 and over"))
"""Bands of age, by the age that they end before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaps:
    """How much of the first hits several wordings have in common.

    Attributes
    ----------
    groups
        The wordings, and by way the share.
    mean
        By way, with an interval over groups.
    met
        By way, the share of groups that keep to the aim.
    """

    aim: float
    groups: tuple[tuple[tuple[str, ...], Mapping[str, float]], ...]
    mean: Mapping[str, Estimate]
    met: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """A query that was answered badly, and what its first hits tell of the cause."""

    query: QueryScore
    missed: Missed
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldReport:
    """What an operator is told.

    Attributes
    ----------
    reported
        Studies with a report.
    digest
        Of the gold set.
    """

    studies: int
    patients: int
    reported: int
    digest: str
    scores: GoldScores
    paraphrases: Overlaps
    opposites: Overlaps
    worst: tuple[Worst, ...]


def judge(
    searcher: Answers, catalog: CatalogReader, truths: Truths, asked: Gold, *, access: Access
) -> GoldReport:
    """Ask the gold set of the archive, in every way, and judge by the truth of its hearts.

    Studies of which no truth is known stand in no ranking; overlaps are those
    of the archive as it is.
    """
    hearts = Hearts(truths.hearts)
    studies = catalog.studies(truths.studies, access=access)
    patients = [study.patient.id for study in studies]
    relevant = [answers(ask, hearts, studies) for ask in asked.asks]
    found = ask_all(searcher, asked.asks, truths.studies, access=access)
    scores = score_gold(found, relevant, patients, strata_of(studies, truths))
    answering = {
        ask.text: frozenset(truths.studies[i] for i in np.flatnonzero(true))
        for ask, true in zip(asked.asks, relevant, strict=True)
    }
    worst = sorted(scores.queries, key=_fused)[:WORST]
    looked = [(q, look_into(searcher, q.ask, answering[q.ask.text], access=access)) for q in worst]
    return GoldReport(
        studies=len(studies),
        patients=len(set(patients)),
        reported=sum(catalog.report(s, access=access) is not None for s in truths.studies),
        digest=asked.digest,
        scores=scores,
        paraphrases=_overlaps(searcher, asked.paraphrases, SAME, access),
        opposites=_overlaps(searcher, asked.opposites, OPPOSITE, access),
        worst=tuple(Worst(query=q, missed=m, cause=cause(q, m)) for q, m in looked),
    )


def strata_of(studies: Sequence[Study], truths: Truths) -> dict[str, list[str]]:
    """By what studies are grouped: the group of each."""
    return {
        "sex": [heart.sex.value for heart in truths.hearts],
        "age": [next(n for end, n in AGES if h.age_years < end) for h in truths.hearts],
        "vendor": [study.scanner.vendor or "not said" for study in studies],
        "model": [study.scanner.model or "not said" for study in studies],
        "field strength": [_strength(study.scanner.field_strength_t) for study in studies],
    }


def cause(query: QueryScore, missed: Missed) -> str:
    """What most likely went wrong, by a rule: a place to begin to look, and no proof."""
    if query.refused:
        return "refused when asked"
    if not query.chips:
        return "no word of it was understood"
    precision = {way: its["precision@10"].value for way, its in query.ways.items()}
    better = max(WAYS, key=lambda way: precision[way])
    if precision[better] >= precision[FUSED] + CLEARLY:
        return f"{better} alone does better"
    if 2 * missed.agreeing >= missed.wrong > 0:
        return "reports of wrong hits agree: misread, or the query is misunderstood"
    if 2 * missed.silent >= missed.wrong > 0:
        return "reports of wrong hits are silent, and images do not tell"
    return "several"


def _fused(query: QueryScore) -> tuple[float, float]:
    its = query.ways[FUSED]
    return its["precision@10"].value, its["average precision"].value


def _strength(tesla: float | None) -> str:
    return "not said" if tesla is None else f"{tesla:g} T"


def _overlaps(
    searcher: Answers, groups: Sequence[tuple[str, ...]], aim: float, access: Access
) -> Overlaps:
    shared = overlaps(searcher, groups, access=access)
    table = {way: np.array([row[way] for row in shared]) for way in WAYS}
    drawn = np.random.default_rng(0).integers(len(groups), size=(DRAWS, len(groups)))
    kept = {way: v >= aim if aim == SAME else v <= aim for way, v in table.items()}
    return Overlaps(
        aim=aim,
        groups=tuple(zip(groups, shared, strict=True)),
        mean={w: estimate(float(v.mean()), v[drawn].mean(axis=1)) for w, v in table.items()},
        met={way: float(its.mean()) for way, its in kept.items()},
    )
