"""The phantom encoder behind the ports."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from retrieval.encoder.checkpoint import Checkpoint, fill, read_checkpoint
from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom.contract import VERSION
from retrieval.encoder.phantom.inputs import InputContract, StudyInput, prepare, prepare_variants
from retrieval.encoder.phantom.network import (
    MEASUREMENTS,
    SEGMENTATION_STRIDE,
    TYPICAL,
    Architecture,
    DualEncoder,
    Reading,
    VideoTower,
)
from retrieval.encoder.phantom.seen import Clips
from retrieval.encoder.texts import RememberedTexts
from retrieval.errors import CheckpointInvalid
from retrieval.ports import Pixels
from retrieval.values.clip import Clip, ClipId, ClipRecord
from retrieval.values.embedding import Embeddings, EncoderId, StudyEmbedding, Vectors, unit_rows
from retrieval.values.estimate import Estimate, Quantity

NAME = "phantom"
SHIPPED = Path(__file__).parent / "weights"

QUANTITIES = MappingProxyType(
    {
        "lvedv_ml": Quantity.LVEDV,
        "lvesv_ml": Quantity.LVESV,
        "lvef_pct": Quantity.LVEF,
        "lv_mass_g": Quantity.LV_MASS,
        "wall_max_mm": Quantity.WALL_MAX,
        "rvedv_ml": Quantity.RVEDV,
        "rvesv_ml": Quantity.RVESV,
        "rvef_pct": Quantity.RVEF,
    }
)
"""What the network's measurements are called outside of it."""


