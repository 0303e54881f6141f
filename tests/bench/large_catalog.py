"""Catalogs and indexes of archive size, filled behind the catalog's back: its own way takes hours.

Studies, people, scanners, views and techniques are drawn with a fixed seed; the
vectors in SQL are a few bytes, since nothing here reads them.
"""

import hashlib

import numpy as np
from sqlalchemy import insert

from retrieval.catalog.catalog import SqlCatalog
from retrieval.catalog.rows import clip_values
from retrieval.catalog.tables import ClipRow, EmbeddingRow, SeriesRow, StudyRow
from retrieval.values.clip import ClipId
from retrieval.values.embedding import Embeddings, embedding_key, input_digest
from retrieval.values.study import Sex, State, StudyId, Technique, View
from retrieval.vectors.table import Table
from tests.doubles import ENCODER
from tests.retrieval.catalog_examples import make_clip

KINDS = [(view, technique) for view in list(View)[:4] for technique in list(Technique)[:3]]
_STUDIES_AT_ONCE = 2000


def name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def fill(catalog: SqlCatalog, studies: int, clips: int) -> None:
    """Put that many studies in, each with that many clips and a vector of each and of its own."""
    rng = np.random.default_rng(0)
    template = clip_values(make_clip(0)) | {"frame_times_ms": tuple(np.linspace(0, 875.5, 25))}
    with catalog._database.connecting(write=True) as connection:
        for start in range(0, studies, _STUDIES_AT_ONCE):
            numbers = range(start, min(start + _STUDIES_AT_ONCE, studies))
            connection.execute(insert(StudyRow), [_study(n, rng) for n in numbers])
            series = [
                _series(n, kind)
                for n in numbers
                for kind in {(n + i) % len(KINDS) for i in range(clips)}
            ]
            connection.execute(insert(SeriesRow), series)
            own = [_clip(n, i, template) for n in numbers for i in range(clips)]
            connection.execute(insert(ClipRow), own)
            vectors = [_vector(clip["study"], clip["id"]) for clip in own]
            vectors += [_vector(name(f"study {n}"), None) for n in numbers]
            connection.execute(insert(EmbeddingRow), vectors)


def table_over(catalog: SqlCatalog, dim: int) -> Table:
    """Random vectors under all of the catalog's keys."""
    with catalog._database.connecting(write=False) as connection:
        found = connection.exec_driver_sql("SELECT key FROM embedding ORDER BY key")
        keys = np.fromiter((key for (key,) in found), dtype=np.int64)
    rows = np.random.default_rng(1).standard_normal((len(keys), dim), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Table(keys, Embeddings(ENCODER, rows), generation="bench")


def _study(n: int, rng: np.random.Generator) -> dict:
    return {
        "id": name(f"study {n}"),
        "patient": name(f"patient {n // 2}"),
        "sex": (Sex.FEMALE, Sex.MALE, None)[int(rng.choice(3, p=[0.45, 0.45, 0.1]))],
        "age_years": int(rng.integers(18, 91)),
        "site": ("north", "south")[int(rng.integers(2))],
        "state": State.INDEXED,
        "reason": "",
        "year": int(rng.integers(2008, 2026)),
        "vendor": ("Acme", "Bolt", "Coil")[int(rng.integers(3))],
        "field_strength_t": (1.5, 3.0)[int(rng.integers(2))],
        "source_digest": name(f"source {n}"),
        "released": bool(rng.random() < 0.95),
    }


def _series(n: int, kind: int) -> dict:
    view, technique = KINDS[kind]
    return {
        "study": name(f"study {n}"),
        "id": name(f"series {n} {kind}"),
        "position": kind,
        "view": view,
        "technique": technique,
        "state": State.INDEXED,
        "reason": "",
        "slices": 1,
        "phases": 25,
        "clips": 1,
    }


def _clip(n: int, i: int, template: dict) -> dict:
    kind = (n + i) % len(KINDS)
    view, technique = KINDS[kind]
    return template | {
        "id": name(f"clip {n} {i}"),
        "study": name(f"study {n}"),
        "series": name(f"series {n} {kind}"),
        "view": view,
        "technique": technique,
        "slice_index": i,
    }


def _vector(study: str, clip: str | None) -> dict:
    inputs = input_digest([ClipId(clip or study)])
    of = None if clip is None else ClipId(clip)
    return {
        "key": embedding_key(StudyId(study), of, inputs, ENCODER),
        "study": study,
        "clip": clip,
        "input_digest": inputs,
        "encoder_id": ENCODER,
        "vector": b"",
    }
