"""FAISS as it is on a GPU, for machines that have none: the part that our code uses.

What bites there bites here too: an index takes a selector and ignores it, no
search returns more than 2048, there is no range search, and sums are taken in
another order than on the processor.
"""

from typing import Any

import faiss
import numpy as np

from retrieval.values.embedding import Vectors
from retrieval.vectors.scanners import Scan

METRIC_INNER_PRODUCT = faiss.METRIC_INNER_PRODUCT

_MOST = 2048


class StandardGpuResources:
    """What a real one reserves on a device, this one does not."""


class GpuIndexFlatIP:
    """Exact search in float32, whatever selector comes with it."""

    def __init__(self, resources: StandardGpuResources, dim: int) -> None:
        self._index: Any = faiss.IndexFlatIP(dim)

    def add(self, vectors: Vectors) -> None:
        self._index.add(_turned(vectors))

    def search(self, queries: Vectors, k: int, *, params: object = None) -> Scan:
        if k > _MOST:
            raise RuntimeError(f"GPU index only supports min/max-K selection up to {_MOST}")
        return self._index.search(_turned(queries), k)


def knn_gpu(
    resources: StandardGpuResources, queries: Vectors, rows: Vectors, k: int, *, metric: int
) -> Scan:
    """Search among rows that are given with the call."""
    if metric != METRIC_INNER_PRODUCT:
        raise ValueError(f"metric {metric} is not what cosines need")
    index = GpuIndexFlatIP(resources, rows.shape[1])
    index.add(rows)
    return index.search(queries, k)


def _turned(vectors: Vectors) -> Vectors:
    return np.ascontiguousarray(vectors[:, ::-1])
