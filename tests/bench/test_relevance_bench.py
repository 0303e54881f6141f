"""Whether probabilities hold, and whether an answer that holds nothing says so.

    python -m pytest -m bench -s tests/bench/test_relevance_bench.py

Simulated patients whose reports are written in wordings that no training read.
Half of them are an archive that is assessed by its own reports; the other half
is judged by the truth of the hearts, at its own prevalence of each finding and
at others. Then findings are taken out of the whole archive and asked for.
Prints Markdown. In the environment:

ENCODER      a checkpoint's folder; without it the shipped one.
SEED         the first patient (990000; 980000 was looked at while this was made).
STUDIES      how many patients (500).
REPORTED     share of them that have a report (0.8).
"""

import os
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import phantom
from retrieval.evaluation.assess import assess
from retrieval.evaluation.calibration import brier_skill, calibration_error, calibration_slope
from retrieval.evaluation.tables import Table, figure, markdown
from retrieval.evaluation.truths import TRUE_FROM
from retrieval.phantom.sentences import CONCEPTS, degrees, phrases
from retrieval.search.searcher import Searcher
from retrieval.search.understand.table import shipped_terms
from retrieval.search.views import belief_words
from retrieval.values.query import LOCAL_OPERATOR, Channel, Query, Ranking
from retrieval.values.reliability import Badge, Conviction
from tests.bench.simulated_archive import Simulated, archive, reported, simulated

SHARES = (None, 0.05, 0.2, 0.5)
"""Of hearts with a finding among those that are judged; None leaves it as it is."""

GONE = 0.2
"""Hearts of which a statement is less true than this do not have the finding at all."""

QUERIES = 100

TRUE_OF = {
    "LV dilation": "lv_dilated",
    "LV dysfunction": "ef_reduced",
    "LV hypertrophy": "lvh",
    "RV dilation": "rv_dilated",
    "RV dysfunction": "rvef_reduced",
    "RV hypertrophy": "rvh",
    "LA dilation": "la_dilated",
    "RA dilation": "ra_dilated",
    "aortic dilation": "aorta_dilated",
    "regional wall motion abnormality": "wma",
    "septal flattening": "septal_flattening",
    "pericardial effusion": "effusion",
    "scar": "scar",
    "diffuse enhancement": "enhancement_diffuse",
    "myocardial oedema": "oedema",
    "perfusion defect": "perfusion_defect",
    "myocarditis": "myocarditis",
}
"""Statement of the simulator for each finding that reports are read for."""

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def scene():
    """The encoder and the patients."""
    given = os.environ.get("ENCODER")
    encoder = phantom.load(Path(given) if given else None)
    seed = int(os.environ.get("SEED", "990000"))
    patients = simulated(encoder, seed, int(os.environ.get("STUDIES", "500")))
    print(f"\n{encoder.encoder_id}, {len(patients)} simulated patients from seed {seed}")
    return encoder, patients


def test_probabilities_hold_for_other_patients_at_other_prevalences(scene, tmp_path):
    encoder, patients = scene
    known, others = patients[::2], patients[1::2]
    known_db, others_db = tmp_path / "known.db", tmp_path / "others.db"
    catalog, index = archive(known, encoder.encoder_id, known_db, reported=_reported(known))
    found = assess(encoder, index, catalog, trained_on=(), access=LOCAL_OPERATOR)
    bare, there = archive(others, encoder.encoder_id, others_db, reported=())
    searcher = Searcher(encoder, there, bare, found)
    rows, told = [], {share: [] for share in SHARES}
    for finding, concept in TRUE_OF.items():
        true = _true(concept, others)
        calibration = found.findings.get(_term(finding))
        if calibration is None:
            rows.append((finding, "", "", Badge.NOT_ASSESSED, "", ""))
            continue
        for share in SHARES:
            for chosen in _at(share, true):
                judged = [others[i] for i in chosen]
                with _only(bare, others, judged):
                    said = _beliefs(searcher, finding)
                names = [p.study.id for p in judged if p.study.id in said]
                truth = dict(zip([p.study.id for p in judged], true[chosen], strict=True))
                told[share].append(
                    (np.array([said[s] for s in names]), np.array([truth[s] for s in names]))
                )
        probability, truth = told[None][-1]
        rows.append(
            (
                finding,
                f"{calibration.positives} / {calibration.negatives}",
                f"{calibration.auc:.3f} [{calibration.auc_low:.3f}, {calibration.auc_high:.3f}]",
                calibration.badge,
                f"{truth.mean():.2f}",
                figure(brier_skill(probability, truth)) if truth.any() else "",
            )
        )
    columns = ("finding", "stated / denied", "AUC [95 %]", "badge", "share", "Brier skill")
    print("\n" + markdown(Table(columns=columns, rows=tuple(rows))))
    lines = []
    for share, several in told.items():
        probability, truth = (np.concatenate(part) for part in zip(*several, strict=True))
        skill, slope, error = (
            measure(probability, truth)
            for measure in (brier_skill, calibration_slope, calibration_error)
        )
        name = "as it is" if share is None else f"{share:.0%}"
        lines.append((name, str(len(truth)), *map(figure, (truth.mean(), skill, slope, error))))
        assert skill > 0
    columns = ("share with the finding", "studies", "mean share", "Brier skill", "slope", "ECE")
    print("\n" + markdown(Table(columns=columns, rows=tuple(lines))))


