"""Chips as one line of text each, for URLs and the command line, and back.

``[~][-]KIND:VALUE[;KEY=VALUE...]``: "~" for a chip that is off, "-" for one that
asks for absence. ``finding:lv_dilation;at=lv;severity=severe``,
``measurement:lvef:(,35)``, ``age:(60,)``, ``date:2019-01-01..``, ``like:this``.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

from retrieval.errors import UsageError
from retrieval.search.understand.amounts import measurement_of
from retrieval.search.understand.chips import (
    AgeChip,
    Chip,
    DateChip,
    FieldStrengthChip,
    FindingChip,
    LikeChip,
    MeasurementChip,
    SexChip,
    TechniqueChip,
    VendorChip,
    ViewChip,
)
from retrieval.search.understand.claims import SEGMENT_NAMES
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.severity import severity_range
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Kind, Terms
from retrieval.values.finding import Polarity
from retrieval.values.study import Sex, StudyId, Technique, View

_OFF, _ABSENT = "~", "-"
_LIST = "+"
_THIS = "this"


def chip_line(chip: Chip) -> str:
    """Write a chip as one line; its span and what follows from the table are left out."""
    off = "" if chip.on else _OFF
    absent = _ABSENT if chip.polarity is Polarity.ABSENT else ""
    return f"{off}{absent}{_said(chip)}"


def read_chip(line: str, lexicon: Terms | None = None) -> Chip:
    """Read what `chip_line` writes.

    Raises
    ------
    UsageError
        The line is no chip, or names something that the lexicon does not have.
    """
    terms = shipped_terms() if lexicon is None else lexicon
    off = line.startswith(_OFF)
    rest = line.removeprefix(_OFF)
    polarity = Polarity.ABSENT if rest.startswith(_ABSENT) else Polarity.PRESENT
    kind, colon, value = rest.removeprefix(_ABSENT).partition(":")
    if not colon or kind not in _READERS:
        raise UsageError(
            f"{line!r} is no chip; write one as KIND:VALUE with KIND one of {', '.join(_READERS)}"
        )
    try:
        chip = _READERS[kind](value, terms)
    except ValueError as error:
        raise UsageError(f"chip {line!r} cannot be read: {error}") from error
    return replace(chip, on=not off, polarity=polarity)


def _said(chip: Chip) -> str:
    if isinstance(chip, FindingChip):
        return _finding_line(chip)
    if isinstance(chip, AgeChip):
        return f"age:{chip.values}"
    if isinstance(chip, FieldStrengthChip):
        return f"field:{chip.values}"
    return _other_line(chip)


def _other_line(chip: Chip) -> str:
    match chip:
        case MeasurementChip():
            return f"measurement:{chip.quantity}:{chip.values}"
        case ViewChip():
            return f"view:{_LIST.join(chip.views)}"
        case TechniqueChip():
            return f"technique:{chip.technique}"
        case SexChip():
            return f"sex:{chip.sex}"
        case VendorChip():
            return f"vendor:{chip.vendor}"
        case DateChip():
            return f"date:{chip.first or ''}..{chip.last or ''}"
        case LikeChip():
            return f"like:{chip.study or _THIS}"
        case _:
            raise TypeError(f"{type(chip).__name__} has no line")


def _finding_line(chip: FindingChip) -> str:
    told = {
        "at": _LIST.join(chip.anatomy),
        "pattern": _LIST.join(chip.pattern),
        "severity": _LIST.join(chip.severity),
        "certainty": chip.certainty,
    }
    return ";".join([f"finding:{chip.term}", *(f"{k}={v}" for k, v in told.items() if v)])


def _finding(value: str, terms: Terms) -> FindingChip:
    name, *told = value.split(";")
    term = terms[_known(name, terms, Kind.FINDING)]
    given: dict[str, str] = {}
    for pair in told:
        key, equals, said = pair.partition("=")
        if not equals or key not in _FINDING_KEYS or key in given:
            raise ValueError(f"{pair!r} is none of {', '.join(_FINDING_KEYS)}, each once with =")
        given[key] = said
    listed = {
        key: tuple(_known(one, terms, *_FINDING_KEYS[key]) for one in said.split(_LIST))
        for key, said in given.items()
    }
    severity = listed.get("severity", ())
    return FindingChip(
        term=term.id,
        finding=term.finding,
        anatomy=listed.get("at", ()),
        pattern=listed.get("pattern", ()),
        severity=severity,
        certainty=_LIST.join(listed.get("certainty", ())),
        range=severity_range(term, severity),
    )


_FINDING_KEYS: Mapping[str, tuple[Kind, ...]] = {
    "at": (Kind.ANATOMY,),
    "pattern": (Kind.PATTERN,),
    "severity": (Kind.SEVERITY, Kind.SIZE, Kind.VALUE),
    "certainty": (Kind.CERTAINTY,),
}


def _known(name: str, terms: Terms, *kinds: Kind) -> str:
    if Kind.ANATOMY in kinds and name in SEGMENT_NAMES:
        return name
    if name not in terms.terms or terms[name].kind not in kinds:
        raise ValueError(f"the lexicon has no {' or '.join(kinds)} {name!r}")
    return name


def _measurement(value: str, terms: Terms) -> MeasurementChip:
    name, _, values = value.partition(":")
    quantity = terms[_known(name, terms, Kind.MEASUREMENT)]
    return measurement_of(quantity, Interval.parse(values), terms)


def _vendor(value: str, terms: Terms) -> VendorChip:
    known = [term.name for term in terms.of_kind(Kind.VENDOR)]
    if value not in known:
        raise ValueError(f"the lexicon has no vendor {value!r}; it has {', '.join(known)}")
    return VendorChip(vendor=value)


def _view(value: str, _terms: Terms) -> ViewChip:
    return ViewChip(views=tuple(View(one) for one in value.split(_LIST)))


def _technique(value: str, _terms: Terms) -> TechniqueChip:
    return TechniqueChip(technique=Technique(value))


def _sex(value: str, _terms: Terms) -> SexChip:
    return SexChip(sex=Sex(value))


def _in_range(
    make: Callable[[Interval], AgeChip | FieldStrengthChip], value: str, _terms: Terms
) -> Chip:
    return make(Interval.parse(value))


def _date(value: str, _terms: Terms) -> DateChip:
    first, dots, last = value.partition("..")
    if not dots:
        raise ValueError("write dates as FIRST..LAST, either one empty for no end")
    return DateChip(
        first=date.fromisoformat(first) if first else None,
        last=date.fromisoformat(last) if last else None,
    )


def _like(value: str, _terms: Terms) -> LikeChip:
    return LikeChip(study=None if value == _THIS else StudyId(value))


_READERS: Mapping[str, Callable[[str, Terms], Chip]] = {
    "finding": _finding,
    "measurement": _measurement,
    "view": _view,
    "technique": _technique,
    "sex": _sex,
    "age": partial(_in_range, lambda values: AgeChip(values=values)),
    "field": partial(_in_range, lambda values: FieldStrengthChip(values=values)),
    "vendor": _vendor,
    "date": _date,
    "like": _like,
}
