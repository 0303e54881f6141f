"""One heartbeat: how far contraction, filling and the valves have got at each phase."""

from dataclasses import dataclass

import torch
from torch import Tensor

from retrieval.phantom.physiology import Hearts

_ISOVOLUMIC_MS = 55.0
_EARLY_MS = 230.0
_ATRIAL_MS = 130.0

_LATEST = 0.14
"""Walls lead or lag by at most this share of the beat: below 1 / (2 pi) time never runs back."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """State of the beat at some phases, each (n, P) in 0 to 1.

    Attributes
    ----------
    contraction
        0 at end-diastole, 1 at end-systole.
    filling_valves, ejecting_valves
        How far the mitral and tricuspid, and the aortic and pulmonary, stand open.
    flow
        Speed of filling or ejection, for flow voids.
    """

    contraction: Tensor
    filling_valves: Tensor
    ejecting_valves: Tensor
    flow: Tensor


def end_systole(hearts: Hearts) -> Tensor:
    """When the ventricle is smallest, as a share of the beat, (n,).

    Electromechanical systole shortens with the heart rate (Weissler et al.,
    Circulation 1968;37:149) but takes a growing share of the beat.
    """
    return (0.472 - 0.0019 * hearts.heart_rate_bpm) * hearts.heart_rate_bpm / 60


def rhythm(hearts: Hearts, phases: Tensor) -> Rhythm:
    """Describe the beat at `phases`, (n, P) shares of the RR interval from the R wave."""
    beat_ms = (60000 / hearts.heart_rate_bpm)[:, None]
    systole = end_systole(hearts)[:, None]
    time = phases % 1.0
    diastole = 1 - systole
    atrial = torch.minimum(_ATRIAL_MS / beat_ms, 0.3 * diastole)
    rest = torch.minimum(_ISOVOLUMIC_MS / beat_ms, 0.15 * diastole)
    early = torch.minimum(_EARLY_MS / beat_ms, 0.52 * diastole)
    share = hearts.early_filling[:, None]
    ejected = _smooth(time / systole)
    early_done = _smooth((time - systole - rest) / early)
    atrial_done = _smooth((time - 1 + atrial) / atrial)
    diastolic = 1 - share * early_done - (1 - share) * atrial_done
    filling = _hump(early_done) + 0.75 * _hump(atrial_done)
    between = ((early_done > 0.5) & (atrial_done < 0.5)).float()
    ejecting = _hump(ejected) * (time < systole)
    return Rhythm(
        contraction=torch.where(time < systole, ejected, diastolic),
        filling_valves=torch.maximum(filling.clamp(max=1), 0.45 * between),
        ejecting_valves=(1.6 * ejecting).clamp(max=1),
        flow=torch.maximum(filling, ejecting).clamp(max=1),
    )


def local_contraction(hearts: Hearts, phases: Tensor, at: Tensor) -> Tensor:
    """How far the walls at some angles have contracted: (n, P, A) in 0 to 1.

    With a delay the septum runs ahead and the lateral wall behind; all meet
    again at the R wave.

    Parameters
    ----------
    phases
        (n, P) shares of the RR interval from the R wave.
    at
        (A,) angles around the long axis.
    """
    lead = (0.5 * hearts.delay_ms * hearts.heart_rate_bpm / 60000).clamp(max=_LATEST)
    lead = lead[:, None, None] * torch.cos(at)
    now = phases[..., None]
    local = now + lead * torch.sin(2 * torch.pi * now)
    return rhythm(hearts, local.flatten(1)).contraction.view(local.shape)


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def _hump(done: Tensor) -> Tensor:
    return 4 * done * (1 - done)
