"""Cines with their phases out of order: what an encoder loses on them it owes to motion."""

from collections.abc import Sequence

import numpy as np

from retrieval.values.clip import Clip, identify
from retrieval.values.study import Technique


def shuffled(clips: Sequence[Clip], seed: int) -> list[Clip]:
    """Put the phases of every cine in a random order, another one for each.

    Every image is kept, times stay where they were, and other techniques are
    left alone. The order follows from the seed and the clip's id, so it does
    not depend on what else is in the list.
    """
    return [_shuffled(c, seed) if c.record.technique is Technique.CINE else c for c in clips]


def _shuffled(clip: Clip, seed: int) -> Clip:
    rng = np.random.default_rng([seed, *clip.record.id.encode()])
    return identify(clip.record, clip.pixels[rng.permutation(clip.record.phases)])
