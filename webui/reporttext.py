"""A report as HTML: its findings marked where they are said, by polarity.

Highlighted is present, underlined is absent, dashed is uncertain, and plain is
what was not assessed; signs stand before the findings in the lists.
"""

from collections.abc import Sequence
from html import escape

from retrieval.values.finding import Finding, Polarity
from retrieval.values.report import Report

SIGNS = {Polarity.PRESENT: "+", Polarity.ABSENT: "\N{MINUS SIGN}", Polarity.UNCERTAIN: "?"}
_ALL_SIGNS = {**SIGNS, Polarity.NOT_ASSESSED: "/"}


def panel(report: Report | None) -> str:
    """The report's panel."""
    if report is None:
        return _frame("", '<p class="cs-quiet">No report was given for this study.</p>')
    version = f"version {report.version}"
    if report.supersedes is not None:
        version += f", replaces version {report.version - 1}"
    start = report.text.find(report.impression)
    impression = marked(report.impression, report.findings, start if start >= 0 else None)
    whole = ""
    if report.text.strip() != report.impression.strip():
        text = marked(report.text, report.findings, 0)
        whole = f'<details><summary>Full text</summary><div class="cs-text">{text}</div></details>'
    body = f'<div class="cs-text">{impression}</div>{columns(report.findings)}{whole}'
    return _frame(version, body)


def _frame(note: str, body: str) -> str:
    return (
        '<section class="cs-panel"><div class="cs-head"><h2>Report</h2>'
        f'<span class="cs-small">{escape(note)}</span></div>'
        f'<div class="cs-body">{body}</div></section>'
    )


def marked(text: str, findings: Sequence[Finding], offset: int | None) -> str:
    """Escape a part of a report and mark the sentences that state findings.

    Parameters
    ----------
    offset
        Where `text` begins in the report that the findings' ranges refer to;
        None where that is not known, then nothing is marked.
    """
    if offset is None:
        return escape(text)
    pieces, at = [], 0
    for start, end, polarity in _spans(findings):
        start, end = max(start - offset, at), min(end - offset, len(text))
        if start >= end:
            continue
        pieces.append(escape(text[at:start]))
        pieces.append(f'<mark class="cs-{polarity.value}">{escape(text[start:end])}</mark>')
        at = end
    pieces.append(escape(text[at:]))
    return "".join(pieces)


def _spans(findings: Sequence[Finding]) -> list[tuple[int, int, Polarity]]:
    """Ranges in order; of findings in one sentence, what is present is marked first."""
    order = list(SIGNS)
    return sorted(
        ((f.start, f.end, f.polarity) for f in findings if f.polarity in SIGNS),
        key=lambda span: (span[0], order.index(span[2]), span[1]),
    )


def columns(findings: Sequence[Finding]) -> str:
    """Present, absent, uncertain findings side by side, each said once; the unassessed below."""
    parts = []
    for polarity, sign in _ALL_SIGNS.items():
        names = dict.fromkeys(f.name.value for f in findings if f.polarity is polarity)
        if polarity is Polarity.NOT_ASSESSED and not names:
            continue
        items = "".join(
            f'<li><span class="cs-sign" aria-hidden="true">{sign}</span>'
            f"{escape(_capital(name))}</li>"
            for name in names
        )
        if not names:
            items = '<li class="cs-none">none</li>'
        parts.append(f"<div><h3>{polarity.value.capitalize()}</h3><ul>{items}</ul></div>")
    return f'<div class="cs-three">{"".join(parts)}</div>'


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
