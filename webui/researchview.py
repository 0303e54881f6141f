"""What machines make of a study as HTML: where it stands in its archive, with an interval.

Percentiles only: the numbers behind estimates are biased, and scores of
findings mean nothing but an order, so neither is ever shown.
"""

from collections.abc import Sequence
from html import escape

from retrieval.classify.views import METHODS, finding_interval, finding_label
from retrieval.search.estimates import COVERAGE, Places, Standing
from retrieval.search.views import QUANTITIES
from retrieval.values.machine_finding import MachineFinding
from webui import words

MEANING = (
    "Estimated by the encoder from the images; not a measurement. Its scale is biased on real "
    "hearts, so only places in this archive are told. They filter nothing."
)

HEAD = ("Estimate", f"{COVERAGE * 100:.0f} % interval")

FOUND = (
    "Machine findings: how near the encoder holds the images to words or to examples. No "
    "report says this and no reader has confirmed it. They filter nothing and judge nothing."
)


def panel(places: Places) -> str:
    """The panel of a study's machine estimates."""
    encoder = f"<code>{escape(places.encoder_id)}</code>"
    if not places.standings:
        body = f"<p>Encoder {encoder} estimates nothing of this study.</p>"
        return _frame("machine estimates", "", body)
    table = (
        f'<table class="cs-places">{_head(*HEAD)}<tbody>{_rows(places.standings)}</tbody></table>'
    )
    note = f'<p class="cs-small cs-note">{escape(MEANING)} By {encoder}.</p>'
    of = f"percentiles of {_compared(places.standings)}"
    return _frame("machine estimates", of, table + note)


def findings_panel(findings: Sequence[MachineFinding]) -> str:
    """The panel of a study's machine findings, one or more."""
    rows = "".join(
        f'<tr><th scope="row">{escape(_capital(finding_label(one)))}</th>'
        f"<td>{_scale(one.low, one.percentile, one.high)}</td><td>{one.percentile:.0f}</td>"
        f"<td>{finding_interval(one)}</td></tr>"
        for one in findings
    )
    table = f'<table class="cs-places">{_head("Finding", "Interval")}<tbody>{rows}</tbody></table>'
    return _frame(
        "machine findings",
        "percentiles of the studies compared",
        f'{table}<p class="cs-small cs-note">{escape(FOUND)} {escape(_written(findings))}.</p>',
    )


def _written(findings: Sequence[MachineFinding]) -> str:
    """By which methods and when, each told once."""
    told = (
        f"by {METHODS[one.method]} among {words.studies(one.studies)} on {words.day(one.made_at)}"
        for one in findings
    )
    return _capital("; ".join(dict.fromkeys(told)))


def _frame(what: str, note: str, body: str) -> str:
    return (
        f'<section class="cs-panel"><div class="cs-head"><h2>Research: {what}</h2>'
        f'<span class="cs-small">{escape(note)}</span></div>'
        f'<div class="cs-body">{body}</div></section>'
    )


def _head(what: str, interval: str) -> str:
    return (
        f'<thead><tr><th scope="col">{what}</th><th scope="col" class="cs-scale">'
        "<span>low</span><span>high</span></th>"
        f'<th scope="col">Percentile</th><th scope="col">{interval}</th></tr></thead>'
    )


def _rows(standings: Sequence[Standing]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(_capital(QUANTITIES[one.quantity]))}</th>'
        f"<td>{_scale(one.low, one.percentile, one.high)}</td><td>{one.percentile:.0f}</td>"
        f"<td>{one.low:.0f} to {one.high:.0f}</td></tr>"
        for one in standings
    )


def _scale(low: float | None, percentile: float, high: float | None) -> str:
    """The interval, if it is known, on a scale from 0 to 100, with a tick at the percentile."""
    bar = ""
    if low is not None and high is not None:
        bar = f'<i style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
    return (
        f'<div class="cs-bar" aria-hidden="true">{bar}<b style="left:{percentile:.1f}%"></b></div>'
    )


def _compared(standings: Sequence[Standing]) -> str:
    """How many studies the percentiles are of; one number unless quantities differ in it."""
    numbers = [one.studies for one in standings]
    most = words.studies(max(numbers))
    return most if min(numbers) == max(numbers) else f"{min(numbers):,} to {most}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
