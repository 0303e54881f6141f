"""What hiding parts of a clip does to its score: a map over its pixels, a curve over its phases."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from retrieval.values.clip import ClipRecord


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occlusion:
    """How much of a clip's score goes when a part of it is hidden.

    A drop is the score with nothing hidden, less the score with the part
    hidden. Above 0, what was there spoke for the query; below 0, against it.

    Attributes
    ----------
    clip
        The clip that parts were hidden of, as it is.
    whole
        Whether the scores are those of its study, of an encoder that gives
        clips no vector of their own; else they are the clip's.
    score
        Cosine with the query, nothing hidden.
    rows, columns
        Edges of the cells in the clip's own pixels, increasing, 0-based: cell
        (i, j) is pixels rows[i] to rows[i + 1] - 1, columns[j] to columns[j + 1] - 1.
    places
        (len(rows) - 1, len(columns) - 1) float64: the drop when a cell is
        hidden at all phases. Read-only.
    phases
        Edges of the groups of phases, from 0 to the number of phases; empty of
        a still, where nothing can be hidden in time.
    times
        (G,) float64, one per group: the drop when those phases are hidden
        everywhere. Read-only.
    """

    clip: ClipRecord
    whole: bool
    score: float
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    places: NDArray[np.float64]
    phases: tuple[int, ...]
    times: NDArray[np.float64]

    def __post_init__(self) -> None:
        cells = (len(self.rows) - 1, len(self.columns) - 1)
        if self.places.shape != cells:
            raise ValueError(f"places have shape {self.places.shape}; the edges say {cells}")
        groups = max(0, len(self.phases) - 1)
        if self.times.shape != (groups,):
            raise ValueError(f"times have shape {self.times.shape}; the edges say ({groups},)")
        for name in ("rows", "columns", "phases"):
            edges = getattr(self, name)
            if any(b <= a for a, b in pairwise(edges)):
                raise ValueError(f"{name} are {edges}; edges must increase")
        self.places.flags.writeable = False
        self.times.flags.writeable = False

    @property
    def extent_mm(self) -> tuple[float, float]:
        """What the map covers, (down, across)."""
        down, across = self.clip.spacing_mm
        return (self.rows[-1] - self.rows[0]) * down, (self.columns[-1] - self.columns[0]) * across

    @property
    def largest(self) -> tuple[int, int]:
        """The cell whose hiding costs most, (row, column) of `places`; of equals the first."""
        row, column = np.unravel_index(int(self.places.argmax()), self.places.shape)
        return int(row), int(column)
