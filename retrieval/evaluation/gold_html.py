"""The report that an operator reads: one HTML file that needs nothing beside it."""

from collections.abc import Sequence
from importlib.resources import files

import jinja2
from markupsafe import Markup

from retrieval.evaluation import gold_views
from retrieval.evaluation.gold_asking import FUSED, TOP, WAYS
from retrieval.evaluation.gold_judging import GoldReport
from retrieval.evaluation.gold_scores import METRICS, Estimates, Group, QueryScore
from retrieval.evaluation.resample import Estimate

TEMPLATE = "gold.html.jinja"

COLOURS = dict(zip(WAYS, ("#9aa5b1", "#4c86c6", "#d99a2b", "#1d6f5c"), strict=True))
"""One a way, told apart in grey too."""

LABEL, PLOT, PER_BAR, GAP = 260, 520, 13, 12
"""Pixels: width of labels and of the plot, height of a bar, and room between groups."""

FINDING_KINDS = ("present", "absent", "severity")
"""Kinds of which each query is about one statement: how reliable a finding is."""

Bars = tuple[str, Sequence[tuple[str, Estimate]]]
"""A label, and a bar for each way."""


def page(report: GoldReport, *, told: str) -> str:
    """Write the report.

    Parameters
    ----------
    told
        Which encoder and generation were asked, and how often before.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(
        files("retrieval.evaluation").joinpath(TEMPLATE).read_text("utf-8")
    )
    scores = report.scores
    return template.render(
        report=report,
        told=told,
        top=TOP,
        ways=COLOURS,
        metrics=list(METRICS),
        views=gold_views,
        kinds=bars([_by_way(group) for group in scores.groups]),
        gains=bars([_gain(group) for group in scores.groups], least=-1.0),
        findings=bars([_of_query(q) for q in _worst_first(scores.queries)]),
        strata=bars([(f"{s.by}: {s.name}", _ways(s.ways, "AUC")) for s in scores.strata]),
        overlaps=bars(
            [
                (name, [(way, its.mean[way]) for way in WAYS])
                for name, its in (
                    ("paraphrases", report.paraphrases),
                    ("opposites", report.opposites),
                )
            ]
        ),
    )


def bars(groups: Sequence[Bars], *, least: float = 0.0) -> Markup:
    """Draw bars with their intervals, group by group, from `least` to 1 (SVG)."""
    top, rows = 18, []
    y = float(top)
    for label, its in groups:
        middle = y + len(its) * PER_BAR / 2 + 4
        rows.append(
            Markup('<text x="{}" y="{:.0f}" text-anchor="end">{}</text>').format(
                LABEL - 8, middle, label
            )
        )
        for way, estimate in its:
            rows.append(_bar(way, estimate, y, least))
            y += PER_BAR
        y += GAP
    ticks = [t for t in (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0) if t >= least]
    lines = [
        Markup(
            '<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2:.0f}" class="tick"/>'
            '<text x="{0:.1f}" y="12" text-anchor="middle" class="small">{3:g}</text>'
        ).format(_x(t, least), top, y, t)
        for t in ticks
    ]
    return Markup('<svg viewBox="0 0 {} {:.0f}" role="img">{}</svg>').format(
        LABEL + PLOT + 60, y, Markup("").join([*lines, *rows])
    )


def _bar(way: str, estimate: Estimate, y: float, least: float) -> Markup:
    """A bar from zero, its interval as a line, and its value beside it."""
    if estimate.value != estimate.value:
        return Markup("")
    start, end = sorted((_x(0.0, least), _x(estimate.value, least)))
    low, high = _x(estimate.low, least), _x(estimate.high, least)
    centre = y + PER_BAR / 2
    return Markup(
        "<g><title>{}</title>"
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" fill="{}"/>'
        '<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" class="interval"/>'
        '<text x="{:.1f}" y="{:.1f}" class="small">{:.2f}</text></g>'
    ).format(
        f"{way}: {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]",
        start,
        y + 1,
        max(end - start, 0.5),
        PER_BAR - 2,
        COLOURS[way],
        low,
        high,
        centre,
        centre,
        max(end, high) + 4,
        centre + 4,
        estimate.value,
    )


def _x(value: float, least: float) -> float:
    return LABEL + PLOT * (value - least) / (1 - least)


def _by_way(group: Group) -> Bars:
    return f"{group.name} ({group.queries})", _ways(group.ways, gold_views.MAIN)


def _gain(group: Group) -> Bars:
    its = [(way, group.less[way][gold_views.MAIN]) for way in gold_views.SINGLE]
    return f"{group.name} ({group.queries})", its


def _of_query(query: QueryScore) -> Bars:
    return query.ask.text, [(FUSED, query.ways[FUSED][gold_views.MAIN])]


def _worst_first(queries: Sequence[QueryScore]) -> list[QueryScore]:
    its = [query for query in queries if query.ask.kind in FINDING_KINDS]
    return sorted(its, key=lambda q: q.ways[FUSED][gold_views.MAIN].value)


def _ways(ways: Estimates, metric: str) -> list[tuple[str, Estimate]]:
    return [(way, ways[way][metric]) for way in WAYS]
