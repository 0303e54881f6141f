"""What the page's URL says: the question, its filters, and where the reader is.

The URL is the only place this is kept, so that reload, Back and a second tab
show the same. It holds no name, no accession number and no text of a report.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from html import escape
from typing import TypeVar
from urllib.parse import urlencode

from retrieval.errors import UsageError
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.values.clip import ClipId
from retrieval.values.query import Channel, Filter, Query
from retrieval.values.study import Sex, StudyId, Technique, View

PAGE_SIZE = 12
"""Cards on a page."""

_NAME = re.compile(r"[0-9a-f]{24}")
_RANGE = re.compile(r"(\d{0,4})-(\d{0,4})")
_ANY = "-"

Member = TypeVar("Member", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the reader is.

    Attributes
    ----------
    text
        The question in words; empty when nothing is asked.
    chips
        What the words mean, as the reader edited it, one line a chip; None as understood.
    like
        The example study of "more like this".
    study
        The study whose page is open.
    page
        1-based page of the results.
    why
        The clip that is looked into on the study's page.
    """

    text: str = ""
    chips: tuple[str, ...] | None = None
    like: StudyId | None = None
    where: Filter = field(default_factory=Filter)
    study: StudyId | None = None
    page: int = 1
    why: ClipId | None = None

    @property
    def asks(self) -> bool:
        """Whether there is anything to search for."""
        return bool(self.text) or self.like is not None

    def query(self) -> Query:
        """The question, with as many hits as this page and those before it need."""
        return Query(
            text=self.text,
            chips=self.chips,
            like=self.like,
            limit=self.page * PAGE_SIZE,
            where=self.where,
            channel=Channel.ALL,
            collapsed=True,
        )


def search_for(text: str, address: Address) -> Address:
    """Ask in words: filters and example stay, page and edited chips go."""
    return Address(text=" ".join(text.split()), like=address.like, where=address.where)


def meaning(chips: Sequence[str], address: Address) -> Address:
    """Ask the same words with another meaning, from the first page."""
    return replace(address, chips=tuple(chips), page=1, study=None, why=None)


def more_like(study: StudyId, address: Address) -> Address:
    """Ask by example: filters stay, the words go."""
    return Address(like=study, where=address.where)


def filtered(where: Filter, address: Address) -> Address:
    """Ask the same under other filters, from the first page."""
    return replace(address, where=where, page=1, study=None, why=None)


def link(text: str, address: Address) -> str:
    """A link to an address, as HTML."""
    target = "?" + urlencode(to_params(address), doseq=True)
    return f'<a href="{escape(target)}" target="_self">{escape(text)}</a>'


def to_params(address: Address) -> dict[str, str | list[str]]:
    """Write an address as URL parameters; whatever is at its default is left out."""
    where = address.where
    params: dict[str, str | list[str]] = {
        "q": address.text,
        "chip": list(address.chips or ()),
        "like": address.like or "",
        "view": sorted(where.views),
        "technique": sorted(where.techniques),
        "sex": sorted(where.sexes),
        "age": _range_text(where.age_from, where.age_to),
        "field": [f"{value:g}" for value in sorted(where.field_strengths_t)],
        "vendor": sorted(where.vendors),
        "year": _range_text(where.year_from, where.year_to),
        "study": address.study or "",
        "page": str(address.page) if address.page > 1 else "",
        "why": address.why or "",
    }
    return {name: value for name, value in params.items() if value}


def from_params(params: Mapping[str, Sequence[str]]) -> tuple[Address, list[str]]:
    """Read an address from URL parameters, each with all its values.

    Returns
    -------
    address, unread
        `unread` lists the parts ("view=XYZ") that mean nothing; they have no
        effect, and the page says so.
    """
    unread = [f"{name}={value}" for name in params if name not in _NAMES for value in params[name]]

    def many(name: str, parse: Callable[[str], Value | None]) -> list[Value]:
        found: list[Value] = []
        for text in params.get(name, ()):
            value = parse(text)
            if value is None:
                unread.append(f"{name}={text}")
            else:
                found.append(value)
        return found

    def last(name: str, parse: Callable[[str], Value | None]) -> Value | None:
        return next(reversed(many(name, parse)), None)

    ages = last("age", _parse_range) or (None, None)
    years = last("year", _parse_range) or (None, None)
    where = Filter(
        views=frozenset(many("view", _member(View))),
        techniques=frozenset(many("technique", _member(Technique))),
        sexes=frozenset(many("sex", _member(Sex))),
        age_from=ages[0],
        age_to=ages[1],
        field_strengths_t=frozenset(many("field", _parse_tesla)),
        vendors=frozenset(many("vendor", str)),
        year_from=years[0],
        year_to=years[1],
    )
    text = (last("q", str) or "").strip()
    chips = tuple(many("chip", _parse_chip)) if text else ()
    address = Address(
        text=text,
        chips=chips or None,
        like=last("like", _parse_study),
        where=where,
        study=last("study", _parse_study),
        page=last("page", _parse_page) or 1,
        why=last("why", _parse_clip),
    )
    return address, unread


_NAMES = frozenset(
    (
        "q",
        "chip",
        "like",
        "view",
        "technique",
        "sex",
        "age",
        "field",
        "vendor",
        "year",
        "study",
        "page",
        "why",
    )
)


def _range_text(low: int | None, high: int | None) -> str:
    text = f"{'' if low is None else low}-{'' if high is None else high}"
    return "" if text == _ANY else text


def _parse_range(text: str) -> tuple[int | None, int | None] | None:
    match = _RANGE.fullmatch(text)
    if match is None or text == _ANY:
        return None
    low, high = (int(part) if part else None for part in match.groups())
    return (low, high) if low is None or high is None or low <= high else None


def _parse_tesla(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,2}(\.\d{1,3})?", text) else None


def _parse_chip(text: str) -> str | None:
    try:
        return chip_line(read_chip(text))
    except UsageError:
        return None


def _parse_study(text: str) -> StudyId | None:
    return StudyId(text) if _NAME.fullmatch(text) else None


def _parse_clip(text: str) -> ClipId | None:
    return ClipId(text) if _NAME.fullmatch(text) else None


def _parse_page(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[1-9]\d{0,5}", text) else None


def _member(kind: type[Member]) -> Callable[[str], Member | None]:
    known = {member.value: member for member in kind}
    return known.get
