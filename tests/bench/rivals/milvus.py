"""Milvus: its server, and Milvus Lite, which is a library that speaks as the server does."""

import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tests.bench.rivals.collection import ALL, Collection, Where
from tests.bench.rivals.rival import EF_CONSTRUCTION, EFS, M, NotHere, installed

_BATCH = 1000

_PATIENCE_S = 3600
"""How long the server may take to index what it was given."""


class _Milvus:
    """What the two have in common: the client, the collection and its index."""

    efs: tuple[int | None, ...]
    index: str
    column_index: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def build(self, collection: Collection) -> int:
        """See `Rival.build`; the bytes are those that its folder grew by, segments and all."""
        from pymilvus import DataType

        client, empty = self._client, self._bytes()
        schema = client.create_schema(auto_id=False)
        schema.add_field("key", DataType.INT64, is_primary=True)
        schema.add_field("chance", DataType.INT64)
        schema.add_field("place", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=collection.vectors.shape[1])
        indexes = client.prepare_index_params()
        graph = {"M": M, "efConstruction": EF_CONSTRUCTION} if self.index == "HNSW" else {}
        indexes.add_index("vector", index_type=self.index, metric_type="IP", params=graph)
        indexes.add_index("chance", index_type=self.column_index)
        indexes.add_index("place", index_type=self.column_index)
        client.create_collection("item", schema=schema)
        for start in range(0, len(collection.keys), _BATCH):
            some = slice(start, start + _BATCH)
            columns = {
                "key": collection.keys[some].tolist(),
                "chance": collection.chance[some].tolist(),
                "place": collection.place[some].tolist(),
                "vector": np.array(collection.vectors[some]),
            }
            rows = zip(*columns.values(), strict=True)
            client.insert("item", [dict(zip(columns, row, strict=True)) for row in rows])
        client.flush("item")
        client.create_index("item", indexes)
        self._wait(len(collection.keys))
        client.load_collection("item")
        (held,) = client.query(
            "item", filter="", output_fields=["count(*)"], consistency_level="Strong"
        )
        if held["count(*)"] != len(collection.keys):
            raise RuntimeError(f"Milvus holds {held['count(*)']} of {len(collection.keys)} rows")
        return self._bytes() - empty

    def search(
        self, query: NDArray[np.float32], k: int, where: Where, ef: int | None
    ) -> NDArray[np.int64]:
        """See `Rival.search`; nothing is written any more, so the least consistency will do."""
        (found,) = self._client.search(
            "item",
            data=[query],
            limit=k,
            filter="" if where == ALL else f"{where.column} < {where.below}",
            search_params={"params": {} if ef is None else {"ef": ef}},
            consistency_level="Eventually",
        )
        return np.array(found.ids, dtype=np.int64)  # a server of 2.3 does not name its key

    def _bytes(self) -> int:
        files = (file for file in self._folder.rglob("*") if file.is_file())
        return sum(file.stat().st_size for file in files)

    def _open(self, address: str) -> None:
        from pymilvus import MilvusClient

        self._client: Any = MilvusClient(address)

    def _wait(self, count: int) -> None:
        """Wait until every row is indexed: the server builds behind the caller's back."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            told = self._client.describe_index("item", "vector")
            if int(told["indexed_rows"]) >= count and not int(told["pending_index_rows"]):
                return
            time.sleep(0.5)
        raise NotHere(f"its index was not complete within {_PATIENCE_S} s")


class _Lite(_Milvus):
    column_index = "INVERTED"

    def __enter__(self) -> Self:
        installed("pymilvus", "milvus_lite")
        self._open(str(self._folder / "lite.db"))
        return self

    def processes(self) -> list[int]:
        """See `Rival.processes`: it runs in this one."""
        return []


class _Server(_Milvus):
    column_index = "STL_SORT"

    def __enter__(self) -> Self:
        installed("pymilvus", "milvus")
        if [name for _, name in socket.if_nameindex()] != ["lo"]:
            raise NotHere("it listens on every interface; it needs a network namespace of its own")
        os.environ["no_proxy"] = "127.0.0.1"
        from milvus import MilvusServer

        self._server: Any = MilvusServer(data_dir=str(self._folder))
        self._server.start()
        self._open(f"http://127.0.0.1:{self._server.listen_port}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._server.stop()

    def processes(self) -> list[int]:
        """See `Rival.processes`."""
        return [self._server.server_proc.pid]


class LiteFlat(_Lite):
    """Milvus Lite without an approximate index."""

    index = "FLAT"
    efs = (None,)


class LiteHnsw(_Lite):
    """Milvus Lite with a graph."""

    index = "HNSW"
    efs = EFS


class ServerFlat(_Server):
    """The server without an approximate index."""

    index = "FLAT"
    efs = (None,)


class ServerHnsw(_Server):
    """The server with a graph."""

    index = "HNSW"
    efs = EFS
