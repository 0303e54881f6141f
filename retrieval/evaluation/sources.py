"""Where judgments come from: the archive's reports, a file of queries, labels or truth."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from retrieval.evaluation import prompts
from retrieval.evaluation.cohort import Cohort, cohort_of
from retrieval.evaluation.judgments import Judgment, from_reports
from retrieval.evaluation.labels import judgments_of, read_labels
from retrieval.evaluation.queries import read_queries
from retrieval.evaluation.resolve import Resolver
from retrieval.evaluation.truths import Truths, is_truth, read_truths
from retrieval.ports import CatalogReader
from retrieval.values.query import Access
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an archive is asked.

    Attributes
    ----------
    cohort
        The labelled studies, where labels were given.
    truths
        What is true of the studies, where hearts are simulated.
    digest
        Names the judgments; those of labels have the same one in every home.
    """

    judgments: list[Judgment]
    cohort: Cohort | None = None
    truths: Truths | None = None
    digest: str


def ask(
    catalog: CatalogReader,
    key_file: Path,
    *,
    queries: Path | None,
    labels: Path | None,
    access: Access,
) -> Asked:
    """Read the judgments asked for; with neither file, those of the reports.

    Parameters
    ----------
    key_file
        The archive's key, with which original UIDs resolve; may be missing.
    """
    known = [study.id for study in catalog.ledger(access=access)]
    keys = open_keys(key_file, create=False) if key_file.exists() else None
    resolver = Resolver(known, None if keys is None else Pseudonyms(keys))
    if labels is not None and not is_truth(labels):
        return _by_labels(labels, resolver, catalog, access)
    truths = None if labels is None else read_truths(labels, resolver)
    if truths is not None:
        found = truths.judgments()
    elif queries is not None:
        found = read_queries(queries, resolver)
    else:
        found = from_reports(catalog, access=access)
    return Asked(judgments=found, truths=truths, digest=_digest(found))


def _by_labels(path: Path, resolver: Resolver, catalog: CatalogReader, access: Access) -> Asked:
    labels = read_labels(path, resolver)
    return Asked(
        judgments=judgments_of(labels, prompts.acdc()),
        cohort=cohort_of(labels, path, resolver, catalog, access=access),
        digest=labels.digest,
    )


def _digest(judgments: list[Judgment]) -> str:
    told = sorted(
        (j.query, sorted(j.relevant), sorted(j.among or ()), *sorted((j.grades or {}).items()))
        for j in judgments
    )
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
