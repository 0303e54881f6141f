"""The video tower: a ViT whose attention is divided into time and space.

Frozen in Time (Bain et al., ICCV 2021) with the wiring of the published
model: the time attention feeds the space attention but is no residual of the
block. Parameter names are those of the published weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPS = 1e-6
"""LayerNorm epsilon; not recorded in the weights."""


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


class DividedAttention(nn.Module):
    """Attention of each patch over CLS and one line of tokens; of CLS over all of them."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, *, frames: int, over: str, cls_only: bool = False) -> Tensor:
        """Attend over "time" (same patch, every frame) or "space" (same frame, every patch).

        Parameters
        ----------
        x
            (B, 1 + frames * patches, D), CLS first, then frame by frame.
        cls_only
            Compute the CLS row alone: (B, 1, D).
        """
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, tokens, head dim)
        cls = functional.scaled_dot_product_attention(q[:, :, :1], k, v)
        if cls_only:
            return self.proj(cls.transpose(1, 2).reshape(batch, 1, dim))
        patches = self._patches(q, k, v, frames=frames, over=over)
        out = torch.cat([cls, patches], dim=2).transpose(1, 2).reshape(batch, tokens, dim)
        return self.proj(out)

    @staticmethod
    def _patches(q: Tensor, k: Tensor, v: Tensor, *, frames: int, over: str) -> Tensor:
        batch, heads, _, width = q.shape

        def lines(t: Tensor) -> Tensor:  # (B, heads, lines, along, head dim)
            grid = t[:, :, 1:].view(batch, heads, frames, -1, width)
            return grid.transpose(2, 3) if over == "time" else grid

        def with_cls(t: Tensor) -> Tensor:
            grid = lines(t)
            cls = t[:, :, None, :1].expand(-1, -1, grid.shape[2], -1, -1)
            return torch.cat([cls, grid], dim=3)

        out = functional.scaled_dot_product_attention(lines(q), with_cls(k), with_cls(v))
        back = out.transpose(2, 3) if over == "time" else out
        return back.reshape(batch, heads, -1, width)


class Mlp(nn.Module):
    """Two layers with an exact (erf) GELU between them."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

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

    def forward(self, x: Tensor, *, frames: int, cls_only: bool = False) -> Tensor:
        """(B, 1 + frames * patches, D) -> the same, or its CLS row alone, (B, 1, D)."""
        time = self.timeattn(self.norm3(x), frames=frames, over="time")
        mixed = self.norm1(x + time)
        space = self.attn(mixed, frames=frames, over="space", cls_only=cls_only)
        x = (x[:, :1] if cls_only else x) + space
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

    def tokens(self, video: Tensor) -> Tensor:
        """What enters the first block.

        Parameters
        ----------
        video
            (B, T, 3, H, W), normalised, T at most `shape.frames`; H x W must
            give `shape.patches` patches.

        Returns
        -------
        Tensor
            (B, 1 + T * patches, D): CLS, then frame by frame.

        Raises
        ------
        ValueError
            Too many frames.
        """
        frames = video.shape[1]
        if frames > self.shape.frames:
            raise ValueError(f"a video of {frames} frames; at most {self.shape.frames} fit")
        place = self.pos_embed[:, None, 1:] + self.temporal_embed[:, :frames, None]
        patches = (self.patch_embed(video) + place).flatten(1, 2)
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(len(video), -1, -1)
        return torch.cat([cls, patches], dim=1)

    def forward(self, video: Tensor) -> Tensor:
        """(B, T, 3, H, W) -> (B, D). Of the last block only the CLS row is computed."""
        x = self.tokens(video)
        last = len(self.blocks) - 1
        for number, block in enumerate(self.blocks):
            x = block(x, frames=video.shape[1], cls_only=number == last)
        return self.norm(x)[:, 0]
