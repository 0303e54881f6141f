"""Rivals that are libraries: our engines, NumPy, and FAISS's graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UsageError
from retrieval.values.embedding import Embeddings
from retrieval.vectors.engines import Engine, index_over
from tests.bench.rivals.collection import Collection, Where
from tests.bench.rivals.rival import EF_CONSTRUCTION, EFS, InThisProcess, M, NotHere
from tests.doubles import ENCODER


class Ours(InThisProcess):
    """An engine of `retrieval.vectors.engines`, asked as search asks it: by a mask of keys."""

    engine: Engine
    bytes_a_number: int

    def build(self, collection: Collection) -> int:
        """See `Rival.build`."""
        try:
            self._index = index_over(collection.table(), self.engine)
        except UsageError as refusal:
            raise NotHere(str(refusal)) from refusal
        self._collection = collection
        return collection.vectors.size * self.bytes_a_number

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """See `Rival.search`."""
        asked = Embeddings(ENCODER, query[None])
        (found,) = self._index.search(asked, k=k, allowed=self._collection.mask(where))
        return found.keys


class Compact(Ours):
    """A byte a dimension, and the float32 table to score by."""

    engine = "compact"
    bytes_a_number = 1


class Flat(Ours):
    """FAISS flat on the processor, and the float32 table to score by."""

    engine = "faiss-cpu"
    bytes_a_number = 4


class FlatOnGpu(Ours):
    """FAISS flat on a GPU, and the float32 table to score by."""

    engine = "faiss-gpu"
    bytes_a_number = 4


class Judge(Ours):
    """NumPy in float64: no index, the table alone."""

    engine = "exact"
    bytes_a_number = 0


class NumPy(InThisProcess):
    """One float32 product and a partition: what one would write in a minute; ties fall anyhow."""

    def build(self, collection: Collection) -> int:
        """See `Rival.build`."""
        self._collection = collection
        self._vectors = np.array(collection.vectors)
        return self._vectors.nbytes

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """See `Rival.search`."""
        keys, rows = self._collection.keys, self._vectors
        mask = self._collection.mask(where)
        if mask is not None:
            keys, rows = keys[mask], rows[mask]
        scores = rows @ query
        k = min(k, len(keys))
        best = np.argpartition(scores, -k)[-k:]
        return keys[best]


class FaissHnsw(InThisProcess):
    """IndexHNSWFlat; the filter is a selector, and the width of search comes with each call."""

    efs = EFS

    def build(self, collection: Collection) -> int:
        """See `Rival.build`."""
        import faiss

        self._faiss: Any = faiss
        self._collection = collection
        self._index = faiss.IndexHNSWFlat(
            collection.vectors.shape[1], M, faiss.METRIC_INNER_PRODUCT
        )
        self._index.hnsw.efConstruction = EF_CONSTRUCTION
        self._index.add(np.array(collection.vectors))
        graph = self._index.hnsw
        return collection.vectors.nbytes + 4 * graph.neighbors.size() + 8 * graph.offsets.size()

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """See `Rival.search`."""
        selector = None
        mask = self._collection.mask(where)
        if mask is not None:
            selector = self._faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
        width = self._faiss.SearchParametersHNSW(sel=selector, efSearch=ef)
        _, found = self._index.search(query[None], k, params=width)
        return self._collection.keys[found[0][found[0] >= 0]]
