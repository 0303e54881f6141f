"""The whole offline flow: ingest, reports, embed, publish, assess."""

import time
from collections.abc import Sequence
from pathlib import Path

from indexer.assess import assess, assessed
from indexer.embed import Embedded, embed
from indexer.ingest import Ingested, ingest
from indexer.progress import stage
from indexer.publish import Publication, encoder_to_use, publish, require_live
from indexer.receive import receive
from indexer.station import Home
from indexer.views import Json, totals
from retrieval.wiring import open_encoder


def run(
    home: Home,
    archives: Sequence[Path],
    *,
    reports: Sequence[Path],
    encoder: str | None,
    retry: bool,
    quiet: bool,
) -> Json:
    """Bring a home up to date with its archives and publish what is searchable.

    Every step does only what is missing, so running again after a stop goes
    on, and running again after the end does nothing.

    Returns
    -------
    Json
        Totals of the archive, and under "work" what this run did.

    Raises
    ------
    AnotherEncoderPublished
        The home serves another encoder than `encoder`.
    """
    began = time.monotonic()
    name = encoder_to_use(home.generations, encoder)
    using = open_encoder(name, home.settings)
    require_live(home.generations, using.encoder_id, asked=name)
    reports_before = home.catalog.counts()["reports_seen"]
    ingested = take_in(home, archives, retry=retry, quiet=quiet)
    malformed = receive(home, reports)
    with stage("embed", quiet=quiet) as progress:
        embedded = embed(home.catalog, home.clips, using, progress=progress)
    published = publish(home.catalog, home.generations, using.encoder_id, encoder=name)
    reported = home.catalog.counts()["reports_seen"] != reports_before
    unknown = published.fresh or reported or not assessed(home, published.generation)
    if unknown:
        assess(home, using, published.generation)
    return {
        **totals(home),
        "embeddings": home.catalog.counts()["embeddings"],
        "encoder": using.encoder_id,
        "generation": published.generation,
        "without_vector": len(embedded.unseen),
        "malformed_reports": malformed,
        "work": {**work(ingested, embedded, published), "assessed": int(unknown)},
        "seconds": round(time.monotonic() - began, 2),
    }


def reindex(home: Home, encoder: str, *, quiet: bool) -> Json:
    """Move a home to another encoder: embed what is missing, build, verify, publish, assess.

    The live generation serves until the new one has passed its check.
    """
    using = open_encoder(encoder, home.settings)
    with stage("embed", quiet=quiet) as progress:
        embedded = embed(home.catalog, home.clips, using, progress=progress)
    published = publish(home.catalog, home.generations, using.encoder_id, encoder=encoder)
    assess(home, using, published.generation)
    return {
        "encoder": using.encoder_id,
        "generation": published.generation,
        "without_vector": len(embedded.unseen),
        "work": {"embedded": embedded.vectors, "published": int(published.fresh)},
    }


def take_in(home: Home, archives: Sequence[Path], *, retry: bool, quiet: bool) -> Ingested:
    """Ingest archives into a home, with progress bars."""
    with stage("scan", quiet=quiet) as scanning, stage("read", quiet=quiet) as reading:
        return ingest(home, archives, retry=retry, scanning=scanning, reading=reading)


def work(ingested: Ingested, embedded: Embedded, published: Publication) -> Json:
    """What a run did, as numbers that are all zero when there was nothing to do."""
    return {
        "read": ingested.read,
        "clips": ingested.clips,
        "embedded": embedded.vectors,
        "published": int(published.fresh),
    }
