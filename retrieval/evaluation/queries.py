"""Judgments that somebody wrote down: {"query": ..., "relevant": [studies]}, one a line."""

from pathlib import Path

from retrieval.errors import UsageError
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.records import read_json_lines
from retrieval.evaluation.resolve import Resolver


def read_queries(path: Path, resolver: Resolver) -> list[Judgment]:
    """Read judgments; every study of the archive counts as judged.

    Raises
    ------
    UsageError
        A line is not such an object, or names a study that is not in the archive.
    """
    judgments: list[Judgment] = []
    for where, record in read_json_lines(path):
        query, relevant = record.get("query"), record.get("relevant")
        if not isinstance(query, str) or not query.strip():
            raise UsageError(f'{where}: "query" must be some words')
        if not isinstance(relevant, list) or not relevant:
            raise UsageError(f'{where}: "relevant" must be a list of at least one study')
        studies = frozenset(resolver.require(str(name), where=where) for name in relevant)
        judgments.append(Judgment(query=query, relevant=studies))
    if not judgments:
        raise UsageError(f"{path.name} holds no query")
    return judgments
