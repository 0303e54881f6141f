"""A DICOM study from the headers of its files."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from indexer.dicom.headers import Header, StudyFacts, read_header
from indexer.dicom.refusal import Refusal
from indexer.raw import RawFile, RawReport, RawSeries, RawStudy
from indexer.sources.folder import DUPLICATE
from retrieval.errors import UnreadableFile
from retrieval.values.study import State


@dataclass(frozen=True, slots=True)
class _Read:
    """A file and what its header says; None where it was not, or could not be, read."""

    file: RawFile
    header: Header | None


def read_study(uid: str, files: Sequence[RawFile]) -> RawStudy:
    """Read the headers of a study's files.

    Returns
    -------
    RawStudy
        Its `files` are those given, each marked where nothing of it can be
        used; a series refused as a whole marks all of its files. Series come
        in the order of their UIDs.
    """
    by_series: defaultdict[str, list[_Read]] = defaultdict(list)
    for file in files:
        by_series[file.series_uid].append(_read(file))
    mixed = _patients(r.header for reads in by_series.values() for r in reads if r.header)
    series: list[RawSeries] = []
    marked: list[RawFile] = []
    for series_uid, reads in sorted(by_series.items()):
        one, its_files = _series(series_uid, reads, mixed)
        series.append(one)
        marked.extend(its_files)
    headers = [r.header for reads in by_series.values() for r in reads if r.header]
    # images first: what a scanner says of itself beats what a report says
    headers.sort(key=lambda h: not h.frames)
    facts = _merge(h.facts for h in headers)
    return RawStudy(
        uid=uid,
        **asdict(facts),
        contrast=_contrast(series),
        identifiers=tuple(sorted(frozenset().union(*(h.identifiers for h in headers)))),
        series=tuple(series),
        files=tuple(sorted(marked, key=lambda f: f.path)),
        reports=tuple(
            RawReport(
                study_uid=uid,
                accession=r.header.facts.accession,
                text=r.header.report,
                where=str(r.file.path),
            )
            for reads in by_series.values()
            for r in reads
            if r.header and r.header.report
        ),
    )


def _read(file: RawFile) -> _Read:
    if file.unused:
        return _Read(file, None)
    try:
        return _Read(file, read_header(file.path))
    except UnreadableFile as error:
        return _Read(replace(file, unused=error.reason), None)


def _patients(headers: Iterable[Header]) -> Refusal | None:
    """Refuse a study whose files name more than one patient: nobody can say whose it is."""
    ids = {h.facts.patient_id.casefold() for h in headers if h.facts.patient_id}
    if len(ids) < 2:
        return None
    reason = f"files of one study name {len(ids)} patients"
    return Refusal(reason=reason, state=State.QUARANTINED, whole_series=True)


def _series(
    uid: str, reads: Sequence[_Read], mixed: Refusal | None
) -> tuple[RawSeries, list[RawFile]]:
    """Judge one series; return it with its files, marked."""
    headers = [r.header for r in reads if r.header]
    refusals = [h.refusal for h in headers if h.refusal]
    whole = next((r for r in (mixed, *refusals) if r and r.whole_series), None)
    frames = () if whole else tuple(frame for h in headers for frame in h.frames)
    files = [_mark(r, whole) for r in reads]
    refusal = whole or (None if frames else _main(refusals, files))
    return RawSeries(
        uid=uid,
        modality=next((h.modality for h in headers if h.modality), ""),
        sop_class=next((h.sop_class for h in headers if h.frames or not frames), ""),
        frames=frames,
        refusal=refusal.reason if refusal else "",
        refused_as=refusal.state.value if refusal else "",
    ), files


def _mark(read: _Read, whole: Refusal | None) -> RawFile:
    header = read.header
    if header is None or (header.report and whole is None):
        return read.file
    refusal = whole or header.refusal
    return replace(read.file, unused=refusal.reason) if refusal else read.file


_GRAVITY = (State.QUARANTINED, State.FAILED, State.EXCLUDED)


def _main(refusals: Sequence[Refusal], files: Sequence[RawFile]) -> Refusal:
    """Return why a series without a frame has none: the gravest of its files' reasons."""
    if refusals:
        return min(refusals, key=lambda r: (_GRAVITY.index(r.state), r.reason))
    reasons = sorted({f.unused for f in files})
    repeated = reasons == [DUPLICATE]
    return Refusal(reason=reasons[0], state=State.EXCLUDED if repeated else State.FAILED)


def _merge(facts: Iterable[StudyFacts]) -> StudyFacts:
    """Take each fact from the first file that states it."""
    stated: dict[str, Any] = {}
    for one in facts:
        for name, value in asdict(one).items():
            if value not in ("", None):
                stated.setdefault(name, value)
    return StudyFacts(**stated)


def _contrast(series: Iterable[RawSeries]) -> bool | None:
    said = {frame.contrast for one in series for frame in one.frames} - {None}
    return None if not said else True in said
