"""What understanding a query is worth: bare text, understood text, and reports beside it.

    python -m pytest -m bench -s tests/bench/test_understood_search_bench.py

asks the queries of `gold_queries.toml` of simulated patients whose reports are
written in wordings that no training read, and judges by the truth of the
hearts, which no channel knows. Prints Markdown. In the environment:

ENCODER      a checkpoint's folder; without it the shipped one.
STUDIES      how many patients (240).
REPORTED     share of them that have a report (0.8).
"""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import phantom
from retrieval.evaluation.tables import Table, figure, markdown
from retrieval.phantom.sentences import degrees
from retrieval.search.searcher import Searcher
from retrieval.values.query import LOCAL_OPERATOR, Channel, Query
from retrieval.values.study import StudyId
from tests.bench.simulated_archive import archive as archive_of
from tests.bench.simulated_archive import reported, simulated

SEED = 950_000
AT = 10
WAYS = {
    "bare text": {"literal": True, "channel": Channel.VIDEO},
    "understood, images": {"channel": Channel.VIDEO},
    "reports alone": {"channel": Channel.REPORT},
    "all": {"channel": Channel.ALL},
}
GOLD = Path(__file__).with_name("gold_queries.toml")

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]


@dataclass(frozen=True, slots=True)
class Scored:
    """One query, one way of asking it."""

    precision: float
    recall: float
    answers: int
    relevant: int


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A searcher over simulated patients, and their truths."""
    given = os.environ.get("ENCODER")
    encoder = phantom.load(Path(given) if given else None)
    count = int(os.environ.get("STUDIES", "240"))
    patients = simulated(encoder, SEED, count)
    having = reported(patients, float(os.environ.get("REPORTED", "0.8")))
    database = tmp_path_factory.mktemp("archive") / "catalog.db"
    catalog, index = archive_of(patients, encoder.encoder_id, database, reported=having)
    print(
        f"\n{encoder.encoder_id}, {count} simulated patients from seed {SEED}, "
        f"{len(having)} with a report"
    )
    truths = {patient.study.id: patient.truth for patient in patients}
    return Searcher(encoder, index, catalog), truths


def test_what_understanding_is_worth(archive):
    searcher, truths = archive
    queries = tomllib.loads(GOLD.read_text())["query"]
    kinds = list(dict.fromkeys(query["kind"] for query in queries))
    found = {
        (query["text"], way): _score(searcher, query, relevant, asked)
        for query in queries
        for relevant in [_relevant(query, truths)]
        for way, asked in WAYS.items()
        if relevant
    }
    asked = [q for q in queries if (q["text"], "all") in found]
    rows = [
        (
            q["text"],
            str(found[q["text"], "all"].relevant),
            *(_told(found[q["text"], way]) for way in WAYS),
        )
        for q in asked
    ]
    columns = ("query", "relevant", *WAYS)
    print("\n" + markdown(Table(columns=columns, rows=tuple(rows))))
    means = []
    for kind in (*kinds, "all"):
        texts = [q["text"] for q in asked if kind in ("all", q["kind"])]
        by_way = (np.mean([found[text, way].precision for text in texts]) for way in WAYS)
        means.append((kind, str(len(texts)), *map(figure, map(float, by_way))))
    print("\n" + markdown(Table(columns=("kind", "queries", *WAYS), rows=tuple(means))))
    bare, best = (np.mean([found[q["text"], w].precision for q in asked]) for w in (
        "bare text", "all"
    ))  # fmt: skip
    assert best > bare


def _relevant(query, truths) -> frozenset[StudyId]:
    studies = list(truths)
    table = degrees(tuple(query["true"]), [truths[study] for study in studies])
    return frozenset(
        study
        for study, row in zip(studies, table, strict=True)
        if min(row) > 0.5
        and query.get("sex", truths[study].sex) == truths[study].sex
        and query.get("age_from", 0) <= truths[study].age_years <= query.get("age_to", 200)
    )


def _score(searcher, query, relevant, asked) -> Scored:
    """Precision over as many places as there can be answers, at most `AT`."""
    ranking = searcher.search(Query(text=query["text"], limit=AT, **asked), access=LOCAL_OPERATOR)
    hits = [hit.study.id in relevant for hit in ranking.hits]
    places = min(AT, len(relevant))
    return Scored(
        precision=sum(hits[:places]) / places,
        recall=sum(hits) / len(relevant),
        answers=len(hits),
        relevant=len(relevant),
    )


def _told(scored: Scored) -> str:
    few = "" if scored.answers == AT else f" ({scored.answers} hits)"
    return f"{scored.precision:.2f}{few}"
