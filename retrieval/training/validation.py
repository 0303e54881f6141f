"""How well the encoder answers questions about hearts and in words it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.network import DualEncoder, VideoTower
from retrieval.training.augment import centre_crop
from retrieval.training.captions import STATEMENTS, read_states
from retrieval.training.config import TrainConfig
from retrieval.training.shards import Shard, arrange, gather
from retrieval.training.simulated import render_shard
from retrieval.training.trial import FINDINGS, questions, tally

VALIDATION_SEED = 7_000_000_019
"""Far from every training shard's seed."""

AT_ONCE = 20


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
        """What `tally` says of the averaged weights."""
        videos = self._videos(network.video).numpy()
        texts = torch.cat([self._text(network, s) for s in self.states]).numpy()
        true = {f: self.shard.degrees[:, STATEMENTS.index(f)].numpy() > 0.5 for f in FINDINGS}
        return tally(self.asked, texts @ videos.T, true)

    @torch.inference_mode()
    def _videos(self, video: VideoTower) -> Tensor:
        video.eval()
        vectors = []
        count = len(self.shard.degrees)
        for first in range(0, count, AT_ONCE):
            picks = [(self.shard, i) for i in range(first, min(first + AT_ONCE, count))]
            stay = torch.ones(len(picks), self.shard.technique.shape[1], dtype=torch.bool)
            batch = centre_crop(gather(picks, stay), self.config.inputs).to(self.config.device)
            clips, _ = arrange(video, batch)
            vectors.append(video(clips).vectors.cpu())
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
    shard = Shard.kept(
        folder / "validation.safetensors",
        lambda: render_shard(config, VALIDATION_SEED, config.validation_studies, "archive"),
    )
    asked = questions()
    states = read_states([text for _, text in asked], MiniLM(config.device))
    return Validation(config=config, shard=shard, asked=asked, states=states)