@pytest.mark.parametrize("kind", ["whole findings", "finer statements"])
def test_an_answer_says_when_it_holds_nothing(scene, tmp_path, kind):
    """Finer ones name a degree, a place or a combination; what is left when such a one is taken
    out is often the finding itself, milder or elsewhere."""
    encoder, patients = scene
    table = degrees(CONCEPTS, [p.truth for p in patients])
    share = (table >= TRUE_FROM).mean(axis=0)
    whole = set(TRUE_OF.values())
    there = [
        concept
        for concept, its in zip(CONCEPTS, share, strict=True)
        if 0.02 < its < 0.5 and (concept in whole) is (kind == "whole findings")
    ]
    asked = _spread([(c, text) for c in there for text in phrases(c, "held out")])
    database = tmp_path / "catalog.db"
    having = _reported(patients)
    catalog, index = archive(patients, encoder.encoder_id, database, reported=having)
    searcher = _assessed(encoder, index, catalog)
    counts, wrong = {True: [], False: []}, {True: [], False: []}
    for concept in dict.fromkeys(c for c, _ in asked):
        column = table[:, CONCEPTS.index(concept)]
        rest = [p for p, degree in zip(patients, column, strict=True) if degree < GONE]
        texts = [text for c, text in asked if c == concept]
        found = {True: [searcher.search(_query(t), access=LOCAL_OPERATOR) for t in texts]}
        with _only(catalog, patients, rest):
            without = _assessed(encoder, index, catalog)
            found[False] = [without.search(_query(t), access=LOCAL_OPERATOR) for t in texts]
        for has, answers in found.items():
            for text, answer in zip(texts, answers, strict=True):
                right = (answer.conviction is Conviction.NOTHING) is not has
                counts[has].append(right)
                if not right:
                    wrong[has].append(f"{text} ({concept}): {answer.conviction}, {_why(answer)}")
    print(f"\n{kind}: answered where it is there: {sum(counts[True])} of {len(counts[True])}")
    print("\n".join(wrong[True]))
    print(f"\n{kind}: abstained where taken out: {sum(counts[False])} of {len(counts[False])}")
    print("\n".join(wrong[False]))
    assert np.mean(counts[True]) + np.mean(counts[False]) > 1


def _query(text: str) -> Query:
    return Query(text=text, channel=Channel.ALL)


def _why(answer: Ranking) -> str:
    """What the best hit rests on."""
    best = answer.hits[0]
    said = [f"{one.verdict}: {one.sentence}" for one in best.said]
    return f"{best.study.id[:6]} {belief_words(best.beliefs)} {said} {answer.chips}"


def _assessed(encoder, index, catalog) -> Searcher:
    found = assess(encoder, index, catalog, trained_on=(), access=LOCAL_OPERATOR)
    return Searcher(encoder, index, catalog, found)


@contextmanager
def _only(catalog, patients: Sequence[Simulated], chosen: Sequence[Simulated]):
    """Delete all patients but some, for a while."""
    kept = {p.study.id for p in chosen}
    gone = [p.study.id for p in patients if p.study.id not in kept]
    catalog.set_deleted(gone, deleted=True)
    yield
    catalog.set_deleted(gone, deleted=False)


def _reported(patients: Sequence[Simulated]):
    return reported(patients, float(os.environ.get("REPORTED", "0.8")))


def _beliefs(searcher: Searcher, finding: str) -> dict[str, float]:
    term = shipped_terms()[_term(finding)]
    query = Query(text=term.name, limit=None, channel=Channel.ALL)
    ranking = searcher.search(query, access=LOCAL_OPERATOR)
    return {
        hit.study.id: one.probability
        for hit in ranking.hits
        for one in hit.beliefs
        if one.term == term.id
    }


def _term(finding: str) -> str:
    return next(name for name, term in shipped_terms().terms.items() if term.finding == finding)


def _true(concept: str, patients: Sequence[Simulated]):
    return degrees((concept,), [p.truth for p in patients])[:, 0] >= TRUE_FROM


def _at(share: float | None, true) -> list:
    """Draws of studies of which a share has the finding, as many as there can be, three of each."""
    if share is None:
        return [np.arange(len(true))]
    having, lacking = np.flatnonzero(true), np.flatnonzero(~true)
    few = int(min(len(having), share / (1 - share) * len(lacking)))
    many = int(min(len(lacking), round(few * (1 - share) / share)))
    if few < 3:
        return []
    draws = [np.random.default_rng(seed) for seed in range(3)]
    return [
        np.concatenate([rng.choice(having, few, replace=False),
                        rng.choice(lacking, many, replace=False)])
        for rng in draws
    ]  # fmt: skip


def _spread(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    places = np.unique(np.linspace(0, len(pairs) - 1, QUERIES).astype(int))
    return [pairs[place] for place in places]
