"""The phantom encoder as a learner: heart crops at physical scale, words from frozen MiniLM."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from retrieval.encoder.checkpoint import fill, read_checkpoint
from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom import encoder as phantom
from retrieval.encoder.phantom.contract import (
    MAP_CEILING_MS,
    TECHNIQUES,
    VIEWS,
    InputContract,
)
from retrieval.encoder.phantom.inputs import StudyInput, prepare
from retrieval.encoder.phantom.network import (
    Architecture,
    DualEncoder,
    VideoTower,
)
from retrieval.encoder.phantom.seen import Clips, Seen
from retrieval.errors import UsageError
from retrieval.training.augment import standardise
from retrieval.training.learner import Arrays
from retrieval.training.recipe import PhantomSettings
from retrieval.values.clip import PREPROCESSING, Clip, ClipRecord
from retrieval.values.study import View

MARGIN_PX = 8
"""Looked at beyond the input's square, so that shifting and turning brings in anatomy."""

TRUNK = "video.trunk"
GLANCED = ("features", "geometry", "tissue")
"""What is kept of a clip once the trunk has seen it."""
SHORT_AXIS = VIEWS.index(View.SHORT_AXIS)
MAPS = torch.tensor([TECHNIQUES.index(technique) for technique in MAP_CEILING_MS])


