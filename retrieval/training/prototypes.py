"""A direction for every statement, learned from hearts alone; sentences are drawn to theirs.

Matching hearts with sentences has to find both ends at once: where hearts of
large atria lie, and where words about atria do. The simulator knows every
statement of every heart, so the first can be learned without the second. The
prototypes serve training and are not part of the encoder.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Prototypes(nn.Module):
    """One unit vector for each of C statements.

    Parameters
    ----------
    count
        C.
    dimension
        Of the vectors of hearts and sentences.
    """

    def __init__(self, count: int, dimension: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(count, dimension))
        self.bias = nn.Parameter(torch.full((count,), -1.0))
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))

    def logits(self, videos: Tensor) -> Tensor:
        """(B, D) unit vectors of hearts -> (B, C) log-odds that each statement is true."""
        directions = functional.normalize(self.directions, dim=-1)
        return self.log_scale.exp().clamp(max=60) * (videos @ directions.T) + self.bias

    def distance(self, texts: Tensor, members: Tensor) -> Tensor:
        """Mean of 1 - cosine between sentences that make one statement and its prototype.

        The prototypes stay where hearts put them.

        Parameters
        ----------
        texts
            (J, D) unit vectors.
        members
            (J, M) int64 statements of each sentence, -1 where it has fewer than M.
        """
        alone = (members >= 0).sum(1) == 1
        directions = functional.normalize(self.directions.detach(), dim=-1)
        return (1 - (texts[alone] * directions[members[alone, 0]]).sum(-1)).mean()
