"""Compact codes: eight bits a dimension, scanned in integers, with a proven error.

The codes. Dimension d has a middle m_d and a step s_d, so that every vector is
v = m + s (c + e): c whole numbers of -127 to 127, e what rounding leaves of
it, in steps. A query becomes whole numbers too: w = q s = t (p + f), with p
whole and t = max |w| / 127. Then

    <q, v> = <q, m> + t <p, c> + t <f, c> + <w, e>

and, by Cauchy and Schwarz, <q, m> + t <p, c> lies within

    |t f| max |c| + |w| max |e|

of the true score, the maxima taken over all rows (D-dimensional lengths).
max |c| and max |e| are measured, on the codes as FAISS gives them back, and
rounded up for the float32 they are measured in. <p, c> is a sum of integers:
exact, in whatever order, where D 127^2 < 2^24; elsewhere float32 adds the error
of `retrieval.vectors.scanners`, which is counted always, for it is small.

What FAISS calls QT_8bit_direct_signed multiplies bytes with bytes where D is a
multiple of 32, and cuts a query to whole numbers without a word. Ours is whole.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EngineInexact
from retrieval.values.embedding import Vectors
from retrieval.vectors.scanners import BLOCK, Scan, below, bitmap, eligible, faiss_library
from retrieval.vectors.table import Rows

A = TypeVar("A")
B = TypeVar("B")

_LEVELS = 127
"""The largest code; -128 stays unused, so that both signs reach equally far."""

_ZERO = 128
"""What FAISS stores for a code of 0."""

_SIGNS = np.array([1, -1, -1, 1, 1, 1, -1], dtype=np.float32)
"""Repeats at no power of 2, so that every place of a register sees every sign."""

_FINEST = np.float32(2.0**-60)
"""Step of a dimension in which all vectors agree: its codes are 0 and leave nothing."""

_SHARD = 1 << 15
"""The fewest rows that are worth a thread of their own."""

_DENSE = 8
"""A mask that leaves more than one row in this many is applied to the results of a scan
of all rows: reading every code in order is faster than jumping between them (benchmark)."""


class _Shard(NamedTuple):
    """The codes of rows `start` to `stop`; `start` is a multiple of 8, for the bitmaps."""

    start: int
    stop: int
    index: Any


class _Asked(NamedTuple):
    """A query in whole steps: (D,) `whole` of `unit` each, and what goes with them."""

    whole: NDArray[np.float32]
    unit: float
    base: float
    error: float


class CompactScanner:
    """A byte a dimension in main memory, shared out between threads; see `Scanner`.

    Parameters
    ----------
    vectors
        (N, D) float32; read, not kept.
    threads
        How many scan; None: one for every core this process may use.

    Raises
    ------
    EngineInexact
        FAISS gives back other codes than it was given, or sums them wrongly.
    """

    engine = "compact"
    slack = 240

    def __init__(self, vectors: Vectors, *, threads: int | None = None) -> None:
        self._faiss: Any = faiss_library()
        self._count, self._dim = vectors.shape
        self._threads = threads or len(os.sched_getaffinity(0))
        # FAISS starts a team of its own in every call, which would only get in the way here
        self._pool = ThreadPoolExecutor(
            self._threads,
            thread_name_prefix="scan",
            initializer=self._faiss.omp_set_num_threads,
            initargs=(1,),
        )
        self._prove_sums()
        self._middle, self._step = _grid(vectors)
        self._shards = self._each(
            lambda cut: _Shard(*cut, self._encode(vectors[slice(*cut)])), self._cuts()
        )
        measured = self._each(lambda shard: self._measure(vectors, shard), self._shards)
        self._rest, self._reach = (max(lengths) for lengths in zip(*measured, strict=True))

    def error(self, query: NDArray[np.float32]) -> float:
        """See `Scanner.error`."""
        return self._asked(query).error

    def nearest(self, queries: Vectors, k: int, rows: Rows | None) -> Scan:
        """See `Scanner.nearest`; scores are float64."""
        asked = [self._asked(query) for query in queries]
        if rows is None:
            return self._best(asked, k, None)
        chosen = eligible(self._count, rows)
        if len(rows) * _DENSE > self._count:
            wide = min(self._count, 2 * k * self._count // len(rows))
            scores, found = self._best(asked, wide, None)
            hits = chosen[found]
            if np.all(hits.sum(axis=1) >= k):
                first = np.argsort(~hits, axis=1, kind="stable")[:, :k]
                return np.take_along_axis(scores, first, 1), np.take_along_axis(found, first, 1)
        return self._best(asked, k, bitmap(chosen))

    def reaching(self, query: NDArray[np.float32], floor: float, rows: Rows | None) -> Rows:
        """See `Scanner.reaching`."""
        asked = self._asked(query)
        radius = below((floor - asked.base) / asked.unit - 1)
        bits = None if rows is None else bitmap(eligible(self._count, rows))

        def look(shard: _Shard) -> Rows:
            _, _, found = shard.index.range_search(
                asked.whole[None], radius, params=self._mask(shard, bits)
            )
            return found + shard.start

        return np.concatenate(self._each(look, self._shards))

    def _asked(self, query: NDArray[np.float32]) -> _Asked:
        wide = query.astype(np.float64)
        weights = wide * self._step
        unit = float(np.abs(weights).max()) / _LEVELS
        whole = np.rint(weights / unit)
        middle = self._middle.astype(np.float64)
        lost = float(np.linalg.norm(weights - unit * whole)) * self._reach
        lost += float(np.linalg.norm(weights)) * self._rest
        rounding = self._dim * 2.0**-24 / (1 - self._dim * 2.0**-24)
        lost += rounding * unit * float(np.linalg.norm(whole)) * self._reach
        # float64, here and in what becomes of a scan: less than a millionth of all this
        lost += self._dim * 2.0**-50 * float(np.linalg.norm(wide) * np.linalg.norm(middle))
        return _Asked(whole.astype(np.float32), unit, float(wide @ middle), lost * (1 + 1e-6))

    def _best(self, asked: list[_Asked], k: int, bits: NDArray[np.uint8] | None) -> Scan:
        """Merge the k best of every shard."""
        whole = np.stack([query.whole for query in asked])

        def look(shard: _Shard) -> Scan:
            most = min(k, shard.stop - shard.start)
            scores, found = shard.index.search(whole, most, params=self._mask(shard, bits))
            return scores, np.where(found < 0, -1, found + shard.start)

        scans = self._each(look, self._shards)
        scores = np.concatenate([scores for scores, _ in scans], axis=1)
        found = np.concatenate([found for _, found in scans], axis=1)
        if len(scans) > 1:
            first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores = np.take_along_axis(scores, first, 1)
            found = np.take_along_axis(found, first, 1)
        units = np.array([query.unit for query in asked])
        bases = np.array([query.base for query in asked])
        return scores.astype(np.float64) * units[:, None] + bases[:, None], found

    def _mask(self, shard: _Shard, bits: NDArray[np.uint8] | None) -> Any:  # noqa: ANN401
        if bits is None:
            return None
        own = np.ascontiguousarray(bits[shard.start // 8 : -(-shard.stop // 8)])
        return self._faiss.SearchParameters(sel=self._faiss.IDSelectorBitmap(own))

    def _cuts(self) -> list[tuple[int, int]]:
        """Bounds of the shards: two for every thread, so that a thread held up holds up less."""
        size = max(-(-self._count // (2 * self._threads)), _SHARD)
        size += -size % 8
        return [(at, min(at + size, self._count)) for at in range(0, self._count, size)]

    def _encode(self, vectors: Vectors) -> Any:  # noqa: ANN401
        codes = np.empty(vectors.shape, dtype=np.uint8)
        for start in range(0, len(vectors), BLOCK):
            some = self._in_steps(vectors[start : start + BLOCK])
            np.rint(some, out=some)
            some += np.float32(_ZERO)
            codes[start : start + BLOCK] = some
        return self._holding(codes)

    def _holding(self, codes: NDArray[np.uint8]) -> Any:  # noqa: ANN401
        index = self._faiss.IndexScalarQuantizer(
            self._dim,
            self._faiss.ScalarQuantizer.QT_8bit_direct_signed,
            self._faiss.METRIC_INNER_PRODUCT,
        )
        index.add_sa_codes(codes)
        return index

    def _prove_sums(self) -> None:
        """Ask for the largest sums there can be, which a kernel of too few bits gets wrong."""
        rows = [np.resize(np.roll(_SIGNS, turn), self._dim) for turn in range(len(_SIGNS))]
        signs = np.stack([*rows, np.ones(self._dim), -np.ones(self._dim)]) * np.float32(_LEVELS)
        signs = np.ascontiguousarray(signs, dtype=np.float32)
        index = self._holding((signs + _ZERO).astype(np.uint8))
        scores, found = index.search(signs, len(signs))
        true = np.take_along_axis(signs.astype(np.float64) @ signs.T, found, axis=1)
        if np.any(np.abs(scores - true) > true.max() * self._dim * 2.0**-24):
            raise EngineInexact(self.engine, "FAISS does not sum products of bytes as it should")

    def _measure(self, vectors: Vectors, shard: _Shard) -> tuple[float, float]:
        """(max |e|, max |c|) of a shard, in steps, rounded up; from what FAISS gives back.

        In steps a value is at most 127 and comes of two float32 roundings, so
        that it is off by less than 2^-15.
        """
        rest = reach = 0.0
        for start in range(shard.start, shard.stop, BLOCK):
            stop = min(start + BLOCK, shard.stop)
            codes = shard.index.reconstruct_n(start - shard.start, stop - start)
            left = self._in_steps(vectors[start:stop])
            left -= codes
            worst = float(np.abs(left).max())
            if not worst <= 0.5 + 2.0**-15:
                raise EngineInexact(self.engine, f"a code is off by {worst:.3g} steps")
            rest = max(rest, float(np.einsum("ij,ij->i", left, left).max()))
            reach = max(reach, float(np.einsum("ij,ij->i", codes, codes).max()))
        up = 1 + self._dim * 2.0**-23
        return rest**0.5 * up + self._dim**0.5 * 2.0**-15, reach**0.5 * up

    def _in_steps(self, vectors: Vectors) -> NDArray[np.float32]:
        """(v - m) / s, in float32, as a fresh array."""
        some = vectors - self._middle
        some /= self._step
        return some

    def _each(self, call: Callable[[A], B], items: list[A]) -> list[B]:
        """Call for each item, on the threads if there are several."""
        if len(items) == 1:
            return [call(items[0])]
        return list(self._pool.map(call, items))


def _grid(vectors: Vectors) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Middle and step of every dimension, (D,) each: no vector is more than 127 steps away."""
    low = vectors[0].copy()
    high = low.copy()
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    middle = (low + high) / np.float32(2)
    # from the middle as rounded: where all values are nearly alike it need not lie between
    step = np.maximum(high - middle, middle - low) / np.float32(_LEVELS)
    return middle, np.maximum(step, _FINEST)
