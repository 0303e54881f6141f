"""What every rival holds and is asked: vectors, an attribute to filter by, queries, the truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.durable import replace_file
from retrieval.values.embedding import Embeddings, Keys, Vectors
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table
from tests.doubles import ENCODER

DIM, K, QUERIES = 512, 10, 50

BUCKETS = 1000


class Where(NamedTuple):
    """A filter: `column` < `below`, which keeps `below` in a thousand rows.

    Both columns hold 0 to 999, each equally often: "chance" in no order, as years or
    ages might lie; "place" by how near a row is to the first, as techniques and views
    do, so that what is kept lies together, and mostly far from the query.
    """

    column: str
    below: int


ALL = Where("chance", BUCKETS)
"""No filter at all."""

FILTERS = (ALL, *(Where(column, below) for column in ("chance", "place") for below in (100, 10, 1)))

_GROUPS, _DIRECTIONS, _BLOCK = 500, 64, 50_000

_LAST = "truth.npy"
"""Written when all the rest is there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Collection:
    """N rows, Q queries.

    Attributes
    ----------
    keys, vectors
        (N,) int64, increasing; (N, D) float32, unit length.
    chance, place
        (N,) int32, what filters look at; see `Where`.
    queries
        (Q, D) float32, unit length; of the same groups as the rows, but none of them.
    truth
        (len(FILTERS), Q, K) int64: keys of the best rows by the judge, the best
        first; -1 where a filter leaves no more.
    """

    keys: Keys
    vectors: Vectors
    chance: NDArray[np.int32]
    place: NDArray[np.int32]
    queries: Vectors
    truth: NDArray[np.int64]

    def mask(self, where: Where) -> NDArray[np.bool_] | None:
        """(N,) whether a filter keeps each row; None: all rows."""
        column = {"chance": self.chance, "place": self.place}[where.column]
        return None if where == ALL else column < where.below

    def table(self) -> Table:
        """What an engine of ours is made of."""
        return Table(self.keys, Embeddings(ENCODER, self.vectors), generation="bench")


def prepare(folder: Path, count: int) -> Collection:
    """Make a collection in `folder`, or open the one that is there."""
    if not (folder / _LAST).exists():
        _write(folder, count)
    return opened(folder)


def opened(folder: Path) -> Collection:
    """Open the collection that `prepare` left; vectors stay on disk until they are read."""
    return Collection(truth=np.load(folder / _LAST), **_drawn(folder))


def _write(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    draw = _Groups(rng)
    np.save(folder / "keys.npy", np.sort(rng.choice(2**62, size=count, replace=False)))
    np.save(folder / "chance.npy", rng.permutation(count).astype(np.int32) % BUCKETS)
    np.save(folder / "queries.npy", draw(QUERIES))
    vectors = np.lib.format.open_memmap(
        folder / "vectors.npy", mode="w+", dtype=np.float32, shape=(count, DIM)
    )
    for start in range(0, count, _BLOCK):
        vectors[start : start + _BLOCK] = draw(min(_BLOCK, count - start))
    vectors.flush()
    place = np.empty(count, dtype=np.int32)
    place[np.argsort(-(vectors @ vectors[0]), kind="stable")] = np.arange(count) * BUCKETS // count
    np.save(folder / "place.npy", place)
    truth = np.full((len(FILTERS), QUERIES, K), -1, dtype=np.int64)
    made = Collection(truth=truth, **_drawn(folder))
    judge, asked = ExactIndex(made.table()), Embeddings(ENCODER, made.queries)
    for bests, where in zip(truth, FILTERS, strict=True):
        answers = judge.search(asked, k=K, allowed=made.mask(where))
        for best, found in zip(bests, answers, strict=True):
            best[: len(found)] = found.keys
    replace_file(folder / _LAST, lambda path: np.save(path, truth))


def _drawn(folder: Path) -> dict[str, Any]:
    return {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "vectors" else None)
        for name in ("keys", "vectors", "chance", "place", "queries")
    }


class _Groups:
    """Draws unit vectors as an encoder gives them: groups, common and rare, of low dimension.

    A few hundred groups, of which the first are the largest; within all of them
    the same 64 directions vary, the first most, and a fifth is noise. Queries
    are drawn alike, which flatters approximate indexes: a text lies further
    from images than images from each other.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._centres = rng.standard_normal((_GROUPS, DIM), dtype=np.float32)
        sizes = 1 / np.arange(1, _GROUPS + 1)
        self._shares = sizes / sizes.sum()
        power = 1 / np.arange(1, _DIRECTIONS + 1)
        reach = np.sqrt(0.8 * power / power.sum()).astype(np.float32)
        self._directions = reach[:, None] * rng.standard_normal(
            (_DIRECTIONS, DIM), dtype=np.float32
        )

    def __call__(self, count: int) -> Vectors:
        """(count, D) float32."""
        rows = np.sqrt(np.float32(0.2)) * self._rng.standard_normal((count, DIM), dtype=np.float32)
        rows += self._centres[self._rng.choice(_GROUPS, size=count, p=self._shares)]
        rows += self._rng.standard_normal((count, _DIRECTIONS), dtype=np.float32) @ self._directions
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows
