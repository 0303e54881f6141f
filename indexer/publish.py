"""Build a generation from the catalog's vectors, prove it, and make it live."""

from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import AnotherEncoderPublished
from retrieval.ports import Catalog
from retrieval.values.embedding import EncoderId
from retrieval.vectors import generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Which generation is live now, and whether that is news."""

    generation: str
    fresh: bool


def publish(
    catalog: Catalog, generations: Path, encoder_id: EncoderId, *, encoder: str
) -> Publication:
    """Publish all current vectors of one encoder.

    A generation is named by its content: where nothing changed, the live one
    is found again and left alone. It goes live only after its check.
    """
    name = generation.build(
        generations, catalog.embeddings(encoder_id), encoder_id, encoder=encoder
    )
    if name == generation.current(generations):
        return Publication(generation=name, fresh=False)
    generation.verify(generations, name)
    generation.publish(generations, name)
    return Publication(generation=name, fresh=True)


def encoder_to_use(generations: Path, asked: str | None) -> str:
    """The encoder of a home: the live one's, else what was asked for, else "phantom".

    Comparing names is not enough: see `require_live`.
    """
    live = generation.current(generations)
    if live is None:
        return asked or "phantom"
    return asked or generation.manifest(generations, live).encoder


def require_live(generations: Path, encoder_id: EncoderId, *, asked: str) -> None:
    """Refuse an encoder other than the one that is live.

    Raises
    ------
    AnotherEncoderPublished
        A generation of another encoder is live.
    """
    live = generation.current(generations)
    if live is None:
        return
    serving = generation.manifest(generations, live).encoder_id
    if serving != encoder_id:
        raise AnotherEncoderPublished(live=serving, asked=encoder_id, name=asked)
