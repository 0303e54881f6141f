"""The first pass of contrast agent: right heart, left heart, muscle, one after the other.

Blood follows a gamma variate (Thompson et al., Circ Res 1964;14:502) that keeps
a recirculating part; muscle follows the blood as one compartment fills from
another (Kety, Pharmacol Rev 1951;3:1), slower where it is badly supplied.
Time is the share of the acquisition, 0 at its start and 1 at its end.
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.random_draws import Draws

_SHARPNESS = 3.0
"""Exponent of the gamma variate: how steep its rise is beside its fall."""

_STEPS = 96
"""Steps by which the muscle's filling is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPass:
    """How the agent comes and goes in n studies, (n,) each.

    Attributes
    ----------
    trigger
        Share of the beat at which every frame is taken.
    arrival, transit
        When it reaches the right ventricle, and how much later the left.
    rise
        From arrival to the peak in the left ventricle; half as long in the right.
    recirculating
        Share of the peak that stays in blood.
    blood, muscle
        Brightness added at the peak of left-heart blood and of healthy muscle.
    wash_in
        Rate at which muscle fills, per acquisition.
    deprived
        Share of the supply that a perfusion defect lacks.
    """

    trigger: Tensor
    arrival: Tensor
    transit: Tensor
    rise: Tensor
    recirculating: Tensor
    blood: Tensor
    muscle: Tensor
    wash_in: Tensor
    deprived: Tensor

    def select(self, index: Tensor | slice) -> Self:
        """The studies at `index`."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def right(self, times: Tensor) -> Tensor:
        """Brightness that the agent adds to right-heart blood at `times` (n, P)."""
        passed = (times - self.arrival[:, None]) / (0.6 * self.rise[:, None])
        return self._bolus(passed) * 1.1 * self.blood[:, None]

    def left(self, times: Tensor) -> Tensor:
        """Likewise of left-heart blood."""
        return self._bolus(self._passed(times)) * self.blood[:, None]

    def muscle_at(self, times: Tensor, *, defect: bool) -> Tensor:
        """Likewise of muscle, healthy or in a defect."""
        fine = torch.linspace(0, 1, _STEPS + 1, device=times.device).expand(len(self.rise), -1)
        healthy = self._filling(fine, torch.ones_like(self.deprived))
        supply = 1 - self.deprived if defect else torch.ones_like(self.deprived)
        scale = self.muscle[:, None] / healthy.amax(1, keepdim=True)
        return scale * _read(self._filling(fine, supply), times)

    def peaks(self) -> Tensor:
        """When left-heart blood and then healthy muscle are brightest, (n, 2)."""
        fine = torch.linspace(0, 1, _STEPS + 1, device=self.rise.device).expand(len(self.rise), -1)
        filled = self._filling(fine, torch.ones_like(self.rise))
        blood = self.left(fine).argmax(1)
        return torch.stack([blood, torch.maximum(filled.argmax(1), blood)], 1) / _STEPS

    def _passed(self, times: Tensor) -> Tensor:
        """Time since arrival in the left ventricle in units of its rise."""
        return (times - (self.arrival + self.transit)[:, None]) / self.rise[:, None]

    def _bolus(self, passed: Tensor) -> Tensor:
        """A gamma variate with its peak of 1 at 1, and what recirculates after it."""
        since = passed.clamp(min=0)
        peak = (since * torch.exp(1 - since)) ** _SHARPNESS
        left = self.recirculating[:, None] * (since - 0.5).clamp(0, 1)
        return torch.maximum(peak, left)

    def _filling(self, fine: Tensor, supply: Tensor) -> Tensor:
        """Agent in muscle at evenly spaced times, in any unit."""
        blood = self._bolus(self._passed(fine))
        inward = (self.wash_in * supply / _STEPS)[:, None]
        outward = self.wash_in[:, None] / _STEPS * 0.35
        filled = [torch.zeros_like(blood[:, 0])]
        for step in range(_STEPS):
            last = filled[-1]
            filled.append(last + inward[:, 0] * blood[:, step] - outward[:, 0] * last)
        return torch.stack(filled, 1)


def sample_first_pass(draws: Draws, strength: float) -> FirstPass:
    """Draw passages; strength 0 gives the usual one."""

    def around(usual: float, spread: float) -> Tensor:
        return usual + strength * draws.uniform(-spread, spread)

    return FirstPass(
        trigger=around(0.6, 0.28) % 1.0,
        arrival=around(0.16, 0.09),
        transit=around(0.13, 0.04),
        rise=around(0.12, 0.04),
        recirculating=around(0.3, 0.15),
        blood=around(0.8, 0.25),
        muscle=around(0.38, 0.14),
        wash_in=around(9.0, 4.0),
        deprived=around(0.62, 0.2),
    )


def _read(curve: Tensor, times: Tensor) -> Tensor:
    """Read evenly spaced samples over 0 to 1 (n, S) at `times` (n, P), linearly."""
    at = times.clamp(0, 1) * (curve.shape[1] - 1)
    below = at.floor().long().clamp(max=curve.shape[1] - 2)
    return torch.lerp(curve.gather(1, below), curve.gather(1, below + 1), at - below)