class PhantomEncoder:
    """TextEncoder and VideoEncoder trained on simulated hearts.

    A study gets one vector as a whole, from at most a few dozen of its clips,
    and one per such clip: the same network reading that clip alone, cut out
    where the whole study says that the heart is. Each study and each text is
    computed by itself, so the result does not depend on what else is in a
    batch. Estimates are of the study as a whole.
    """

    def __init__(self, checkpoint: Checkpoint, *, where: str, device: str = "cpu") -> None:
        self.encoder_id: EncoderId = checkpoint.encoder_id
        self.contract = _contract(checkpoint, where)
        self.device = device
        self._where = where
        self._minilm_digest = checkpoint.contract["minilm"]
        self._network = build(
            Architecture(**_tuples(checkpoint.contract["architecture"])), self.contract
        )
        fill(self._network, checkpoint, where=where)
        self._network.to(device).eval().requires_grad_(requires_grad=False)
        width = self._network.text.project.out_features
        self._texts = RememberedTexts(self._read_texts, width=width)

    def sees(self, record: ClipRecord) -> bool:
        """Whether clips like this one are of any use: those that the contract names are."""
        return self.contract.sees(record)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed N texts; row i belongs to texts[i]."""
        return Embeddings(self.encoder_id, unit_rows(self._texts.vectors(texts)))

    def encode_studies(self, studies: Sequence[Sequence[Clip]]) -> list[StudyEmbedding]:
        """Embed N studies, each given by one or more of its clips.

        Raises
        ------
        UnusableSeries
            A study has no clip that the contract names.
        """
        return [self._encode_study(clips) for clips in studies]

    @torch.inference_mode()
    def encode_variants(
        self, clips: Sequence[Clip], of: ClipId, variants: Iterator[Pixels]
    ) -> tuple[Embeddings, bool]:
        """Embed N looks of one clip of a study, all in one pass; the other clips say where it is.

        Raises
        ------
        UnusableSeries
            The encoder does not look at that clip.
        """
        given = prepare_variants(clips, of, variants, self.contract)
        read = self._network.video(one_by_one(look(self._network.video, [given], self.device)))
        return Embeddings(self.encoder_id, unit_rows(read.vectors.cpu().numpy())), False

    @cached_property
    def _minilm(self) -> MiniLM:
        """Loaded when the first text comes: indexing needs none."""
        minilm = MiniLM(self.device)
        if minilm.digest() != self._minilm_digest:
            reason = "it was trained on another version of MiniLM than the one installed"
            raise CheckpointInvalid(self._where, reason)
        return minilm

    @torch.inference_mode()
    def _read_texts(self, texts: Sequence[str]) -> Vectors:
        """Each by itself: (N, D)."""
        rows = [self._network.text(*self._minilm.states([text])) for text in texts]
        return torch.cat(rows).cpu().numpy()

    @torch.inference_mode()
    def _encode_study(self, clips: Sequence[Clip]) -> StudyEmbedding:
        given = prepare(clips, self.contract)
        seen = look(self._network.video, [given], self.device)
        whole = self._network.video(seen)
        alone = self._network.video(one_by_one(seen))
        rows = unit_rows(torch.cat([whole.vectors, alone.vectors]).cpu().numpy())
        return StudyEmbedding(
            study=clips[0].record.study,
            encoder_id=self.encoder_id,
            whole=rows[0],
            clips=dict(zip(given.clips, rows[1:], strict=True)),
            inputs=given.clips,
            context=given.clips,
            estimates=estimates(whole),
        )


def load(path: Path | None = None, device: str = "cpu") -> PhantomEncoder:
    """Load the shipped weights, or a checkpoint folder.

    Raises
    ------
    CheckpointInvalid
        The folder is not a checkpoint of this kind.
    """
    folder = SHIPPED if path is None else path
    checkpoint = read_checkpoint(folder, name=NAME)
    return PhantomEncoder(checkpoint, where=str(folder), device=device)


def build(architecture: Architecture, contract: InputContract) -> DualEncoder:
    """Make an untrained network for an input contract."""
    cell_mm = contract.spacing_mm * SEGMENTATION_STRIDE
    return DualEncoder(architecture, cell_mm, techniques=len(contract.techniques))


def make_checkpoint(
    network: DualEncoder,
    architecture: Architecture,
    contract: InputContract,
    notes: Mapping[str, Any],
) -> Checkpoint:
    """Describe a network as a checkpoint; weights are kept in half precision."""
    halves = {
        name: tensor.detach()
        .cpu()
        .to(torch.float16 if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in network.state_dict().items()
    }
    made_of = {
        "architecture": asdict(architecture),
        "inputs": asdict(contract),
        "minilm": MiniLM().digest(),
    }
    return Checkpoint(name=NAME, contract=made_of, notes=notes, tensors=halves)


def look(video: VideoTower, studies: Sequence[StudyInput], device: str) -> Clips:
    """Run the trunk over the clips of B studies."""
    sizes = torch.tensor([len(given.images) for given in studies])
    study = torch.arange(len(studies)).repeat_interleave(sizes).to(device)

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(g, name) for g in studies])).to(device)

    technique, view = joined("technique"), joined("view")
    seen = video.see(joined("images"), technique, view)
    position_mm, gap_mm = joined("position_mm"), joined("gap_mm")
    return video.arrange(seen, study, technique, view, position_mm, gap_mm)


def one_by_one(clips: Clips) -> Clips:
    """One study's K clips as K studies of one clip each."""
    parts = {f.name: getattr(clips, f.name) for f in fields(clips)}
    return Clips(**{name: part.transpose(0, 1) for name, part in parts.items()})


def estimates(reading: Reading) -> tuple[Estimate, ...]:
    """What was measured of one study, out of the standard scale that the network was taught in."""
    told = zip(MEASUREMENTS, reading.measured[0].tolist(), reading.spread[0].tolist(), strict=True)
    return tuple(
        Estimate(
            quantity=QUANTITIES[name],
            value=TYPICAL[name][0] + TYPICAL[name][1] * value,
            spread=TYPICAL[name][1] * spread,
        )
        for name, value, spread in told
    )


def _contract(checkpoint: Checkpoint, where: str) -> InputContract:
    try:
        given = checkpoint.contract["inputs"]
        if given["version"] == VERSION:
            return InputContract.saved(given)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"its input contract cannot be read ({error!r})"
        raise CheckpointInvalid(where, reason) from error
    reason = f"its input contract is version {given['version']}; this program knows {VERSION}"
    raise CheckpointInvalid(where, reason)


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the dataclasses have tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
