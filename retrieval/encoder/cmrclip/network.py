"""Both towers and their projections into one space."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from retrieval.encoder.cmrclip.tower import TowerShape, VideoTower

HEAD_WIDTH = 64
"""Width of one attention head in both published towers."""

NORM_FLOOR = 1e-8
"""Vectors shorter than this are not stretched to unit length."""

TEMPERATURE = 0.05
"""Fixed temperature of the published training loss."""


def text_shape(**sizes: int) -> BertConfig:
    """A BERT as published but for its sizes, which are named as transformers names them."""
    given: dict[str, Any] = dict(sizes)
    return BertConfig(**given, hidden_act="gelu", layer_norm_eps=1e-12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes of the whole network."""

    video: TowerShape
    text: BertConfig
    projection: int

    @classmethod
    def of_weights(
        cls,
        weights: Mapping[str, Tensor],
        *,
        video_heads: int | None = None,
        text_heads: int | None = None,
    ) -> "Architecture":
        """Read every size off the weights' shapes.

        Head counts are in no shape; by default heads are 64 wide, as published.
        """
        conv = weights["video_model.patch_embed.proj.weight"]
        dim = conv.shape[0]
        video = TowerShape(
            dim=dim,
            depth=_count(weights, "video_model.blocks."),
            heads=video_heads or dim // HEAD_WIDTH,
            mlp=weights["video_model.blocks.0.mlp.fc1.weight"].shape[0],
            patch=conv.shape[-1],
            patches=weights["video_model.pos_embed"].shape[1] - 1,
            frames=weights["video_model.temporal_embed"].shape[1],
        )
        words = weights["text_model.embeddings.word_embeddings.weight"]
        inner = weights["text_model.encoder.layer.0.intermediate.dense.weight"]
        places = weights["text_model.embeddings.position_embeddings.weight"]
        kinds = weights["text_model.embeddings.token_type_embeddings.weight"]
        text = text_shape(
            vocab_size=words.shape[0],
            hidden_size=words.shape[1],
            num_hidden_layers=_count(weights, "text_model.encoder.layer."),
            num_attention_heads=text_heads or words.shape[1] // HEAD_WIDTH,
            intermediate_size=inner.shape[0],
            max_position_embeddings=places.shape[0],
            type_vocab_size=kinds.shape[0],
        )
        return cls(video=video, text=text, projection=weights["vid_proj.1.weight"].shape[0])


class CmrClip(nn.Module):
    """The dual encoder, with the parameter names of the published weights."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        wide = architecture.text.hidden_size
        self.width = architecture.projection
        self.text_model = BertModel(architecture.text, add_pooling_layer=False)
        self.video_model = VideoTower(architecture.video)
        self.txt_proj = nn.Sequential(nn.ReLU(), nn.Linear(wide, architecture.projection))
        self.vid_proj = nn.Sequential(
            nn.ReLU(), nn.Linear(architecture.video.dim, architecture.projection)
        )

    def video_embeddings(self, video: Tensor) -> Tensor:
        """(B, T, 3, H, W) -> (B, projection), before normalisation to unit length."""
        return self.vid_proj(self.video_model(video))

    def text_features(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Mean of the last hidden states over real tokens, [CLS] and [SEP] included: (B, D)."""
        hidden = self.text_model(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1e-9)

    def text_embeddings(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L) token ids and mask -> (B, projection), before normalisation."""
        return self.txt_proj(self.text_features(ids, mask))


def similarity(text: Tensor, video: Tensor) -> Tensor:
    """Cosine of every text (N, D) with every video (M, D): (N, M)."""

    def unit(x: Tensor) -> Tensor:
        return x / x.norm(dim=1, keepdim=True).clamp(min=NORM_FLOOR)

    return unit(text) @ unit(video).T


def norm_softmax_loss(similarities: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """The published loss: cross-entropy of rows plus that of columns, pairs on the diagonal."""
    logits = similarities / temperature
    pairs = torch.arange(len(logits), device=logits.device)
    rows = nn.functional.cross_entropy(logits, pairs)
    return rows + nn.functional.cross_entropy(logits.T, pairs)


def _count(weights: Mapping[str, Tensor], prefix: str) -> int:
    numbers = {int(k[len(prefix) :].split(".")[0]) for k in weights if k.startswith(prefix)}
    return max(numbers) + 1
