"""What scans do wrong: off-resonance bands, lost signal, coarse sampling, ghosts, wrap-around.

Each is rare or mild by itself; together most studies have something. All are
fixed to the study, as a patient's breathing, implants and field are.
"""

import math
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from retrieval.phantom.contrasts import MAPS
from retrieval.phantom.planes import Planes
from retrieval.phantom.random_draws import Draws
from retrieval.values.study import Technique

_BANDED = {Technique.CINE: 0.3, Technique.T2_WEIGHTED: 0.1, Technique.PERFUSION: 0.1}
"""Share of studies with bands: where the read-out is a steady state."""

_LOSSY, _GHOSTED, _WRAPPED = 0.12, 0.15, 0.04

_FINE_MM, _COARSE_MM = 1.2, 2.8
"""Range of the acquired resolution."""

_NOT_SEEN_MM = 0.1

_WRAP_SHARE = 0.25
"""Wrap-around reaches this share of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """Artefacts of n studies, (n,) each unless said otherwise.

    Attributes
    ----------
    acquired_mm
        (n, 2): resolution down the columns and along the rows.
    taper
        Softness of the sampling window's edge, as a share of it: near 0 it rings.
    ghost, ghost_shift
        Strength of ghosts down the columns, and how far they lie, as a share of
        the picture's height.
    wrap
        Share of the opposite edge that is folded in.
    band, band_phase, band_slope
        Depth of off-resonance bands, phase at the heart's origin, and its slope
        (n, 3) in radians per mm.
    loss, loss_mm, loss_radius_mm
        Share of signal lost at a place (n, 3) and around it.
    """

    acquired_mm: Tensor
    taper: Tensor
    ghost: Tensor
    ghost_shift: Tensor
    wrap: Tensor
    band: Tensor
    band_phase: Tensor
    band_slope: Tensor
    loss: Tensor
    loss_mm: Tensor
    loss_radius_mm: Tensor

    def select(self, index: Tensor | slice) -> Self:
        """The studies at `index`."""
        return type(self)(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def resampled(self, pixel_mm: Tensor) -> Tensor:
        """Which studies' sampling shows at this pixel size, (n,) bool."""
        coarse = self.acquired_mm.amax(1) > 1.02 * pixel_mm
        return coarse | (self.ghost > 0) | (self.wrap > 0)


def sample_flaws(draws: Draws, technique: Technique, strength: float) -> Flaws:
    """Draw flaws; strength 0 gives none."""

    def rarely(share: float, low: float, high: float) -> Tensor:
        return torch.where(draws.flag(share * strength), draws.uniform(low, high), 0.0)

    finest = draws.uniform(_FINE_MM, _COARSE_MM)
    # A gentler draw is a finer one, down to a resolution that no picture shows.
    finest = (finest * min(1.0, 1.6 * strength)).clamp(min=_NOT_SEEN_MM)
    stretched = draws.uniform(1.0, 1.0 + 0.3 * strength)
    # A fit sees through most of what adds to all of its images alike.
    mapped = technique in MAPS
    away = draws.normal(0.0, 1.0, 3)
    steepness = draws.uniform(2 * math.pi / 220, 2 * math.pi / 90)
    return Flaws(
        acquired_mm=torch.stack([finest * stretched, finest], 1),
        taper=draws.uniform(0.03, 0.5),
        ghost=rarely(_GHOSTED, 0.05, 0.35) * (0.1 if mapped else 1.0),
        ghost_shift=draws.uniform(0.06, 0.5),
        wrap=rarely(0.0 if mapped else _WRAPPED, 0.3, 0.9),
        band=rarely(_BANDED.get(technique, 0.0), 0.3, 0.95),
        band_phase=draws.angle(),
        band_slope=away / away.norm(dim=1, keepdim=True) * steepness[:, None],
        loss=rarely(_LOSSY, 0.3, 1.0),
        loss_mm=draws.uniform(-90.0, 90.0, 3),
        loss_radius_mm=draws.uniform(12.0, 40.0),
    )


def shading(flaws: Flaws, planes: Planes) -> Tensor | None:
    """What bands and lost signal leave of the signal, (n, K, M) in 0 to 1; None for all of it."""
    left: Tensor | None = None
    for some, part in ((flaws.band > 0, _bands), (flaws.loss > 0, _losses)):
        index = some.nonzero()[:, 0]
        if len(index):
            if left is None:
                shape = (len(planes), planes.count, planes.height * planes.width)
                left = torch.ones(shape, device=some.device)
            left[index] *= part(flaws.select(index), planes.select(index).points())
    return left


def _bands(flaws: Flaws, points: Tensor) -> Tensor:
    """A steady state loses its signal where spins turn by half a circle between pulses."""
    phase = (points * flaws.band_slope[:, :, None, None]).sum(1)
    phase = phase + flaws.band_phase[:, None, None]
    dark = (0.5 - 0.5 * torch.cos(phase)) ** 6
    return 1 - flaws.band[:, None, None] * dark


def _losses(flaws: Flaws, points: Tensor) -> Tensor:
    away = (points - flaws.loss_mm[:, :, None, None]).square().sum(1)
    radius = flaws.loss_radius_mm[:, None, None]
    return 1 - flaws.loss[:, None, None] * torch.exp(-away / radius.square())


def sampled(picture: Tensor, flaws: Flaws, pixel_mm: Tensor) -> Tensor:
    """Pictures (n, ..., H, W) as a scanner's limited sampling gives them back.

    Frequencies beyond the acquired resolution are missing, ghosts are added
    down the columns, and edges fold in.
    """
    height, width = picture.shape[-2:]
    lines = torch.fft.fftfreq(height, device=picture.device)
    down = _window(lines, flaws, pixel_mm, 0)
    turns = flaws.ghost_shift[:, None] * (2 * math.pi * height) * lines
    down = down * (1 + flaws.ghost[:, None] * torch.cos(turns))
    across = _window(torch.fft.rfftfreq(width, device=picture.device), flaws, pixel_mm, 1)
    spectrum = torch.fft.rfft2(picture)
    between = (1,) * (picture.ndim - 3)
    kept = down.view(len(down), *between, height, 1) * across.view(len(across), *between, 1, -1)
    return _folded(torch.fft.irfft2(spectrum.mul_(kept), s=(height, width)), flaws.wrap)


def _window(frequency: Tensor, flaws: Flaws, pixel_mm: Tensor, axis: int) -> Tensor:
    """(n, N) what is kept of each frequency, given in cycles per pixel."""
    cutoff = (0.5 * pixel_mm / flaws.acquired_mm[:, axis])[:, None]
    edge = flaws.taper[:, None] * cutoff
    return ((cutoff - frequency.abs()) / edge + 0.5).clamp(0, 1)


def _folded(picture: Tensor, wrap: Tensor) -> Tensor:
    """Add what lies a part of the picture away to one edge, fading towards the middle."""
    index = (wrap > 0).nonzero()[:, 0]
    if not len(index):
        return picture
    height = picture.shape[-2]
    reach = int(height * _WRAP_SHARE)
    fade = (1 - torch.arange(height, device=picture.device) / max(reach, 1)).clamp(min=0)
    share = wrap[index].view(-1, *(1,) * (picture.ndim - 1)) * fade[:, None]
    some = picture[index]
    picture[index] = some + share * some.roll(reach, dims=-2)
    return picture
