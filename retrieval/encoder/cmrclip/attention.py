"""Attention divided into lines of tokens, and the one query that sees them all.

What the published tower computes, arranged so that nothing is computed twice
and little is copied. Parameter names are those of the published weights.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
"""Whether this build of torch can hand float32 products to oneDNN."""


class Product(nn.Linear):
    """A linear layer; float32 inference on a CPU goes through oneDNN, bias folded in.

    torch's own choice there is MKL with the bias copied in first: a fifth slower
    on AMD processors (docs/benchmarks.md), for the same sums.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as nn.Linear names it
        """(..., in) -> (..., out)."""
        learning = torch.is_grad_enabled() and (input.requires_grad or self.weight.requires_grad)
        if learning or not _fits_onednn(input):
            return super().forward(input)
        rows = input.reshape(-1, self.in_features)
        product = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001 - there is no public name
            rows, self.weight, self.bias, "none", [], ""
        )
        return product.view(*input.shape[:-1], self.out_features)


class DividedAttention(nn.Module):
    """Attention of each patch over CLS and its own line of tokens.

    A line is one patch through all frames ("time") or all patches of one
    frame ("space"). What CLS itself attends to is `ClassQuery`.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Product(dim, 3 * dim)
        self.proj = Product(dim, dim)

    def forward(self, cls: Tensor, lines: Tensor) -> Tensor:
        """Attend along each line.

        CLS is put before every line, so that keys and values lie where the
        product writes them: projecting it again for each line costs less than
        copying keys and values together.

        Parameters
        ----------
        cls
            (B, 1, D).
        lines
            (B, lines, tokens, D).

        Returns
        -------
        Tensor
            (B, lines, tokens, D), contiguous.
        """
        batch, count, along, dim = lines.shape
        led = torch.cat([cls.unsqueeze(1).expand(-1, count, -1, -1), lines], dim=2)
        qkv = self.qkv(led).view(batch * count, 1 + along, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B * lines, heads, 1 + tokens, head dim)
        out = functional.scaled_dot_product_attention(q[:, :, 1:], k, v)
        return self.proj(out.transpose(1, 2).reshape(batch, count, along, dim))


class ClassQuery:
    """What the class token takes from all tokens, gathered part by part.

    One query needs no keys and values: q . (K x) = (K'q) . x, and the mean of
    V x is V times the mean of x. So the query is taken through the key
    projection once and meets the tokens themselves; the key bias adds the same
    to every score and falls out of the softmax. Parts are joined by the
    logarithm of their summed weights, as in online softmax (Milakov and
    Gimelshein 2018, arXiv:1805.02867).

    Parameters
    ----------
    attention
        Whose projections are used.
    cls
        (B, 1, D), normalised as the tokens are; the first token it sees.
    """

    def __init__(self, attention: DividedAttention, cls: Tensor) -> None:
        self._attention = attention
        queries, keys, _ = attention.qkv.weight.chunk(3)
        query = functional.linear(cls, queries, attention.qkv.bias.chunk(3)[0])
        by_head = query.unflatten(-1, (attention.heads, -1)).squeeze(1)
        scale = by_head.shape[-1] ** -0.5
        self._asked = torch.einsum(
            "bhe,hed->bhd", by_head * scale, keys.unflatten(0, (attention.heads, -1))
        )
        self._weights: list[Tensor] = []
        self._means: list[Tensor] = []
        self.see(cls)

    def see(self, tokens: Tensor) -> None:
        """Attend to (B, ..., D) more tokens."""
        rows = tokens.flatten(1, -2)
        scores = self._asked @ rows.transpose(1, 2)  # (B, heads, rows)
        self._weights.append(scores.logsumexp(-1))
        self._means.append(scores.softmax(-1) @ rows)

    def answer(self) -> Tensor:
        """Return what the class token takes from all that was seen, projected: (B, 1, D)."""
        attention = self._attention
        share = torch.stack(self._weights).softmax(0)
        mean = (share.unsqueeze(-1) * torch.stack(self._means)).sum(0)  # (B, heads, D)
        values = attention.qkv.weight.chunk(3)[2].unflatten(0, (attention.heads, -1))
        taken = torch.einsum("bhd,hed->bhe", mean, values).flatten(1)
        return attention.proj((taken + attention.qkv.bias.chunk(3)[2]).unsqueeze(1))


def _fits_onednn(x: Tensor) -> bool:
    """A compiler is left to choose its own product: it cannot see through this one."""
    if not ONEDNN or torch.compiler.is_compiling():
        return False
    return x.device.type == "cpu" and x.dtype == torch.float32
