"""How well the encoder answers questions about hearts and in words it was not trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.geometry import ES, REGIONS
from retrieval.encoder.phantom.network import DualEncoder, VideoTower
from retrieval.training.augment import Batch, centre_crop
from retrieval.training.captions import STATEMENTS, read_states
from retrieval.training.config import TrainConfig
from retrieval.training.objective import known_regions
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
    def overlaps(self, video: VideoTower) -> dict[str, float]:
        """Dice of each region of the segmentation with the truth, over all clips that show it."""
        video.eval()
        both, either = torch.zeros(2, len(REGIONS))
        for batch in self._batches():
            inside = torch.sigmoid(video.trunk(batch.images, batch.technique)[1].float())
            known = known_regions(batch.technique)[:, :, None, None]
            wanted = batch.regions * known
            both += (inside * wanted).sum((0, 2, 3)).cpu()
            either += (inside * known + wanted).sum((0, 2, 3)).cpu()
        dice = 2 * both / either.clamp(min=1)
        return {
            f"{part} {'ES' if image == ES else 'ED'}.dice": round(float(d), 4)
            for (image, part), d in zip(REGIONS, dice, strict=True)
        }

    @torch.inference_mode()
    def _videos(self, video: VideoTower) -> Tensor:
        video.eval()
        read = [video(arrange(video, batch)[0]).vectors.cpu() for batch in self._batches()]
        return torch.cat(read)

    def _batches(self) -> Iterator[Batch]:
        count = len(self.shard.degrees)
        for first in range(0, count, AT_ONCE):
            picks = [(self.shard, i) for i in range(first, min(first + AT_ONCE, count))]
            stay = torch.ones(len(picks), self.shard.technique.shape[1], dtype=torch.bool)
            yield centre_crop(gather(picks, stay), self.config.inputs).to(self.config.device)

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
