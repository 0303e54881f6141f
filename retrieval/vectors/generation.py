"""Generations: immutable builds of the index, and which of them is live.

    generations/
      CURRENT                name of the live one, replaced in one step
      NAME/keys.npy          (N,) int64, increasing
      NAME/vectors.npy       (N, D) float32, row i belongs to keys[i]
      NAME/manifest.json     see `retrieval.vectors.manifest`

A generation is a cache of the catalog: it can be thrown away and built again,
and the same vectors give the same name and the same bytes.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import numpy as np

from retrieval.durable import replace_file, sync_folder
from retrieval.errors import GenerationCorrupt
from retrieval.ports import VectorIndex
from retrieval.values.embedding import Embeddings, EncoderId, Keys
from retrieval.vectors import manifest as manifests
from retrieval.vectors.engines import Engine, index_over
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.manifest import Manifest
from retrieval.vectors.npy import NpyWriter
from retrieval.vectors.table import Table

log = logging.getLogger(__name__)

_CURRENT = "CURRENT"
_KEYS, _VECTORS = "keys.npy", "vectors.npy"
_BUILDING = ".building-"

_SAMPLES = 8
"""Stored vectors that `verify` searches for."""


def build(
    folder: Path,
    batches: Iterator[tuple[Keys, Embeddings]],
    encoder_id: EncoderId,
    *,
    encoder: str = "",
) -> str:
    """Write a generation and return its name. Nothing is published.

    A generation of that content that is already there, and sound, is kept; a
    damaged one is replaced.

    Parameters
    ----------
    folder
        Where generations live; made if missing. One process builds at a time.
    batches
        Keys and their vectors, keys increasing over all batches; may be empty.
    encoder_id
        The encoder of every batch.
    encoder
        What to open that encoder by; see `Manifest`.

    Raises
    ------
    EncoderMismatch
        A batch comes from another encoder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(_BUILDING + "*"):
        shutil.rmtree(leftover)
    fresh = folder / f"{_BUILDING}{os.getpid()}"
    fresh.mkdir()
    built = _write(fresh, batches, encoder_id, encoder)
    _settle(fresh, folder / built.name, built)
    log.info("generation %s holds %d vectors of %s", built.name, built.count, encoder_id)
    return built.name


def verify(folder: Path, name: str, *, engine: Engine = "auto") -> None:
    """Prove a generation sound before it may serve.

    Checksums first; then the count, the order of keys and the lengths of
    vectors; then searches for a sample of its own vectors, with and without a
    mask, compared with the judge.

    Raises
    ------
    GenerationCorrupt
        Whatever does not hold.
    MaskIgnored, EngineInexact
        The engine cannot be trusted.
    """
    table = _open_table(folder, name)
    if not len(table):
        return
    index, judge = index_over(table, engine), ExactIndex(table)
    rows = np.unique(np.linspace(0, len(table) - 1, _SAMPLES).astype(np.int64))
    sample = Embeddings(table.encoder_id, table.vectors[rows].copy())
    every_other = np.arange(len(table)) % 2 == 0
    for allowed in (None, every_other):
        found = index.search(sample, k=10, allowed=allowed)
        expected = judge.search(sample, k=10, allowed=allowed)
        for ours, theirs in zip(found, expected, strict=True):
            same = np.array_equal(ours.keys, theirs.keys)
            if not same or not np.array_equal(ours.scores, theirs.scores):
                raise GenerationCorrupt(name, "a search for its own vectors went wrong")


def publish(folder: Path, name: str) -> None:
    """Make a generation the live one, in one step that survives a power failure."""
    manifests.read(folder / name)
    replace_file(folder / _CURRENT, lambda fresh: fresh.write_text(name + "\n"))
    log.info("generation %s is live", name)


def current(folder: Path) -> str | None:
    """Name of the live generation, or None if nothing was ever published."""
    try:
        return (folder / _CURRENT).read_text().strip()
    except FileNotFoundError:
        return None


