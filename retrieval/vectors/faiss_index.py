"""FAISS finds candidates; `retrieval.vectors.order` scores and sorts them.

Why the candidates are complete. An approximate score lies within eps of the
true one: each scanner says by what proof, see `retrieval.vectors.scanners` and
`.compact`. Score what a first scan found; let T be the k-th best of these
scores. Whatever belongs among the k best scores T or more, so truly at least
T - STEP / 2 (scores are rounded to `STEP`), and approximately at least that
less eps. A scan whose last row lies below T - eps - STEP has seen them all;
one that does not is followed by another, for every row that reaches so far.

Of many candidates a float32 product (with a bound of its own) tells which are
worth scoring. So are all rows, where a scan could not pay: the answer is the
judge's own in every case.
"""

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EngineInexact, MaskIgnored
from retrieval.values.embedding import Embeddings, EncoderId, Keys, Mask, Neighbours, Vectors
from retrieval.vectors.exact import rank_rows
from retrieval.vectors.order import STEP, rank, scores_of
from retrieval.vectors.scanners import BLOCK, MAX_SCAN, Scan, Scanner, float32_error, longest
from retrieval.vectors.table import Rows, Table

FEW = 512
"""No more eligible rows than this are scored without a scan."""

_SPARSE = 200
"""Nor are they scanned if no more than one in so many is eligible: reading them costs less
than passing over all the others (benchmark)."""

_PROOF_ROWS = 64
"""Rows that take part in the proof, at start, that a mask is honoured."""


