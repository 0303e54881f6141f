"""The one place that picks implementations; heavy ones are imported when first needed."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

from retrieval.errors import CheckpointInvalid, NothingPublished, UsageError
from retrieval.ports import (
    Catalog,
    CatalogReader,
    ClipStore,
    TextEncoder,
    VectorIndex,
    VideoEncoder,
)
from retrieval.search.searcher import Searcher
from retrieval.search.why import Explainer
from retrieval.settings import Settings
from retrieval.values.embedding import EncoderId
from retrieval.values.study import PatientId
from retrieval.vectors import generation as generations
from retrieval.vectors import reliability

log = logging.getLogger(__name__)


class Encoder(TextEncoder, VideoEncoder, Protocol):
    """A dual encoder: words and hearts in one space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that answering needs, opened for reading.

    Attributes
    ----------
    generation
        Name of the generation that is live, and that `searcher` searches.
    encoder_id, opened_by
        The encoder that made its vectors, and what that is opened by.
    """

    catalog: CatalogReader
    clips: ClipStore
    index: VectorIndex
    searcher: Searcher
    generation: str
    encoder_id: EncoderId
    opened_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explaining(Reading):
    """A home opened for reading that can also say why a study answers."""

    explainer: Explainer


def generations_folder(settings: Settings) -> Path:
    """Where the generations of a home live."""
    return settings.home / "generations"


def open_catalog(settings: Settings, *, migrate: bool = False) -> Catalog:
    """Open the catalog; only with `migrate` is a schema made or brought up to date."""
    from retrieval.catalog.catalog import SqlCatalog

    return SqlCatalog.open(settings.catalog_url, migrate=migrate)


def open_clips(settings: Settings) -> ClipStore:
    """Open the folder of clips."""
    from retrieval.clips.store import FolderClipStore

    return FolderClipStore(settings.home / "clips")


def open_encoder(name_or_path: str, settings: Settings) -> Encoder:
    """Open "phantom" (the shipped weights), "cmrclip" (from the hub), or a checkpoint's folder.

    Raises
    ------
    CheckpointInvalid
        There is no such encoder, or it cannot be loaded.
    """
    from retrieval.encoder.device import pick_device

    device = pick_device(settings.device)
    path = None if name_or_path in ("phantom", "cmrclip") else Path(name_or_path)
    kind = name_or_path if path is None else _kind(path)
    log.info("opening encoder %s on %s", name_or_path, device)
    if kind == "phantom":
        from retrieval.encoder import phantom

        return phantom.load(path, device)
    from retrieval.encoder import cmrclip

    return cmrclip.load(path, device, settings.precision)


def trained_on(name_or_path: str) -> frozenset[PatientId]:
    """Patients whose studies an encoder learned from, by pseudonym; none of a named one's are ours.

    Raises
    ------
    CheckpointInvalid
        What the checkpoint says of them cannot be read.
    """
    if name_or_path in ("phantom", "cmrclip"):
        return frozenset()
    from retrieval.encoder.checkpoint import trained_patients

    return trained_patients(Path(name_or_path))


def open_untrained(name_or_path: str, settings: Settings, *, seeds: Sequence[int]) -> list[Encoder]:
    """Open untrained networks of the shape of "phantom" or of a checkpoint of its kind.

    Raises
    ------
    UsageError
        Another kind of encoder: of that no untrained one can be made.
    """
    from retrieval.encoder.device import pick_device
    from retrieval.encoder.phantom.untrained import untrained

    path = None if name_or_path in ("phantom", "cmrclip") else Path(name_or_path)
    kind = name_or_path if path is None else _kind(path)
    if kind != "phantom":
        raise UsageError(f"{name_or_path} is {kind}; an untrained control needs a phantom encoder")
    device = pick_device(settings.device)
    return [untrained(path, seed, device) for seed in seeds]


def open_live_index(settings: Settings) -> tuple[VectorIndex, str]:
    """Open the live generation and say what its encoder is opened by.

    Raises
    ------
    NothingPublished
        This home has no live generation.
    """
    folder = generations_folder(settings)
    name = generations.current(folder)
    if name is None:
        raise NothingPublished(settings.home)
    told = generations.manifest(folder, name)
    return generations.open_index(folder, name), told.encoder or told.encoder_id.partition("@")[0]


def live_encoder(settings: Settings) -> EncoderId | None:
    """The encoder whose vectors a home serves, without opening it; None before a publication."""
    folder = generations_folder(settings)
    name = generations.current(folder)
    return None if name is None else generations.manifest(folder, name).encoder_id


def open_reading(settings: Settings, *, words: bool = True) -> Reading:
    """Open a home for answering.

    Parameters
    ----------
    words
        Whether queries will come in words; without them no encoder is loaded.

    Raises
    ------
    NothingPublished
        This home has no live generation.
    EncoderMismatch
        The encoder that opens under the recorded name is not the one that made
        the index.
    """
    index, encoder = open_live_index(settings)
    return _reading(settings, index, encoder, open_encoder(encoder, settings) if words else None)


def open_explaining(settings: Settings) -> Explaining:
    """Open a home for answering in words, and for saying why.

    Raises
    ------
    NothingPublished, EncoderMismatch
        As of `open_reading`.
    """
    index, name = open_live_index(settings)
    encoder = open_encoder(name, settings)
    reading = _reading(settings, index, name, encoder)
    explainer = Explainer(reading.searcher, encoder, index, reading.catalog, reading.clips)
    parts = {part.name: getattr(reading, part.name) for part in fields(reading)}
    return Explaining(**parts, explainer=explainer)


def _reading(
    settings: Settings, index: VectorIndex, opened_by: str, texts: TextEncoder | None
) -> Reading:
    catalog = open_catalog(settings)
    found = reliability.read(generations_folder(settings), index.generation)
    return Reading(
        catalog=catalog,
        clips=open_clips(settings),
        index=index,
        searcher=Searcher(texts, index, catalog, found),
        generation=index.generation,
        encoder_id=index.encoder_id,
        opened_by=opened_by,
    )


def _kind(folder: Path) -> str:
    """Tell our own checkpoints from published CMR-CLIP folders by what config.json says."""
    config = folder / "config.json"
    if not config.is_file():
        raise CheckpointInvalid(
            str(folder), "it is neither phantom, cmrclip nor a folder with a config.json"
        )
    try:
        told = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointInvalid(str(folder), "its config.json is not JSON") from error
    return "phantom" if isinstance(told, dict) and told.get("name") == "phantom" else "cmrclip"
