"""Tables of text for people, and plain values for programs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.evaluation.resample import Estimate

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns and rows of text, and what must be known to read them."""

    columns: Row
    rows: tuple[Row, ...]
    note: str = ""


def figure(value: float | None) -> str:
    """Three digits; nothing for nothing."""
    return "" if value is None or math.isnan(value) else f"{value:.3f}"


def interval(estimate: Estimate) -> str:
    """The value with its interval."""
    return f"{figure(estimate.value)} [{figure(estimate.low)}, {figure(estimate.high)}]"


def spread(values: Sequence[float]) -> str:
    """From the least to the largest."""
    low, high = figure(min(values)), figure(max(values))
    return low if low == high else f"{low} to {high}"


def markdown(table: Table) -> str:
    """The table as docs keep it."""
    rule = tuple("---" for _ in table.columns)
    lines = ["| " + " | ".join(row) + " |" for row in (table.columns, rule, *table.rows)]
    return "\n".join([*lines, "", table.note] if table.note else lines)


def plain(value: object) -> object:
    """What JSON can hold: at any depth, numbers that are none become null, names text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
