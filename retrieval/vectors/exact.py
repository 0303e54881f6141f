"""The judge: every allowed vector scored, nothing approximated. Slow, and always right."""

from retrieval.values.embedding import Embeddings, EncoderId, Keys, Mask, Neighbours
from retrieval.vectors.order import rank, scores_of
from retrieval.vectors.table import Rows, Table

_QUERIES_AT_ONCE = 16


def rank_rows(
    table: Table, queries: Embeddings, rows: Rows | None, k: int | None
) -> list[Neighbours]:
    """Score all of `rows` (None: every row) for each query and keep the k best (None: all)."""
    keys = table.keys if rows is None else table.keys[rows]
    vectors = table.vectors if rows is None else table.vectors[rows]
    found: list[Neighbours] = []
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        some = queries.vectors[start : start + _QUERIES_AT_ONCE]
        found += [rank(keys, scores, k) for scores in scores_of(vectors, some)]
    return found


class ExactIndex:
    """Exhaustive search in NumPy; see `retrieval.ports.VectorIndex`."""

    engine = "exact"

    def __init__(self, table: Table) -> None:
        self._table = table

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
        return rank_rows(self._table, queries, self._table.rows(allowed), k)

    def vectors(self, keys: Keys) -> Embeddings:
        """Return the stored vectors of `keys`, in that order; KeyError for an unknown one."""
        return self._table.select(keys)
