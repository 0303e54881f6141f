"""What looks like an identifier, whoever it belongs to.

Each rule is one pattern with a name, applied in order. They are shaped so that
measurements survive: "LVEDV 240 mL", "1.5 T", "12/16 segments", "50-75 %".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from indexer.identifier_words import (
    CAPITAL,
    DAY,
    ID_LABELS,
    INITIALS,
    MONTH,
    MONTH_NUMBER,
    NAME,
    NUMBER_WORD,
    PEOPLE_LABELS,
    ROLES,
    TITLES,
    YEAR,
)

Replacement = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern and what takes its place."""

    name: str
    pattern: re.Pattern[str]
    replacement: Replacement


def remove_patterns(text: str) -> str:
    """Apply every rule to a text."""
    for rule in RULES:
        text = rule.pattern.sub(rule.replacement, text)
    return text


def _possible_date(found: re.Match[str]) -> str:
    """Replace numbers only if they are a day and a month in one order or the other."""
    first, second = int(found["first"]), int(found["second"])
    real = 1 <= min(first, second) <= 12 and max(first, second) <= 31
    return "[date]" if real else found[0]


def _keep_label(mark: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"{found['label']} {mark}"


def _rule(name: str, pattern: str, replacement: Replacement) -> Rule:
    return Rule(name, re.compile(pattern, re.IGNORECASE | re.VERBOSE), replacement)


def _cased(name: str, pattern: str, replacement: Replacement) -> Rule:
    return Rule(name, re.compile(pattern, re.VERBOSE), replacement)


_MEASURED = r"(?![ \t]*(?:mm|ml|cm|m/s|ms|%|g\b|x\b|segments?|of\b|score))"
"""What follows a number that is a measurement."""

_MAY_DO = r"(?![ \t]+(?:be|have|also|represent|reflect|indicate|suggest|show|not|well|still)\b)"
"""The verb after "may": "segment 4 may be scarred"."""

_ADDRESSES = (
    _rule("web address", r"\b(?:https?://|ftp://|www\.)[^\s)\]>,;]+", "[url]"),
    _rule("e-mail", r"(?<![\w.+'-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "[email]"),
    _rule("DICOM UID", r"(?<![\d.])[0-2](?:\.\d+){5,}", "[id]"),
)

_DATES = (
    _rule(
        "date of birth",
        r"\b(?:dob|d\.o\.b\.?|date[ ]of[ ]birth|born(?:[ ]on)?|geb(?:oren)?\.?)"
        r"[ \t]*[:=]?[ \t]*\d[\d./-]*\d",
        "[date]",
    ),
    _rule(
        "ISO date",
        rf"(?<!\d){YEAR}([-/.]){MONTH_NUMBER}\1{DAY}(?!\d)(?:T[\d:.+Z-]+)?",
        "[date]",
    ),
    _rule(
        "compact date",
        rf"(?<![\d.]){YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)",
        "[date]",
    ),
    _rule(
        "numeric date",
        rf"(?<![\d./])(?P<first>\d{{1,2}})(?P<gap>[/.-])(?P<second>\d{{1,2}})(?P=gap){YEAR}(?!\d)",
        _possible_date,
    ),
    _rule(
        "numeric date with a short year",
        r"(?<![\d./])(?P<first>\d{1,2})(?P<gap>[/.])(?P<second>\d{1,2})(?P=gap)\d{2}(?![\d/]|\.\d)",
        _possible_date,
    ),
    _rule(
        "day, month and year",
        rf"\b{DAY}(?:st|nd|rd|th|er|\.)?[ \t-]*(?:of[ \t]+)?{MONTH}\b\.?,?[ \t-]*"
        rf"(?:{YEAR}|'?\d{{2}}\b{_MEASURED})",
        "[date]",
    ),
    _rule(
        "month, day and year",
        rf"\b{MONTH}\.?[ \t]+{DAY}(?:st|nd|rd|th)?\b,?[ \t]+{YEAR}\b",
        "[date]",
    ),
    _rule(
        "day and month",
        rf"\b{DAY}(?:st|nd|rd|th|er|\.)?[ \t-]*(?:of[ \t]+)?(?-i:(?=[A-ZÀ-Þ])){MONTH}\b{_MAY_DO}",
        "[date]",
    ),
    _rule(
        "month and day",
        rf"\b(?-i:(?=[A-ZÀ-Þ])){MONTH}\.?[ \t]+{DAY}(?:st|nd|rd|th)?\b(?![-/.]\d){_MEASURED}",
        "[date]",
    ),
    _rule("month and year", rf"\b{MONTH}\.?,?[ \t/-]+(?:of[ \t]+)?{YEAR}\b", "[date]"),
    _rule("month number and year", rf"(?<![\d./]){MONTH_NUMBER}[/-]{YEAR}(?![\d/])", "[date]"),
    _rule(
        "day without a year",
        rf"\b(?P<label>on|dated|from|since)[ \t]+{DAY}[/.]{MONTH_NUMBER}\.?(?=\s|$|[,;)])"
        rf"{_MEASURED}",
        _keep_label("[date]"),
    ),
    _rule(
        "time of day",
        r"(?<![\d:.])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])(?:[ \t]*(?:am|pm|h|uhr)\b)?",
        "[time]",
    ),
)

_NUMBERS = (
    _rule(
        "labelled phone",
        r"\b(?:tel(?:ephone|efon)?|phone|fax|mobile|bleep|pager|ext(?:ension)?)\b\.?[ \t]*"
        r"(?:no\.?|number)?[ \t]*[:\#]?[ \t]*\+?[\d(][\d \t()./-]{1,18}\d",
        "[phone]",
    ),
    _rule(
        "international phone",
        r"(?<![\w+])\+\d{1,3}[ \t.-]?(?:\(?\d{1,5}\)?[ \t./-]?){2,5}\d\b",
        "[phone]",
    ),
    _rule(
        "local phone",
        r"(?<![\w.])(?:\(\d{2,5}\)[ \t]?|0\d{2,5}[ \t/-]|\d{3}[-.])\d{3,4}[ \t.-]?\d{3,5}\b",
        "[phone]",
    ),
    _rule(
        "labelled id",
        rf"\b(?P<label>{ID_LABELS}[ \t]*(?:{NUMBER_WORD}\b\.?|\#)|mrn|m\.r\.n\.?|nhs|ssn|pid"
        r"|accession|id)[ \t]*[:=\#]?[ \t]*(?:is[ \t]+)?(?=[\w./-]*\d)[\w./-]*\w",
        _keep_label("[id]"),
    ),
    _rule(
        "id of letters and digits",
        r"(?<![\w.])(?=[\w-]{0,40}[a-z])(?=(?:[a-z_-]{0,12}\d){5})[a-z0-9]+"
        r"(?:[-_][a-z0-9]+)*\b",
        "[id]",
    ),
    _rule("long number", r"(?<![\w.])\d{6,}(?!\w|\.\d)", "[id]"),
)

_PEOPLE = (
    _cased(
        "name with a title",
        rf"\b{TITLES}\b\.?(?:[ \t]*(?:Dr|Prof|med)\b\.?)*[ \t]+{INITIALS}{NAME}",
        "[name]",
    ),
    _cased(
        "name with a degree",
        rf"\b{INITIALS}{NAME},?[ \t]+(?:MD|M\.D\.|PhD|DO|MBBS|MBChB|FRCR|FRCP|MRCP|FACC|FSCMR|FESC"
        r"|[Cc]onsultant)\b\.?",
        "[name]",
    ),
    _cased(
        "name behind a label",
        rf"\b(?P<label>(?i:{PEOPLE_LABELS}))[ \t]*[:-]?[ \t]+(?:(?i:dr|prof)\b\.?[ \t]+)?"
        rf"{INITIALS}{NAME}",
        _keep_label("[name]"),
    ),
    _cased(
        "name behind a role",
        rf"\b(?P<label>(?i:{ROLES}):)[ \t]*(?:(?i:dr|prof)\b\.?[ \t]+)?{INITIALS}{NAME}",
        _keep_label("[name]"),
    ),
    _rule(
        "name behind a label, in any case",
        rf"\b(?P<label>(?:{PEOPLE_LABELS}|{ROLES}|(?:patient(?:'s)?[ \t]+)?name):)[ \t]*"
        r"(?!\[name\][ \t]*(?:$|[\n;.(|]))(?:(?:\[name\]|[^\W\d_][\w'\u2019.-]*)[ \t,^]*){1,4}"
        r"(?=$|[\n;.(|])",
        _keep_label("[name]"),
    ),
    _cased(
        "patient by name",
        r"\b(?P<label>(?i:patient|re|dear|cc)[ \t]*:)[ \t]*"
        rf"(?!(?i:male|female|known|no|not|with|unknown|status)\b){INITIALS}{NAME}",
        _keep_label("[name]"),
    ),
)

_PLACES = (
    _cased(
        "street",
        rf"\b\d{{1,4}}[a-z]?,?[ \t]+(?:{CAPITAL}[ \t]+){{1,3}}"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Boulevard|Blvd|Way|Close|Square)\b\.?",
        "[place]",
    ),
    _cased(
        "street in one word",
        r"\b[A-ZÄÖÜ][\w-]*(?:stra(?:ß|ss)e|str\.|weg|allee|platz)[ \t]*\d{1,4}[a-z]?\b",
        "[place]",
    ),
    _cased(
        "hospital",
        r"\b(?:(?:St|Saint|Sankt)\b\.?[ \t]+)?"
        r"(?!(?:The|This|Our|In|At|From|General|University|District)\b)"
        rf"{CAPITAL}(?:[ \t]+{CAPITAL}|[ \t]+(?:and|of|de|für)){{0,4}}[ \t]+"
        r"(?:Hospitals?|Clinic|Infirmary|Klinikum|Medical[ \t]+Cent(?:er|re)|(?:Health|Foundation)"
        r"[ \t]+Trust)\b",
        "[place]",
    ),
)

_AGES = (
    _rule(
        "great age",
        r"(?<![\d.])(?:9\d|1[01]\d)(?P<rest>[ \t-]*(?:years?|yrs?|y/o|yo|jahre|jährig\w*|ans)\b)",
        lambda found: f"over 89{found['rest']}",
    ),
)

RULES: tuple[Rule, ...] = (*_ADDRESSES, *_DATES, *_NUMBERS, *_PEOPLE, *_PLACES, *_AGES)
"""In order: what is more particular comes before what is more general."""
