"""Filter values that only the archive can know: vendors and field strengths."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from retrieval.errors import UsageError
from retrieval.ports import CatalogReader
from retrieval.search.understand.interval import Interval
from retrieval.values.query import Access, Filter


def settle(where: Filter, catalog: CatalogReader, *, access: Access) -> Filter:
    """Bring a person's vendors and field strengths to the archive's own spelling.

    Vendors match in upper or lower case, in every spelling that the archive has.

    Raises
    ------
    UsageError
        No study that may be seen has such a value; the message lists those there are.
    """
    if not where.vendors and not where.field_strengths_t:
        return where
    there = {c.facet: list(c.counts) for c in catalog.facets(Filter(), access=access)}
    vendors = _matching(
        "vendor", where.vendors, there.get("vendors", []), lambda a, b: a.lower() == b.lower()
    )
    strengths = _matching(
        "field strength",
        (f"{tesla:g}" for tesla in where.field_strengths_t),
        there.get("field_strengths_t", []),
        lambda a, b: float(a) == float(b),
    )
    return replace(
        where, vendors=vendors, field_strengths_t=frozenset(float(text) for text in strengths)
    )


def within(where: Filter, tesla: Interval, catalog: CatalogReader, *, access: Access) -> Filter:
    """Allow only those of the archive's field strengths that lie in a range.

    Raises
    ------
    UsageError
        None does, or none that the filter allows.
    """
    counts = {c.facet: c.counts for c in catalog.facets(Filter(), access=access)}
    there = sorted(float(text) for text in counts.get("field_strengths_t", ()))
    allowed = where.field_strengths_t or frozenset(there)
    found = frozenset(value for value in allowed if value in tesla)
    if not found:
        listed = ", ".join(f"{value:g}" for value in there) or "none"
        raise UsageError(
            f"no study that may be meant has a field strength of {tesla} T; there are {listed}"
        )
    return replace(where, field_strengths_t=found)


def _matching(
    what: str, asked: Iterable[str], there: list[str], same: Callable[[str, str], bool]
) -> frozenset[str]:
    found: set[str] = set()
    for value in asked:
        matches = [one for one in there if same(value, one)]
        if not matches:
            listed = ", ".join(there) or "none"
            raise UsageError(f"no study has {what} {value}; there are {listed}")
        found.update(matches)
    return frozenset(found)
