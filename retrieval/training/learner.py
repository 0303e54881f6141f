"""What training needs of an encoder: one seam, one implementation per architecture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn

from retrieval.values.clip import Clip, ClipRecord

Arrays = dict[str, Tensor]
"""One study, or the texts of one report, as an encoder reads them."""


class Learner(Protocol):
    """A dual encoder while it learns.

    What `look` and `read` give is kept on disk, so both are done once a study;
    what follows is done anew in every step.

    Attributes
    ----------
    network
        All that is trained and saved.
    sees_as, reads_as, glances_as
        Names of what `look`, `read` and `glance` compute: whoever changes one
        of them, by a setting or by a line of code, changes its name.
    variants
        How many variants of each study `glance` knows; 0 if it does nothing.
    """

    network: nn.Module
    sees_as: str
    reads_as: str
    glances_as: str
    variants: int

    def sees(self, record: ClipRecord) -> bool:
        """Whether a clip is of any use."""
        ...

    def look(self, clips: Sequence[Clip]) -> Arrays:
        """Turn a study's clips into network input; UnusableSeries if that cannot be done."""
        ...

    def read(self, texts: Sequence[str]) -> list[Arrays]:
        """Turn texts into network input, as far as that is not learnt."""
        ...

    def glance(self, study: Arrays, rng: np.random.Generator | None) -> Arrays:
        """What a resting part of the network makes of a variant of a study, once and for all.

        Without `rng` it is the study as it is.
        """
        ...

    def vary(self, study: Arrays, rng: np.random.Generator) -> Arrays:
        """One random variant of a study, ready for `encode`."""
        ...

    def settle(self, study: Arrays) -> Arrays:
        """The study without any randomness, ready for `encode`: what an index would see."""
        ...

    def encode(
        self, network: nn.Module, studies: Sequence[Arrays], texts: Sequence[Arrays]
    ) -> tuple[Tensor, Tensor]:
        """Unit vectors (B, D) float32 of studies and (J, D) of texts, where the network is.

        Either may be empty.
        """
        ...

    def contract(self) -> Mapping[str, Any]:
        """What decides how studies become input, for people to read."""
        ...

    def save(self, network: nn.Module, folder: Path, notes: Mapping[str, Any]) -> str:
        """Write a checkpoint that the encoder loads; returns its EncoderId."""
        ...
