"""Embeddings: unit vectors, each bound to the encoder that made it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NewType

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EncoderMismatch
from retrieval.values.clip import ClipId
from retrieval.values.estimate import Estimate
from retrieval.values.study import StudyId

EncoderId = NewType("EncoderId", str)
"""name@digest: 12 hexadecimal digits over weights, input contract and preprocessing."""

Key = NewType("Key", int)
"""63 bits that name one vector for ever; see `embedding_key`."""

Keys = NDArray[np.int64]
Vectors = NDArray[np.float32]

Mask = NDArray[np.bool_]
"""One truth value for each row of a generation, in the order of its keys."""

UNIT_TOLERANCE = 1e-3
"""How far from 1 a vector's length may be; half-precision encoders need this much."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """N unit vectors made by one encoder.

    Attributes
    ----------
    vectors
        (N, D) float32, C-contiguous, every row of length 1. Read-only.
    """

    encoder_id: EncoderId
    vectors: Vectors

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise ValueError(
                f"vectors must be (N, D) float32, not {self.vectors.shape} {self.vectors.dtype}"
            )
        lengths = np.linalg.norm(self.vectors, axis=1)
        if not np.allclose(lengths, 1, atol=UNIT_TOLERANCE):
            worst = float(lengths[np.argmax(np.abs(lengths - 1))])
            raise ValueError(f"embeddings must have length 1; one has length {worst:.4g}")
        self.vectors.flags.writeable = False

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    def require(self, encoder_id: EncoderId) -> None:
        """Raise EncoderMismatch unless `encoder_id` made these vectors."""
        if self.encoder_id != encoder_id:
            raise EncoderMismatch(index=encoder_id, query=self.encoder_id)


def unit_rows(rows: NDArray[np.floating]) -> Vectors:
    """Scale each row of (N, D) to length 1, as C-contiguous float32."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    if not np.all(lengths > 0):
        raise ValueError("a vector of length 0 has no direction; the encoder gave nothing")
    return np.ascontiguousarray(rows / lengths, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyEmbedding:
    """What an encoder says of one study: the whole, each clip, or both.

    Attributes
    ----------
    whole
        (D,) float32 of length 1, or None if the encoder embeds clips only.
    clips
        One (D,) float32 vector of length 1 per clip embedded; may be empty.
    inputs
        The clips the whole and the estimates were computed from.
    context
        Further clips that every clip's own vector depends on (where they say
        that the heart is, say); part of that vector's input digest. Empty
        where a clip is embedded from itself alone.
    estimates
        What the encoder reads of the heart beside its vectors, each quantity
        at most once; empty where it was not taught to.
    """

    study: StudyId
    encoder_id: EncoderId
    whole: NDArray[np.float32] | None
    clips: dict[ClipId, NDArray[np.float32]]
    inputs: tuple[ClipId, ...]
    context: tuple[ClipId, ...] = ()
    estimates: tuple[Estimate, ...] = ()


def input_digest(clips: Iterable[ClipId]) -> str:
    """Digest of what a vector was computed from: 24 hexadecimal digits, order ignored."""
    return hashlib.sha256("\n".join(sorted(clips)).encode()).hexdigest()[:24]


def embedding_key(study: StudyId, clip: ClipId | None, inputs: str, encoder_id: EncoderId) -> Key:
    """63 bits of SHA-256 over (study, clip or nothing, input digest, encoder).

    It never names two vectors and does not depend on the order of ingestion.
    """
    text = "\0".join((study, clip or "", inputs, encoder_id))
    return Key(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredEmbedding:
    """One row of the catalog's embedding table. `clip` is None for the study as a whole."""

    key: Key
    study: StudyId
    clip: ClipId | None
    input_digest: str
    encoder_id: EncoderId
    vector: NDArray[np.float32]


def rows_of(embedding: StudyEmbedding) -> Sequence[StoredEmbedding]:
    """Turn what an encoder said of a study into the rows to store."""

    def row(clip: ClipId | None, inputs: str, vector: NDArray[np.float32]) -> StoredEmbedding:
        return StoredEmbedding(
            key=embedding_key(embedding.study, clip, inputs, embedding.encoder_id),
            study=embedding.study,
            clip=clip,
            input_digest=inputs,
            encoder_id=embedding.encoder_id,
            vector=vector,
        )

    rows = [
        row(c, input_digest({c, *embedding.context}), v) for c, v in sorted(embedding.clips.items())
    ]
    if embedding.whole is not None:
        rows.insert(0, row(None, input_digest(embedding.inputs), embedding.whole))
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEstimate:
    """One row of the catalog's table of machine estimates, and what it was computed from."""

    study: StudyId
    encoder_id: EncoderId
    input_digest: str
    estimate: Estimate


def estimate_rows_of(embedding: StudyEmbedding) -> Sequence[StoredEstimate]:
    """Turn what an encoder estimated of a study into the rows to store."""
    inputs = input_digest(embedding.inputs)
    return [
        StoredEstimate(
            study=embedding.study,
            encoder_id=embedding.encoder_id,
            input_digest=inputs,
            estimate=estimate,
        )
        for estimate in embedding.estimates
    ]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What an index found for one query vector, best first: by score, then by key.

    Attributes
    ----------
    keys
        (M,) int64. M is k, or the number of eligible keys if that is smaller.
    scores
        (M,) float64: dot product in float64 of the stored float32 vectors,
        rounded to 1e-6; never increasing.
    """

    keys: Keys
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.keys.shape[0])
