"""Full-text search in reports: FTS5 on SQLite, tsvector on PostgreSQL.

Both stem English words and know no stop words; the few words that say nothing
in a question are left out of it here. Words of a question are never operators.
The databases rank differently (BM25 or ts_rank), so scores of the two do not
compare; that larger is better holds for both.
"""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, String, column, func, literal_column, select, table
from sqlalchemy.orm import Session

from retrieval.catalog.tables import ReportRow, StudyRow, VersionRow

MOST_WORDS = 64
"""Distinct words of a question that count; a pasted page would cost without helping."""

_SILENT = frozenset(
    re.findall(
        r"\w+",
        "a an and any are as at be by case cases for from had has have heart hearts in is it of on "
        "or patient patients show study studies that the there this to was were which who with",
    )
)
_FTS5 = table("report_fts", column("rowid"), column("report_fts"))
_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\s*\n\s*")


def search_reports(
    session: Session, question: str, conditions: Sequence[ColumnElement[bool]], limit: int | None
) -> list[tuple[str, float, str]]:
    """Find newest reports with any of the words: (study, score, best sentence), best first."""
    words = words_of(question)
    if not words:
        return []
    dialect = session.get_bind().dialect.name
    query = _sqlite(words) if dialect == "sqlite" else _postgresql(words)
    query = query.where(VersionRow.newest.is_(True), *conditions).limit(limit)
    query = query.order_by(literal_column("score").desc(), StudyRow.id)
    return [
        (study, float(score), best_sentence(marked))
        for study, score, marked in session.execute(query)
    ]


def words_of(question: str) -> list[str]:
    """The distinct words of a question that are searched for, in order.

    If it consists of silent words alone, these are searched for.
    """
    words = list(dict.fromkeys(re.findall(r"\w+", question.casefold())))
    return ([w for w in words if w not in _SILENT] or words)[:MOST_WORDS]


def best_sentence(marked: str) -> str:
    """The first sentence with the most different matching words, on one line."""

    def matches(sentence: str) -> int:
        return len({m.casefold() for m in _MARKED.findall(sentence)})

    best = max(_SENTENCE_END.split(marked), key=matches)
    return " ".join(best.replace(_OPEN, "").replace(_CLOSE, "").split())


def _joined(score: ColumnElement[float], marked: ColumnElement[str]) -> Select[str, float, str]:
    return (
        select(StudyRow.id, score.label("score"), marked)
        .select_from(ReportRow)
        .join(VersionRow, VersionRow.report == ReportRow.arrival)
        .join(StudyRow, StudyRow.id == VersionRow.chain)
    )


def _sqlite(words: Sequence[str]) -> Select[str, float, str]:
    score = literal_column("-bm25(report_fts)")
    marked = func.highlight(literal_column("report_fts"), 0, _OPEN, _CLOSE, type_=String)
    asked = " OR ".join(f'"{word}"' for word in words)  # \w+ leaves no quote to escape
    return (
        _joined(score, marked)
        .join(_FTS5, _FTS5.c.rowid == ReportRow.arrival)
        .where(_FTS5.c.report_fts.op("MATCH")(asked))
    )


def _postgresql(words: Sequence[str]) -> Select[str, float, str]:
    config = literal_column("'cineseek'::regconfig")
    # Spelt as in the migration, so that the index on this very expression is used.
    vector = literal_column("to_tsvector('cineseek'::regconfig, report.text)")
    asked: ColumnElement[object] = func.plainto_tsquery(config, words[0])
    for word in words[1:]:
        asked = asked.op("||")(func.plainto_tsquery(config, word))
    style = f'HighlightAll=true, StartSel="{_OPEN}", StopSel="{_CLOSE}"'
    marked = func.ts_headline(config, ReportRow.text, asked, style, type_=String)
    return _joined(func.ts_rank(vector, asked), marked).where(vector.op("@@")(asked))
