"""`cineseek classify`: open what a home holds, score every study, and write down what is asked for.

Research, and off unless the settings turn it on: nobody has shown that these
places are fit for care.
"""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from retrieval import wiring
from retrieval.classify import views
from retrieval.classify.answer import Answer, Place
from retrieval.classify.by_examples import Examples, by_examples
from retrieval.classify.by_words import by_words
from retrieval.durable import replace_file
from retrieval.errors import UsageError
from retrieval.ports import CatalogReader
from retrieval.search import choices
from retrieval.settings import Settings
from retrieval.values.embedding import EncoderId
from retrieval.values.machine_finding import MachineFinding, Method, StoredMachineFinding
from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.study import StudyId

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked: findings in words, or what examples have in common.

    Attributes
    ----------
    method
        How to learn from examples.
    """

    findings: tuple[str, ...] = ()
    like: frozenset[StudyId] = frozenset()
    unlike: frozenset[StudyId] = frozenset()
    method: Method = Method.PROTOTYPES
    where: Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """What came of it: one answer a question."""

    catalog: CatalogReader
    encoder_id: EncoderId
    generation: str
    answers: tuple[Answer, ...]

    def told(self, limit: int | None) -> dict[str, Any]:
        """Everything as plain values, but of each answer only the first `limit` studies."""
        return {
            "note": views.NOTE,
            "encoder": self.encoder_id,
            "generation": self.generation,
            "answers": [views.answer_json(answer, limit) for answer in self.answers],
        }

    def rows(self, answer: Answer, limit: int | None) -> list[Row]:
        """The first `limit` studies of an answer, as people read them."""
        shown = answer.places[:limit]
        studies = self.catalog.studies([place.study for place in shown], access=LOCAL_OPERATOR)
        return views.place_rows(shown, studies)

    def summary(self) -> str:
        """What this is, and by whom."""
        return f"{views.NOTE} · encoder {self.encoder_id} · generation {self.generation}"


def classify(settings: Settings, request: Request) -> Classification:
    """Score every eligible study of a home's live generation.

    Raises
    ------
    UsageError
        Research is off, or the request cannot be met.
    StudyNotFound
        An example is not in the catalog.
    NothingPublished
        Nothing is live.
    """
    if not settings.research:
        raise UsageError(
            "classify is research, and research is off; turn it on with --research, "
            "CINESEEK_RESEARCH=true or research = true in cineseek.toml"
        )
    _check(request)
    live = wiring.open_reading(settings, words=bool(request.findings))
    where = choices.settle(request.where, live.catalog, access=LOCAL_OPERATOR)
    if request.findings:
        findings = dict.fromkeys(request.findings)
        answers = [by_words(live.searcher, f, where, access=LOCAL_OPERATOR) for f in findings]
    else:
        examples = Examples(like=request.like, unlike=request.unlike)
        answers = [
            by_examples(
                *(live.searcher, live.catalog, examples, request.method, where),
                access=LOCAL_OPERATOR,
            )
        ]
    return Classification(
        catalog=live.catalog,
        encoder_id=live.encoder_id,
        generation=live.generation,
        answers=tuple(answers),
    )


def export(found: Classification, path: Path) -> None:
    """Write every study of every answer as CSV, in place of what was there."""

    def write(place: Path) -> None:
        with place.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(views.CSV_COLUMNS)
            for answer in found.answers:
                lines.writerows(views.csv_rows(answer, found.encoder_id, found.generation))

    replace_file(path, write)


def keep(found: Classification, name: str, settings: Settings) -> int:
    """Write every study of every answer into the catalog; returns how many rows that are.

    What this encoder wrote under the name before is gone.

    Raises
    ------
    UsageError
        The name is empty.
    """
    if not name.strip():
        raise UsageError("machine findings need a name to be written under; give one with --write")
    made_at = datetime.now(UTC)
    rows = [
        StoredMachineFinding(
            study=place.study,
            encoder_id=found.encoder_id,
            finding=_finding(name.strip(), answer, place, made_at),
        )
        for answer in found.answers
        for place in answer.places
    ]
    wiring.open_catalog(settings).put_machine_findings(rows)
    return len(rows)


def _finding(name: str, answer: Answer, place: Place, made_at: datetime) -> MachineFinding:
    low, high = (None, None) if place.interval is None else place.interval
    return MachineFinding(
        name=name,
        question=answer.question or name,
        method=answer.method,
        asked=answer.asked,
        score=place.score,
        percentile=place.percentile,
        low=low,
        high=high,
        studies=len(answer.places),
        made_at=made_at,
        made_by=f"cineseek {version('cineseek')}",
    )


def _check(request: Request) -> None:
    examples = request.like or request.unlike
    if request.findings and examples:
        raise UsageError("give --finding, or --like and --unlike, not both")
    if not request.findings and not examples:
        raise UsageError(
            "nothing is asked; give --finding with words such as: dilated left ventricle, "
            "or --like with an example study"
        )
    if request.method is Method.PROMPTS:
        raise UsageError("prompts are for words; examples are read by prototypes or logistic")
