"""How well the encoder answers questions about hearts and in words it was not trained on."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.network import DualEncoder
from retrieval.phantom.sentences import phrases
from retrieval.training.augment import centre_crop
from retrieval.training.captions import STATEMENTS, read_states
from retrieval.training.config import TrainConfig
from retrieval.training.reading import read_studies
from retrieval.training.shards import Shard, gather, kept, render_shard

VALIDATION_SEED = 7_000_000_019
"""Far from every training shard's seed."""

FINDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lv_dilated": ("enlarged left ventricle", "dilated left ventricle"),
        "lvh": ("left ventricular hypertrophy",),
        "ef_reduced": ("reduced ejection fraction",),
        "rv_dilated": ("right ventricle is dilated",),
        "scar": ("scar on LGE",),
    }
)
"""The findings that count, each with plain queries that occur in no training text."""

QUERIES_PER_FINDING = 12
AT_ONCE = 20


def questions(seed: int = 0) -> list[tuple[str, str]]:
    """(finding, wording): the plain queries and some wordings of the held-out families."""
    rng = random.Random(seed)  # noqa: S311 - wording, not a secret
    asked: list[tuple[str, str]] = []
    for finding, plain in FINDINGS.items():
        wordings = sorted(phrases(finding, "held out"))
        extra = rng.sample(wordings, min(QUERIES_PER_FINDING, len(wordings)))
        asked += [(finding, text) for text in (*plain, *extra)]
    return asked


def area_under_curve(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Chance that a true case scores above a false one, ties counting half."""
    ranks = rankdata(scores)
    count = int(true.sum())
    if count in (0, len(true)):
        raise ValueError("an area under the curve needs true and false cases")
    above = ranks[true].sum() - count * (count + 1) / 2
    return float(above / (count * (len(true) - count)))


def precision_at(k: int, scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Share of true cases among the k best; of equal scores the later ones lose."""
    return float(true[np.argsort(-scores, kind="stable")[:k]].mean())


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """Held-out hearts and questions, both fixed.

    Attributes
    ----------
    states
        Token states of each question's wording.
    """

    config: TrainConfig
    shard: Shard
    asked: Sequence[tuple[str, str]]
    states: Sequence[Tensor]

    def scores(self, network: DualEncoder) -> dict[str, float]:
        """AUC and precision at 10 of each finding, averaged over wordings; prevalences; size."""
        videos = self._videos(network).numpy()
        texts = torch.cat([self._text(network, s) for s in self.states]).numpy()
        found: dict[str, float] = {}
        for finding in FINDINGS:
            true = self.shard.degrees[:, STATEMENTS.index(finding)].numpy() > 0.5
            rows = [i for i, (name, _) in enumerate(self.asked) if name == finding]
            scores = [videos @ texts[i] for i in rows]
            found[f"{finding}.prevalence"] = float(true.mean())
            found[f"{finding}.auc"] = float(np.mean([area_under_curve(s, true) for s in scores]))
            found[f"{finding}.p10"] = float(np.mean([precision_at(10, s, true) for s in scores]))
        return {name: round(value, 4) for name, value in found.items()}

    @torch.inference_mode()
    def _videos(self, network: DualEncoder) -> Tensor:
        network.eval()
        vectors = []
        count = len(self.shard.degrees)
        for first in range(0, count, AT_ONCE):
            picks = [(self.shard, i) for i in range(first, min(first + AT_ONCE, count))]
            stay = torch.ones(len(picks), self.shard.technique.shape[1], dtype=torch.bool)
            batch = centre_crop(gather(picks, stay), self.config.inputs).to(self.config.device)
            tokens, _ = network.video.tokens(
                batch.images, batch.technique, batch.view, batch.position_mm, batch.gap_mm
            )
            vectors.append(read_studies(network.video, tokens, batch)[0].cpu())
        return torch.cat(vectors)

    @torch.inference_mode()
    def _text(self, network: DualEncoder, states: Tensor) -> Tensor:
        row = states.float().unsqueeze(0).to(self.config.device)
        present = torch.ones(row.shape[:2], dtype=torch.bool, device=row.device)
        return network.text(row, present).cpu()


def prepare_validation(config: TrainConfig, folder: Path) -> Validation | None:
    """Render the held-out hearts (once per run folder) and read the questions."""
    if not config.validation_studies:
        return None
    shard = kept(
        folder / "validation.safetensors",
        lambda: render_shard(config, VALIDATION_SEED, config.validation_studies, "archive"),
    )
    asked = questions()
    states = read_states([text for _, text in asked], MiniLM(config.device))
    return Validation(config=config, shard=shard, asked=asked, states=states)
