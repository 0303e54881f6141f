"""The gold set, asked in every way that an archive can answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypedDict

import numpy as np

from retrieval.errors import UsageError
from retrieval.evaluation.gold import Ask
from retrieval.evaluation.metrics import LAST
from retrieval.evaluation.resample import Floats
from retrieval.evaluation.scores import Ranks, levels
from retrieval.search.searcher import Order
from retrieval.values.query import Access, Channel, Query, Ranking, Verdict
from retrieval.values.study import StudyId

TOP = 20
"""Hits that are compared between two wordings."""

SHOWN = 10
"""Hits that are looked into where a query fails."""


class Asking(TypedDict, total=False):
    """How a query is asked: fields of `Query`."""

    literal: bool
    channel: Channel


FUSED = "all"
WAYS: Mapping[str, Asking] = MappingProxyType(
    {
        "bare text": Asking(literal=True, channel=Channel.VIDEO),
        "images": Asking(channel=Channel.VIDEO),
        "reports": Asking(channel=Channel.REPORT),
        FUSED: Asking(channel=Channel.ALL),
    }
)
"""The words as they stand to the encoder; what is understood to images or reports alone; both."""


class Answers(Ranks, Protocol):
    """What the gold set is asked of: a `Searcher`."""

    def search(self, query: Query, *, access: Access) -> Ranking:
        """Rank, and fetch what a reader would see of each hit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """How one query was answered in every way.

    Attributes
    ----------
    scores
        (N,) by way; `LAST` where a study is no hit.
    chips, free
        What it was understood as, and what no chip stands for.
    refused
        Why it was not answered at all when everything was asked; empty where it was.
    """

    ask: Ask
    scores: Mapping[str, Floats]
    chips: tuple[str, ...]
    free: str
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The first hits of a query that do not answer it, by what their reports say.

    Attributes
    ----------
    hits, wrong
        Of the first `SHOWN`.
    agreeing
        Wrong ones whose report says what was asked: misread, or the query was misunderstood.
    silent
        Wrong ones whose report says nothing of it, or that have none.
    """

    hits: int
    wrong: int
    agreeing: int
    silent: int


def ask_all(
    searcher: Answers, asks: Sequence[Ask], studies: Sequence[StudyId], *, access: Access
) -> list[Answer]:
    """Ask every query in every way, of N studies."""
    return [_ask(searcher, ask, studies, access) for ask in asks]


def overlaps(
    searcher: Ranks, groups: Sequence[Sequence[str]], *, access: Access
) -> list[Mapping[str, float]]:
    """By group of wordings and way: share of the first `TOP` hits that two of them have in common.

    The mean over pairs. Of two lists of different length the longer one is
    the divisor; two without any hit have nothing in common.
    """
    return [
        {way: _overlap(searcher, group, asking, access) for way, asking in WAYS.items()}
        for group in groups
    ]


def look_into(
    searcher: Answers, ask: Ask, relevant: frozenset[StudyId], *, access: Access
) -> Missed:
    """Say what the reports say of the first hits that do not answer a query."""
    told, _ = _told(searcher, ask, SHOWN, access)
    hits = () if told is None else told.hits
    wrong = [hit for hit in hits if hit.study.id not in relevant]
    agreeing = [h for h in wrong if any(s.verdict is Verdict.AGREES for s in h.said)]
    return Missed(
        hits=len(hits),
        wrong=len(wrong),
        agreeing=len(agreeing),
        silent=sum(not hit.said for hit in wrong),
    )


def _ask(searcher: Answers, ask: Ask, studies: Sequence[StudyId], access: Access) -> Answer:
    scores: dict[str, Floats] = {}
    for way, asking in WAYS.items():
        level = levels(_ranked(searcher, Query(text=ask.text, limit=None, **asking), access))
        scores[way] = np.array([level.get(study, LAST) for study in studies])
    told, refused = _told(searcher, ask, 1, access)
    return Answer(
        ask=ask,
        scores=scores,
        chips=() if told is None else told.chips,
        free=ask.text if told is None else told.free,
        refused=refused,
    )


def _ranked(searcher: Ranks, query: Query, access: Access) -> Order:
    """Rank; what is refused has no hits, for that is what its user gets."""
    try:
        return searcher.rank(query, access=access)
    except UsageError:
        return Order(studies=(), eligible=0, missing=0)


def _told(searcher: Answers, ask: Ask, limit: int, access: Access) -> tuple[Ranking | None, str]:
    """The fused answer, or why there is none."""
    query = Query(text=ask.text, limit=limit, **WAYS[FUSED])
    try:
        return searcher.search(query, access=access), ""
    except UsageError as refusal:
        return None, str(refusal)


def _overlap(searcher: Ranks, group: Sequence[str], asking: Asking, access: Access) -> float:
    tops = [
        {s for s, _ in _ranked(searcher, Query(text=t, limit=TOP, **asking), access).studies}
        for t in group
    ]
    pairs = [(a, b) for i, a in enumerate(tops) for b in tops[:i]]
    return float(np.mean([len(a & b) / max(len(a), len(b), 1) for a, b in pairs]))
