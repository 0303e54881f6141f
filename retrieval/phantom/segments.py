"""The 17 segments of the left ventricle.

Cerqueira et al., Circulation 2002;105:539: six basal, six mid and four apical
segments by angle, thirds of the cavity by depth, and the cap beyond it.
"""

import math

import torch
from torch import Tensor

from retrieval.phantom.lattice import ANGLES, DEPTHS, angles, depths

COUNT = 17

_BY_SIXTHS = (6, 1, 2, 3, 4, 5)
"""Basal segments, from angle -pi in steps of 60 degrees; mid segments add 6."""

_BY_QUARTERS = (13, 14, 15, 16)
"""Apical segments, from angle -135 degrees in steps of 90 degrees."""


def segment_table(cavity_share: Tensor) -> Tensor:
    """Which AHA segment each point of the lattice belongs to, (n, ANGLES, DEPTHS) int64.

    Parameters
    ----------
    cavity_share
        Depth at which the cavity ends, (n,).
    """
    device = cavity_share.device
    angle, depth = angles(device), depths(device)
    sixth = ((angle + math.pi) / (math.pi / 3)).floor().long() % 6
    quarter = ((angle + 0.75 * math.pi) / (math.pi / 2)).floor().long() % 4
    basal = torch.tensor(_BY_SIXTHS, device=device)[sixth]
    apical = torch.tensor(_BY_QUARTERS, device=device)[quarter]
    level = (depth / cavity_share[:, None, None]).expand(-1, ANGLES, DEPTHS)
    table = torch.where(level < 1 / 3, basal, basal + 6)
    table = torch.where(level < 2 / 3, table, apical)
    return torch.where(level < 1, table, COUNT)


def segment_means(values: Tensor, weight: Tensor, segments: Tensor) -> Tensor:
    """Weighted mean of a table in each segment, (n, 17); NaN where a segment has no weight."""
    index = (segments - 1).flatten(1)
    zero = torch.zeros(values.shape[0], COUNT, device=values.device)
    total = zero.scatter_add(1, index, (values * weight).flatten(1))
    return total / zero.scatter_add(1, index, weight.flatten(1))
