"""FAISS finds candidates; `retrieval.vectors.order` scores and sorts them.

Why the candidates are complete. A float32 dot product of D terms, in whatever
order an engine sums it, lies within eps = g |q| |v| of the true one, with
g = D u / (1 - D u) and u = 2^-24 (Higham, Accuracy and Stability of Numerical
Algorithms, 2002, §3.1). Let a be the k-th largest approximate score. At least
k vectors truly score a - eps or more, so whatever belongs among the k best
scores at least a - eps - 1e-6 (the step that scores are rounded to), and
approximately at least a - 2 eps - 1e-6. A scan that reached below that has
seen them all; one that did not is widened.

Where a scan would have to return more than `MAX_SCAN` rows, every eligible row
is scored instead, which is the judge's own way and gives the same answer.
"""

import logging
import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EngineInexact, MaskIgnored
from retrieval.values.embedding import Embeddings, EncoderId, Keys, Neighbours, Vectors
from retrieval.vectors.exact import rank_rows
from retrieval.vectors.order import STEP, rank, scores_of
from retrieval.vectors.table import Rows, Table

log = logging.getLogger(__name__)

MAX_SCAN = 2048
"""The most rows one scan returns; FAISS on a GPU selects no more than this."""

SLACK = 16
"""How many more than k the first scan fetches, so that it rarely needs a second."""

_PROOF_ROWS = 64
"""Rows that take part in the proof, at start, that a mask is honoured."""

Scan = tuple[NDArray[np.float32], Rows]
"""Approximate scores (N, k), the best first, and the rows they belong to, -1 where none is left."""


class Scanner(Protocol):
    """One way of letting FAISS look through the rows of a table."""

    engine: str

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """Find the k best of `rows` (None: of all) for each query, approximately."""
        ...


class CpuScanner:
    """IndexFlatIP in main memory; the mask is an IDSelector given with each call."""

    engine = "faiss-cpu"

    def __init__(self, vectors: Vectors) -> None:
        self._faiss: Any = _faiss()
        self._count = len(vectors)
        self._index = self._faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """See `Scanner.nearest`."""
        if rows is None:
            return self._index.search(queries, k)
        eligible = np.zeros(self._count, dtype=bool)
        eligible[rows] = True
        bits = np.packbits(eligible, bitorder="little")
        selector = self._faiss.IDSelectorBitmap(bits)
        return self._index.search(queries, k, params=self._faiss.SearchParameters(sel=selector))


class GpuScanner:
    """GpuIndexFlatIP, and under a mask an exact search over copies of the eligible rows.

    The classic GPU indexes take an IDSelector and ignore it, so none is given.
    FAISS allows one caller at a time on a GPU; a lock sees to that.
    """

    engine = "faiss-gpu"

    def __init__(self, vectors: Vectors) -> None:
        self._faiss: Any = _faiss()
        self._vectors = vectors
        self._resources = self._faiss.StandardGpuResources()
        self._index = self._faiss.GpuIndexFlatIP(self._resources, vectors.shape[1])
        self._index.add(vectors)
        self._lock = threading.Lock()

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


