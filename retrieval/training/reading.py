"""From the clips of a batch, flat, to one vector per study."""

import torch
from torch import Tensor

from retrieval.encoder.phantom.network import VideoTower
from retrieval.training.augment import Batch


def read_studies(
    video: VideoTower, tokens: Tensor, batch: Batch, *, only: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Arrange (N, W) tokens by study and read each study.

    Parameters
    ----------
    only
        (N,) bool, the clips that may be looked at; at least one of each study.

    Returns
    -------
    tuple
        Unit vectors (B, D) and standardised measurements (B, M).
    """
    count = len(batch.degrees)
    sizes = torch.bincount(batch.study, minlength=count)
    starts = sizes.cumsum(0) - sizes
    slot = torch.arange(len(tokens), device=tokens.device) - starts[batch.study]
    arranged = tokens.new_zeros(count, int(sizes.max()), tokens.shape[1])
    arranged = arranged.index_put((batch.study, slot), tokens)
    present = torch.zeros(arranged.shape[:2], dtype=torch.bool, device=tokens.device)
    present[batch.study, slot] = True if only is None else only
    return video(arranged, present)
