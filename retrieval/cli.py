"""`cineseek`: ask."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from retrieval import doors
from retrieval.cli_options import (
    Bound,
    CandidateOption,
    Channels,
    Chips,
    ControlOption,
    CsvOption,
    EveryStudy,
    FindingsOption,
    GoldOption,
    Home,
    HtmlOption,
    Json,
    LabelsOption,
    Like,
    LikeOption,
    Limit,
    Literal,
    MethodOption,
    Numbers,
    PlotOption,
    QueriesOption,
    Research,
    Sexes,
    Strengths,
    StudyArgument,
    Techniques,
    UnlikeOption,
    Vendors,
    Views,
    WriteOption,
    filter_of,
    limit_of,
    word_of,
)
from retrieval.cli_output import print_evaluation, print_json, print_table
from retrieval.errors import UsageError
from retrieval.values.clip import ClipId
from retrieval.values.machine_finding import Method
from retrieval.values.query import LOCAL_OPERATOR, Channel, Query
from retrieval.values.study import StudyId

app = typer.Typer(
    help="Find cardiac MRI studies by what you would say of them. Not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What to look for, in plain words.")],
    limit: Limit = "12",
    view: Views = None,
    technique: Techniques = None,
    sex: Sexes = None,
    age_from: Bound = None,
    age_to: Bound = None,
    field_strength: Strengths = None,
    vendor: Vendors = None,
    year_from: Bound = None,
    year_to: Bound = None,
    channels: Channels = Channel.ALL.value,
    like: Like = None,
    off: Numbers = None,
    flip: Numbers = None,
    add: Chips = None,
    literal: Literal = False,
    every_study: EveryStudy = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank the studies of the archive for a question in plain words."""
    from retrieval.search.understand.edits import Edits, edited

    edits = Edits(off=tuple(off or ()), flip=tuple(flip or ()), add=tuple(add or ()))
    where = filter_of(
        view=view,
        technique=technique,
        sex=sex,
        age_from=age_from,
        age_to=age_to,
        field_strength=field_strength,
        vendor=vendor,
        year_from=year_from,
        year_to=year_to,
    )
    channel = word_of(Channel, "channel", channels)
    query = Query(
        text=text,
        chips=edited(text, edits, literal=literal),
        literal=literal,
        like=None if like is None else StudyId(like),
        limit=limit_of(limit),
        where=where,
        channel=channel,
        collapsed=not every_study,
    )
    _answer(query, home, json=json)


