"""Scanners: ways of letting FAISS look through the rows of a table, approximately.

How far a float32 scan can be off. A float32 dot product of D terms, in
whatever order an engine sums it, lies within g |q| |v| of the true one, with
g = D u / (1 - D u) and u = 2^-24 (Higham, Accuracy and Stability of Numerical
Algorithms, 2002, §3.1).
"""

import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Vectors
from retrieval.vectors.table import Rows

MAX_SCAN = 2048
"""The most rows one scan returns; FAISS on a GPU selects no more than this."""

BLOCK = 1 << 14
"""Rows handled at a time where all are read: 32 MB of float32 at 512 dimensions."""

Scan = tuple[NDArray[np.floating], Rows]
"""Approximate scores (N, k), the best first, and the rows they belong to, -1 where none is left."""


class Scanner(Protocol):
    """One way of looking through the rows of a table.

    Attributes
    ----------
    engine
        Its name, as in `retrieval.vectors.engines`.
    slack
        How many more than k its first scan should fetch, so that it rarely needs a second.
    """

    engine: str
    slack: int

    def error(self, query: NDArray[np.float32]) -> float:
        """How far an approximate score for `query` (D,) can be from the true one; proven."""
        ...

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """Find the k best of `rows` (None: of all) for each query, approximately."""
        ...

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        """Every row of `rows` whose approximate score is at least `floor`, in any order.

        More may come, but none outside of `rows`.
        """
        ...


class CpuScanner:
    """IndexFlatIP in main memory; the mask is an IDSelector given with each call."""

    engine = "faiss-cpu"
    slack = 16

    def __init__(self, vectors: Vectors) -> None:
        self._faiss: Any = faiss_library()
        self._count = len(vectors)
        self._longest = longest(vectors)
        self._index = self._faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def error(self, query: NDArray[np.float32]) -> float:
        """See `Scanner.error`."""
        return float32_error(query, self._longest)

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """See `Scanner.nearest`."""
        return self._index.search(queries, k, params=self._mask(rows))

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        """See `Scanner.reaching`."""
        _, _, found = self._index.range_search(query[None], below(floor), params=self._mask(rows))
        return found

    def _mask(self, rows: Rows | None) -> Any:  # noqa: ANN401 - FAISS ships no types
        if rows is None:
            return None
        selector = self._faiss.IDSelectorBitmap(bitmap(eligible(self._count, rows)))
        return self._faiss.SearchParameters(sel=selector)


class GpuScanner:
    """GpuIndexFlatIP, and under a mask an exact search over copies of the eligible rows.

    The classic GPU indexes take an IDSelector and ignore it, so none is given.
    FAISS allows one caller at a time on a GPU; a lock sees to that.
    """

    engine = "faiss-gpu"
    slack = 16

    def __init__(self, vectors: Vectors) -> None:
        self._faiss: Any = faiss_library()
        self._vectors = vectors
        self._longest = longest(vectors)
        self._resources = self._faiss.StandardGpuResources()
        self._index = self._faiss.GpuIndexFlatIP(self._resources, vectors.shape[1])
        self._index.add(vectors)
        self._lock = threading.Lock()

    def error(self, query: NDArray[np.float32]) -> float:
        """See `Scanner.error`."""
        return float32_error(query, self._longest)

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """See `Scanner.nearest`."""
        with self._lock:
            if rows is None:
                return self._index.search(queries, k)
            scores, places = self._faiss.knn_gpu(
                self._resources,
                queries,
                np.ascontiguousarray(self._vectors[rows]),
                k,
                metric=self._faiss.METRIC_INNER_PRODUCT,
            )
        return scores, np.where(places < 0, -1, rows[places])

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        """See `Scanner.reaching`; a GPU has no range search, so this widens or gives up."""
        competing = np.arange(len(self._vectors)) if rows is None else rows
        if len(competing) > MAX_SCAN:
            scores, found = self.nearest(query[None], MAX_SCAN, rows)
            if scores[0, -1] < floor:
                return found[0]
        return competing


def float32_error(query: NDArray[np.float32], longest: float) -> float:
    """Bound of a float32 product of `query` and a row no longer than `longest` (see above)."""
    unit = len(query) * 2.0**-24
    return unit / (1 - unit) * float(np.linalg.norm(query)) * (1 + 1e-6) * longest


def longest(vectors: Vectors) -> float:
    """No row of `vectors` is longer than this."""
    blocks = (vectors[start : start + BLOCK] for start in range(0, len(vectors), BLOCK))
    squares = max(float(np.einsum("ij,ij->i", block, block).max()) for block in blocks)
    return squares**0.5 * (1 + vectors.shape[1] * 2.0**-23)


def eligible(count: int, rows: Rows) -> NDArray[np.bool_]:
    """(count,) bool, true at `rows`."""
    chosen = np.zeros(count, dtype=bool)
    chosen[rows] = True
    return chosen


def bitmap(chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack as FAISS reads bitmaps: row i is bit i % 8 of byte i // 8."""
    return np.packbits(chosen, bitorder="little")


def below(floor: float) -> float:
    """A float32 that is certainly less than `floor`: FAISS leaves out what equals a radius."""
    return float(np.nextafter(np.nextafter(np.float32(floor), -np.inf), -np.inf))


def faiss_library() -> Any:  # noqa: ANN401 - FAISS ships no types
    """Import FAISS when it is first needed; either of its two distributions provides it."""
    import faiss

    return faiss
