"""Radiology reports, cleaned of identifiers."""

from dataclasses import dataclass

from retrieval.values.finding import Finding
from retrieval.values.measurement import Measurement
from retrieval.values.study import StudyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What a text states, in its order, and the digest of what read it."""

    findings: tuple[Finding, ...]
    measurements: tuple[Measurement, ...]
    reader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One version of one study's report. Holds no identifier.

    A report may arrive before its study, so it is keyed by pseudonyms that
    need no study row.

    Attributes
    ----------
    digest
        SHA-256 (hexadecimal) of the cleaned text.
    study
        Pseudonym of the StudyInstanceUID it names, or None if it names an
        accession number only.
    accession_key
        Keyed pseudonym of the accession number, or None.
    version
        1-based; a later version supersedes the earlier ones of its study.
    supersedes
        Digest of the version before, or None.
    text
        The whole cleaned text.
    impression
        The part under Impression, Conclusion, Summary or Opinion; the whole
        text where there is no such heading.
    findings, measurements
        Statements in the order of the text.
    reader
        Digest of what read these (`retrieval.language.reader`); None where that
        is not known.
    """

    digest: str
    study: StudyId | None
    accession_key: str | None = None
    version: int = 1
    supersedes: str | None = None
    text: str
    impression: str
    findings: tuple[Finding, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    reader: str | None = None