def names(folder: Path) -> list[str]:
    """Names of all complete generations, oldest first."""
    found = [manifests.read(path.parent) for path in folder.glob(f"[!.]*/{manifests.FILE}")]
    return [m.name for m in sorted(found, key=lambda m: (m.created, m.name))]


def manifest(folder: Path, name: str) -> Manifest:
    """Return what a generation says of itself, or raise GenerationCorrupt."""
    found = manifests.read(folder / name)
    if found.name != name:
        raise GenerationCorrupt(name, f"its manifest is that of {found.name}")
    return found


def open_index(folder: Path, name: str, engine: Engine = "auto") -> VectorIndex:
    """Open a generation for searching, checksums first.

    Raises
    ------
    GenerationCorrupt
        Its files are not those that were built.
    MaskIgnored, EngineInexact
        The engine cannot be trusted.
    """
    return index_over(_open_table(folder, name), engine)


def _write(
    fresh: Path, batches: Iterator[tuple[Keys, Embeddings]], encoder_id: EncoderId, encoder: str
) -> Manifest:
    content = {name: hashlib.sha256() for name in (_KEYS, _VECTORS)}
    first = next(batches, None)
    dim = 0 if first is None else int(first[1].vectors.shape[1])
    with (
        NpyWriter(fresh / _KEYS, np.int64, ()) as keys,
        NpyWriter(fresh / _VECTORS, np.float32, (dim,)) as vectors,
    ):
        last = -1
        for batch, embeddings in chain([] if first is None else [first], batches):
            embeddings.require(encoder_id)
            if np.any(np.diff(batch, prepend=last) <= 0) or len(batch) != len(embeddings):
                raise ValueError("each vector needs a key, and keys must increase all the way")
            last = int(batch[-1]) if len(batch) else last
            content[_KEYS].update(keys.append(batch))
            content[_VECTORS].update(vectors.append(embeddings.vectors))
        count = keys.count
    digest = hashlib.sha256(f"{encoder_id}\0{dim}\0".encode())
    digest.update(content[_KEYS].digest() + content[_VECTORS].digest())
    built = Manifest(
        name=digest.hexdigest()[:16],
        encoder_id=encoder_id,
        encoder=encoder,
        count=count,
        dim=dim,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256={name: manifests.sha256(fresh / name) for name in content},
    )
    manifests.write(fresh, built)
    return built


def _settle(fresh: Path, place: Path, built: Manifest) -> None:
    """Move a finished build to its place, unless a sound one is there already."""
    if place.exists():
        try:
            there = manifests.read(place)
            manifests.check_files(place, there)
        except GenerationCorrupt as damage:
            log.warning("%s; replaced", damage)
            place.rename(fresh.with_name(f"{_BUILDING}damaged-{place.name}"))
        else:
            shutil.rmtree(fresh)
            if there.encoder != built.encoder:  # same weights, opened by another path now
                manifests.write(place, built)
            return
    fresh.rename(place)
    sync_folder(place.parent)


def _open_table(folder: Path, name: str) -> Table:
    told = manifest(folder, name)
    manifests.check_files(folder / name, told)
    keys = np.load(folder / name / _KEYS, allow_pickle=False)
    vectors = np.load(folder / name / _VECTORS, mmap_mode="r", allow_pickle=False)
    if keys.shape != (told.count,) or vectors.shape != (told.count, told.dim):
        raise GenerationCorrupt(
            name, f"{keys.shape} keys and {vectors.shape} vectors; {told.count} were promised"
        )
    if np.any(np.diff(keys) <= 0):
        raise GenerationCorrupt(name, "its keys are not in order")
    try:
        embeddings = Embeddings(told.encoder_id, vectors)
    except ValueError as error:
        raise GenerationCorrupt(name, str(error)) from error
    return Table(keys, embeddings, generation=name)
