"""The sections of a report, by their headings.

Headings in English, German and French; in a line of their own, numbered or
not, or at the start of a line before a colon. Nothing is lost: sections cover
the whole text in order.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class SectionKind(StrEnum):
    """What a section is for."""

    CONTEXT = "context"
    """Why and how the study was made: indication, history, technique, comparison."""

    FINDINGS = "findings"
    IMPRESSION = "impression"
    OTHER = "other"
    """Text before the first heading, or under one that nobody knows."""


@dataclass(frozen=True, slots=True)
class Section:
    """One section; `start` and `end` bound its text, the heading left out."""

    kind: SectionKind
    heading: str
    start: int
    end: int

    @property
    def technical(self) -> bool:
        """Whether it says how the study was made, and so what was not done."""
        return self.heading in _TECHNICAL


_TECHNICAL = frozenset(
    {
        "technique", "protocol", "procedure", "method", "methods", "scan protocol", "sequences",
        "examination", "image quality", "technik", "methodik", "protocole",
    }
)  # fmt: skip

_HEADINGS: dict[SectionKind, tuple[str, ...]] = {
    SectionKind.IMPRESSION: (
        "impression", "impressions", "conclusion", "conclusions", "summary", "opinion",
        "interpretation", "final impression", "final diagnosis", "diagnosis", "assessment",
        "summary and conclusion", "summary and conclusions", "impression and recommendations",
        "impression and plan", "conclusion and recommendations", "overall impression",
        "cmr impression", "mri impression", "cardiac impression", "key findings",
        "beurteilung", "zusammenfassung", "diagnose", "zusammenfassende beurteilung",
        "conclusion générale", "synthèse", "résumé", "au total",
    ),
    SectionKind.FINDINGS: (
        "findings", "finding", "report", "observations", "results", "result", "description",
        "cardiac findings", "cmr findings", "mri findings", "detailed findings",
        "extracardiac findings", "extra-cardiac findings", "measurements", "quantification",
        "volumes and function",
        "befund", "befunde", "résultats", "résultat", "constatations",
    ),
    SectionKind.CONTEXT: (
        "indication", "indications", "clinical indication", "clinical indications", "history",
        "clinical history", "clinical information", "clinical details", "clinical question",
        "clinical background", "clinical context", "reason for exam", "reason for examination",
        "reason for study", "reason for request", "request",
        "technique", "protocol", "procedure", "method", "methods", "scan protocol", "sequences",
        "examination", "comparison", "comparisons", "prior studies",
        "image quality", "medication",
        "klinische angaben", "klinische fragestellung", "fragestellung", "anamnese", "technik",
        "methodik", "voraufnahmen", "voruntersuchung",
        "renseignements cliniques", "motif", "protocole", "antécédents",
    ),
    SectionKind.OTHER: (
        "recommendation", "recommendations", "advice", "plan", "comment", "comments", "note",
        "signed", "signature", "disclaimer", "addendum", "follow-up", "empfehlung",
    ),
}  # fmt: skip

_KINDS = {heading: kind for kind, headings in _HEADINGS.items() for heading in headings}

_LINE = re.compile(r"[^\n]*\n?")
_NUMBERING = re.compile(r"[\s>*#_=-]*(?:\(?(?:\d{1,2}|[ivx]{1,4}|[a-h])[.):]\s+)?[\s*#_]*", re.I)
_HEADING = re.compile(r"(?P<words>[^\W\d_][^\n:]{0,40}?)[\s*_]*(?P<colon>:|[ \t]-(?=[ \t])|$)")


def split_sections(text: str) -> tuple[Section, ...]:
    """Cut a report into its sections; text without headings is one section of kind OTHER."""
    found: list[tuple[SectionKind, str, int, int]] = [(SectionKind.OTHER, "", 0, 0)]
    for line in _LINE.finditer(text):
        for kind, heading, start, after in _headings_in(line.group(), line.start()):
            found.append((kind, heading, start, after))
    ends = [start for _, _, start, _ in found[1:]] + [len(text)]
    sections = (
        Section(kind, heading, after, end)
        for (kind, heading, _, after), end in zip(found, ends, strict=True)
    )
    return tuple(s for s in sections if s.heading or text[s.start : s.end].strip())


def impression_of(text: str) -> str:
    """The impression of a report: the last one that says something.

    A report whose sections are none of them an impression is taken whole.
    """
    for section in reversed(split_sections(text)):
        said = text[section.start : section.end].strip(" \t\r\n-:*")
        if section.kind is SectionKind.IMPRESSION and said:
            return said
    return text.strip()


_INLINE = re.compile(r"(?<=[.;!?])[ \t]+(?=[A-ZÄÖÜÉ][\w -]{2,40}:)")
"""Where a heading may follow a sentence in the middle of a line."""


def _headings_in(line: str, offset: int) -> list[tuple[SectionKind, str, int, int]]:
    """Headings of one line: (kind, heading, its start, where its text starts)."""
    starts = [0, *(m.end() for m in _INLINE.finditer(line))]
    found = []
    for start in starts:
        heading = _heading_at(line, start, inline=start > 0)
        if heading is not None:
            kind, words, after = heading
            found.append((kind, words, offset + start, offset + after))
    return found


def _heading_at(line: str, start: int, *, inline: bool) -> tuple[SectionKind, str, int] | None:
    numbering = _NUMBERING.match(line, start)
    begin = numbering.end() if numbering and not inline else start
    heading = _HEADING.match(line.rstrip(), begin)
    if heading is None:
        return None
    words = " ".join(heading["words"].lower().split()).strip(" *_#.")
    kind = _KINDS.get(words)
    if kind is None or (inline and not heading["colon"]):
        return None
    alone = not heading["colon"]
    if alone and _is_prose(heading["words"], kind):
        return None
    return kind, words, heading.end()


def _is_prose(words: str, kind: SectionKind) -> bool:
    """Whether a line of just these words, without a colon, is a statement and no heading."""
    return kind is SectionKind.OTHER or not words[:1].isupper()
