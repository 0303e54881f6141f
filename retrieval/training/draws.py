"""Which studies and which of their words meet in a step: decided by seed and step alone."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from retrieval.training.contrast import Targets, alike, from_findings, from_words, own_pairs
from retrieval.training.inputs import Inputs
from retrieval.training.learner import Arrays
from retrieval.training.pairs import Pair
from retrieval.training.recipe import Recipe

SHUFFLE, CHOOSE, VARY = 0, 1, 2
"""What a random stream is for: no two share a seed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draw:
    """One pair's part in one step.

    Attributes
    ----------
    texts
        Places in the pair's texts (0 is the impression, then its sentences)
        that are read one after the other.
    stream
        Seed of everything else that is random about it.
    """

    pair: Pair
    texts: tuple[int, ...]
    stream: tuple[int, ...]

    @property
    def words(self) -> str:
        """What stands for the study."""
        return " ".join(self.pair.words[place] for place in self.texts)

    @property
    def meant(self) -> np.ndarray:
        """(F,) what these words state; a statement counts more than a denial."""
        said = [self.pair.impression.said, *(s.said for s in self.pair.sentences)]
        chosen = np.stack([said[place] for place in self.texts])
        return np.where((chosen > 0).any(0), 1, np.where((chosen < 0).any(0), -1, 0))


class Schedule:
    """The draws of every step. Each epoch is one shuffle; what does not fill a batch rests."""

    def __init__(self, pairs: Sequence[Pair], recipe: Recipe) -> None:
        self._pairs = pairs
        self._recipe = recipe
        self.per_epoch = len(pairs) // recipe.batch

    def draws(self, step: int) -> list[Draw]:
        """The whole batch of a step, over all processes."""
        seed, size = self._recipe.seed, self._recipe.batch
        epoch, batch = divmod(step, self.per_epoch)
        order = np.random.default_rng([seed, SHUFFLE, epoch]).permutation(len(self._pairs))
        chosen = order[batch * size : (batch + 1) * size]
        return [self._draw(int(i), (seed, VARY, step, n)) for n, i in enumerate(chosen)]

    def _draw(self, index: int, stream: tuple[int, ...]) -> Draw:
        pair, texts = self._pairs[index], self._recipe.texts
        rng = np.random.default_rng([*stream, CHOOSE])
        places: tuple[int, ...] = (0,)
        if pair.sentences and rng.uniform() < texts.sentences:
            length = int(rng.integers(1, min(texts.longest, len(pair.sentences)) + 1))
            picked = rng.choice(len(pair.sentences), size=length, replace=False)
            places = tuple(int(place) + 1 for place in np.sort(picked))
        return Draw(pair=pair, texts=places, stream=stream)


def targets(draws: Sequence[Draw], recipe: Recipe) -> Targets:
    """What is true of what in a batch."""
    if recipe.loss.targets == "own":
        return own_pairs(len(draws))
    words = [draw.words for draw in draws]
    if recipe.loss.targets == "words":
        return from_words(words)
    said = torch.from_numpy(np.stack([draw.pair.said for draw in draws]))
    meant = torch.from_numpy(np.stack([draw.meant for draw in draws]))
    return from_findings(said, meant, alike(words))


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some draws of a step as network input."""

    studies: list[Arrays]
    texts: list[Arrays]


class Loader:
    """Reads and varies what a step needs; with workers, one step ahead.

    A variant follows from its draw alone, so neither workers nor the size of
    parts change it.
    """

    def __init__(self, inputs: Inputs, recipe: Recipe) -> None:
        self._inputs = inputs
        self._part = recipe.part
        self._workers = recipe.workers

    def walk(self, batches: Iterator[Sequence[Draw]]) -> Iterator[list[Part]]:
        """Turn each step's draws into parts."""
        if not self._workers:
            for draws in batches:
                yield self._parts([self._read(draw) for draw in draws])
            return
        with ThreadPoolExecutor(self._workers) as pool:
            ahead = [pool.submit(self._read, draw) for draw in next(batches, ())]
            while ahead:
                ready = ahead
                ahead = [pool.submit(self._read, draw) for draw in next(batches, ())]
                yield self._parts([one.result() for one in ready])

    def _read(self, draw: Draw) -> tuple[Arrays, Arrays]:
        texts = self._inputs.texts(draw.pair)
        chosen = [texts[place] for place in draw.texts]
        joined = {name: torch.cat([text[name] for text in chosen]) for name in chosen[0]}
        return self._inputs.variant(draw.pair, np.random.default_rng([*draw.stream])), joined

    def _parts(self, read: Sequence[tuple[Arrays, Arrays]]) -> list[Part]:
        return [
            Part(
                [study for study, _ in read[first : first + self._part]],
                [text for _, text in read[first : first + self._part]],
            )
            for first in range(0, len(read), self._part)
        ]
