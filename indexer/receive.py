"""Bring reports to their studies; those whose study is not here yet wait in the vault."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from indexer.raw import RawReport
from indexer.reports import make_report, read_reports
from indexer.station import Home
from retrieval.errors import MalformedReport, UnreadableFile
from retrieval.values.study import StudyId

log = logging.getLogger(__name__)

WAITING = "report"
"""Kind of the vault's entries for reports without a study."""


def receive(home: Home, files: Sequence[Path]) -> int:
    """Take in report files, and waiting reports whose studies have come meanwhile.

    A report is cleaned with its study's identifiers before it enters the
    catalog, so it cannot enter before its study. Records and files that cannot be
    read are logged with their place.

    Returns
    -------
    int
        How many records, and files as a whole, could not be read.
    """
    malformed = 0
    studies = home.catalog.source_digests()
    waiting = home.vault.items(WAITING)
    home.vault.remove(name for name, kept in waiting if _deliver(home, RawReport(**kept), studies))
    for path in files:
        for raw in _records(path):
            if isinstance(raw, MalformedReport):
                log.warning("%s", raw)
                malformed += 1
            elif not _deliver(home, raw, studies):
                home.vault.put(_name(raw), WAITING, asdict(raw))
    return malformed


def _records(path: Path) -> Iterator[RawReport | MalformedReport]:
    """Read a file's records; a file that holds none at all counts as one that cannot be read."""
    try:
        yield from read_reports(path)
    except UnreadableFile as error:
        yield MalformedReport(path.name, error.reason)


def _deliver(home: Home, raw: RawReport, studies: Mapping[StudyId, object]) -> bool:
    """Clean a report and put it into the catalog; False if its study is not here."""
    owners = list(_owners(home, raw, studies))
    if not owners:
        return False
    identifiers = [word for study in owners for word in _identifiers(home, study)]
    home.catalog.put_report(make_report(raw, home.pseudonyms, identifiers))
    return True


def _owners(home: Home, raw: RawReport, studies: Mapping[StudyId, object]) -> Iterator[StudyId]:
    if raw.study_uid:
        study = home.pseudonyms.study(raw.study_uid)
        if study in studies:
            yield study
    elif raw.accession:
        yield from home.catalog.studies_of(home.pseudonyms.accession(raw.accession))


def _identifiers(home: Home, study: StudyId) -> list[str]:
    secret = home.vault.get(study) or {}
    return json.loads(secret.get("identifiers", "[]"))


def _name(raw: RawReport) -> str:
    """Name a waiting report by its content, so that giving it again changes nothing."""
    content = "\0".join((raw.study_uid, raw.accession, raw.text))
    return "report-" + hashlib.sha256(content.encode()).hexdigest()[:32]
