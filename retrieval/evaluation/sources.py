"""Where judgments come from: the archive's reports, a file of queries, or labels."""

from pathlib import Path

from retrieval.evaluation.judgments import Judgment, from_reports
from retrieval.evaluation.labels import read_labels
from retrieval.evaluation.queries import read_queries
from retrieval.evaluation.resolve import Resolver
from retrieval.evaluation.truths import is_truth, read_truths
from retrieval.ports import CatalogReader
from retrieval.values.query import Access
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms


def judgments(
    catalog: CatalogReader,
    key_file: Path,
    *,
    queries: Path | None,
    labels: Path | None,
    access: Access,
) -> list[Judgment]:
    """Read the judgments asked for; with neither file, those of the reports.

    Parameters
    ----------
    key_file
        The archive's key, with which original UIDs resolve; may be missing.
    """
    known = [study.id for study in catalog.ledger(access=access)]
    keys = open_keys(key_file, create=False) if key_file.exists() else None
    resolver = Resolver(known, None if keys is None else Pseudonyms(keys))
    if queries is not None:
        return read_queries(queries, resolver)
    if labels is not None:
        return read_truths(labels, resolver) if is_truth(labels) else read_labels(labels, resolver)
    return from_reports(catalog, access=access)
