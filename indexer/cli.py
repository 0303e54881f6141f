"""`cineseek-index`: operate an archive."""

import json as jsonlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from indexer import views
from retrieval import doors, settings
from retrieval.errors import UsageError
from retrieval.values.query import LOCAL_OPERATOR

app = typer.Typer(
    help="Index cardiac MRI archives: ingest, embed, publish, and account for every study.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Archives = Annotated[list[Path], typer.Argument(help="Folders or files: DICOM, or NIfTI as ACDC.")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="Where everything is kept.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes.")]
RetryOption = Annotated[bool, typer.Option("--retry", help="Read failed studies again.")]
ReportsOption = Annotated[
    list[Path] | None, typer.Option("--reports", help="CSV or JSON Lines; may be repeated.")
]
EncoderOption = Annotated[
    str | None, typer.Option(help="phantom, cmrclip, or a checkpoint's folder.")
]


@app.command()
def run(
    archives: Archives,
    reports: ReportsOption = None,
    encoder: EncoderOption = None,
    home: HomeOption = None,
    workers: WorkersOption = None,
    retry: RetryOption = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Ingest, embed and publish: everything that is not up to date yet."""
    from indexer.run import run as run_all
    from indexer.station import at_work

    _require(archives)
    _require(reports or [])
    with at_work(settings.load(home=home, workers=workers)) as station:
        summary = run_all(
            station, archives, reports=reports or [], encoder=encoder, retry=retry, quiet=quiet
        )
    _show(summary, json=json)
    _end(summary)


@app.command()
def ingest(
    archives: Archives,
    reports: ReportsOption = None,
    home: HomeOption = None,
    workers: WorkersOption = None,
    retry: RetryOption = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Read what is new or changed into the catalog; publish nothing."""
    from indexer.receive import receive
    from indexer.run import take_in
    from indexer.station import at_work

    _require(archives)
    _require(reports or [])
    with at_work(settings.load(home=home, workers=workers)) as station:
        done = take_in(station, archives, retry=retry, quiet=quiet)
        malformed = receive(station, reports or [])
        summary = {
            **views.totals(station),
            "malformed_reports": malformed,
            "work": {"read": done.read, "clips": done.clips},
        }
    _show(summary, json=json)
    _end(summary)


@app.command()
def embed(
    encoder: EncoderOption = None,
    home: HomeOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Embed the studies that the encoder has not seen as they are now; publish nothing."""
    from indexer.embed import embed as embed_missing
    from indexer.progress import stage
    from indexer.publish import encoder_to_use
    from indexer.station import at_work
    from retrieval.wiring import open_encoder

    with at_work(settings.load(home=home)) as station, stage("embed", quiet=quiet) as progress:
        using = open_encoder(encoder_to_use(station.generations, encoder), station.settings)
        done = embed_missing(station.catalog, station.clips, using, progress=progress)
    _show(
        {
            "encoder": using.encoder_id,
            "studies": done.studies,
            "embedded": done.vectors,
            "without_vector": len(done.unseen),
        },
        json=json,
    )


@app.command()
def publish(
    encoder: EncoderOption = None, home: HomeOption = None, json: JsonOption = False
) -> None:
    """Build a generation from the vectors in the catalog, verify it and make it live."""
    from indexer.publish import encoder_to_use, require_live
    from indexer.publish import publish as publish_current
    from indexer.station import at_work
    from retrieval.wiring import open_encoder

    with at_work(settings.load(home=home)) as station:
        name = encoder_to_use(station.generations, encoder)
        using = open_encoder(name, station.settings)
        require_live(station.generations, using.encoder_id, asked=name)
        done = publish_current(station.catalog, station.generations, using.encoder_id, encoder=name)
    _show({"generation": done.generation, "published": int(done.fresh)}, json=json)


@app.command()
def reindex(
    encoder: Annotated[str, typer.Option(help="phantom, cmrclip, or a checkpoint's folder.")],
    home: HomeOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Move to another encoder: embed beside the live generation, verify, then switch."""
    from indexer.run import reindex as move_to
    from indexer.station import at_work

    with at_work(settings.load(home=home)) as station:
        summary = move_to(station, encoder, quiet=quiet)
    _show(summary, json=json)


@app.command()
def assess(home: HomeOption = None, json: JsonOption = False) -> None:
    """Say, finding by finding, how far images can be relied on here: by the archive's reports.

    `run` and `reindex` do this when vectors or reports have changed.
    """
    from indexer import assess as assessing
    from indexer.station import at_work
    from retrieval.errors import NothingPublished
    from retrieval.vectors import generation
    from retrieval.wiring import open_encoder

    with at_work(settings.load(home=home)) as station:
        live = generation.current(station.generations)
        if live is None:
            raise NothingPublished(station.settings.home)
        opened_by = generation.manifest(station.generations, live).encoder
        using = open_encoder(opened_by, station.settings)
        found = assessing.assess(station, using, live)
    if json:
        _json(assessing.told(found))
        return
    _table(assessing.rows(found))


@app.command()
def ledger(
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Add path and original UID, from the vault.")
    ] = False,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Say of every study and series what became of it, and why."""
    from indexer.station import opened

    station = opened(settings.load(home=home), create=False)
    studies = station.catalog.ledger(access=LOCAL_OPERATOR)
    if json:
        _json(views.ledger(studies, station.vault if reveal else None))
        return
    _table(views.ledger_rows(studies, station.vault if reveal else None))


@app.command()
def status(home: HomeOption = None, json: JsonOption = False) -> None:
    """Totals of the archive, the reasons for what is not indexed, and what is live."""
    from indexer.station import opened

    station = opened(settings.load(home=home), create=False)
    _show(views.status(station), json=json)


@app.command()
def digest(home: HomeOption = None, json: JsonOption = False) -> None:
    """Print a digest of all that the catalog says, times left out."""
    from indexer.station import opened

    found = opened(settings.load(home=home), create=False).catalog.digest()
    _show({"digest": found}, json=json)


@app.command()
def tidy(home: HomeOption = None, json: JsonOption = False) -> None:
    """Remove clip files that no catalog row names (a stopped ingest leaves some)."""
    from indexer.station import at_work
    from indexer.tidy import tidy as remove_orphans

    with at_work(settings.load(home=home)) as station:
        removed = remove_orphans(station.catalog, station.clips)
    _show({"removed": removed}, json=json)


@app.command()
def reread(home: HomeOption = None, quiet: QuietOption = False, json: JsonOption = False) -> None:
    """Read stored reports again if another version of CineSeek read them; texts stay."""
    from indexer.progress import stage
    from indexer.reread import reread as read_again
    from indexer.station import at_work

    with at_work(settings.load(home=home)) as station, stage("reread", quiet=quiet) as progress:
        summary = read_again(station.catalog, progress=progress)
    _show(summary, json=json)


@app.command()
def phantoms(
    folder: Annotated[Path, typer.Argument(help="Where to write the archive.")],
    studies: Annotated[int, typer.Option(min=1, help="How many studies.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed gives the same archive.")] = 0,
    reports_style: Annotated[
        str, typer.Option(help="plain; fresh: words that no training reads; terse: shorthand.")
    ] = "plain",
    workers: WorkersOption = None,
    quiet: QuietOption = False,
) -> None:
    """Write an archive of simulated hearts, with reports.jsonl and truth.jsonl."""
    from indexer.progress import stage
    from indexer.simulate import STYLES, write_archive

    if reports_style not in STYLES:
        raise UsageError(f"no reports style {reports_style!r}; there are {', '.join(STYLES)}")

    with stage("simulate", quiet=quiet) as progress:
        write_archive(
            folder,
            studies=studies,
            seed=seed,
            workers=settings.load(workers=workers).worker_count,
            progress=progress,
            wording=STYLES[reports_style],
        )


def main() -> None:
    """Run the command line."""
    doors.enter(app)


def _require(paths: list[Path]) -> None:
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise UsageError(f"{', '.join(missing)} does not exist; give a folder or file that does")


def _end(summary: views.Json) -> None:
    """Exit 3 if studies were refused."""
    studies = summary["studies"]
    if studies["quarantined"] + studies["failed"]:
        raise typer.Exit(doors.SOME_REFUSED)


def _show(summary: views.Json, *, json: bool) -> None:
    if json:
        _json(summary)
        return
    _table(views.summary_rows(summary))


def _json(value: views.Json) -> None:
    typer.echo(jsonlib.dumps(value))


def _table(rows: list[tuple[str, ...]]) -> None:
    """Print rows of text, the first one being the heading."""
    table = Table(*rows[0], box=None, pad_edge=False, header_style="bold")
    for row in rows[1:]:
        table.add_row(*row)
    Console().print(table)
