"""Options that several commands of `cineseek` share, and what their words mean."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from retrieval.errors import UsageError
from retrieval.values.query import Filter
from retrieval.values.study import Sex, Technique, View

Word = TypeVar("Word", bound=StrEnum)


def _any_of(names: type[StrEnum]) -> str:
    return f"{', '.join(names)}; repeat for any of several."


Home = Annotated[Path | None, typer.Option("--home", help="Where everything is kept.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Limit = Annotated[str, typer.Option(help="How many hits, or all.")]
Views = Annotated[list[str] | None, typer.Option("--view", help=_any_of(View))]
Techniques = Annotated[list[str] | None, typer.Option("--technique", help=_any_of(Technique))]
Sexes = Annotated[list[str] | None, typer.Option("--sex", help=_any_of(Sex))]
Strengths = Annotated[
    list[float] | None, typer.Option("--field-strength", help="In tesla; repeat for any of them.")
]
Vendors = Annotated[list[str] | None, typer.Option("--vendor", help="Repeat for any of several.")]
Bound = Annotated[int | None, typer.Option(help="Inclusive.")]
Research = Annotated[
    bool | None,
    typer.Option(
        "--research/--no-research", help="What machines make of hearts; else as configured."
    ),
]
Channels = Annotated[str, typer.Option(help="Rank by video, report or all.")]
Numbers = Annotated[
    list[int] | None, typer.Option(help="Number of a chip of the understood query; repeat.")
]
Chips = Annotated[
    list[str] | None,
    typer.Option("--add", help="A chip more, as `cineseek understand` writes it; repeat."),
]
Literal = Annotated[
    bool, typer.Option("--literal", help="Understand nothing: all words go to the encoder.")
]
EveryStudy = Annotated[
    bool, typer.Option("--every-study", help="Do not fold studies of one patient into one hit.")
]
Like = Annotated[str | None, typer.Option(metavar="STUDY", help="Near to this study, too.")]
StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study's id.")]
FindingsOption = Annotated[
    list[str] | None,
    typer.Option("--finding", help="A finding in plain words, or a prompt; repeat."),
]
LikeOption = Annotated[
    list[str] | None,
    typer.Option("--like", metavar="STUDY", help="An example that has it; repeat."),
]
UnlikeOption = Annotated[
    list[str] | None,
    typer.Option("--unlike", metavar="STUDY", help="An example that has it not; repeat."),
]
MethodOption = Annotated[str, typer.Option("--method", help="prototypes or logistic.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="A file for every study scored.")]
WriteOption = Annotated[
    str | None,
    typer.Option("--write", metavar="NAME", help="Into the catalog, as machine findings."),
]
QueriesOption = Annotated[
    Path | None, typer.Option(help='JSON Lines of {"query", "relevant": [studies]} or "grades".')
]
LabelsOption = Annotated[
    Path | None, typer.Option(help="CSV, JSON Lines, Info.cfg tree (ACDC) or truth.jsonl.")
]
CandidateOption = Annotated[
    str | None,
    typer.Option("--encoder", help="Embed by this one for the occasion; nothing is published."),
]
PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", help="With labels: draw the few-shot curves (png, pdf, svg)."),
]
ControlOption = Annotated[
    bool, typer.Option("--control", help="With labels: score untrained networks beside it.")
]
GoldOption = Annotated[
    bool, typer.Option("--gold", help="With truth.jsonl: ask the gold set, in every way.")
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="With --gold: a report to read.")
]


def filter_of(
    *,
    view: Views,
    technique: Techniques,
    sex: Sexes,
    age_from: Bound,
    age_to: Bound,
    field_strength: Strengths,
    vendor: Vendors,
    year_from: Bound,
    year_to: Bound,
) -> Filter:
    """The filter that these options mean.

    Raises
    ------
    UsageError
        One is no word of our vocabulary.
    """
    return Filter(
        views=words_of(View, "view", view),
        techniques=words_of(Technique, "technique", technique),
        sexes=words_of(Sex, "sex", sex),
        age_from=age_from,
        age_to=age_to,
        field_strengths_t=frozenset(field_strength or ()),
        vendors=frozenset(vendor or ()),
        year_from=year_from,
        year_to=year_to,
    )


def limit_of(text: str) -> int | None:
    """A number from 1, or None for "all".

    Raises
    ------
    UsageError
        It is neither.
    """
    if text.lower() == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"limit is {text}; give a number from 1, or all")
    return int(text)


def words_of(names: type[Word], what: str, given: Sequence[str] | None) -> frozenset[Word]:
    """Find words of our vocabulary, or raise UsageError."""
    return frozenset(word_of(names, what, text) for text in given or ())


def word_of(names: type[Word], what: str, text: str) -> Word:
    """Find a word of our vocabulary, upper or lower case, or raise UsageError."""
    for name in names:
        if name.lower() == text.strip().lower():
            return name
    raise UsageError(f"no {what} {text!r}; there are {', '.join(names)}")
