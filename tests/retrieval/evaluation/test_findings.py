"""Findings on simulated hearts at the prevalence of a clinic."""

import json

import numpy as np
import pytest

from retrieval.evaluation import finding_views
from retrieval.evaluation.findings import (
    PREVALENCE,
    Findings,
    draw_positives,
    drawn_of,
    score_findings,
)
from retrieval.evaluation.seen import from_embeddings
from retrieval.evaluation.truths import Truths
from retrieval.values.embedding import StudyEmbedding, unit_rows
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import StudyId
from tests.doubles import ENCODER, WordEncoder

AXES = np.eye(6)
WORDS = WordEncoder(
    {"seen": AXES[0], "seen badly": [0.3, 1, 0, 0, 0, 0], "rare": AXES[2], "flat": AXES[5]}
)


def scored(n: int = 400, *, common: int = 100, rare: int = 12, few: int = 4) -> Findings:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(n, 6))
    vectors[:, 5] = 0
    true = {
        "common": np.arange(n) < common,
        "rare": np.arange(n) < rare,
        "few": np.arange(n) < few,
        "nothing": np.arange(n) % 4 == 0,
        "usual": np.arange(n) % 4 != 0,
    }
    vectors[:common, 0] += 4
    vectors[:rare, 2] += 6
    studies = tuple(StudyId(f"s{i:03d}") for i in range(n))
    embeddings = [
        StudyEmbedding(study=s, encoder_id=ENCODER, whole=row, clips={}, inputs=())
        for s, row in zip(studies, unit_rows(vectors), strict=True)
    ]
    wordings = {"common": ("seen", "seen badly"), "rare": ("rare",), "few": ("seen",)}
    found = score_findings(
        from_embeddings(WORDS, embeddings, eligible=n),
        Truths(
            hearts=(),
            studies=studies,
            true=true,
            wordings=wordings | {"nothing": ("flat",), "usual": ("flat",)},
        ),
        [f"p{i}" for i in range(n)],
        access=LOCAL_OPERATOR,
        draws=200,
    )
    assert found is not None
    return found


def test_positives_are_drawn_down_to_the_prevalence_and_negatives_all_stay():
    true = np.arange(400) < 100
    assert drawn_of(true) == 15  # 15 of 315 is 4.8 %, 16 of 316 would be 5.1 %
    weights = draw_positives(np.ones((50, 400)), true, 15, np.random.default_rng(0))
    assert (weights[:, 100:] == 1).all()
    assert (weights[:, :100].sum(axis=1) == 15).all()
    assert set(np.unique(weights)) == {0.0, 1.0}
    assert 15 / weights.sum(axis=1).max() <= PREVALENCE
    assert (weights[:, :100].sum(axis=0) > 0).all()  # all take their turn
    assert drawn_of(np.arange(400) < 7) == 7


def test_what_is_found_what_is_not_and_what_cannot_be_said():
    found = scored()
    by_name = {f.concept: f for f in found.scored}
    assert set(by_name) == {"common", "rare", "nothing"}
    assert (found.too_few, found.usual) == (("few",), ("usual",))
    common, nothing = by_name["common"], by_name["nothing"]
    assert (common.studies, common.positives, common.drawn) == (400, 100, 15)
    assert common.worst_wording == "seen badly"
    assert common.auc.low < common.auc.value < common.auc.high
    # A constant score has exactly chance: the prevalence that was drawn.
    share = nothing.drawn / (nothing.drawn + 300)
    assert nothing.precision10.value == pytest.approx(share)
    assert nothing.average_precision.value == pytest.approx(share)
    assert nothing.auc.value == pytest.approx(0.5)
    assert found.worst.concept == "nothing"
    assert found.mean["auc"] == pytest.approx(np.mean([f.auc.value for f in found.scored]))


def test_what_a_draw_cannot_hold_is_not_scored():
    found = scored(n=260)
    assert found.too_few == ("common", "few")  # 8 beside 160 others, and 4
    assert [f.drawn for f in found.scored] == [12, 10]


def test_views():
    found = scored()
    told = json.loads(json.dumps(finding_views.json(found), allow_nan=False))
    assert (told["worst"], told["too few"]) == ("nothing", ["few"])
    (table,) = finding_views.tables(found)
    assert table.rows[0][0] == "nothing"
    assert {row[0] for row in table.rows[1:-1]} == {"common", "rare"}
    assert table.rows[-1][0] == "mean"
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert "fewer than 10 to draw: few" in table.note
