"""The published layout of a study as one video, and the published pixel transform."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Grey = NDArray[np.uint8]

CINE_VIEWS = ("cine_lax", "cine_sa")
LGE_STACK = "lge_sa"
LGE_PLANES = ("lge_lax", "lge_2ch", "lge_3ch")
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
RESIZED, CROPPED = 256, 224
DEFAULT_DEPTH = 12
"""How often a long-axis LGE is repeated when there is no short-axis stack to count."""


def study_frames(arrays: Mapping[str, Grey]) -> Grey:
    """Lay the views of a study out as one video.

    The middle slice (floor of half the depth) of each cine, all its phases;
    every slice of the short-axis LGE; each long-axis LGE repeated as often as
    that stack has slices. Views that are missing are left out.

    Parameters
    ----------
    arrays
        (rows, columns, slices, phases) for `CINE_VIEWS`, (rows, columns,
        slices) for the LGE views.

    Returns
    -------
    Grey
        (frames, rows, columns).

    Raises
    ------
    ValueError
        None of the six views is there.
    """
    parts: list[Grey] = []
    for name in CINE_VIEWS:
        if name in arrays:
            cine = arrays[name]
            parts.append(np.moveaxis(cine[:, :, cine.shape[2] // 2], -1, 0))
    stack = arrays.get(LGE_STACK)
    if stack is not None:
        parts.append(np.moveaxis(stack, -1, 0))
    depth = DEFAULT_DEPTH if stack is None else stack.shape[2]
    parts.extend(
        np.repeat(np.moveaxis(arrays[name][:, :, :1], -1, 0), depth, axis=0)
        for name in LGE_PLANES
        if name in arrays
    )
    if not parts:
        raise ValueError(f"none of the views {(*CINE_VIEWS, LGE_STACK, *LGE_PLANES)} is there")
    return np.concatenate(parts)


def sampled(frames: int, wanted: int) -> list[int]:
    """Which of `frames` frames the published test-time sampling takes.

    The middle one of min(wanted, frames) equal intervals.

    >>> sampled(5, 2)
    [0, 3]
    """
    bounds = np.linspace(0, frames, min(wanted, frames) + 1).astype(int)
    return [int((a + b - 1) // 2) for a, b in pairwise(bounds)]


def pixels(frames: Grey) -> Tensor:
    """The published test-time transform of 8-bit grey frames.

    Shorter side to 256, centre crop 256, to 224 (antialiased bilinear each
    time), grey repeated to three channels, ImageNet mean and deviation.

    Parameters
    ----------
    frames
        (T, rows, columns) uint8.

    Returns
    -------
    Tensor
        (T, 3, 224, 224) float32.
    """
    grey = torch.from_numpy(np.ascontiguousarray(frames)).to(torch.float32)[:, None] / 255
    rows, columns = grey.shape[-2:]
    shorter = min(rows, columns)
    size = [int(RESIZED * side / shorter) for side in (rows, columns)]
    large = _resize(grey, size)
    top, left = (round((side - RESIZED) / 2) for side in size)
    square = large[:, :, top : top + RESIZED, left : left + RESIZED]
    small = _resize(square, [CROPPED, CROPPED]).expand(-1, 3, -1, -1)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (small - mean) / std


def video(frames: Grey, wanted: int) -> Tensor:
    """Sample, transform and pad with zeros to (wanted, 3, 224, 224), as published."""
    chosen = pixels(frames[sampled(len(frames), wanted)])
    missing = wanted - len(chosen)
    return functional.pad(chosen, (0, 0, 0, 0, 0, 0, 0, missing)).contiguous()


def _resize(images: Tensor, size: list[int]) -> Tensor:
    return functional.interpolate(
        images, size=size, mode="bilinear", antialias=True, align_corners=False
    )
