"""The judge of search: what it says of rankers whose worth is known."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from retrieval.errors import UsageError
from retrieval.evaluation import gold_html, gold_views
from retrieval.evaluation.gold import Ask, Gold, answers
from retrieval.evaluation.gold_asking import FUSED, WAYS, look_into
from retrieval.evaluation.gold_judging import GoldReport, cause, judge, strata_of
from retrieval.evaluation.gold_scores import METRICS, THINNED
from retrieval.evaluation.tables import figure
from retrieval.evaluation.truths import truths_of
from retrieval.phantom.sentences_hearts import Hearts
from retrieval.search.searcher import Order
from retrieval.values.query import (
    LOCAL_OPERATOR,
    Channel,
    Evidence,
    Hit,
    Query,
    Ranking,
    Said,
    Verdict,
)
from retrieval.values.study import Scanner, Sex
from tests.doubles import ENCODER, DictCatalog, a_clip, a_study
from tests.retrieval.phantom.heart_examples import INFARCT, NORMAL

COUNT = 80
REFUSED = "3 T scans"
GOLD = Gold(
    asks=(
        Ask(text="weak <heart>", kind="present", true=("ef_reduced",)),
        Ask(text="infarct", kind="present", true=("scar_ischaemic",)),
        Ask(text="weak, no infarct", kind="negation", true=("ef_reduced", "no_scar")),
        Ask(text=REFUSED, kind="people", true=("lvef<30",)),
        Ask(text="of nobody", kind="numeric", true=("lvef<1",)),
    ),
    paraphrases=(("feeble", "infirm", "frail"), ("one", "two", "three")),
    opposites=(("strong", "weak"),),
    digest="0" * 12,
)
CATALOG = DictCatalog()


def hearts():
    """Half of them weak, a fifth infarcted, by nothing but their number."""
    studies, truths = [], []
    for i in range(COUNT):
        scanner = Scanner(vendor=("A", "B")[i % 2], field_strength_t=(1.5, 3.0)[i % 4 > 1])
        study = a_study(f"s{i}", patient=f"p{i // 2}", scanner=scanner)
        truth = replace(
            INFARCT if i % 5 == 0 else NORMAL,
            lvef_pct=20 + 40 * (i % 8 < 4),
            sex=(Sex.FEMALE, Sex.MALE)[i % 3 == 0],
            age_years=20 + i % 70,
        )
        CATALOG.add(study)
        studies.append(study)
        truths.append(truth)
    return studies, truths


STUDIES, HEARTS = hearts()
TRUTHS = truths_of({s.id: t for s, t in zip(STUDIES, HEARTS, strict=True)})
RELEVANT = {ask.text: answers(ask, Hearts(HEARTS), STUDIES) for ask in GOLD.asks}


class Ranker:
    """Knows every answer by some of the ways, and scores all studies alike by the others."""

    def __init__(self, *knowing: str) -> None:
        self._knowing = knowing

    def rank(self, query: Query, *, access) -> Order:
        if query.text == REFUSED:
            raise UsageError("whose studies, not what to look for")
        way = next(
            w
            for w, asking in WAYS.items()
            if asking.get("literal", False) == query.literal and asking["channel"] == query.channel
        )
        true = RELEVANT.get(query.text, np.zeros(COUNT, dtype=bool))
        known = true if way in self._knowing else np.zeros(COUNT, dtype=bool)
        order = sorted(range(COUNT), key=lambda i: (not known[i], i))
        ranked = tuple((STUDIES[i].id, float(known[i])) for i in order)
        return Order(studies=ranked[: query.limit], eligible=COUNT, missing=0)

    def search(self, query: Query, *, access) -> Ranking:
        order = self.rank(query, access=access)
        held = {s.id: s for s in STUDIES}
        hits = tuple(
            Hit(
                rank=rank,
                score=score,
                study=held[study],
                evidence=Evidence(clip=a_clip(held[study])),
                impression=None,
                said=((), (Said(chip="c", verdict=Verdict.AGREES, sentence="."),))[rank % 2],
            )
            for rank, (study, score) in enumerate(order.studies, start=1)
        )
        return Ranking(
            query=query,
            eligible=COUNT,
            hits=hits,
            encoder_id=ENCODER,
            generation="g",
            chips=("chip",),
            free="rest",
        )


def judged(*knowing: str) -> GoldReport:
    return judge(Ranker(*knowing), CATALOG, TRUTHS, GOLD, access=LOCAL_OPERATOR)


REPORT = judged(FUSED)
BY_TEXT = {query.ask.text: query for query in REPORT.scores.queries}


def test_a_ranker_that_knows_has_one_and_one_that_does_not_has_chance():
    for text in ("weak <heart>", "infarct", "weak, no infarct"):
        query = BY_TEXT[text]
        for metric in METRICS:
            one = query.ways[FUSED][metric]
            assert (one.value, one.low, one.high) == pytest.approx((1, 1, 1)), (text, metric)
        for way in gold_views.SINGLE:
            told = {m: query.ways[way][m].value for m in METRICS}
            assert told["AUC"] == pytest.approx(0.5)
            for metric in ("precision@10", "recall@R", "average precision"):
                assert told[metric] == pytest.approx(query.chance), metric
            assert query.ways[way]["precision@10"].low < query.chance
            assert query.ways[way]["precision@10"].high > query.chance


def test_what_several_things_are_asked_of_is_thinned_and_nothing_else_is():
    query = BY_TEXT["weak, no infarct"]
    assert query.ask.kind in THINNED
    others = COUNT - query.relevant
    assert query.drawn < query.relevant
    assert (
        query.drawn / (query.drawn + others)
        <= 0.05
        < (query.drawn + 1) / (query.drawn + 1 + others)
    )
    assert query.chance == pytest.approx(query.drawn / (query.drawn + others))
    assert BY_TEXT["infarct"].drawn == BY_TEXT["infarct"].relevant == COUNT / 5
    assert BY_TEXT["infarct"].chance == pytest.approx(1 / 5)


def test_a_query_that_is_refused_counts_as_unanswered_and_says_so():
    query = BY_TEXT[REFUSED]
    assert query.refused == "whose studies, not what to look for"
    assert query.ways[FUSED]["precision@10"].value == pytest.approx(query.chance)
    (worst,) = (w for w in REPORT.worst if w.query is query)
    assert (worst.cause, worst.missed.hits) == ("refused when asked", 0)


def test_queries_that_nobody_answers_are_named_and_not_scored():
    assert REPORT.scores.unasked == ("of nobody",)
    assert "of nobody" not in BY_TEXT


def test_differences_are_paired():
    everything = REPORT.scores.groups[0]
    assert (everything.name, everything.queries) == ("all queries", 4)
    for way in gold_views.SINGLE:
        for metric in METRICS:
            apart = everything.ways[FUSED][metric].value - everything.ways[way][metric].value
            assert everything.less[way][metric].value == pytest.approx(apart)
        assert everything.less[way]["precision@10"].low > 0
    alike = judged(*WAYS).scores.groups[0].less["images"]["precision@10"]
    assert (alike.value, alike.low, alike.high) == (0, 0, 0)


def test_groups_cover_every_query_once_by_kind_and_once_by_prevalence():
    groups = REPORT.scores.groups
    kinds = [g for g in groups if g.name in {"present", "negation", "people"}]
    bands = [g for g in groups if g.name.startswith("prevalence")]
    assert sum(g.queries for g in kinds) == sum(g.queries for g in bands) == 4


def test_strata_rank_their_own_studies_alone():
    told = strata_of(STUDIES, TRUTHS)
    assert set(told["age"]) == {"under 40", "40 to 64", "65 and over"}
    assert set(told["field strength"]) == {"1.5 T", "3 T"}
    strata = {(s.by, s.name): s for s in REPORT.scores.strata}
    assert strata["vendor", "A"].studies == strata["vendor", "B"].studies == COUNT / 2
    assert strata["sex", "F"].studies + strata["sex", "M"].studies == COUNT
    assert ("model", "not said") in strata
    for stratum in strata.values():
        refused = 0.5 / stratum.queries  # one of them, where its studies hold some of both
        assert stratum.ways[FUSED]["AUC"].value >= 1 - refused - 1e-9
        assert stratum.ways["images"]["AUC"].value == pytest.approx(0.5)


def test_overlap_is_that_of_the_first_twenty():
    for its in (REPORT.paraphrases, REPORT.opposites):
        assert {e.value for e in its.mean.values()} == {1.0}  # this ranker knows no wording
    assert set(REPORT.paraphrases.met.values()) == {1.0}
    assert set(REPORT.opposites.met.values()) == {0.0}
    assert [texts for texts, _ in REPORT.paraphrases.groups] == list(GOLD.paraphrases)


def test_wrong_hits_are_told_apart_by_what_their_reports_say():
    missed = look_into(Ranker(), GOLD.asks[0], frozenset({STUDIES[0].id}), access=LOCAL_OPERATOR)
    assert (missed.hits, missed.wrong, missed.agreeing, missed.silent) == (10, 9, 4, 5)


def test_the_cause_that_is_named():
    query, missed = BY_TEXT["infarct"], REPORT.worst[0].missed
    none = replace(missed, wrong=6, agreeing=0, silent=0)
    assert cause(replace(query, chips=()), none) == "no word of it was understood"
    swapped = query.ways | {"reports": query.ways[FUSED], FUSED: query.ways["reports"]}
    assert cause(replace(query, ways=swapped), none) == "reports alone does better"
    assert cause(query, replace(none, agreeing=3)).startswith("reports of wrong hits agree")
    assert cause(query, replace(none, silent=3)).startswith("reports of wrong hits are silent")
    assert cause(query, none) == "several"


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [float(value)] if isinstance(value, int | float) else []


class Shown(HTMLParser):
    """What a page shows, and whether its elements close in the order they opened."""

    VOID = frozenset({"meta", "rect", "line", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            assert name not in ("src", "href", "srcset", "data", "action"), (tag, value)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_needs_nothing_beside_it_and_shows_every_figure():
    page = gold_html.page(REPORT, told="encoder <x>")
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<img", page)
    shown = Shown(page)
    assert not shown.open
    words = " ".join(shown.text)
    assert "encoder <x>" in words
    assert "weak <heart>" in words
    told = json.loads(json.dumps(gold_views.json(REPORT), allow_nan=False))
    figures = set(numbers(told))
    assert len(figures) > 50
    for n in figures:
        assert figure(n) in words or f"{n:g}" in words, n


def test_tables_hold_what_their_columns_promise():
    for table in gold_views.tables(REPORT):
        assert table.rows
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert Channel.ALL in WAYS[FUSED].values()
