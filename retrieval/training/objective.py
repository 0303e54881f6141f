"""What the phantom encoder is trained to get right.

The simulator knows, for every study and every sentence, how true the sentence
is (0 to 1). So each pair is one binary question (as in SigLIP, Zhai et al.
2023, arXiv:2303.15343, but with the truth instead of the diagonal): no study is
a false negative of another's sentence.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.phantom.contract import TECHNIQUES
from retrieval.encoder.phantom.geometry import ED, REGIONS
from retrieval.values.study import Technique

FEWEST = 1.5
"""Sentences with less truth (or falsehood) in a batch than this weigh less than others."""


SHOWN_BY = {
    "scar": (Technique.LGE,),
    "oedema": (Technique.T2_WEIGHTED, Technique.T2_MAP),
    "defect": (Technique.PERFUSION,),
}
"""Techniques in which a lesion can be seen at all."""


def match_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of (B, J) log-odds with (B, J) degrees of truth.

    Within each sentence true and false studies weigh the same in sum, however
    rare the finding is.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    true = truth / truth.sum(0, keepdim=True).clamp(min=FEWEST)
    false = (1 - truth) / (1 - truth).sum(0, keepdim=True).clamp(min=FEWEST)
    return (loss * (true + false) / 2).sum(0).mean()


def segmentation_loss(logits: Tensor, shares: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy plus soft Dice of (N, R, h, w) logits with the shares that regions fill.

    Parameters
    ----------
    known
        (N, R) 1 where the region's truth is given (scar only in late enhancement).
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, shares, reduction="none")
    weight = known.sum(0).clamp(min=1)
    entropy_mean = ((entropy.mean((2, 3)) * known).sum(0) / weight).mean()
    inside = torch.sigmoid(logits) * known[:, :, None, None]
    wanted = shares * known[:, :, None, None]
    overlap = (2 * (inside * wanted).sum((0, 2, 3)) + 1) / (inside + wanted).sum((0, 2, 3)).add(1)
    return 4 * entropy_mean + (1 - overlap).mean() / 2


def known_regions(technique: Tensor) -> Tensor:
    """(N, R) 1 where a region is to be found: a lesion only where the technique shows it."""
    known = torch.ones(len(technique), len(REGIONS), device=technique.device)
    for name, techniques in SHOWN_BY.items():
        shown = torch.zeros_like(technique, dtype=torch.bool)
        for one in techniques:
            shown |= technique == TECHNIQUES.index(one)
        known[:, REGIONS.index((ED, name))] = shown.to(known.dtype)
    return known


def conjunction(degrees: Tensor, members: Tensor) -> Tensor:
    """How true each sentence is of each study: the product over the statements it makes.

    Parameters
    ----------
    degrees
        (B, C) degree of each concept.
    members
        (J, M) int64 concepts of each sentence, -1 where it has fewer than M.
    """
    padded = torch.cat([degrees, torch.ones_like(degrees[:, :1])], dim=1)
    return padded[:, members].prod(dim=2)


def single_margins(margins: Tensor, members: Tensor) -> Tensor:
    """(B, J) margins of sentences that make one statement; NaN for all others."""
    alone = (members >= 0).sum(1) == 1
    return margins[:, members[:, 0]].masked_fill(~alone, float("nan"))


def rank_loss(logits: Tensor, margins: Tensor, sharpness: float = 0.5) -> Tensor:
    """Order studies by how far they are beyond (or short of) a sentence's limit.

    Truth saturates: every severely dilated heart is dilated. A reader still
    wants the largest first, so for each pair of studies the chance that one
    scores above the other is to follow the difference of their margins
    (Bradley and Terry, Biometrika 1952;39:324).

    Parameters
    ----------
    logits, margins
        (B, J); margins in units of the limit's width, NaN where a sentence has
        none.
    """
    graded = ~margins.isnan().any(0)
    if not bool(graded.any()):
        return logits.sum() * 0
    score, margin = logits[:, graded], margins[:, graded]
    apart = score[:, None] - score[None, :]
    wanted = torch.sigmoid(sharpness * (margin[:, None] - margin[None, :]))
    return functional.binary_cross_entropy_with_logits(apart, wanted)


def measure_loss(measured: Tensor, spread: Tensor, truth: Tensor) -> Tensor:
    """Negative log-likelihood of a Laplace distribution, up to a constant; all (B, M).

    Heavy tails: a study of which only the scar was imaged tells no volume.
    """
    return ((measured - truth).abs() / spread + spread.log()).mean()