class PhantomLearner:
    """Trains the phantom encoder's towers; the sentence encoder below the text tower is frozen."""

    def __init__(
        self,
        settings: PhantomSettings,
        *,
        start: str,
        device: str,
        seed: int,
        frozen: Sequence[str] = (),
    ) -> None:
        if settings.variants and TRUNK not in frozen:
            raise UsageError(
                f"phantom.variants is {settings.variants}, but the trunk learns and would see them "
                f'anew; set it to 0, or frozen = ["{TRUNK}"]'
            )
        self._settings = settings
        self._minilm = MiniLM(device)
        self._device = device
        self._architecture, self._inputs = settings.architecture, settings.inputs
        torch.manual_seed(seed)
        if start == "scratch":
            self.network: nn.Module = phantom.build(self._architecture, self._inputs)
        else:
            self.network = self._started(start)
        self._wide = replace(self._inputs, size_px=self._inputs.size_px + 2 * MARGIN_PX)
        self.sees_as = _digest({"inputs": asdict(self._wide), "clips": PREPROCESSING})
        self.reads_as = self._minilm.digest()
        self.variants = settings.variants
        varied = {
            name: getattr(settings, name)
            for name in ("turn_degrees", "shift_mm", "brightness", "noise")
        }
        self.glances_as = f"{_digest(varied)} {_weights_digest(_dual(self.network).video.trunk)}"

    def sees(self, record: ClipRecord) -> bool:
        """Whether a clip can be looked at."""
        return self._inputs.sees(record)

    def look(self, clips: Sequence[Clip]) -> Arrays:
        """Cut the heart out of each chosen clip, with a margin; images in half precision."""
        given = prepare(clips, self._wide)
        arrays = {f.name: getattr(given, f.name) for f in fields(given) if f.name != "clips"}
        study = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return study | {"images": study["images"].half()}

    def read(self, texts: Sequence[str]) -> list[Arrays]:
        """Token states of each text, (T, states) in half precision."""
        states, present = self._minilm.states(texts)
        rows = zip(states, present, strict=True)
        return [{"states": row[real].half().cpu().clone()} for row, real in rows]

    @torch.inference_mode()
    def glance(self, study: Arrays, rng: np.random.Generator | None) -> Arrays:
        """What the trunk sees in a variant of all clips of a study."""
        shown = self.settle(study) if rng is None else self._varied(study, rng)
        network = _dual(self.network).eval()
        seen = network.video.see(
            *(shown[name].to(self._device) for name in ("images", "technique", "view"))
        )
        told = {name: array for name, array in shown.items() if name != "images"}
        return told | {name: getattr(seen, name).cpu() for name in GLANCED}

    def vary(self, study: Arrays, rng: np.random.Generator) -> Arrays:
        """Lose clips, turn, shift, bend the grey scale and add noise; never zoom, never mirror.

        Of a study that was glanced at, clips are lost and nothing else.
        """
        stays = torch.from_numpy(self._stays(study, rng))
        part = {name: array[stays] for name, array in study.items()}
        return part if "features" in part else self._varied(part, rng)

    def settle(self, study: Arrays) -> Arrays:
        """The middle of the images; what was glanced at is settled."""
        if "features" in study:
            return study
        inner = slice(MARGIN_PX, MARGIN_PX + self._inputs.size_px)
        images = study["images"].float()[..., inner, inner]
        return study | {"images": self._standardised(images, images, study["technique"])}

    def encode(
        self, network: nn.Module, studies: Sequence[Arrays], texts: Sequence[Arrays]
    ) -> tuple[Tensor, Tensor]:
        """Unit vectors of studies as a whole, and of texts."""
        both = _dual(network)
        none = torch.zeros(0, self._architecture.dimension, device=self._device)
        videos = self._videos(both, studies) if studies else none
        words = self._words(both, texts) if texts else none
        return videos.float(), words.float()

    def contract(self) -> Mapping[str, Any]:
        """The input contract."""
        return asdict(self._inputs)

    def save(self, network: nn.Module, folder: Path, notes: Mapping[str, Any]) -> str:
        """Write the encoder's own checkpoint, weights in half precision."""
        made = phantom.make_checkpoint(_dual(network), self._architecture, self._inputs, notes)
        made.save(folder)
        return made.encoder_id

    def _started(self, start: str) -> DualEncoder:
        folder = phantom.SHIPPED if start == phantom.NAME else Path(start)
        checkpoint = read_checkpoint(folder, name=phantom.NAME)
        self._architecture = Architecture(**_tuples(checkpoint.contract["architecture"]))
        self._inputs = InputContract.saved(checkpoint.contract["inputs"])
        network = phantom.build(self._architecture, self._inputs)
        fill(network, checkpoint, where=str(folder))
        return network

    def _stays(self, study: Arrays, rng: np.random.Generator) -> np.ndarray:
        """(K,) bool: whole groups of one technique and view go first, then single clips."""
        group = (study["technique"] * len(VIEWS) + study["view"]).numpy()
        lost = [g for g in np.unique(group) if rng.uniform() < self._settings.drop_group]
        whole = ~np.isin(group, lost)
        whole = whole if whole.any() else np.ones_like(whole)
        some = whole & (rng.uniform(size=len(group)) >= self._settings.drop_clip)
        return some if some.any() else whole

    def _varied(self, study: Arrays, rng: np.random.Generator) -> Arrays:
        """The same clips, moved and shown differently."""
        images = self._moved(study["images"].float(), study["view"], rng)
        bend = rng.uniform(-1, 1) * self._settings.brightness
        bent = images * (1 + bend * (1 - images))
        noise = rng.standard_normal(images.shape).astype(np.float32)
        noisy = bent + self._settings.noise * rng.uniform() * torch.from_numpy(noise)
        return study | {"images": self._standardised(noisy, images, study["technique"])}

    def _moved(self, images: Tensor, view: Tensor, rng: np.random.Generator) -> Tensor:
        """(K, P, W, W) -> (K, P, S, S), each turned and shifted; slices of a stack together."""
        count, wide, size = len(images), images.shape[-1], self._inputs.size_px
        together = (view == SHORT_AXIS).numpy()
        turn = np.where(together, rng.uniform(-1, 1), rng.uniform(-1, 1, count))
        shared, own = rng.standard_normal(2), rng.standard_normal((count, 2))
        shift = np.where(together[:, None], shared, own) * self._settings.shift_mm
        angle = turn * math.radians(self._settings.turn_degrees)
        reach = size / wide
        theta = np.zeros((count, 2, 3), np.float32)
        theta[:, 0, 0] = theta[:, 1, 1] = np.cos(angle) * reach
        theta[:, 1, 0] = np.sin(angle) * reach
        theta[:, 0, 1] = -theta[:, 1, 0]
        theta[:, :, 2] = shift / self._inputs.spacing_mm * 2 / wide
        shape = [count, images.shape[1], size, size]
        grid = functional.affine_grid(torch.from_numpy(theta), shape, align_corners=False)
        return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)

    def _standardised(self, images: Tensor, times: Tensor, technique: Tensor) -> Tensor:
        """Standardise as an index would, but keep the absolute channel of maps as in `times`."""
        is_map = torch.isin(technique, MAPS)[:, None, None]
        first = standardise(torch.stack([images[:, 0]] * 2, dim=1), self._inputs)[:, 0]
        whole = standardise(images, self._inputs)
        return torch.stack(
            [
                torch.where(is_map, first, whole[:, 0]),
                torch.where(is_map, times[:, 1], whole[:, 1]),
            ],
            dim=1,
        )

    def _videos(self, network: DualEncoder, studies: Sequence[Arrays]) -> Tensor:
        if "features" in studies[0]:
            return network.video(self._arranged(network.video, studies)).vectors
        given = [
            StudyInput(clips=(), **{name: array.numpy() for name, array in study.items()})
            for study in studies
        ]
        return network.video(phantom.look(network.video, given, self._device)).vectors

    def _arranged(self, video: VideoTower, studies: Sequence[Arrays]) -> Clips:
        """What was glanced at, study by study."""
        flat = {name: torch.cat([s[name] for s in studies]).to(self._device) for name in studies[0]}
        none = torch.zeros(0, device=self._device)
        seen = Seen(**{name: flat.pop(name) for name in GLANCED}, regions=none)
        sizes = torch.tensor([len(study["view"]) for study in studies], device=self._device)
        study = torch.arange(len(studies), device=self._device).repeat_interleave(sizes)
        return video.arrange(seen, study, **flat)

    def _words(self, network: DualEncoder, texts: Sequence[Arrays]) -> Tensor:
        states = pad_sequence([text["states"].float() for text in texts], batch_first=True)
        present = _real([len(text["states"]) for text in texts], self._device)
        return network.text(states.to(self._device), present)


def _real(sizes: Sequence[int], device: str) -> Tensor:
    """(B, longest) bool: what is not padding."""
    places = torch.arange(max(sizes), device=device)
    return places[None, :] < torch.tensor(sizes, device=device)[:, None]


def _dual(network: nn.Module) -> DualEncoder:
    if not isinstance(network, DualEncoder):
        raise TypeError(f"a {type(network).__name__} is no phantom encoder")
    return network


def _weights_digest(part: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(part.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the dataclasses have tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
