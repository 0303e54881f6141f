"""The published tower's arithmetic written out: what the fast one is measured against.

Every attention weight is materialised by an einsum, heads are folded into the
batch by copies, and the last block is computed whole.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from retrieval.encoder.cmrclip.tower import EPS, TowerShape


def features(weights: Mapping[str, Tensor], shape: TowerShape, video: Tensor) -> Tensor:
    """(B, T, 3, H, W) -> (B, D), given the weights of a `VideoTower`."""

    def linear(x: Tensor, name: str) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(x, (shape.dim,), scale, shift, EPS)

    def attention(x: Tensor, name: str, over: str) -> Tensor:
        heads = _heads_first(linear(x, f"{name}.qkv"), shape.heads)
        return linear(_divided(*heads, video.shape[1], over, shape.heads), f"{name}.proj")

    x = _tokens(weights, shape, video)
    for number in range(shape.depth):
        block = f"blocks.{number}"
        time = attention(norm(x, f"{block}.norm3"), f"{block}.timeattn", "time")
        x = x + attention(norm(x + time, f"{block}.norm1"), f"{block}.attn", "space")
        hidden = functional.gelu(linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1"))
        x = x + linear(hidden, f"{block}.mlp.fc2")
    return norm(x, "norm")[:, 0]


def _tokens(weights: Mapping[str, Tensor], shape: TowerShape, video: Tensor) -> Tensor:
    """(B, 1 + T * patches, D)."""
    batch, frames = video.shape[:2]
    kernel, bias = (weights[f"patch_embed.proj.{name}"] for name in ("weight", "bias"))
    grid = functional.conv2d(video.flatten(0, 1), kernel, bias, stride=shape.patch)
    patches = grid.flatten(2).transpose(1, 2).reshape(batch, -1, shape.dim)
    where = weights["pos_embed"][:, 1:].repeat(1, frames, 1)
    when = weights["temporal_embed"][:, :frames].repeat_interleave(shape.patches, 1)
    cls = (weights["cls_token"] + weights["pos_embed"][:, :1]).repeat(batch, 1, 1)
    return torch.cat([cls, patches + where + when], 1)


def _heads_first(qkv: Tensor, heads: int) -> list[Tensor]:
    """(B, N, 3 D) -> queries, keys, values, each (B * heads, N, D / heads)."""
    split = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in qkv.chunk(3, -1))
    return [part.reshape(-1, *part.shape[2:]) for part in split]


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = torch.einsum("bid,bjd->bij", q * q.shape[-1] ** -0.5, k)
    return torch.einsum("bij,bjd->bid", scores.softmax(-1), v)


def _divided(q: Tensor, k: Tensor, v: Tensor, frames: int, over: str, heads: int) -> Tensor:
    """(B, N, D) from queries, keys and values by head."""

    def lines(x: Tensor) -> Tensor:
        grid = x[:, 1:].unflatten(1, (frames, -1))
        return (grid.transpose(1, 2) if over == "time" else grid).flatten(0, 1)

    def led(x: Tensor) -> Tensor:
        along = lines(x)
        return torch.cat([x[:, :1].repeat_interleave(len(along) // len(x), 0), along], 1)

    grid = _attend(lines(q), led(k), led(v)).unflatten(0, (len(q), -1))
    patches = (grid.transpose(1, 2) if over == "time" else grid).flatten(1, 2)
    out = torch.cat([_attend(q[:, :1], k, v), patches], 1)
    return out.unflatten(0, (-1, heads)).transpose(1, 2).flatten(2)
