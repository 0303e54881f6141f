"""Machine estimates as HTML: where a study stands in its archive, with an interval.

Percentiles only: the numbers behind them are biased, so no unit is ever shown.
"""

from collections.abc import Sequence
from html import escape

from retrieval.search.estimates import COVERAGE, Places, Standing
from retrieval.search.views import QUANTITIES
from webui import words

MEANING = (
    "Estimated by the encoder from the images; not a measurement. Its scale is biased on real "
    "hearts, so only places in this archive are told. They filter nothing."
)


def panel(places: Places) -> str:
    """The panel of a study's machine estimates."""
    encoder = f"<code>{escape(places.encoder_id)}</code>"
    if not places.standings:
        return _frame("", f"<p>Encoder {encoder} estimates nothing of this study.</p>")
    table = f'<table class="cs-places">{_head()}<tbody>{_rows(places.standings)}</tbody></table>'
    note = f'<p class="cs-small cs-note">{escape(MEANING)} By {encoder}.</p>'
    return _frame(f"percentiles of {_compared(places.standings)}", table + note)


def _frame(note: str, body: str) -> str:
    return (
        '<section class="cs-panel"><div class="cs-head"><h2>Research: machine estimates</h2>'
        f'<span class="cs-small">{escape(note)}</span></div>'
        f'<div class="cs-body">{body}</div></section>'
    )


def _head() -> str:
    interval = f"{COVERAGE * 100:.0f} % interval"
    return (
        '<thead><tr><th scope="col">Estimate</th><th scope="col" class="cs-scale">'
        "<span>low</span><span>high</span></th>"
        f'<th scope="col">Percentile</th><th scope="col">{interval}</th></tr></thead>'
    )


def _rows(standings: Sequence[Standing]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(_capital(QUANTITIES[one.quantity]))}</th>'
        f"<td>{_bar(one)}</td><td>{one.percentile:.0f}</td>"
        f"<td>{one.low:.0f} to {one.high:.0f}</td></tr>"
        for one in standings
    )


def _bar(one: Standing) -> str:
    """The interval on a scale from 0 to 100, with a tick at the percentile."""
    return (
        '<div class="cs-bar" aria-hidden="true">'
        f'<i style="left:{one.low:.1f}%;width:{one.high - one.low:.1f}%"></i>'
        f'<b style="left:{one.percentile:.1f}%"></b></div>'
    )


def _compared(standings: Sequence[Standing]) -> str:
    """How many studies the percentiles are of; one number unless quantities differ in it."""
    numbers = [one.studies for one in standings]
    most = words.studies(max(numbers))
    return most if min(numbers) == max(numbers) else f"{min(numbers):,} to {most}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
