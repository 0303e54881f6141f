"""Smooth random patterns on the lattice, made of a heart's own random numbers."""

import math

import torch
from torch import Tensor

from retrieval.phantom.lattice import angles, column, depths
from retrieval.phantom.physiology import Hearts

_SIZES, _SHIFTS = 4, 14
"""Where the numbers for waves begin in `Hearts.ripple`; both have ten."""

_MESH = 24
"""Where the numbers for meshes begin; six waves of four each."""


def harmonics(hearts: Hearts, orders: tuple[int, ...]) -> Tensor:
    """A smooth pattern of zero mean, about ±0.5, (n, ANGLES, DEPTHS); at most six orders."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    total = torch.zeros_like(angle * depth)
    for i, order in enumerate(orders):
        size, shift = hearts.ripple[:, _SIZES + i], hearts.ripple[:, _SHIFTS + i]
        wave = torch.cos(order * angle + 3 * column(shift) + column(size) * 9 * depth)
        total = total + wave * (0.5 + 0.5 * column(size).abs()) / (2 * math.sqrt(len(orders)))
    return total


def mesh(hearts: Hearts) -> Tensor:
    """Strands and holes a few millimetres wide, about -1 to 1, (n, ANGLES, DEPTHS)."""
    angle, depth = angles(hearts.device), depths(hearts.device)
    total = torch.zeros_like(angle * depth)
    for i, order in enumerate((9, 13, 17, 21, 25, 29)):
        a, b, c, d = hearts.ripple[:, _MESH + 4 * i : _MESH + 4 * i + 4, None, None].unbind(1)
        around = torch.cos(order * angle + 3 * a + 8 * d * depth)
        total = total + around * torch.cos((22 + 9 * b) * depth + 3 * c)
    return total / 2
