"""The video tower: a ViT whose attention is divided into time and space.

Frozen in Time (Bain et al., ICCV 2021) with the wiring of the published
model: the time attention feeds the space attention but is no residual of the
block. Parameter names are those of the published weights.

The class token and the patches travel apart, and a block walks over the
patches a few lines at a time, so that what one product writes is still in the
processor's cache when the next one reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.encoder.cmrclip.attention import ClassQuery, DividedAttention, Product

EPS = 1e-6
"""LayerNorm epsilon; not recorded in the weights."""

TOKENS_AT_ONCE = 1792
"""On a CPU: the widest intermediate (hidden layer of the MLP, 22 MB) stays in a usual L3 cache,
and below the size from which the allocator asks the system for fresh pages each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerShape:
    """Sizes of a tower: all but `heads` can be read off its weights.

    Attributes
    ----------
    patch
        Side of a square patch, pixels.
    patches
        Patches in one frame.
    frames
        Most frames it has a temporal embedding for.
    """

    dim: int
    depth: int
    heads: int
    mlp: int
    patch: int
    patches: int
    frames: int


class Mlp(nn.Module):
    """Two layers with an exact (erf) GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = Product(dim, hidden)
        self.fc2 = Product(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        return self.fc2(functional.gelu(self.fc1(x)))


class Block(nn.Module):
    """x + space(norm1(x + time(norm3(x)))), then + mlp(norm2(.))."""

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(shape.dim, eps=EPS)
        self.attn = DividedAttention(shape.dim, shape.heads)
        self.timeattn = DividedAttention(shape.dim, shape.heads)
        self.norm2 = nn.LayerNorm(shape.dim, eps=EPS)
        self.mlp = Mlp(shape.dim, shape.mlp)
        self.norm3 = nn.LayerNorm(shape.dim, eps=EPS)

    def forward(self, cls: Tensor, patches: Tensor, *, at_once: int) -> tuple[Tensor, Tensor]:
        """Compute the whole block.

        Parameters
        ----------
        cls
            (B, 1, D).
        patches
            (B, T, patches, D).
        at_once
            About how many tokens go through a product together; changes
            rounding and nothing else.

        Returns
        -------
        tuple
            Both, in the same shapes.
        """
        lead, mixed = self.over_time(cls, patches, at_once=at_once)
        query = ClassQuery(self.attn, lead)
        frames = _lines(at_once, patches)
        done: list[Tensor] = []
        for here, few in zip(patches.split(frames, 1), mixed.split(frames, 1), strict=True):
            query.see(few)
            done.append(self._fed(here + self.attn(lead, few)))
        return self._fed(cls + query.answer()), torch.cat(done, dim=1)

    def class_token(self, cls: Tensor, patches: Tensor, *, at_once: int) -> Tensor:
        """Compute the class token alone, (B, 1, D): all that is read of the last block.

        It still needs what time did to every patch, but no patch's query, key
        or value over space, and no patch's MLP.
        """
        lead, mixed = self.over_time(cls, patches, at_once=at_once)
        query = ClassQuery(self.attn, lead)
        query.see(mixed)
        return self._fed(cls + query.answer())

    def over_time(self, cls: Tensor, patches: Tensor, *, at_once: int) -> tuple[Tensor, Tensor]:
        """norm1(x + time(norm3(x))): what the space attention reads, in the shapes given."""
        lead = self.norm3(cls)
        query = ClassQuery(self.timeattn, lead)
        lines = patches.transpose(1, 2)
        mixed: list[Tensor] = []
        for few in lines.split(_lines(at_once, lines), 1):
            normed = self.norm3(few)
            query.see(normed)
            mixed.append(self.norm1(self.timeattn(lead, normed) + few))
        return self.norm1(cls + query.answer()), torch.cat(mixed, dim=1).transpose(1, 2)

    def _fed(self, x: Tensor) -> Tensor:
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    """Cut frames into patches and project each."""

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, shape.dim, shape.patch, stride=shape.patch)

    def forward(self, video: Tensor) -> Tensor:
        """(B, T, 3, H, W) -> (B, T, patches, D), patches row by row."""
        flat = self.proj(video.flatten(0, 1))
        return flat.flatten(2).transpose(1, 2).unflatten(0, video.shape[:2])


class VideoTower(nn.Module):
    """The published SpaceTimeTransformer: a video to one feature vector."""

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.shape = shape
        self.patch_embed = PatchEmbed(shape)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + shape.patches, shape.dim))
        self.temporal_embed = nn.Parameter(torch.zeros(1, shape.frames, shape.dim))
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.norm = nn.LayerNorm(shape.dim, eps=EPS)

    def tokens(self, video: Tensor) -> tuple[Tensor, Tensor]:
        """What enters the first block.

        Parameters
        ----------
        video
            (B, T, 3, H, W), normalised, T at most `shape.frames`; H x W must
            give `shape.patches` patches.

        Returns
        -------
        tuple
            The class token (B, 1, D) and the patches (B, T, patches, D), in
            the tower's own precision.

        Raises
        ------
        ValueError
            Too many frames.
        """
        frames = video.shape[1]
        if frames > self.shape.frames:
            raise ValueError(f"a video of {frames} frames; at most {self.shape.frames} fit")
        place = self.pos_embed[:, None, 1:] + self.temporal_embed[:, :frames, None]
        patches = self.patch_embed(video.to(self.cls_token.dtype)) + place
        return (self.cls_token + self.pos_embed[:, :1]).expand(len(video), -1, -1), patches

    def forward(self, video: Tensor) -> Tensor:
        """(B, T, 3, H, W) -> (B, D). Of the last block only the class token is computed."""
        cls, patches = self.tokens(video)
        at_once = TOKENS_AT_ONCE if video.device.type == "cpu" else patches[..., 0].numel()
        *inner, last = cast("Sequence[Block]", self.blocks)
        for block in inner:
            cls, patches = block(cls, patches, at_once=at_once)
        return self.norm(last.class_token(cls, patches, at_once=at_once))[:, 0]


def _lines(at_once: int, grid: Tensor) -> int:
    """How many lines of (B, lines, tokens, D) hold about `at_once` tokens, at least one."""
    batch, _, along, _ = grid.shape
    return max(1, at_once // (batch * along))
