"""`cineseek evaluate`: open what a home holds, ask, score, and write down that it was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval import wiring
from retrieval.errors import UsageError
from retrieval.evaluation import (
    curves,
    finding_views,
    gold_html,
    gold_views,
    history,
    prompts,
    reading_views,
    sources,
    views,
)
from retrieval.evaluation.findings import Findings, score_findings
from retrieval.evaluation.gold import gold
from retrieval.evaluation.gold_judging import GoldReport, judge
from retrieval.evaluation.history import Looks
from retrieval.evaluation.reading import Reading, read_all
from retrieval.evaluation.scores import Scores
from retrieval.evaluation.scores import evaluate as score
from retrieval.evaluation.seen import Seen, embedded, published
from retrieval.evaluation.sources import Asked
from retrieval.evaluation.tables import Table
from retrieval.ports import CatalogReader
from retrieval.settings import Settings
from retrieval.values.query import LOCAL_OPERATOR, Channel, Filter
from retrieval.values.study import StudyId

CONTROL_SEEDS = (0, 1, 2)
"""Of the untrained networks that stand beside an encoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be scored, and on what.

    Attributes
    ----------
    encoder
        A name or a checkpoint's folder that is to be scored in place of what
        is published.
    control
        Whether untrained networks of the same shape are scored too.
    plot
        Where the few-shot curves are to be drawn, see `draw`.
    """

    queries: Path | None = None
    labels: Path | None = None
    channel: Channel = Channel.VIDEO
    encoder: str | None = None
    control: bool = False
    plot: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What came of it.

    Attributes
    ----------
    generation
        None where an encoder was scored that is not published.
    reading
        None where no labels were given, or another channel was asked.
    findings
        None where hearts are not simulated, or another channel was asked.
    before
        Earlier looks at the same judgments.
    """

    channel: Channel
    encoder_id: str
    generation: str | None
    scores: Scores
    reading: Reading | None
    findings: Findings | None
    before: Looks

    def told(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "channel": self.channel,
            "encoder": self.encoder_id,
            "generation": self.generation,
            "looks before": {"scorings": self.before.count, "encoders": self.before.encoders},
            **views.scores_json(self.scores),
            "labels": None if self.reading is None else reading_views.reading_json(self.reading),
            "findings": None if self.findings is None else finding_views.json(self.findings),
        }

    def tables(self) -> list[Table]:
        """What people read."""
        if self.reading is not None:
            return reading_views.reading_tables(self.reading)
        if self.findings is not None:
            return finding_views.tables(self.findings)
        return [
            Table(columns=views.QUERY_COLUMNS, rows=tuple(views.query_rows(self.scores))),
            Table(columns=views.OVERALL_COLUMNS, rows=tuple(views.overall_rows(self.scores))),
        ]

    def summary(self) -> str:
        """What was scored, and how often these judgments were looked at before."""
        return _summary(self.encoder_id, self.generation, self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldEvaluation:
    """What came of asking the gold set; attributes as of `Evaluation`."""

    encoder_id: str
    generation: str
    report: GoldReport
    before: Looks

    def told(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "encoder": self.encoder_id,
            "generation": self.generation,
            "looks before": {"scorings": self.before.count, "encoders": self.before.encoders},
            **gold_views.json(self.report),
        }

    def tables(self) -> list[Table]:
        """What people read."""
        return gold_views.tables(self.report)

    def page(self) -> str:
        """What operators read: HTML."""
        return gold_html.page(self.report, told=self.summary())

    def summary(self) -> str:
        """What was scored, and how often these judgments were looked at before."""
        return _summary(self.encoder_id, self.generation, self.before)


def evaluate_gold(settings: Settings, truth: Path) -> GoldEvaluation:
    """Ask the gold set of a home of simulated hearts, and note it in the home.

    Parameters
    ----------
    truth
        The truth.jsonl beside the archive.

    Raises
    ------
    UsageError
        The file holds no truth of simulated hearts, or names studies that are not here.
    NothingPublished
        Nothing is live.
    """
    live = wiring.open_reading(settings)
    asked = _ask(live.catalog, settings, Request(labels=truth))
    if asked.truths is None:
        raise UsageError(f"{truth.name} holds no truth of simulated hearts; give a truth.jsonl")
    judged = f"{gold().digest} {asked.digest}"
    found = GoldEvaluation(
        encoder_id=live.encoder_id,
        generation=live.generation,
        report=judge(live.searcher, live.catalog, asked.truths, gold(), access=LOCAL_OPERATOR),
        before=history.looks(settings.home, judged),
    )
    history.note(settings.home, encoder=found.encoder_id, judged=judged, told=found.told())
    return found


def evaluate(settings: Settings, request: Request) -> Evaluation:
    """Score a home's generation, or another encoder on its clips, and note it in the home.

    Raises
    ------
    UsageError
        The request cannot be met, or its files cannot be read.
    NothingPublished
        Nothing is live, and no encoder was named.
    """
    _check(request)
    scene = (
        _live(settings, request)
        if request.encoder is None
        else _candidate(settings, request.encoder, request)
    )
    seen, asked = scene.seen, scene.asked
    by_video = request.channel is Channel.VIDEO
    found = Evaluation(
        channel=request.channel,
        encoder_id=seen.encoder_id,
        generation=scene.generation,
        scores=score(
            seen.ranks,
            asked.judgments,
            access=LOCAL_OPERATOR,
            channel=request.channel,
            literal=request.labels is not None,
        ),
        reading=_reading(scene, settings, request) if by_video else None,
        findings=_findings(scene) if by_video else None,
        before=history.looks(settings.home, asked.digest),
    )
    history.note(settings.home, encoder=found.encoder_id, judged=asked.digest, told=found.told())
    return found


def draw(found: Evaluation, path: Path) -> None:
    """Draw an evaluation's few-shot curves, in place of what was there.

    Raises
    ------
    UsageError
        It has none.
    """
    if found.reading is None:
        raise UsageError("few-shot curves are of labels, by video; give --labels with --plot")
    curves.draw(found.reading, found.encoder_id, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What is scored: an encoder, the studies as it sees them, and the questions.

    `opened_by` is what the encoder is opened by; `generation` is None for one
    that is not published.
    """

    catalog: CatalogReader
    asked: Asked
    seen: Seen
    opened_by: str
    generation: str | None


def _live(settings: Settings, request: Request) -> _Scene:
    live = wiring.open_reading(settings, words=request.channel is not Channel.REPORT)
    asked = _ask(live.catalog, settings, request)
    studies = _studies(asked, live.catalog)
    return _Scene(
        catalog=live.catalog,
        asked=asked,
        seen=published(live.searcher, live.index, live.catalog, studies, access=LOCAL_OPERATOR),
        opened_by=live.opened_by,
        generation=live.generation,
    )


def _candidate(settings: Settings, name: str, request: Request) -> _Scene:
    catalog = wiring.open_catalog(settings)
    asked = _ask(catalog, settings, request)
    encoder = wiring.open_encoder(name, settings)
    (seen,) = embedded(
        [encoder],
        _studies(asked, catalog),
        catalog,
        wiring.open_clips(settings),
        access=LOCAL_OPERATOR,
    )
    return _Scene(catalog=catalog, asked=asked, seen=seen, opened_by=name, generation=None)


def _ask(catalog: CatalogReader, settings: Settings, request: Request) -> Asked:
    return sources.ask(
        catalog,
        settings.key_file,
        queries=request.queries,
        labels=request.labels,
        access=LOCAL_OPERATOR,
    )


def _studies(asked: Asked, catalog: CatalogReader) -> Sequence[StudyId]:
    """The labelled or simulated studies, or all that can be searched."""
    if asked.cohort is not None:
        return asked.cohort.studies
    if asked.truths is not None:
        return asked.truths.studies
    return sorted(catalog.eligible(Filter(), access=LOCAL_OPERATOR))


def _reading(scene: _Scene, settings: Settings, request: Request) -> Reading | None:
    cohort = scene.asked.cohort
    if cohort is None:
        return None
    controls = _controls(scene, settings, cohort.studies) if request.control else []
    return read_all(scene.seen, controls, cohort, prompts.acdc(), access=LOCAL_OPERATOR)


def _findings(scene: _Scene) -> Findings | None:
    truths = scene.asked.truths
    if truths is None:
        return None
    people = {s.id: s.patient.id for s in scene.catalog.ledger(access=LOCAL_OPERATOR)}
    patients = [people[study] for study in truths.studies]
    return score_findings(scene.seen, truths, patients, access=LOCAL_OPERATOR)


def _controls(scene: _Scene, settings: Settings, studies: Sequence[StudyId]) -> list[Seen]:
    return embedded(
        wiring.open_untrained(scene.opened_by, settings, seeds=CONTROL_SEEDS),
        studies,
        scene.catalog,
        wiring.open_clips(settings),
        access=LOCAL_OPERATOR,
    )


def _summary(encoder_id: str, generation: str | None, before: Looks) -> str:
    return (
        f"encoder {encoder_id} · generation {generation or 'none'} · looks at these "
        f"judgments before: {before.count}, by {before.encoders} encoders"
    )


def _check(request: Request) -> None:
    by_label = request.labels is not None and request.channel is Channel.VIDEO
    if request.plot is not None:
        if not by_label:
            raise UsageError("few-shot curves are of labels, by video; give --labels with --plot")
        curves.check(request.plot)
    if request.control and not by_label:
        raise UsageError("a control is scored on labels, by video; give --labels with --control")
    if request.encoder is not None and request.channel is not Channel.VIDEO:
        raise UsageError(
            f"an encoder answers by video, not by {request.channel}; leave the channel at video"
        )
