"""CMR-CLIP behind the ports."""

from collections.abc import Sequence
from pathlib import Path

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
from retrieval.errors import UnusableSeries
from retrieval.values.clip import Clip, ClipRecord
from retrieval.values.embedding import Embeddings, EncoderId, StudyEmbedding, Vectors, unit_rows

TOKENS = 512
"""Longest text, [CLS] and [SEP] included."""


class CmrClipEncoder:
    """TextEncoder and VideoEncoder with the published network: one vector per study."""

    def __init__(
        self,
        network: CmrClip,
        tokenizer: PreTrainedTokenizerBase,
        *,
        encoder_id: EncoderId,
        device: str = "cpu",
    ) -> None:
        self.encoder_id = encoder_id
        self._network = network.to(device)
        self._tokenizer = tokenizer
        self._device = device

    def sees(self, record: ClipRecord) -> bool:
        """Whether clips like this one can become part of the published layout."""
        return arrays.sees(record)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed N texts; row i belongs to texts[i]."""
        return Embeddings(self.encoder_id, self._unit([self._text(text) for text in texts]))

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
            whole=self._unit([vector])[0],
            clips={},
            inputs=tuple(clip.record.id for clip in used),
        )

    def _text(self, text: str) -> Tensor:
        words = self._tokenizer(text, truncation=True, max_length=TOKENS, return_tensors="pt")
        with torch.inference_mode():
            return self._network.text_embeddings(
                words["input_ids"].to(self._device), words["attention_mask"].to(self._device)
            )[0]

    def _unit(self, vectors: Sequence[Tensor]) -> Vectors:
        rows = [vector.float().cpu().numpy() for vector in vectors]
        none = np.zeros((0, self._network.width), np.float32)
        return unit_rows(np.stack(rows) if rows else none)


def load(path: Path | None = None, device: str = "cpu") -> CmrClipEncoder:
    """Load the published encoder from a folder, or from the hub when there is none.

    Raises
    ------
    CheckpointInvalid
        Weights or vocabulary are missing or damaged, or the hub is out of reach.
    """
    weights_at, words_at = (path, path) if path is not None else from_hub()
    network, checkpoint = assemble(read_weights(weights_at), where=str(weights_at))
    return CmrClipEncoder(
        network, read_tokenizer(words_at), encoder_id=checkpoint.encoder_id, device=device
    )
