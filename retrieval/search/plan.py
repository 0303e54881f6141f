"""What a query asks of whom: filters of the catalog, phrasings of the encoder, facts of reports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.errors import UsageError
from retrieval.search.asked import Asked
from retrieval.search.understand.chips import Chip, FindingChip, LikeChip, MeasurementChip
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.search.understand.narrowing import narrowing
from retrieval.search.understand.prompts import plain, prompts
from retrieval.search.understand.query import (
    UnderstoodQuery,
    beside,
    has_negation,
    understand,
)
from retrieval.values.finding import Polarity
from retrieval.values.query import Channel, Filter, Query
from retrieval.values.study import StudyId

ONE_MORE_WORDING = 0.25
"""Weight of words that say no more than the table's phrasings, which have 1."""

Judged = FindingChip | MeasurementChip
"""Chips that a report can agree with or contradict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A query, divided among those who can answer it.

    Attributes
    ----------
    chips
        All of them, those that are off too.
    words
        What became a filter, as it was typed.
    free
        What no chip stands for.
    where
        The query's filter, narrowed by what its words say of people, scanners,
        years, views and techniques.
    never
        Studies that pass any of these are not meant: "not at 3 T".
    field_strengths
        Tesla asked for as a range; the archive knows which values lie in it.
    like
        Example studies.
    asked
        What the encoder is asked: the words as typed, and phrasings of the
        findings in them. Each is averaged, then both by their weights.
    judged
        What reports and their measurements can answer.
    """

    chips: tuple[Chip, ...] = ()
    words: tuple[str, ...] = ()
    free: str = ""
    where: Filter
    never: tuple[Filter, ...] = ()
    field_strengths: Interval | None = None
    like: tuple[StudyId, ...] = ()
    asked: tuple[Asked, ...] = ()
    judged: tuple[Judged, ...] = ()

    @property
    def lists(self) -> bool:
        """Whether only whose studies are meant is said: all of them answer, none the better."""
        return not (self.asked or self.judged or self.like)

    @property
    def wanted(self) -> tuple[FindingChip, ...]:
        """Findings that a study should have."""
        return tuple(
            chip
            for chip in self.judged
            if isinstance(chip, FindingChip) and chip.polarity is Polarity.PRESENT
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """The chips as `Query.chips` has them."""
        return tuple(chip_line(chip) for chip in self.chips)


def check(query: Query) -> None:
    """Refuse what cannot be asked."""
    if query.limit is not None and query.limit < 1:
        raise UsageError(f"limit is {query.limit}; give a number from 1, or all")
    if query.like is None and not query.text.strip():
        raise UsageError("nothing is asked; give some words, such as: dilated left ventricle")
    if query.like is not None and query.channel is Channel.REPORT:
        raise UsageError("an example study is compared by video; leave the channel at all or video")


def plan(query: Query) -> Plan:
    """Divide a query.

    Raises
    ------
    UsageError
        A chip cannot be read; filters contradict each other; or nothing is
        left to look for, and nothing said of whose studies are meant.
    """
    like = () if query.like is None else (query.like,)
    if query.literal or not query.text.strip():
        asked = (Asked((query.text,)),) if query.text.strip() else ()
        return Plan(free=query.text.strip(), where=query.where, like=like, asked=asked)
    understood = understand(query.text)
    chips = understood.chips
    if query.chips is not None:
        chips = tuple(read_chip(line) for line in query.chips)
    on = [chip for chip in chips if chip.on]
    told = narrowing(on, query.where, said=lambda chip: _said(query.text, chip))
    judged = tuple(
        chip
        for chip in on
        if isinstance(chip, FindingChip) or (isinstance(chip, MeasurementChip) and chip.plausible)
    )
    found = Plan(
        chips=chips,
        words=told.words,
        free=understood.free_text,
        where=told.where,
        never=told.never,
        field_strengths=told.field_strengths,
        like=tuple(dict.fromkeys([*like, *_examples(on, query)])),
        asked=_asked(understood, on),
        judged=judged,
    )
    impossible = any(isinstance(chip, MeasurementChip) for chip in on)
    if found.lists and (impossible or not told.words):
        raise UsageError(_nothing(query.text, impossible=impossible))
    return found


def _said(text: str, chip: Chip) -> str:
    return chip_line(chip) if chip.span is None else text[slice(*chip.span)]


def _examples(chips: Sequence[Chip], query: Query) -> list[StudyId]:
    named = [chip.study for chip in chips if isinstance(chip, LikeChip)]
    if None in named and query.like is None:
        raise UsageError(
            '"like this" needs a study: open one and ask from its page, or give its id: '
            "like 0123456789abcdef01234567"
        )
    return [study for study in named if study is not None]


def _asked(query: UnderstoodQuery, chips: Sequence[Chip]) -> tuple[Asked, ...]:
    """What the encoder is asked: the words that it can answer as typed, and the table's phrasings.

    Words that became a filter or a denial go; so do those of a chip that is
    off. The rest stays in one piece: it may say more than the chips hold, and
    the encoder reads sentences better than shreds. Numbers stay in it, since
    images cannot measure but can rank; so does what is called normal, which
    denies a finding without a negation. Then the table's phrasings stay away:
    they would ask for the findings alone.
    """
    asked = [chip for chip in chips if prompts(chip)]
    normal = [chip for chip in chips if _is_called_normal(query.text, chip)]
    kept = [*normal, *(chip for chip in chips if _is_number(chip))]
    lines = {chip_line(chip) for chip in (*asked, *kept)}
    stay = {chip.span for chip in query.chips if chip_line(chip) in lines}
    gone = {chip.span for chip in query.chips} - stay - {None}
    typed = beside(query.text, sorted(span for span in gone if span is not None))
    if not (lines or query.free_text):
        typed = ""
    phrasings = tuple(phrasing for chip in asked for phrasing in prompts(chip) if not normal)
    said = Asked((typed,), _weight(query, chips) if phrasings else 1.0) if typed else None
    known = Asked(phrasings) if phrasings else None
    return tuple(one for one in (said, known) if one is not None)


def _weight(query: UnderstoodQuery, chips: Sequence[Chip]) -> float:
    """How much the words as typed count beside the table's phrasings.

    Words that say more than the phrasings do (a place, a pattern, a number,
    what nobody recognised) count as much. Others are one more wording, and may be one that
    the encoder reads badly; counting less, they let those who ask the same in
    other words find the same.
    """
    more = query.free_text or any(_is_number(chip) for chip in chips)
    plainly = all(
        chip_line(replace(chip, severity=(), certainty="")) == chip_line(plain(chip.term))
        for chip in chips
        if isinstance(chip, FindingChip) and chip.polarity is Polarity.PRESENT
    )
    return ONE_MORE_WORDING if plainly and not more else 1.0


def _is_number(chip: Chip) -> bool:
    wanted = chip.polarity is Polarity.PRESENT
    return isinstance(chip, MeasurementChip) and chip.plausible and wanted


def _is_called_normal(text: str, chip: Chip) -> bool:
    """Whether words deny a finding as "preserved EF" does, and not as "no scar" does."""
    if chip.span is None or not isinstance(chip, FindingChip):
        return False
    said = text[slice(*chip.span)]
    if chip.polarity is Polarity.PRESENT or has_negation(said):
        return False
    alone = understand(said).chips
    return bool(alone) and all(one.polarity is Polarity.ABSENT for one in alone)


def _nothing(text: str, *, impossible: bool) -> str:
    if impossible:
        return f"no heart measures what {text!r} asks for; check the number and its unit"
    return f"nothing is left of {text!r} to look for; turn a chip on, or write something else"
