"""How well pairs that were never trained on find each other. No randomness."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from retrieval.evaluation import metrics
from retrieval.evaluation.judgments import QUESTIONS
from retrieval.training.inputs import Inputs
from retrieval.training.learner import Arrays, Learner
from retrieval.training.pairs import Pair
from retrieval.values.finding import FindingName

AT_ONCE = 8
RECALLS = (1, 5, 10)
FEWEST = 3
"""A finding is scored if at least so many studies have it, and so many have it denied."""

SCORE = "score"
"""Name of the one number by which checkpoints are compared: mean reciprocal rank, both ways."""


class Ranking:
    """Validation pairs, read once."""

    def __init__(self, pairs: Sequence[Pair], inputs: Inputs, learner: Learner) -> None:
        self._pairs = pairs
        self._inputs = inputs
        self._learner = learner
        self._impressions = [inputs.texts(pair)[0] for pair in pairs]
        self._questions = {name: learner.read([words])[0] for name, words in QUESTIONS.items()}

    def scores(self, network: nn.Module) -> dict[str, float]:
        """Recall at k, median rank and mean reciprocal rank both ways, and AUC by finding.

        Studies with equal vectors tie, and ties count as chance decides them:
        a constant encoder scores exactly chance.
        """
        videos, texts = self._encode(network, studies=True), self._encode(network, studies=False)
        similarity = (videos @ texts.T).astype(np.float64).round(6)
        found = {
            **_paired(similarity.T, "text to study"),
            **_paired(similarity, "study to text"),
            **self._findings(network, videos),
        }
        reciprocal = [v for name, v in found.items() if name.endswith("mrr")]
        return {SCORE: float(np.mean(reciprocal)), **found}

    @property
    def chance(self) -> dict[str, float]:
        """What an encoder that tells nothing apart scores."""
        constant = np.zeros((len(self._pairs), len(self._pairs)))
        return _paired(constant, "text to study")

    @torch.inference_mode()
    def _encode(self, network: nn.Module, *, studies: bool) -> NDArray[np.float32]:
        network.eval()
        rows: list[Tensor] = []
        for first in range(0, len(self._pairs), AT_ONCE):
            part = range(first, min(first + AT_ONCE, len(self._pairs)))
            seen = [self._study(i) for i in part] if studies else []
            read = [] if studies else [self._impressions[i] for i in part]
            vectors = self._learner.encode(network, seen, read)
            rows.append(vectors[0 if studies else 1].cpu())
        return torch.cat(rows).numpy()

    def _study(self, place: int) -> Arrays:
        return self._learner.settle(self._inputs.study(self._pairs[place]))

    @torch.inference_mode()
    def _findings(self, network: nn.Module, videos: NDArray[np.float32]) -> dict[str, float]:
        """Area under the curve of each finding's plain question, by what reports state."""
        said = np.stack([pair.said for pair in self._pairs])
        found: dict[str, float] = {}
        for column, name in enumerate(FindingName):
            told = said[:, column] != 0
            present = said[told, column] > 0
            if min(present.sum(), (~present).sum()) < FEWEST:
                continue
            _, asked = self._learner.encode(network, [], [self._questions[name]])
            scores = videos[told] @ asked.cpu().numpy()[0]
            found[f"auc {name}"] = metrics.area_under_roc(metrics.groups(scores, present))
        return {"mean auc": float(np.mean(list(found.values()))), **found} if found else {}


def _paired(similarity: NDArray[np.float64], way: str) -> dict[str, float]:
    """Score (Q, N) similarities where candidate i answers query i."""
    scored = metrics.paired(similarity, ks=RECALLS)
    rankings = [metrics.groups(row, np.arange(len(row)) == i) for i, row in enumerate(similarity)]
    return {
        **{f"{way} recall@{k}": value for k, value in scored.recall.items()},
        f"{way} median rank": scored.median_rank,
        f"{way} mrr": float(np.mean([metrics.reciprocal_rank(r) for r in rankings])),
    }
