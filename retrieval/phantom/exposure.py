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
    if technique in MAPS:
        picture = _fitted(signal, left, look, generator)
    else:
        picture = _noisy(signal if left is None else signal * left[:, None], look, generator)
    picture = picture.view(n, phases, count, planes.height, planes.width).transpose(1, 2)
    return _magnitude(picture, look, planes)


def _coil(look: Appearance, planes: Planes) -> Tensor:
    """The coil's shading, (n, 1, K, M): smooth, so that a coarse grid is enlarged."""
    nodes = (planes.height // 8 + 2, planes.width // 8 + 2)
    place = planes.points(nodes=nodes) / 100
    bias = look.bias[:, :, None, None]
    field = (place * bias[:, :3] + place.square() * bias[:, 3:]).sum(1, keepdim=True).exp()
    return enlarge(field, nodes, planes)


def _noisy(signal: Tensor, look: Appearance, generator: torch.Generator) -> Tensor:
    """Add noise to both channels of the receiver: complex."""
    real, imaginary = torch.randn(2, *signal.shape, generator=generator, device=generator.device)
    noise = look.noise[:, None, None, None]
    return torch.complex(real.mul_(noise).add_(signal), imaginary.mul_(noise))


def _fitted(
    values: Tensor, left: Tensor | None, look: Appearance, generator: torch.Generator
) -> Tensor:
    """Add the noise of a fit, which grows with the value and where signal was lost."""
    noise = look.noise[:, None, None, None] * values
    if left is not None:
        noise = noise / left[:, None].clamp(min=_LEAST_SIGNAL)
    drawn = torch.randn(values.shape, generator=generator, device=generator.device)
    return (values + noise * drawn).clamp(min=0)


def _magnitude(picture: Tensor, look: Appearance, planes: Planes) -> Tensor:
    """Sample what a scanner samples, where that is less than the picture holds."""
    index = look.flaws.resampled(planes.pixel_mm).nonzero()[:, 0]
    plain = picture.abs()
    if len(index):
        some = sampled(picture[index], look.flaws.select(index), planes.pixel_mm[index])
        plain[index] = some.abs()
    return plain