@app.command()
def similar(
    study: StudyArgument,
    limit: Limit = "12",
    every_study: EveryStudy = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Rank the studies most like one that is known."""
    query = Query(like=StudyId(study), limit=limit_of(limit), collapsed=not every_study)
    _answer(query, home, json=json)


@app.command()
def why(
    study: StudyArgument,
    text: Annotated[str, typer.Argument(help="What was looked for, in plain words.")],
    clip: Annotated[
        str | None, typer.Option("--clip", help="Look into this clip of it, not the best one.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the map over the clip: .png, or .gif to play.")
    ] = None,
    literal: Literal = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Say why a study answers: which views, which phases, and where in the picture."""
    from retrieval import explaining, settings
    from retrieval.search import why_views

    found = explaining.explain(
        settings.load(home=home),
        StudyId(study),
        Query(text=text, literal=literal, channel=Channel.ALL),
        clip=None if clip is None else ClipId(clip),
        picture=picture,
    )
    if json:
        print_json(why_views.why_json(found.why, found.map))
        return
    typer.echo(why_views.carried_line(found.why))
    print_table(why_views.VIEW_COLUMNS, why_views.view_rows(found.why))
    typer.echo(why_views.hidden_line(found.map))
    print_table(why_views.PHASE_COLUMNS, why_views.phase_rows(found.map.occlusion))


@app.command()
def show(
    study: StudyArgument, research: Research = None, home: Home = None, json: Json = False
) -> None:
    """Say all that is known of one study."""
    from retrieval import settings, wiring
    from retrieval.classify import views as answers
    from retrieval.search import views
    from retrieval.search.estimates import places

    deployed = settings.load(home=home, research=research)
    catalog = wiring.open_catalog(deployed)
    found = catalog.study(StudyId(study), access=LOCAL_OPERATOR)
    clips = catalog.clips(found.id, access=LOCAL_OPERATOR)
    report = catalog.report(found.id, access=LOCAL_OPERATOR)
    placed, findings = None, []
    if deployed.research and (encoder_id := wiring.live_encoder(deployed)) is not None:
        placed = places(catalog, found.id, encoder_id, access=LOCAL_OPERATOR)
        findings = catalog.machine_findings(found.id, encoder_id, access=LOCAL_OPERATOR)
    if json:
        more = {} if placed is None else {"machine_estimates": views.places_json(placed)}
        if placed is not None:
            more["machine_findings"] = answers.findings_json(findings, placed.encoder_id)
        print_json(views.study_json(found, clips, report) | more)
        return
    print_table((), views.study_facts(found))
    print_table(views.SERIES_COLUMNS, views.series_rows(found))
    if report is not None:
        typer.echo(f"\n{report.impression}")
    if placed is not None:
        typer.echo(f"\n{views.places_note(placed)}")
        print_table(views.ESTIMATE_COLUMNS if placed.standings else (), views.place_rows(placed))
    if findings:
        typer.echo(f"\n{answers.NOTE}")
        print_table(answers.FINDING_COLUMNS, answers.finding_rows(findings))


@app.command()
def classify(
    finding: FindingsOption = None,
    like: LikeOption = None,
    unlike: UnlikeOption = None,
    method: MethodOption = Method.PROTOTYPES.value,
    limit: Limit = "12",
    view: Views = None,
    technique: Techniques = None,
    sex: Sexes = None,
    age_from: Bound = None,
    age_to: Bound = None,
    field_strength: Strengths = None,
    vendor: Vendors = None,
    year_from: Bound = None,
    year_to: Bound = None,
    file: CsvOption = None,
    write: WriteOption = None,
    research: Research = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Place every study by findings in words or by examples. Research: off by default."""
    from retrieval import classifying, settings
    from retrieval.classify import views

    deployed, shown = settings.load(home=home, research=research), limit_of(limit)
    where = filter_of(
        view=view,
        technique=technique,
        sex=sex,
        age_from=age_from,
        age_to=age_to,
        field_strength=field_strength,
        vendor=vendor,
        year_from=year_from,
        year_to=year_to,
    )
    request = classifying.Request(
        findings=tuple(finding or ()),
        like=frozenset(map(StudyId, like or ())),
        unlike=frozenset(map(StudyId, unlike or ())),
        method=word_of(Method, "method", method),
        where=where,
    )
    found = classifying.classify(deployed, request)
    if file is not None:
        classifying.export(found, file)
    written = None if write is None else classifying.keep(found, write, deployed)
    if json:
        print_json(found.told(shown) | {"written": written})
        return
    for answer in found.answers:
        typer.echo(views.title(answer))
        print_table(views.PLACE_COLUMNS, found.rows(answer, shown))
        typer.echo("\n".join([*views.notes(answer), ""]))
    typer.echo(found.summary(), err=True)
    if written is not None:
        typer.echo(f"{written:,} machine findings written as {write}", err=True)


@app.command()
def understand(
    text: Annotated[str, typer.Argument(help="A query, in plain words.")],
    lexicon: Annotated[
        Path | None, typer.Option(help="A site's own terms (TOML), on top of the shipped ones.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what a query is understood to ask for."""
    from retrieval.search.understand import views as understood_views
    from retrieval.search.understand.query import understand as read
    from retrieval.search.understand.table import load_terms, shipped_terms

    terms = shipped_terms() if lexicon is None else load_terms(lexicon)
    understood = read(text, terms)
    if json:
        print_json(understood_views.understood_json(understood, terms))
        return
    print_table(understood_views.CHIP_COLUMNS, understood_views.chip_rows(understood, terms))
    for line in understood_views.remarks(understood):
        typer.echo(line, err=True)


@app.command()
def evaluate(
    queries: QueriesOption = None,
    labels: LabelsOption = None,
    channels: Channels = Channel.VIDEO.value,
    encoder: CandidateOption = None,
    control: ControlOption = False,
    plot: PlotOption = None,
    gold: GoldOption = False,
    html: HtmlOption = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Score the rankings of this archive against judgments: its reports', or a file's."""
    from retrieval import evaluating, settings

    if queries is not None and labels is not None:
        raise UsageError("give --queries or --labels, not both")
    if html is not None and not gold:
        raise UsageError("a report in HTML is written of the gold set; give --gold with --html")
    deployed = settings.load(home=home)
    if gold:
        if labels is None or encoder is not None or control:
            raise UsageError("the gold set is asked of what is published, and judged by --labels")
        judged = evaluating.evaluate_gold(deployed, labels)
        if html is not None:
            html.write_text(judged.page(), encoding="utf-8")
        print_evaluation(judged, json=json)
        return
    found = evaluating.evaluate(
        deployed,
        evaluating.Request(
            queries=queries,
            labels=labels,
            channel=word_of(Channel, "channel", channels),
            encoder=encoder,
            control=control,
            plot=plot,
        ),
    )
    print_evaluation(found, json=json)
    if plot is not None:
        evaluating.draw(found, plot)


@app.command()
def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A run, as a TOML file.")],
    run: Annotated[
        Path | None, typer.Option("--run", help="The run's folder; one that is there goes on.")
    ] = None,
    home: Home = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars.")] = False,
    json: Json = False,
) -> None:
    """Train an encoder on this archive's studies and reports, or on simulated hearts."""
    from retrieval import settings, wiring
    from retrieval.training import door

    deployed = settings.load(home=home)
    folder = run or door.default_folder(config, deployed.home)
    checkpoint = door.train(
        config,
        folder,
        lambda: (wiring.open_catalog(deployed), wiring.open_clips(deployed)),
        cache=deployed.home / "training" / "inputs",
        device=deployed.device,
        quiet=quiet,
    )
    if json:
        print_json({"run": str(folder), "checkpoint": str(checkpoint)})
        return
    typer.echo(str(checkpoint))


def main() -> None:
    """Run the command line."""
    doors.enter(app)


def _answer(query: Query, home: Path | None, *, json: bool) -> None:
    from retrieval import settings, wiring
    from retrieval.search import choices, views

    words = bool(query.text) and query.channel is not Channel.REPORT
    reading = wiring.open_reading(settings.load(home=home), words=words)
    where = choices.settle(query.where, reading.catalog, access=LOCAL_OPERATOR)
    ranking = reading.searcher.search(replace(query, where=where), access=LOCAL_OPERATOR)
    if json:
        print_json(views.ranking_json(ranking))
        return
    for line in views.understood_lines(ranking):
        typer.echo(line, err=True)
    print_table(views.RANKING_COLUMNS, views.ranking_rows(ranking))
    typer.echo(views.ranking_summary(ranking), err=True)