class FaissIndex:
    """Exact search with FAISS as its scout; see `retrieval.ports.VectorIndex`.

    Parameters
    ----------
    table
        What is searched; at least one vector.
    scanner
        Made of the same vectors in the same order.
    slack
        How many more than k the first scan fetches; None: what the scanner asks for.
    few
        So many eligible rows are not worth a scan.

    Raises
    ------
    MaskIgnored
        The scanner returned a row that a mask forbids.
    EngineInexact
        A score was further off than the scanner's error bound, or a row that
        should have come did not: an approximate index does not serve.
    """

    def __init__(
        self, table: Table, scanner: Scanner, *, slack: int | None = None, few: int = FEW
    ) -> None:
        self._table = table
        self._scanner = scanner
        self._slack = scanner.slack if slack is None else slack
        self._few = few
        self._longest = longest(table.vectors)
        self._prove()

    @property
    def engine(self) -> str:
        """Name of what scans: see `retrieval.vectors.engines`."""
        return self._scanner.engine

    @property
    def encoder_id(self) -> EncoderId:
        """The encoder that made every vector in here."""
        return self._table.encoder_id

    @property
    def generation(self) -> str:
        """Name of the build this is."""
        return self._table.generation

    @property
    def keys(self) -> Keys:
        """The key of each row, increasing."""
        return self._table.keys

    def __len__(self) -> int:
        return len(self._table)

    def search(
        self, queries: Embeddings, *, k: int | None, allowed: Mask | None = None
    ) -> list[Neighbours]:
        """Find the k best keys for each query; see `VectorIndex.search`."""
        self._table.require(queries, k)
        rows = self._table.rows(allowed)
        if k is None or not len(queries):
            return rank_rows(self._table, queries, rows, k)
        vectors = np.ascontiguousarray(queries.vectors)
        if not self._pays(k + self._slack, rows):
            return [self._among(query, k, rows) for query in vectors]
        scores, found = self._scan(vectors, k + self._slack, rows)
        return [
            self._answer(query, k, rows, (scores[i], found[i])) for i, query in enumerate(vectors)
        ]

    def vectors(self, keys: Keys) -> Embeddings:
        """Return the stored vectors of `keys`, in that order; KeyError for an unknown one."""
        return self._table.select(keys)

    def _answer(
        self, query: NDArray[np.float32], k: int, rows: Rows | None, scan: Scan
    ) -> Neighbours:
        """Score what one query's scan found, and look further if it may have missed some."""
        eps = self._scanner.error(query)
        approximate, found = scan
        exact = self._scored(query, approximate, found, eps)
        best = rank(self._table.keys[found], exact, k)
        floor = float(best.scores[-1]) - eps - STEP
        if float(approximate[-1]) < floor:
            return best
        return self._among(query, k, self._reaching(query, floor, rows))

    def _among(self, query: NDArray[np.float32], k: int, rows: Rows | None) -> Neighbours:
        """Rank `rows` (None: all), those first told apart that cannot be among the k best."""
        rows = np.arange(len(self)) if rows is None else rows
        if k < len(rows):
            blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
            rough = np.concatenate([self._table.vectors[block] @ query for block in blocks])
            reach = float(np.partition(rough, len(rough) - k)[len(rough) - k])
            rows = rows[rough >= reach - 2 * float32_error(query, self._longest) - 2 * STEP]
        exact = scores_of(self._table.vectors[rows], query[None])[0]
        return rank(self._table.keys[rows], exact, k)

    def _scored(
        self,
        query: NDArray[np.float32],
        approximate: NDArray[np.floating],
        found: Rows,
        eps: float,
    ) -> NDArray[np.float64]:
        """Score the rows that a scan found, and hold the scan to its error bound."""
        exact = scores_of(self._table.vectors[found], query[None])[0]
        worst = float(np.abs(exact - approximate).max())
        if not worst <= eps + STEP:
            raise EngineInexact(self.engine, f"a score is off by {worst:.2g}, more than {eps:.2g}")
        return exact

    def _scan(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        scores, found = self._scanner.nearest(queries, k, rows)
        if np.any(found < 0):
            raise EngineInexact(self.engine, f"it found fewer than {k} eligible rows")
        self._require_allowed(found, rows)
        return scores, found

    def _reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        found = self._scanner.reaching(query, floor, rows)
        self._require_allowed(found, rows)
        return found

    def _require_allowed(self, found: Rows, rows: Rows | None) -> None:
        if rows is not None and not np.all(rows[np.searchsorted(rows[:-1], found)] == found):
            raise MaskIgnored(self.engine)

    def _pays(self, k: int, rows: Rows | None) -> bool:
        """Whether to scan for k of `rows` rather than to read them all."""
        if rows is None:
            return k < min(MAX_SCAN, len(self))
        return k < min(MAX_SCAN, len(rows)) and len(rows) > max(self._few, len(self) // _SPARSE)

    def _prove(self) -> None:
        """Ask for a stored vector while its own row, the best answer there is, is forbidden."""
        rows = np.unique(np.linspace(0, len(self) - 1, _PROOF_ROWS).astype(np.int64))
        for probe in (rows[0], rows[-1]):
            others = rows[rows != probe]
            if not len(others):  # a mask over a single row leaves nothing to scan
                continue
            query = np.ascontiguousarray(self._table.vectors[probe][None])
            scores, found = self._scan(query, len(others), others)
            eps = self._scanner.error(query[0])
            self._scored(query[0], scores[0], found[0], eps)
            reached = self._reaching(query[0], float(scores[0, -1]) - 2 * eps, others)
            if not np.array_equal(np.unique(reached), others):
                raise EngineInexact(self.engine, "it left out rows that reach far enough")
        for probe in (rows[0], rows[-1]):
            # engines go about many eligible rows, and about all, in other ways than about few
            for allowed in (None, np.arange(1 - probe % 2, len(self), 2)):
                self._prove_complete(probe, rows, allowed)

    def _prove_complete(self, probe: np.int64, rows: Rows, allowed: Rows | None) -> None:
        """Ask for a stored vector, and see whether some of `rows` should have come and did not."""
        count = min(_PROOF_ROWS, len(self) if allowed is None else len(allowed))
        if not count:
            return
        query = np.ascontiguousarray(self._table.vectors[probe][None])
        scores, found = self._scan(query, count, allowed)
        eps = self._scanner.error(query[0])
        self._scored(query[0], scores[0], found[0], eps)
        left = np.setdiff1d(rows if allowed is None else np.intersect1d(rows, allowed), found)
        if np.any(scores_of(self._table.vectors[left], query) > scores[0, -1] + eps + STEP):
            raise EngineInexact(self.engine, "it passed over a row better than one it returned")