class FaissIndex:
    """Exact search with FAISS as its scout; see `retrieval.ports.VectorIndex`.

    Parameters
    ----------
    table
        What is searched; at least one vector.
    scanner
        Holds the same vectors in the same order.
    slack
        How many more than k the first scan fetches.

    Raises
    ------
    MaskIgnored
        The scanner returned a row that a mask forbids.
    """

    def __init__(self, table: Table, scanner: Scanner, *, slack: int = SLACK) -> None:
        self._table = table
        self._scanner = scanner
        self._slack = slack
        self._longest = float(np.linalg.norm(table.vectors, axis=1).max()) * (1 + 1e-6)
        self._prove_mask()

    @property
    def engine(self) -> str:
        """Name of what scans: "faiss-cpu" or "faiss-gpu"."""
        return self._scanner.engine

    @property
    def encoder_id(self) -> EncoderId:
        """The encoder that made every vector in here."""
        return self._table.encoder_id

    @property
    def generation(self) -> str:
        """Name of the build this is."""
        return self._table.generation

    def __len__(self) -> int:
        return len(self._table)

    def search(
        self, queries: Embeddings, *, k: int | None, allowed: Keys | None = None
    ) -> list[Neighbours]:
        """Find the k best keys for each query; see `VectorIndex.search`."""
        self._table.require(queries, k)
        rows = self._table.rows(allowed)
        if k is None or not self._can_scan(k + self._slack, rows) or not len(queries):
            return rank_rows(self._table, queries, rows, k)
        vectors = np.ascontiguousarray(queries.vectors)
        scores, found = self._scan(vectors, k + self._slack, rows)
        return [
            self._answer(query, k, rows, (scores[i], found[i])) for i, query in enumerate(vectors)
        ]

    def vectors(self, keys: Keys) -> Embeddings:
        """Return the stored vectors of `keys`, in that order; KeyError for an unknown one."""
        return self._table.select(keys)

    def known(self, keys: Keys) -> Keys:
        """Those of `keys` that have a vector here, increasing, each once."""
        return self._table.known(keys)

    def _answer(
        self, query: NDArray[np.float32], k: int, rows: Rows | None, scan: Scan
    ) -> Neighbours:
        """Widen one query's scan until it is complete, then score what it found."""
        eps = self._error(query)
        while not _complete(scan[0], k, eps):
            wider = 4 * len(scan[0])
            if not self._can_scan(wider, rows):
                one = Embeddings(self.encoder_id, query[None].copy())
                return rank_rows(self._table, one, rows, k)[0]
            scores, found = self._scan(query[None], wider, rows)
            scan = scores[0], found[0]
        approximate, found = scan
        exact = scores_of(self._table.vectors[found], query[None])[0]
        if np.any(np.abs(exact - approximate) > eps + STEP):
            worst = float(np.abs(exact - approximate).max())
            raise EngineInexact(self.engine, f"a score is off by {worst:.2g}, more than {eps:.2g}")
        return rank(self._table.keys[found], exact, k)

    def _scan(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        scores, found = self._scanner.nearest(queries, k, rows)
        if np.any(found < 0):
            raise EngineInexact(self.engine, f"it found fewer than {k} eligible rows")
        if rows is not None and not np.all(rows[np.searchsorted(rows[:-1], found)] == found):
            raise MaskIgnored(self.engine)
        return scores, found

    def _can_scan(self, k: int, rows: Rows | None) -> bool:
        return k < min(MAX_SCAN, len(self) if rows is None else len(rows))

    def _error(self, query: NDArray[np.float32]) -> float:
        """How far an approximate score for `query` can be from the true one."""
        unit = len(query) * 2.0**-24
        return unit / (1 - unit) * float(np.linalg.norm(query)) * (1 + 1e-6) * self._longest

    def _prove_mask(self) -> None:
        """Ask for a stored vector while its own row, the best answer there is, is forbidden."""
        rows = np.unique(np.linspace(0, len(self) - 1, _PROOF_ROWS).astype(np.int64))
        for probe in (rows[0], rows[-1]):
            others = rows[rows != probe]
            if len(others):  # a mask over a single row leaves nothing to scan
                query = np.ascontiguousarray(self._table.vectors[probe][None])
                self._scan(query, min(3, len(others)), others)


def _complete(approximate: NDArray[np.float32], k: int, eps: float) -> bool:
    """Whether a scan, best first, reached below everything that can be among the k best."""
    return float(approximate[-1]) < float(approximate[k - 1]) - 2 * eps - STEP


def _faiss() -> Any:  # noqa: ANN401 - FAISS ships no types
    """Import FAISS when it is first needed; either of its two distributions provides it."""
    import faiss

    return faiss
