"""The filter panel: what can be chosen, and how many studies each choice would leave."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from retrieval.ports import Counts
from retrieval.values.query import Filter
from retrieval.values.study import Sex, Technique, View
from webui.parts.component import component
from webui.words import POOLED_AGE, technique_name

SEXES = {Sex.FEMALE.value: "Female", Sex.MALE.value: "Male", Sex.OTHER.value: "Other"}

MAX_BARS = 15
"""Bars of a histogram; values are pooled until there are no more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that is a set: `facet` names it in Filter and Counts, `param` in the URL."""

    param: str
    facet: str
    title: str
    label: Callable[[str], str] = str
    order: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Range:
    """A filter with two bounds. Values from `pooled` up count as one."""

    param: str
    facet: str
    title: str
    low: str
    high: str
    pooled: int | None = None


AGE = Range("age", "age_years", "Age, years", "age_from", "age_to", POOLED_AGE)
YEAR = Range("year", "years", "Year", "year_from", "year_to")
CHOICES = (
    Choice("sex", "sexes", "Sex", SEXES.__getitem__, tuple(SEXES)),
    Choice(
        "technique",
        "techniques",
        "Technique present",
        lambda value: _capital(technique_name(Technique(value))),
        tuple(Technique),
    ),
    Choice("view", "views", "View present", order=tuple(View)),
    Choice("field", "field_strengths_t", "Field strength", lambda value: f"{float(value):g} T"),
    Choice("vendor", "vendors", "Vendor"),
)


def panel(where: Filter, live: Iterable[Counts], whole: Iterable[Counts]) -> dict[str, object]:
    """Write the panel's content.

    Parameters
    ----------
    live
        Counts under `where`, each facet's own choice ignored.
    whole
        Counts under no filter: they decide which options and bounds there are,
        so that nothing jumps when a filter is set.
    """
    now = {c.facet: c.counts for c in live}
    ever = {c.facet: c.counts for c in whole}
    sex, *others = (_choice(c, where, now.get(c.facet, {}), ever.get(c.facet, {})) for c in CHOICES)
    age, year = (_range(r, where, now.get(r.facet, {}), ever.get(r.facet, {})) for r in (AGE, YEAR))
    parts = [part for part in (age, sex, *others, year) if part is not None]
    return {"parts": parts, "any": where != Filter()}


def show(content: dict[str, object], *, key: str, on_change: Callable[[], None]) -> None:
    """Put the panel on the page."""
    mount = component(
        "filters", scripts=("dom.js", "filters.js"), styles=("filters.css",), root="filters"
    )
    mount(key=key, data=content, on_change_change=on_change)


def _choice(
    choice: Choice, where: Filter, now: Mapping[str, int], ever: Mapping[str, int]
) -> dict[str, object] | None:
    on = {_text(value) for value in getattr(where, choice.facet)}
    values = sorted({*map(_canonical, ever), *on}, key=lambda v: _place(choice, v))
    if not values:
        return None
    counts = {_canonical(value): n for value, n in now.items()}
    options = [
        {"value": v, "label": choice.label(v), "count": counts.get(v, 0), "on": v in on}
        for v in values
    ]
    return {"name": choice.param, "title": choice.title, "options": options}


def _range(
    range_: Range, where: Filter, now: Mapping[str, int], ever: Mapping[str, int]
) -> dict[str, object] | None:
    known = sorted(int(value) for value in ever if value)
    if len(known) < 2:
        return None
    low, high = getattr(where, range_.low), getattr(where, range_.high)
    first, last = known[0], known[-1]
    counts = {int(value): n for value, n in now.items() if value}
    return {
        "name": range_.param,
        "title": range_.title,
        "min": first,
        "max": last,
        "low": first if low is None else min(max(low, first), last),
        "high": last if high is None else min(max(high, first), last),
        "open": range_.pooled is not None and last >= range_.pooled,
        "bars": bars(counts, first, last),
    }


def bars(counts: Mapping[int, int], first: int, last: int) -> list[dict[str, object]]:
    """Pool counts per value into at most `MAX_BARS` bars of equal width."""
    width = -(-(last - first + 1) // MAX_BARS)
    return [
        {
            "from": start,
            "to": min(start + width - 1, last),
            "title": f"{start}" if width == 1 else f"{start} to {min(start + width - 1, last)}",
            "count": sum(counts.get(value, 0) for value in range(start, start + width)),
        }
        for start in range(first, last + 1, width)
    ]


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _canonical(value: str) -> str:
    """Field strengths may come as "3.0"; the URL writes "3"."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value


def _place(choice: Choice, value: str) -> tuple[int, str]:
    order = [str(known) for known in choice.order]
    return (order.index(value) if value in order else len(order), value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
