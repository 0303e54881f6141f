"""What an encoder reads of each pair, computed once and kept on disk, named by content."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from retrieval.durable import replace_file
from retrieval.errors import InputError
from retrieval.ports import ClipStore
from retrieval.training.learner import Arrays, Learner
from retrieval.training.pairs import Pair


class Inputs:
    """The network inputs of pairs, each made when first asked for.

    A file's name is a digest of what is in it: of the clips or words, and of
    how the encoder looks at them. So runs share the folder, and nothing stale
    is ever read.
    """

    def __init__(self, folder: Path, learner: Learner, clips: ClipStore) -> None:
        self._folder = folder
        self._learner = learner
        self._clips = clips

    def study(self, pair: Pair) -> Arrays:
        """The clips of a pair, or what the resting part of the network makes of them.

        Raises
        ------
        UnusableSeries
            The encoder cannot use this study.
        """
        if self._learner.variants:
            return self.glance(pair, 0)
        return self._looked(pair)

    def variant(self, pair: Pair, rng: np.random.Generator) -> Arrays:
        """One random variant of the clips of a pair, ready to be encoded."""
        known = self._learner.variants
        study = self.glance(pair, 1 + int(rng.integers(known))) if known else self._looked(pair)
        return self._learner.vary(study, rng)

    def glance(self, pair: Pair, number: int) -> Arrays:
        """What the resting part of the network makes of a variant of a pair; 0 is none."""
        rng = np.random.default_rng([number, int(pair.study, 16)]) if number else None
        how = f"{self._learner.sees_as} {self._learner.glances_as} {number}"
        path = self._path("glances", how, sorted(pair.clips))
        return _kept(path, lambda: self._learner.glance(self._looked(pair), rng))

    def _looked(self, pair: Pair) -> Arrays:
        path = self._path("studies", self._learner.sees_as, sorted(pair.clips))
        return _kept(
            path, lambda: self._learner.look([self._clips.read(clip) for clip in pair.clips])
        )

    def texts(self, pair: Pair) -> list[Arrays]:
        """The words of a pair: its impression, then every sentence."""
        path = self._path("texts", self._learner.reads_as, pair.words)
        flat = _kept(path, lambda: _joined(self._learner.read(pair.words)))
        sizes = flat.pop("sizes").tolist()
        parts = {name: array.split(sizes) for name, array in flat.items()}
        return [{name: part[i] for name, part in parts.items()} for i in range(len(sizes))]

    def usable(
        self, pairs: Sequence[Pair], progress: Callable[[int, int], None]
    ) -> tuple[list[Pair], list[str]]:
        """Make all that is missing; say which pairs are of use and why the others are not."""
        good: list[Pair] = []
        bad: list[str] = []
        for done, pair in enumerate(pairs, start=1):
            try:
                for number in range(self._learner.variants):
                    self.glance(pair, number + 1)
                self.study(pair)
            except InputError as error:
                bad.append(str(error))
            else:
                self.texts(pair)
                good.append(pair)
            progress(done, len(pairs))
        return good, bad

    def _path(self, kind: str, how: str, what: Sequence[str]) -> Path:
        digest = hashlib.sha256("\0".join((how, *what)).encode()).hexdigest()[:32]
        return self._folder / kind / digest[:2] / f"{digest}.safetensors"


def _kept(path: Path, make: Callable[[], Arrays]) -> Arrays:
    """Read arrays, or make and keep them; a kill leaves no half a file."""
    if not path.exists():
        arrays = {name: array.contiguous() for name, array in make().items()}
        replace_file(path, lambda fresh: save_file(arrays, fresh))
    return load_file(path)


def _joined(texts: Sequence[Arrays]) -> Arrays:
    """Texts end to end, with their lengths under "sizes"."""
    joined = {name: torch.cat([text[name] for text in texts]) for name in texts[0]}
    sizes = [len(next(iter(text.values()))) for text in texts]
    return joined | {"sizes": torch.tensor(sizes)}
