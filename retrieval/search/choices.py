"""Filter values that only the archive can know: vendors and field strengths."""

from dataclasses import replace
from typing import TypeVar

from retrieval.errors import UsageError
from retrieval.ports import CatalogReader
from retrieval.values.query import Access, Filter

Value = TypeVar("Value", str, float)


def settle(where: Filter, catalog: CatalogReader, *, access: Access) -> Filter:
    """Bring a person's vendors and field strengths to the archive's own spelling.

    Raises
    ------
    UsageError
        No eligible study has such a value; the message lists those there are.
    """
    if not where.vendors and not where.field_strengths_t:
        return where
    found = {c.facet: list(c.counts) for c in catalog.facets(Filter(), access=access)}
    vendors = {name.lower(): name for name in found.get("vendors", [])}
    strengths = {float(text): float(text) for text in found.get("field_strengths_t", [])}
    return replace(
        where,
        vendors=frozenset(_pick("vendor", v.lower(), vendors) for v in where.vendors),
        field_strengths_t=frozenset(
            _pick("field strength", t, strengths) for t in where.field_strengths_t
        ),
    )


def _pick(what: str, asked: Value, there: dict[Value, Value]) -> Value:
    if asked not in there:
        listed = ", ".join(str(value) for value in there.values()) or "none"
        raise UsageError(f"no study has {what} {asked}; there are {listed}")
    return there[asked]
