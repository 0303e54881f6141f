"""Slices that belong together, whether a scanner kept them in one series or in many."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from retrieval.values.clip import ClipRecord


def tallest_stack(records: Iterable[ClipRecord]) -> list[ClipRecord]:
    """The most slices that form one stack, in order; empty where there are no records.

    Slices of one stack share technique, view, variant, orientation and the
    number of slices they were counted among. Where a slice was acquired more
    than once, the series with most slices gives it, else the first by id.
    """
    given = list(records)
    held = Counter(record.series for record in given)
    stacks: dict[tuple[object, ...], dict[int, ClipRecord]] = {}
    for record in sorted(given, key=lambda r: (-held[r.series], r.series, r.id)):
        stacks.setdefault(_kind(record), {}).setdefault(record.slice_index, record)
    best = max(stacks.values(), key=len, default={})
    return [best[index] for index in sorted(best)]


def _kind(record: ClipRecord) -> tuple[object, ...]:
    directions = np.round((*record.row_direction, *record.column_direction), 2)
    told = (record.technique, record.view, record.variant, record.slice_count)
    return (*told, *directions.tolist())
