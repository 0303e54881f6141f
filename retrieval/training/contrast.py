"""Losses over B studies and B texts, and which texts count as true of which studies.

Row i of a similarity is a study, column j a text; study i and text i belong
together. Two reports that say the same are no opposites: `Targets` says which
of the other pairs are true, which are false, and which nobody knows.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Kind = Literal["norm_softmax", "infonce", "sigmoid"]
TargetKind = Literal["own", "findings", "words"]

PUBLISHED_TEMPERATURE = 0.05
STEEPEST = 100.0
"""A learnt scale stops here (Radford et al. 2021, arXiv:2103.00020)."""

SIGMOID_SCALE, SIGMOID_BIAS = 10.0, -10.0
"""Where a sigmoid loss starts (Zhai et al. 2023, arXiv:2303.15343)."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """What is to be learnt about B x B pairs.

    Attributes
    ----------
    truth
        (B, B) float in [0, 1]: how true text j is of study i; 1 on the diagonal.
    known
        (B, B) bool; other pairs take no part. True on the diagonal.
    """

    truth: Tensor
    known: Tensor

    def to(self, device: torch.device) -> "Targets":
        """The same on another device."""
        return Targets(truth=self.truth.to(device), known=self.known.to(device))


def own_pairs(count: int) -> Targets:
    """Each text is true of its own study and false of every other, as published."""
    return Targets(truth=torch.eye(count), known=torch.ones(count, count, dtype=torch.bool))


def from_findings(studies: Tensor, texts: Tensor, alike: Tensor) -> Targets:
    """Judge each text by what the whole report of each study states.

    A text is true of a study whose report states all that it states, false of
    one whose report states the opposite of any of it, and unknown where the
    report is silent or unsure about a part and contradicts nothing. A text
    that states no finding is false of all studies but those with an equal text.

    Parameters
    ----------
    studies, texts
        (B, F) int: 1 stated, -1 denied, 0 open or not mentioned.
    alike
        (B, B) bool, texts that are equal but for case and signs.
    """
    said, meant = studies.float(), texts.float()
    agreed = (said.clamp(min=0) @ meant.clamp(min=0).T) + (
        (-said).clamp(min=0) @ (-meant).clamp(min=0).T
    )
    opposed = (said.clamp(min=0) @ (-meant).clamp(min=0).T) + (
        (-said).clamp(min=0) @ meant.clamp(min=0).T
    )
    stated = meant.abs().sum(1)
    speaks = (stated > 0)[None, :]
    own = torch.eye(len(said), dtype=torch.bool)
    true = own | alike | (speaks & (agreed == stated[None, :]) & (opposed == 0))
    known = true | ~speaks | (opposed > 0)
    return Targets(truth=true.float(), known=known)


def from_words(texts: Sequence[str], *, from_overlap: float = 0.5) -> Targets:
    """Judge each text by the words it shares with each study's own text.

    Parameters
    ----------
    from_overlap
        Jaccard overlap of two texts' words up to which they count as
        different; from there to 1 truth grows in proportion.
    """
    words = [frozenset(_WORD.findall(text.lower())) for text in texts]
    truth = torch.eye(len(words))
    for i, a in enumerate(words):
        for j, b in enumerate(words):
            overlap = len(a & b) / max(1, len(a | b))
            grown = (overlap - from_overlap) / (1 - from_overlap)
            truth[i, j] = 1.0 if i == j else max(0.0, grown)
    return Targets(truth=truth, known=torch.ones_like(truth, dtype=torch.bool))


def alike(texts: Sequence[str]) -> Tensor:
    """(B, B) bool: which texts are equal but for case, spaces and signs."""
    plain = [" ".join(_WORD.findall(text.lower())) for text in texts]
    number = {text: place for place, text in enumerate(dict.fromkeys(plain))}
    ids = torch.tensor([number[text] for text in plain])
    return ids[:, None] == ids[None, :]


def softmax_loss(logits: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Cross-entropy over each study's texts and over each text's studies.

    The target of a row is its truth, scaled to sum 1; pairs that are not known
    stand in no denominator. With `own_pairs` these are the two terms of CLIP's
    loss.

    Returns
    -------
    tuple
        Means over studies and over texts.
    """
    return _one_way(logits, targets.truth, targets.known), _one_way(
        logits.T, targets.truth.T, targets.known.T
    )


def sigmoid_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Binary cross-entropy of each known pair, summed, per study (SigLIP)."""
    loss = functional.binary_cross_entropy_with_logits(logits, targets.truth, reduction="none")
    return (loss * targets.known).sum() / len(logits)


class Objective(nn.Module):
    """One of the losses, with whatever it learns itself.

    Parameters
    ----------
    kind
        "norm_softmax": cosine over a fixed temperature, both directions added
        (as published); "infonce": a learnt scale, both directions' mean;
        "sigmoid": a learnt scale and bias.
    temperature
        Fixed for "norm_softmax", the start for "infonce".
    """

    def __init__(self, kind: Kind, temperature: float = PUBLISHED_TEMPERATURE) -> None:
        super().__init__()
        self.kind: Kind = kind
        start = SIGMOID_SCALE if kind == "sigmoid" else 1 / temperature
        learnt = kind != "norm_softmax"
        self.log_scale = nn.Parameter(torch.tensor(math.log(start)), requires_grad=learnt)
        self.bias = nn.Parameter(torch.tensor(SIGMOID_BIAS), requires_grad=kind == "sigmoid")

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied with."""
        return self.log_scale.exp().clamp(max=STEEPEST)

    def forward(self, videos: Tensor, texts: Tensor, targets: Targets) -> Tensor:
        """Loss of (B, D) and (B, D) unit vectors."""
        logits = self.scale * (videos @ texts.T)
        if self.kind == "sigmoid":
            return sigmoid_loss(logits + self.bias, targets)
        of_studies, of_texts = softmax_loss(logits, targets)
        both = of_studies + of_texts
        return both if self.kind == "norm_softmax" else both / 2


def _one_way(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    wanted = truth * known
    wanted = wanted / wanted.sum(1, keepdim=True)
    likely = logits.masked_fill(~known, -math.inf).log_softmax(1).masked_fill(~known, 0.0)
    return -(wanted * likely).sum(1).mean()
