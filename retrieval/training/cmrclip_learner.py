"""CMR-CLIP as a learner: the published layout of a study, varied as settings say."""

import hashlib
import json
import math
import shutil
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from retrieval.encoder.cmrclip import arrays, frames
from retrieval.encoder.cmrclip.encoder import TOKENS
from retrieval.encoder.cmrclip.network import CmrClip
from retrieval.encoder.cmrclip.published import (
    NAME,
    SAFE,
    TOKENIZER,
    assemble,
    from_hub,
    read_tokenizer,
    read_weights,
)
from retrieval.errors import UnusableSeries, UsageError
from retrieval.training.cmrclip_start import untrained
from retrieval.training.folder import write_json
from retrieval.training.learner import Arrays
from retrieval.training.recipe import CmrClipSettings
from retrieval.values.clip import PREPROCESSING, Clip, ClipRecord

RATIO = (3 / 4, 4 / 3)
"""Width over height of a random crop before it is enlarged."""

TRIES = 10
"""Crops that do not fit are drawn again so often; then the largest square is taken."""


class CmrClipLearner:
    """Trains both towers of CMR-CLIP."""

    def __init__(self, settings: CmrClipSettings, *, start: str, device: str, seed: int) -> None:
        self._settings = settings
        self._device = device
        torch.manual_seed(seed)
        if start == "scratch":
            if not settings.vocabulary:
                raise UsageError("cmrclip from scratch needs cmrclip.vocabulary, with a vocab.txt")
            self._words = Path(settings.vocabulary)
            self._tokenizer = read_tokenizer(self._words)
            self.network: nn.Module = untrained(settings, len(self._tokenizer))
        else:
            weights, self._words = from_hub() if start == NAME else (Path(start), Path(start))
            self._tokenizer = read_tokenizer(self._words)
            self.network, _ = assemble(read_weights(weights), where=str(weights))
        self.network.requires_grad_(requires_grad=True)
        layout = [arrays.SIZE_PX, arrays.SPACING_MM, arrays.PHASES, arrays.LGE_SLICES]
        self.sees_as = f"{NAME} {PREPROCESSING} {layout} {arrays.WINDOW_PERCENTILES}"
        self.glances_as, self.variants = "", 0
        vocabulary = (self._words / TOKENIZER).read_bytes()
        self.reads_as = f"{NAME} {TOKENS} {hashlib.sha256(vocabulary).hexdigest()}"

    def sees(self, record: ClipRecord) -> bool:
        """Whether a clip can become part of one of the six arrays."""
        return arrays.sees(record)

    def look(self, clips: Sequence[Clip]) -> Arrays:
        """Lay a study out as one video, (T, 224, 224) uint8."""
        views, used = arrays.study_arrays(clips)
        if not used:
            raise UnusableSeries(f"none of {len(clips)} clips shows a view of the published layout")
        return {"frames": torch.from_numpy(frames.study_frames(views))}

    def read(self, texts: Sequence[str]) -> list[Arrays]:
        """Token ids of each text, markers included."""
        found = self._tokenizer(list(texts), truncation=True, max_length=TOKENS)["input_ids"]
        return [{"ids": torch.tensor(ids)} for ids in found]

    def glance(self, study: Arrays, rng: np.random.Generator | None) -> Arrays:  # noqa: ARG002
        """No part of this network rests."""
        return study

    def vary(self, study: Arrays, rng: np.random.Generator) -> Arrays:
        """Draw frames, cut and enlarge one window of all of them, perhaps mirror them."""
        given = study["frames"]
        places = self._places(len(given), rng)
        top, left, height, width = self._window(given.shape[-2], given.shape[-1], rng)
        cut = given[places, top : top + height, left : left + width].float()[:, None] / 255
        size = [frames.CROPPED, frames.CROPPED]
        grey = functional.interpolate(
            cut, size=size, mode="bilinear", antialias=True, align_corners=False
        )
        if rng.uniform() < self._settings.flip:
            grey = grey.flip(-1)
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (frames.MEAN, frames.STD))
        return {"video": (grey.expand(-1, 3, -1, -1) - mean) / std}

    def settle(self, study: Arrays) -> Arrays:
        """The middle frame of each interval, whole: what the encoder sees."""
        return {"video": frames.video(study["frames"].numpy(), self._wanted)}

    def encode(
        self, network: nn.Module, studies: Sequence[Arrays], texts: Sequence[Arrays]
    ) -> tuple[Tensor, Tensor]:
        """Unit vectors of studies and of texts."""
        if not isinstance(network, CmrClip):
            raise TypeError(f"a {type(network).__name__} is no CMR-CLIP")
        videos = words = torch.zeros(0, network.width, device=self._device)
        if studies:
            padded = torch.stack([self._padded(study["video"]) for study in studies])
            videos = network.video_embeddings(padded.to(self._device))
        if texts:
            ids = pad_sequence([text["ids"][:TOKENS] for text in texts], batch_first=True)
            sizes = torch.tensor([min(len(text["ids"]), TOKENS) for text in texts])
            mask = (torch.arange(ids.shape[1])[None, :] < sizes[:, None]).long()
            words = network.text_embeddings(ids.to(self._device), mask.to(self._device))
        return functional.normalize(videos.float(), dim=-1), functional.normalize(
            words.float(), dim=-1
        )

    def contract(self) -> Mapping[str, Any]:
        """What the published layout is made from."""
        return {
            "size_px": arrays.SIZE_PX,
            "spacing_mm": arrays.SPACING_MM,
            "phases": arrays.PHASES,
            "frames": self._wanted,
            "window_percentiles": list(arrays.WINDOW_PERCENTILES),
        }

    def save(self, network: nn.Module, folder: Path, notes: Mapping[str, Any]) -> str:
        """Write weights under their published names, the vocabulary, and a description."""
        tensors = {n: t.detach().cpu().contiguous() for n, t in network.state_dict().items()}
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / SAFE)
        if folder != self._words:
            shutil.copyfile(self._words / TOKENIZER, folder / TOKENIZER)
        _, checkpoint = assemble(tensors, where=str(folder))
        told = {"name": NAME, "contract": dict(checkpoint.contract), "notes": dict(notes)}
        write_json(folder / "config.json", json.loads(json.dumps(told)))
        return checkpoint.encoder_id

    @property
    def _wanted(self) -> int:
        if not isinstance(self.network, CmrClip):
            raise TypeError(f"a {type(self.network).__name__} is no CMR-CLIP")
        return self.network.video_model.shape.frames

    def _places(self, count: int, rng: np.random.Generator) -> list[int]:
        """One frame of each of min(wanted, count) equal intervals."""
        if not self._settings.spread_frames:
            return frames.sampled(count, self._wanted)
        bounds = np.linspace(0, count, min(self._wanted, count) + 1).astype(int)
        return [int(rng.integers(a, b)) for a, b in pairwise(bounds)]

    def _window(
        self, rows: int, columns: int, rng: np.random.Generator
    ) -> tuple[int, int, int, int]:
        """(top, left, height, width) of a random part of an image."""
        if self._settings.crop == (1.0, 1.0):
            return 0, 0, rows, columns
        for _ in range(TRIES):
            area = rows * columns * rng.uniform(*self._settings.crop)
            ratio = math.exp(rng.uniform(math.log(RATIO[0]), math.log(RATIO[1])))
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if width <= columns and height <= rows:
                top = int(rng.integers(rows - height + 1))
                return top, int(rng.integers(columns - width + 1)), height, width
        side = min(rows, columns)
        return (rows - side) // 2, (columns - side) // 2, side, side

    def _padded(self, video: Tensor) -> Tensor:
        """(k, 3, H, W) -> (wanted, 3, H, W), zeros behind."""
        missing = self._wanted - len(video)
        return functional.pad(video, (0, 0, 0, 0, 0, 0, 0, missing)).contiguous()
