"""Keys and vectors side by side, sorted by key: what every engine in this process searches."""

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Embeddings, EncoderId, Keys, Vectors

Rows = NDArray[np.int64]


class Table:
    """The vectors of one generation.

    Parameters
    ----------
    keys
        (N,) int64, all different, in any order.
    embeddings
        N vectors; row i belongs to keys[i].
    generation
        Name of the build they come from.

    Attributes
    ----------
    keys, vectors
        (N,) int64, increasing, and the (N, D) float32 that belong to them.
        Not copied if they came in that order.
    """

    def __init__(self, keys: Keys, embeddings: Embeddings, *, generation: str) -> None:
        if len(keys) != len(embeddings):
            raise ValueError(f"{len(keys)} keys do not name {len(embeddings)} vectors")
        vectors = embeddings.vectors
        if np.any(keys[1:] <= keys[:-1]):
            order = np.argsort(keys)
            keys, vectors = keys[order], vectors[order]
        if np.any(keys[1:] == keys[:-1]):
            raise ValueError("a key names two vectors")
        self.keys: Keys = keys
        self.vectors: Vectors = vectors
        self.encoder_id: EncoderId = embeddings.encoder_id
        self.generation = generation

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, allowed: Keys | None) -> Rows | None:
        """Rows of the allowed keys, increasing; unknown ones ignored. None where all compete."""
        if allowed is None:
            return None
        if np.array_equal(allowed, self.keys):  # what no filter leaves, found without a look-up
            return None
        rows = self._found(_distinct(allowed))
        return None if len(rows) == len(self) else rows

    def known(self, keys: Keys) -> Keys:
        """Those of `keys` that name a vector here, increasing, each once."""
        return self.keys[self._found(_distinct(keys))]

    def select(self, keys: Keys) -> Embeddings:
        """Return the vectors of `keys` in that order; KeyError for an unknown one."""
        places = np.searchsorted(self.keys, keys)
        found = self._hit(places, keys)
        if not np.all(found):
            raise KeyError(int(np.asarray(keys)[~found][0]))
        return Embeddings(self.encoder_id, self.vectors[places])

    def require(self, queries: Embeddings, k: int | None) -> None:
        """Refuse a search that makes no sense here.

        Raises
        ------
        EncoderMismatch
            Another encoder made the queries.
        ValueError
            k is not positive, or the queries have another number of dimensions.
        """
        queries.require(self.encoder_id)
        if k is not None and k < 1:
            raise ValueError(f"k is {k}; at least 1, or None for all, is needed")
        if len(self) and queries.vectors.shape[1] != self.vectors.shape[1]:
            raise ValueError(
                f"queries have {queries.vectors.shape[1]} dimensions; "
                f"this index has {self.vectors.shape[1]}"
            )

    def _found(self, keys: Keys) -> Rows:
        places = np.searchsorted(self.keys, keys)
        return places[self._hit(places, keys)]

    def _hit(self, places: Rows, keys: Keys) -> NDArray[np.bool_]:
        inside = places < len(self)
        hit = np.zeros(len(places), dtype=bool)
        hit[inside] = self.keys[places[inside]] == np.asarray(keys)[inside]
        return hit


def _distinct(keys: Keys) -> Keys:
    """`keys`, increasing, each once; np.unique would hash them, which takes 40 times as long."""
    if np.all(keys[1:] > keys[:-1]):
        return keys
    keys = np.sort(keys)
    return keys[np.append(keys[1:] != keys[:-1], True)]
