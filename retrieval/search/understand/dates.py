"""Dates of a query: "since 2019", "before March 2021", "between 2015 and 2020"."""

import calendar
from datetime import date, timedelta

from retrieval.search.understand.branches import Branch, Row, branches_in, tokens_in
from retrieval.search.understand.chips import DateChip

EARLIEST, LATEST = date(1980, 1, 1), date(2099, 12, 31)
"""Dates outside are slips: MRI of the heart is no older."""

_DAY = timedelta(days=1)


def date_chip(branch: Branch, row: Row) -> DateChip | None:
    """Read a date or a range of dates; None if there is no such day."""
    points = [_point(child, row) for child in branches_in(branch)]
    days = [point for point in points if point is not None]
    if len(days) < len(points):
        return None
    said = {token.type for token in tokens_in(branch)}
    bound = row.the(branch, "BOUND").code if "BOUND" in said else ""
    first, last = min(days)[0], max(days)[1]
    if len(days) > 1:
        return DateChip(first=first, last=last)
    if said & {"SINCE", "FROM"} or bound == ">=":
        return DateChip(first=first)
    if "UNTIL" in said or bound == "<=":
        return DateChip(last=last)
    if "AFTER" in said:
        return DateChip(first=last + _DAY)
    if "BEFORE" in said:
        return DateChip(last=first - _DAY)
    return DateChip(first=first, last=last)


def _point(branch: Branch, row: Row) -> tuple[date, date] | None:
    """First and last day of a year, a month or a day."""
    said = {token.type: row.word(token).term for token in tokens_in(branch)}
    if "DATE" in said:
        return _day(said["DATE"])
    year = int(said["YEAR"])
    if "MONTH" not in said:
        return date(year, 1, 1), date(year, 12, 31)
    month = row.terms[said["MONTH"]].values[0]
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _day(text: str) -> tuple[date, date] | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return (day, day) if EARLIEST <= day <= LATEST else None
