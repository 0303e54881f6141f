"""What is said when no study matches convincingly: why, and what to try instead."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from retrieval.search.understand.chips import FindingChip, LikeChip, MeasurementChip
from retrieval.search.understand.lines import read_chip
from retrieval.search.views import percent
from retrieval.values.query import Filter, Ranking
from retrieval.values.reliability import Badge, Conviction
from webui import words
from webui.address import Address, link
from webui.backend import Coverage

CONSTRAINTS: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("Any age", {"age_from": None, "age_to": None}),
    ("Any sex", {"sexes": frozenset()}),
    ("Any technique", {"techniques": frozenset()}),
    ("Any view", {"views": frozenset()}),
    ("Any field strength", {"field_strengths_t": frozenset()}),
    ("Any vendor", {"vendors": frozenset()}),
    ("Any year", {"year_from": None, "year_to": None}),
)
"""What a filter may ask for, and how it asks for none of it; in the order of the panel."""


def applies(ranking: Ranking) -> bool:
    """Whether an answer holds nothing convincing, or nobody can say."""
    return ranking.conviction in (Conviction.NOTHING, Conviction.UNKNOWN)


def page(
    ranking: Ranking,
    address: Address,
    coverage: Coverage,
    *,
    broader: Sequence[tuple[str, int]],
    looser: Sequence[tuple[str, Filter, int]],
) -> str:
    """The message above the nearest studies, as HTML.

    Parameters
    ----------
    broader
        Wider words, and how many reports say them.
    looser
        Looser filters, each with its name and how many studies pass it.
    """
    panels = [
        _panel("Widen the words", _wider(address, broader)),
        _panel("Loosen the filters", _looser(ranking, address, looser)),
        _panel("Not searched", _left_out(coverage)),
    ]
    nearest = (
        '<p class="nearest"><b>Nearest anyway</b> <span>shown so that you can judge for yourself'
        "</span></p>"
        if ranking.hits
        else ""
    )
    return (
        f'<section class="cs-nomatch"><h1>{headline(ranking)}</h1><p>{escape(why(ranking))}</p>'
        f'<div class="panels">{"".join(panels)}</div>{nearest}</section>'
    )


def loosened(where: Filter) -> list[tuple[str, Filter]]:
    """Filters that are looser by one constraint, and the one that is empty, each with its name."""
    one_less = [(name, replace(where, **free)) for name, free in CONSTRAINTS]
    found = [(name, looser) for name, looser in one_less if looser != where]
    return [*found, ("Without any filter", Filter())] if len(found) > 1 else found


def headline(ranking: Ranking) -> str:
    """One line."""
    eligible = f"{ranking.eligible:,} eligible {words.studies(ranking.eligible).split()[1]}"
    if ranking.conviction is Conviction.UNKNOWN:
        return f"Nothing can be said for certain of {eligible}"
    return f"No convincing match in {eligible}"


def why(ranking: Ranking) -> str:
    """What was looked at and did not convince."""
    compared = "Every eligible study was compared. " if not ranking.missing else ""
    badges = {badge for _, badge in ranking.badges}
    if ranking.conviction is Conviction.UNKNOWN:
        said = "Few studies have a report, and none says so; "
        seen = "whether images show it was never tested on this archive."
    elif ranking.above_unrelated is not None:
        said = "No report says it in these words, and images match them no better than "
        seen = f"unrelated words ({percent(ranking.above_unrelated)} of those match worse)."
    else:
        said = "No report says so"
        weak = badges & {Badge.NOT_ASSESSED, Badge.POOR}
        seen = (
            ", and images have not been shown to recognise it on this archive."
            if weak
            else ", and where reports are silent images do not make it likely."
            if badges
            else "."
        )
    return f"{compared}{said}{seen} That does not mean there is none."


def _panel(title: str, rows: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"<li><span>{text}</span><span>{count}</span></li>" for text, count in rows)
    return f"<section><h2>{title}</h2><ul>{lines}</ul></section>"


def _wider(address: Address, broader: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    rows = [
        (link(name, replace(address, text=name, chips=None, page=1)), words.count(n, "report"))
        for name, n in broader
    ]
    return rows or [("No wider term is known for these words.", "")]


def _looser(
    ranking: Ranking, address: Address, looser: Sequence[tuple[str, Filter, int]]
) -> list[tuple[str, str]]:
    # Words that are filters too narrow it further: a count without them would be too high.
    alone = not any(_narrows(line) for line in ranking.chips)
    rows = [
        (link(name, replace(address, where=where, page=1)), f"{n:,} eligible" if alone else "")
        for name, where, n in looser
    ]
    return rows or [("No filter is set.", "")]


def _narrows(line: str) -> bool:
    chip = read_chip(line)
    return chip.on and not isinstance(chip, FindingChip | MeasurementChip | LikeChip)


def _left_out(coverage: Coverage) -> list[tuple[str, str]]:
    rows = [
        (escape(words.joined((state.value, reason))), f"{n:,}")
        for state, reason, n in coverage.left_out
    ]
    return rows or [("Nothing: every study of the archive is indexed.", "")]
