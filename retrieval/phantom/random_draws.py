"""Random numbers from one torch.Generator: same seed, same hearts."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of one batch of `n` from one generator, on that generator's device.

    Every method returns float32, except `flag` (bool) and `choice` (int64).
    Bounds may be numbers or tensors that broadcast against the result.
    """

    n: int
    generator: torch.Generator

    def uniform(self, low: float | Tensor, high: float | Tensor, *shape: int) -> Tensor:
        """Uniform in [low, high), (n, *shape)."""
        u = torch.rand((self.n, *shape), generator=self.generator, device=self.generator.device)
        return low + (high - low) * u

    def normal(self, mean: float | Tensor, spread: float | Tensor, *shape: int) -> Tensor:
        """Normal, cut off at 2.5 spreads, (n, *shape)."""
        z = torch.randn((self.n, *shape), generator=self.generator, device=self.generator.device)
        return mean + spread * z.clamp(-2.5, 2.5)

    def angle(self, *shape: int) -> Tensor:
        """Uniform in [-pi, pi), (n, *shape)."""
        return self.uniform(-math.pi, math.pi, *shape)

    def flag(self, probability: float | Tensor) -> Tensor:
        """True with the given probability, (n,) bool."""
        return self.uniform(0, 1) < probability

    def choice(self, weights: list[float]) -> Tensor:
        """Index into `weights`, drawn with those relative weights, (n,) int64."""
        table = torch.tensor(weights, device=self.generator.device)
        return torch.multinomial(table, self.n, replacement=True, generator=self.generator)
