"""Bring an archive into the catalog: find, prepare in parallel, record one study a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.prepare import crashed, file_seen, source_digest
from indexer.progress import Report as Progress
from indexer.sources.folder import StudyFiles, find
from indexer.station import Home
from indexer.workers import Workshop, prepare_all
from retrieval.values.study import State

SETTLED = frozenset({State.INDEXED, State.EXCLUDED, State.QUARANTINED, State.FAILED})
"""States in which an unchanged study is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What one ingest did: studies read, clips kept from them."""

    read: int
    clips: int


def ingest(
    home: Home,
    archives: Sequence[Path],
    *,
    retry: bool,
    scanning: Progress,
    reading: Progress,
) -> Ingested:
    """Ingest what is new or changed in `archives`.

    A study whose files have the places, sizes and times of the last time is
    not opened (with `retry`, failed ones are). Each study is one transaction,
    its files on disk before it, so an interrupted ingest goes on where it
    stopped.
    """
    pseudonyms, site, workers = home.pseudonyms, home.settings.site, home.settings.worker_count
    found = find(archives, workers=workers, progress=scanning)
    home.catalog.put_loose_files([file_seen(f, None, f.unused, pseudonyms) for f in found.loose])
    known = home.catalog.source_digests()
    settled = SETTLED - {State.FAILED} if retry else SETTLED

    def unchanged(files: StudyFiles) -> bool:
        state, digest = known.get(pseudonyms.study(files.uid), (State.PENDING, ""))
        return state in settled and digest == source_digest(files.files, pseudonyms)

    fresh = [files for files in found.studies if not unchanged(files)]
    kept = 0
    reading(0, len(fresh))
    workshop = Workshop(keys=home.keys, clips=home.clip_folder, site=site, workers=workers)
    for done, (files, prepared) in enumerate(prepare_all(fresh, workshop), start=1):
        ready = prepared or crashed(files, pseudonyms=pseudonyms, site=site)
        home.vault.put_many(ready.secrets)
        home.catalog.put_study(ready.entry)
        for report in ready.reports:
            home.catalog.put_report(report)
        kept += len(ready.entry.clips)
        reading(done, len(fresh))
    return Ingested(read=len(fresh), clips=kept)
