"""From what tissue shows to what a scanner stores: shading, gain, noise, sampling."""

import torch
from torch import Tensor

from retrieval.phantom.appearance import Appearance
from retrieval.phantom.body import enlarge
from retrieval.phantom.contrasts import MAPS
from retrieval.phantom.flaws import sampled, shading
from retrieval.phantom.planes import Planes
from retrieval.values.study import Technique

_LEAST_SIGNAL = 0.12
"""Where signal is lost, a map's noise grows to its inverse at most."""


def exposed(
    signal: Tensor,
    look: Appearance,
    planes: Planes,
    technique: Technique,
    generator: torch.Generator,
) -> Tensor:
    """Image a signal (n, P, K, M); (n, K, P, height, width)."""
    n, phases, count, _ = signal.shape
    spread = torch.randn(n, 1, count, 1, generator=generator, device=generator.device)
    gain = 1 + look.gain_spread[:, None, None, None] * spread.clamp(-2.5, 2.5)
    signal = signal * (_coil(look, planes) * gain)
    left = shading(look.flaws, planes)
    shape = (n, phases, count, planes.height, planes.width)
    if technique in MAPS:
        picture = _sampled(_fitted(signal, left, look, generator).view(shape), look, planes)
        return picture.clamp_(min=0).transpose(1, 2)
    dimmed = signal if left is None else signal * left[:, None]
    real, imaginary = _received(dimmed, look, generator)
    # The imaginary channel holds noise alone, whose grain is not worth a transform.
    picture = torch.hypot(_sampled(real.view(shape), look, planes), imaginary.view(shape))
    return picture.transpose(1, 2)


def _coil(look: Appearance, planes: Planes) -> Tensor:
    """The coil's shading, (n, 1, K, M): smooth, so that a coarse grid is enlarged."""
    nodes = (planes.height // 8 + 2, planes.width // 8 + 2)
    place = planes.points(nodes=nodes) / 100
    bias = look.bias[:, :, None, None]
    field = (place * bias[:, :3] + place.square() * bias[:, 3:]).sum(1, keepdim=True).exp()
    return enlarge(field, nodes, planes)


def _received(
    signal: Tensor, look: Appearance, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Both channels of the receiver, the signal in the real one, with noise."""
    real, imaginary = torch.randn(2, *signal.shape, generator=generator, device=generator.device)
    noise = look.noise[:, None, None, None]
    return real.mul_(noise).add_(signal), imaginary.mul_(noise)


def _fitted(
    values: Tensor, left: Tensor | None, look: Appearance, generator: torch.Generator
) -> Tensor:
    """Add the noise of a fit, which grows with the value and where signal was lost."""
    noise = look.noise[:, None, None, None] * values
    if left is not None:
        noise = noise / left[:, None].clamp(min=_LEAST_SIGNAL)
    drawn = torch.randn(values.shape, generator=generator, device=generator.device)
    return values + noise * drawn


def _sampled(picture: Tensor, look: Appearance, planes: Planes) -> Tensor:
    """Sample what a scanner samples, where that is less than the picture holds; in place."""
    index = look.flaws.resampled(planes.pixel_mm).nonzero()[:, 0]
    if len(index):
        some = look.flaws.select(index)
        picture[index] = sampled(picture[index], some, planes.pixel_mm[index])
    return picture
