"""Simulated patients never seen, in words never read: findings at 5 %, and what motion is worth.

    python -m pytest -m bench -s tests/bench/test_simulated_patients_bench.py

prints the tables in Markdown. In the environment:

ENCODER      a checkpoint's folder; without it the shipped one.
STUDIES      how many patients (400).
"""

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from retrieval.encoder import phantom
from retrieval.evaluation.finding_views import tables
from retrieval.evaluation.findings import score_findings
from retrieval.evaluation.motion import motion_costs
from retrieval.evaluation.seen import embed_one, from_embeddings
from retrieval.evaluation.shuffle import shuffled
from retrieval.evaluation.tables import Table, figure, interval, markdown
from retrieval.evaluation.truths import WORDINGS, truths_of
from retrieval.phantom.sentences import sample_phrases
from retrieval.training.trial import simulated_patient
from retrieval.values.query import LOCAL_OPERATOR

SEED = 930_000
SHUFFLE = 1

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def answers():
    """(as they are, shuffled, truths, patients): each heart is rendered once and forgotten."""
    given = os.environ.get("ENCODER")
    encoder = phantom.load(Path(given) if given else None)
    count = int(os.environ.get("STUDIES", "400"))
    plain, still, hearts = [], [], {}
    for i in range(count):
        patient = simulated_patient(SEED + i)
        plain += embed_one(encoder, patient.clips)
        still += embed_one(encoder, shuffled(patient.clips, SHUFFLE))
        hearts[patient.clips[0].record.study] = patient.truth
    print(f"\n{encoder.encoder_id}, {count} simulated patients from seed {SEED}")
    truths = truths_of(hearts)
    seen = [from_embeddings(encoder, made, eligible=count) for made in (plain, still)]
    return *seen, truths, list(truths.studies)


def test_findings(answers):
    seen, _, truths, patients = answers
    found = score_findings(seen, truths, patients, access=LOCAL_OPERATOR)
    assert found is not None
    print("\n" + "\n\n".join(markdown(table) for table in tables(found)))
    print(f"worst: {found.worst.concept}")
    assert found.mean["auc"] > 0.8


def test_words(answers):
    """What unseen words cost: the same patients asked in words that training read."""
    seen, _, truths, patients = answers
    read = {c: sample_phrases(c, "train", WORDINGS, Random(SEED)) for c in truths.true}
    asked = {"words never read": truths, "words of training": replace(truths, wordings=read)}
    found = {
        name: score_findings(seen, some, patients, access=LOCAL_OPERATOR)
        for name, some in asked.items()
    }
    means = ("auc", "average_precision", "precision10")
    rows = [(name, *(figure(one.mean[m]) for m in means)) for name, one in found.items()]
    columns = ("asked in", "mean AUC", "mean AP", "mean P@10")
    print("\n" + markdown(Table(columns=columns, rows=tuple(rows))))
    unseen, known = ({f.concept: f.auc.value for f in one.scored} for one in found.values())
    most = sorted(known, key=lambda c: unseen[c] - known[c])[:12]
    rows = [(c, figure(unseen[c]), figure(known[c])) for c in most]
    columns = ("words cost most", "AUC, never read", "AUC, of training")
    print("\n" + markdown(Table(columns=columns, rows=tuple(rows))))
    lowest = sorted(known, key=lambda c: known[c])[:12]
    rows = [(c, figure(known[c])) for c in lowest]
    columns = ("not seen well in any words", "AUC, of training")
    print("\n" + markdown(Table(columns=columns, rows=tuple(rows))))


def test_motion(answers):
    costs = motion_costs(*answers, access=LOCAL_OPERATOR)
    rows = tuple(
        (
            c.concept,
            str(c.positives),
            figure(c.in_order.value),
            figure(c.shuffled.value),
            interval(c.cost),
        )
        for c in costs
    )
    columns = ("statement", "positives", "AUC in order", "AUC shuffled", "cost [95 %]")
    print("\n" + markdown(Table(columns=columns, rows=rows)))
    assert costs[-1].cost.value > 0
