"""The filter panel: what can be chosen, and how many studies each choice would leave."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from retrieval.ports import CatalogReader
from retrieval.values.query import Access, Filter
from retrieval.values.study import Sex, StudyId, Technique, View
from webui.backend import Coverage
from webui.parts.component import component
from webui.words import POOLED_AGE, technique_name

SEXES = {Sex.FEMALE.value: "Female", Sex.MALE.value: "Male", Sex.OTHER.value: "Other"}

MAX_BARS = 15
"""Bars of a histogram; values are pooled until there are no more."""

Part = dict[str, object]


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
    title: str
    low: str
    high: str
    pooled: int | None = None


AGE = Range("age", "Age, years", "age_from", "age_to", POOLED_AGE)
YEAR = Range("year", "Year", "year_from", "year_to")
SEX = Choice("sex", "sexes", "Sex", SEXES.__getitem__, tuple(SEXES))
CHOICES = (
    Choice(
        "technique",
        "techniques",
        "Technique present",
        lambda value: _capital(technique_name(Technique(value))),
        tuple(Technique),
    ),
    Choice("view", "views", "View present", order=tuple(View)),
    Choice("field", "field_strengths_t", "Field strength", lambda value: f"{value} T"),
    Choice("vendor", "vendors", "Vendor"),
)


def panel(
    where: Filter, catalog: CatalogReader, coverage: Coverage, *, access: Access
) -> dict[str, object]:
    """Write the panel's content.

    Counts of a group ignore the group's own choice. Which options and bounds
    there are depends on the whole archive, so that nothing jumps when a filter
    is set.
    """
    now = {c.facet: c.counts for c in catalog.facets(where, access=access)}
    ever = {c.facet: c.counts for c in catalog.facets(Filter(), access=access)}

    def choice(one: Choice) -> Part | None:
        return options(one, where, now.get(one.facet, {}), ever.get(one.facet, {}))

    def range_(one: Range, known: Mapping[StudyId, int]) -> Part | None:
        others = replace(where, **{one.low: None, one.high: None})
        left = catalog.eligible(others, access=access)
        return bounds(one, where, known, left)

    parts = [
        range_(AGE, coverage.ages),
        choice(SEX),
        *(choice(one) for one in CHOICES),
        range_(YEAR, coverage.years),
    ]
    return {"parts": [part for part in parts if part], "any": where != Filter()}


def show(content: dict[str, object], *, key: str, on_change: Callable[[], None]) -> None:
    """Put the panel on the page."""
    mount = component(
        "filters", scripts=("dom.js", "filters.js"), styles=("filters.css",), root="filters"
    )
    mount(key=key, data=content, on_change_change=on_change)


def options(
    choice: Choice, where: Filter, now: Mapping[str, int], ever: Mapping[str, int]
) -> Part | None:
    """One group of checkboxes, or None where the archive gives nothing to choose from."""
    on = {f"{v:g}" if isinstance(v, float) else str(v) for v in getattr(where, choice.facet)}
    values = sorted({*ever, *on}, key=lambda value: _place(choice, value))
    if not values:
        return None
    return {
        "name": choice.param,
        "title": choice.title,
        "options": [
            {"value": v, "label": choice.label(v), "count": now.get(v, 0), "on": v in on}
            for v in values
        ],
    }


def bounds(
    range_: Range, where: Filter, known: Mapping[StudyId, int], left: frozenset[StudyId]
) -> Part | None:
    """One range with its histogram, or None where all studies have the same value.

    Parameters
    ----------
    known
        The value of every indexed study that has one.
    left
        The studies that all other filters leave.
    """
    if len(set(known.values())) < 2:
        return None
    low, high = getattr(where, range_.low), getattr(where, range_.high)
    first, last = min(known.values()), max(known.values())
    without = sum(study not in known for study in left)
    return {
        "name": range_.param,
        "title": range_.title,
        "min": first,
        "max": last,
        "low": first if low is None else min(max(low, first), last),
        "high": last if high is None else max(min(high, last), first),
        "open": range_.pooled is not None and last >= range_.pooled,
        "bars": bars(Counter(known[study] for study in left if study in known), first, last),
        "note": f"{without:,} without" if without else "",
    }


def bars(counts: Mapping[int, int], first: int, last: int) -> list[Part]:
    """Pool counts per value into at most `MAX_BARS` bars of equal width."""
    width = -(-(last - first + 1) // MAX_BARS)
    starts = range(first, last + 1, width)
    ends = [min(start + width - 1, last) for start in starts]
    return [
        {
            "from": start,
            "to": end,
            "title": f"{start}" if start == end else f"{start} to {end}",
            "count": sum(counts.get(value, 0) for value in range(start, end + 1)),
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def _place(choice: Choice, value: str) -> tuple[int, str]:
    order = [str(known) for known in choice.order]
    return (order.index(value) if value in order else len(order), value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
