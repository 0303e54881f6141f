"""Keys and vectors side by side, sorted by key: what every engine in this process searches."""

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Embeddings, EncoderId, Keys, Mask, Vectors

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
        self.keys: Keys = keys.view()
        self.keys.flags.writeable = False
        self.vectors: Vectors = vectors
        self.encoder_id: EncoderId = embeddings.encoder_id
        self.generation = generation

    def __len__(self) -> int:
        return len(self.keys)

    def rows(self, allowed: Mask | None) -> Rows | None:
        """Rows that a mask allows, increasing. None where all compete.

        Raises
        ------
        ValueError
            The mask is not one of this table's rows.
        """
        if allowed is None:
            return None
        if allowed.shape != self.keys.shape or allowed.dtype != np.bool_:
            raise ValueError(
                f"a mask must be ({len(self)},) bool, not {allowed.shape} {allowed.dtype}"
            )
        return None if allowed.all() else np.flatnonzero(allowed)

    def select(self, keys: Keys) -> Embeddings:
        """Return the vectors of `keys` in that order; KeyError for an unknown one."""
        places = np.searchsorted(self.keys, keys)
        inside = places < len(self)
        found = np.zeros(len(places), dtype=bool)
        found[inside] = self.keys[places[inside]] == np.asarray(keys)[inside]
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
