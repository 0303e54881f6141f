"""Large batches on small memory: gradient caching (Gao et al. 2021, arXiv:2101.06983).

A contrastive loss needs the vectors of the whole batch at once, but not the
networks' inner states. So the vectors are computed part by part without a
graph, the loss is taken over all of them and differentiated down to the
vectors, and each part is then computed again and driven by its share of that
gradient. The result is the gradient of the whole batch; only time is paid.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

Part = TypeVar("Part")
Vectors = tuple[Tensor, Tensor]
"""Unit vectors of some studies and of their texts, each (b, D)."""


class Everyone(Protocol):
    """What is needed of a group of processes: an `accelerate.Accelerator` has it."""

    @property
    def process_index(self) -> int:
        """Which of the processes this is, from 0."""
        ...

    def gather(self, tensor: Tensor) -> Any:  # noqa: ANN401 - as accelerate has it
        """Concatenate every process's tensor, in their order."""
        ...

    def reduce(self, tensor: Tensor, reduction: str = "sum") -> Any:  # noqa: ANN401
        """Add up (or average) every process's tensor."""
        ...


def cached_backward(
    encode: Callable[[Part], Vectors],
    parts: Sequence[Part],
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    network: nn.Module,
    seed: int,
    everyone: Everyone,
) -> Tensor:
    """Add the gradient of the loss over all parts of all processes to the parameters.

    Parameters
    ----------
    encode
        Computes one part with `network`.
    parts
        This process's share of the batch; every process has as many vectors.
    loss
        Of all studies' and all texts' vectors, process by process. Its own
        parameters receive their gradient too, the same in every process.
    seed
        Dropout draws the same masks both times a part is computed.

    Returns
    -------
    Tensor
        The loss, without a graph.
    """
    single = len(parts) == 1
    found: list[Vectors] = []
    for number, part in enumerate(parts):
        torch.manual_seed(seed + number)
        with nullcontext() if single else _unrecorded(network):
            found.append(encode(part))
    own = [torch.cat([vectors[side] for vectors in found]) for side in (0, 1)]
    leaves = [everyone.gather(vectors.detach()).requires_grad_() for vectors in own]
    value = loss(leaves[0], leaves[1])
    value.backward()
    mine = slice(everyone.process_index * len(own[0]), (everyone.process_index + 1) * len(own[0]))
    wanted = [_gradient(leaf)[mine] for leaf in leaves]
    if single:
        torch.autograd.backward(own, wanted)
    else:
        _drive(encode, parts, wanted, seed)
    _add_up(network, everyone)
    return value.detach()


def _drive(
    encode: Callable[[Part], Vectors], parts: Sequence[Part], wanted: Sequence[Tensor], seed: int
) -> None:
    """Compute each part again and send its share of the gradient through it."""
    first = 0
    for number, part in enumerate(parts):
        torch.manual_seed(seed + number)
        vectors = encode(part)
        rows = slice(first, first + len(vectors[0]))
        torch.autograd.backward(vectors, [gradient[rows] for gradient in wanted])
        first = rows.stop


@contextmanager
def _unrecorded(network: nn.Module) -> Iterator[None]:
    """Neither a graph nor a second update of running statistics."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]  # noqa: SLF001
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        with torch.no_grad():
            yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def _add_up(network: nn.Module, everyone: Everyone) -> None:
    """Sum gradients and average running statistics over the processes."""
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad = everyone.reduce(parameter.grad, reduction="sum")
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer.copy_(everyone.reduce(buffer, reduction="mean"))


def _gradient(leaf: Tensor) -> Tensor:
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
