"""Judgments that somebody wrote down, one a line.

{"query": ..., "relevant": [studies]}, or a reader's grades: {"query": ...,
"grades": {study: 0 to 3}}.
"""

from pathlib import Path
from typing import Any

from retrieval.errors import UsageError
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.records import Record, read_json_lines
from retrieval.evaluation.resolve import Resolver
from retrieval.values.study import StudyId

GRADES = range(4)
"""0 answers nothing of the query, 1 a side of it, 2 the query, 3 is what one would show."""

RELEVANT_FROM = 2
"""Grade from which a study counts as relevant where that is yes or no."""


def read_queries(path: Path, resolver: Resolver) -> list[Judgment]:
    """Read judgments.

    With a list of relevant studies every study of the archive counts as
    judged; with grades, those that were graded.

    Raises
    ------
    UsageError
        A line is not such an object, or names a study that is not in the archive.
    """
    judgments: list[Judgment] = []
    for where, record in read_json_lines(path):
        query = record.get("query")
        if not isinstance(query, str) or not query.strip():
            raise UsageError(f'{where}: "query" must be some words')
        judgments.append(_judgment(query, record, resolver, where))
    if not judgments:
        raise UsageError(f"{path.name} holds no query")
    return judgments


def _judgment(query: str, record: Record, resolver: Resolver, where: str) -> Judgment:
    relevant, graded = record.get("relevant"), record.get("grades")
    if relevant is not None and graded is not None:
        raise UsageError(f'{where}: give "relevant" or "grades", not both')
    if graded is not None:
        grades = _grades(graded, resolver, where)
        clear = frozenset(study for study, grade in grades.items() if grade >= RELEVANT_FROM)
        if not clear:
            raise UsageError(f"{where}: no study has grade {RELEVANT_FROM} or more")
        return Judgment(query=query, relevant=clear, among=frozenset(grades), grades=grades)
    if not isinstance(relevant, list) or not relevant:
        raise UsageError(f'{where}: "relevant" must be a list of at least one study')
    studies = frozenset(resolver.require(str(name), where=where) for name in relevant)
    return Judgment(query=query, relevant=studies)


def _grades(graded: Any, resolver: Resolver, where: str) -> dict[StudyId, int]:  # noqa: ANN401
    if not isinstance(graded, dict) or not all(
        isinstance(g, int) and not isinstance(g, bool) and g in GRADES for g in graded.values()
    ):
        raise UsageError(f'{where}: "grades" must name studies, each with 0, 1, 2 or 3')
    return {resolver.require(name, where=where): grade for name, grade in graded.items()}
