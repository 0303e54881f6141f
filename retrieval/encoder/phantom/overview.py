"""A study at a glance: a bull's eye of the wall, tissue by technique, chambers by view.

A transformer over clips finds these numbers only slowly by itself: an atrium's
area stands in one clip among thirty. Here each stands in a place of its own,
0 where the study has no such clip.
"""

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.phantom.contract import TECHNIQUES, VIEWS
from retrieval.encoder.phantom.geometry import (
    FIRST_LESION,
    REGIONS,
    RING_REGIONS,
    SECTOR_MOTION,
    SECTORS,
    ring_of,
    sector_motion,
)
from retrieval.encoder.phantom.tissue import TISSUE
from retrieval.values.study import Technique, View

LEVELS = 3
"""Base, middle and apex of a short-axis stack."""

LEVEL_MM = 25.0
"""How far from the middle of a stack its base and its apex are taken to be."""

LESIONS = len(REGIONS) - FIRST_LESION

_CINE = TECHNIQUES.index(Technique.CINE)
_STILLS = [i for i in range(len(TECHNIQUES)) if i != _CINE]
_SHORT_AXIS = VIEWS.index(View.SHORT_AXIS)
_LONG_AXES = [i for i in range(len(VIEWS)) if i != _SHORT_AXIS]

_STILL_WALL = SECTORS * 2 * LESIONS + TISSUE

OVERVIEW = (
    LEVELS * (SECTOR_MOTION + 1)
    + len(_STILLS) * LEVELS * (_STILL_WALL + 1)
    + len(_STILLS) * (2 * LESIONS + TISSUE + 1)
    + len(_LONG_AXES) * (2 * len(REGIONS) + 1)
)


def overview(
    geometry: Tensor,
    tissue: Tensor,
    present: Tensor,
    technique: Tensor,
    view: Tensor,
    position_mm: Tensor,
) -> Tensor:
    """Means over the clips of each kind, (B, OVERVIEW), and whether there are any.

    Parameters
    ----------
    geometry, tissue
        (B, K, CLIP_GEOMETRY) and (B, K, TISSUE), see `Clips`.
    present, technique, view, position_mm
        (B, K).
    """
    short_axis = present & (view == _SHORT_AXIS)
    ring = ring_of(geometry)
    moves = sector_motion(geometry)
    marked = torch.cat([ring[..., len(RING_REGIONS) :].flatten(-2), tissue], dim=-1)
    sizes = geometry[..., : 2 * len(REGIONS)]
    lesions = sizes.unflatten(-1, (2, len(REGIONS)))[..., FIRST_LESION:].flatten(-2)
    whole = torch.cat([lesions, tissue], dim=-1)
    level = levels(position_mm)
    parts = [_by_level(moves, level * (short_axis & (technique == _CINE))[..., None])]
    for still in _STILLS:
        parts += [
            _by_level(marked, level * (short_axis & (technique == still))[..., None]),
            _mean(whole, present & (technique == still)),
        ]
    parts += [_mean(sizes, present & (technique == _CINE) & (view == v)) for v in _LONG_AXES]
    return torch.cat(parts, dim=1)


def levels(position_mm: Tensor) -> Tensor:
    """How much each slice belongs to base, middle and apex: (..., LEVELS), adding up to 1."""
    along = (position_mm / LEVEL_MM).clamp(-1, 1)
    return torch.stack([functional.relu(-along), 1 - along.abs(), functional.relu(along)], dim=-1)


def _by_level(values: Tensor, weight: Tensor) -> Tensor:
    """(B, K, V) weighed by (B, K, LEVELS) -> (B, LEVELS * (V + 1))."""
    return torch.cat([_mean(values, weight[..., i]) for i in range(LEVELS)], dim=1)


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """(B, V + 1): the mean of (B, K, V), and whether there was anything; else 0."""
    weight = weight.to(values.dtype)
    total = weight.sum(1, keepdim=True)
    mean = (values * weight[..., None]).sum(1) / total.clamp(min=1e-3)
    return torch.cat([mean, total.clamp(max=1)], dim=1)
