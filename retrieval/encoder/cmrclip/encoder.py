"""CMR-CLIP behind the ports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from retrieval.encoder.cmrclip import arrays, frames
from retrieval.encoder.cmrclip.network import CmrClip
from retrieval.encoder.cmrclip.published import (
    assemble,
    from_hub,
    read_tokenizer,
    read_weights,
)
from retrieval.encoder.texts import RememberedTexts, by_length
from retrieval.errors import UnusableSeries
from retrieval.values.clip import Clip, ClipRecord
from retrieval.values.embedding import Embeddings, EncoderId, StudyEmbedding, Vectors, unit_rows

TOKENS = 512
"""Longest text, [CLS] and [SEP] included."""

Precision = Literal["fp32", "bf16"]
"""What the video tower computes in. bf16 is for GPUs, and changes a vector by less than 1e-2 in
cosine; the name of the encoder stays the same. Words are always read in float32."""


class CmrClipEncoder:
    """TextEncoder and VideoEncoder with the published network: one vector per study.

    Studies go through the tower one at a time: every study is one video of the
    same length (the published padding is attended to, and kept), and one fills
    any processor, so a batch would cost memory and gain nothing.
    """

    def __init__(
        self,
        network: CmrClip,
        tokenizer: PreTrainedTokenizerBase,
        *,
        encoder_id: EncoderId,
        device: str = "cpu",
        precision: Precision = "fp32",
    ) -> None:
        self.encoder_id = encoder_id
        self._network = network.to(device)
        if precision == "bf16":
            self._network.video_model.to(torch.bfloat16)
            self._network.vid_proj.to(torch.bfloat16)
        self._tokenizer = tokenizer
        self._device = device
        self._remembered = RememberedTexts(self._texts, width=network.width)

    def sees(self, record: ClipRecord) -> bool:
        """Whether clips like this one can become part of the published layout."""
        return arrays.sees(record)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed N texts; row i belongs to texts[i]."""
        return Embeddings(self.encoder_id, self._remembered.vectors(texts))

    def encode_studies(self, studies: Sequence[Sequence[Clip]]) -> list[StudyEmbedding]:
        """Embed N studies from those of the six published views that they have.

        Raises
        ------
        UnusableSeries
            A study has none of them.
        """
        return [self._study(clips) for clips in studies]

    def _study(self, clips: Sequence[Clip]) -> StudyEmbedding:
        views, used = arrays.study_arrays(clips)
        if not used:
            raise UnusableSeries(
                f"none of {len(clips)} clips is a cine or late enhancement in a standard view"
            )
        wanted = self._network.video_model.shape.frames
        video = frames.video(frames.study_frames(views), wanted).to(self._device)
        with torch.inference_mode():
            vector = self._network.video_embeddings(video[None])[0]
        return StudyEmbedding(
            study=used[0].record.study,
            encoder_id=self.encoder_id,
            whole=_unit([vector])[0],
            clips={},
            inputs=tuple(clip.record.id for clip in used),
        )

    def _texts(self, texts: Sequence[str]) -> Vectors:
        """(N, projection), of unit length."""
        words = self._tokenizer(list(texts), truncation=True, max_length=TOKENS)["input_ids"]
        found: dict[int, Tensor] = {}
        with torch.inference_mode():
            for places in by_length([len(ids) for ids in words]):
                ids = torch.tensor([words[place] for place in places], device=self._device)
                vectors = self._network.text_embeddings(ids, torch.ones_like(ids))
                found.update(zip(places, vectors, strict=True))
        return _unit([found[place] for place in range(len(texts))])


def _unit(vectors: Sequence[Tensor]) -> Vectors:
    return unit_rows(np.stack([vector.float().cpu().numpy() for vector in vectors]))


def load(
    path: Path | None = None, device: str = "cpu", precision: Precision = "fp32"
) -> CmrClipEncoder:
    """Load the published encoder from a folder, or from the hub when there is none.

    Raises
    ------
    CheckpointInvalid
        Weights or vocabulary are missing or damaged, or the hub is out of reach.
    """
    weights_at, words_at = (path, path) if path is not None else from_hub()
    network, checkpoint = assemble(read_weights(weights_at), where=str(weights_at))
    return CmrClipEncoder(
        network,
        read_tokenizer(words_at),
        encoder_id=checkpoint.encoder_id,
        device=device,
        precision=precision,
    )
