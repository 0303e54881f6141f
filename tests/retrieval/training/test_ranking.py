"""Validation scores are those of a plain calculation, and chance scores chance."""

import numpy as np
import pytest
import torch

from retrieval.training.ranking import SCORE, Ranking
from tests.retrieval.training.test_draws import pair

PAIRS = [pair(n, state=1 if n % 2 else -1) for n in range(11)]


class Vectors:
    """A learner whose studies and texts are the rows of two matrices."""

    def __init__(self, videos, texts):
        self.videos, self.words = torch.tensor(videos), torch.tensor(texts)

    def settle(self, study):
        return study

    def read(self, texts):
        return [{"row": torch.tensor(0)} for _ in texts]

    def study(self, one):
        return {"row": torch.tensor(PAIRS.index(one))}

    def texts(self, one):
        return [self.study(one)]

    def encode(self, network, studies, texts):
        return tuple(
            matrix[[int(one["row"]) for one in rows]] if rows else torch.zeros(0, matrix.shape[1])
            for matrix, rows in ((self.videos, studies), (self.words, texts))
        )


def scores(videos, texts):
    vectors = Vectors(videos.astype(np.float32), texts.astype(np.float32))
    ranking = Ranking(PAIRS, vectors, vectors)
    return ranking.scores(torch.nn.Identity()), ranking


def test_scores_agree_with_a_plain_calculation():
    rng = np.random.default_rng(0)
    videos, texts = rng.normal(size=(2, 11, 5))
    found, _ = scores(videos, texts)
    similarity = texts @ videos.T
    for way, matrix in (("text to study", similarity), ("study to text", similarity.T)):
        ranks = [1 + sum(row > row[i]) for i, row in enumerate(matrix)]
        for k in (1, 5, 10):
            assert found[f"{way} recall@{k}"] == pytest.approx(np.mean([r <= k for r in ranks]))
        assert found[f"{way} median rank"] == np.median(ranks)
        assert found[f"{way} mrr"] == pytest.approx(np.mean([1 / r for r in ranks]))
    assert found[SCORE] == pytest.approx(
        (found["text to study mrr"] + found["study to text mrr"]) / 2
    )


def test_the_right_encoder_scores_one():
    found, _ = scores(np.eye(11), np.eye(11))
    assert found["text to study recall@1"] == found["study to text recall@1"] == found[SCORE] == 1


def test_a_constant_encoder_scores_exactly_chance_in_both_directions():
    found, ranking = scores(np.ones((11, 3)), np.ones((11, 3)))
    for way in ("text to study", "study to text"):
        assert found[f"{way} recall@1"] == pytest.approx(1 / 11)
        assert found[f"{way} recall@5"] == pytest.approx(5 / 11)
        assert found[f"{way} median rank"] == 6
    assert found["mean auc"] == 0.5
    assert ranking.chance["text to study recall@5"] == pytest.approx(5 / 11)


def test_findings_are_scored_by_their_questions():
    videos = np.array([[1.0 if n % 2 else -1.0, 0.0] for n in range(11)])
    found, _ = scores(videos, np.tile([1.0, 0.0], (11, 1)))
    assert found["auc LV dilation"] == 1
    assert found["mean auc"] == 1
    assert "auc scar" not in found  # nobody says anything of it
