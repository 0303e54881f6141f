"""From one study's files to its clips on disk and its catalog entry. Runs in worker processes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.deidentify import deidentify
from indexer.plan import ClipPlan, SeriesPlan, assemble, plan_study
from indexer.raw import RawFile, RawStudy
from indexer.reports import make_report
from indexer.sources import read_frames, read_study
from indexer.sources.folder import StudyFiles
from retrieval.clips.preview import sheet
from retrieval.clips.store import FolderClipStore
from retrieval.errors import InputError
from retrieval.geometry.heart import heart_centre
from retrieval.values.clip import Clip
from retrieval.values.intake import FileSeen, StudyEntry
from retrieval.values.report import Report
from retrieval.values.study import Series, State, StudyId
from retrieval.vault.pseudonyms import Pseudonyms

CRASH = "reading it crashed the decoder or ran out of memory; mend its files, then use --retry"

COPY = "the same pixels and headers as another clip of its series"
"""Why the frames of a clip whose name, which is its content's, was given before are unused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a worker hands back: everything but the pixels, which are on disk by then.

    Attributes
    ----------
    secrets
        What the vault shall hold: (pseudonym, kind, payload).
    """

    entry: StudyEntry
    secrets: tuple[tuple[str, str, dict[str, str]], ...]
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One series after its pixels were read."""

    series: Series
    clips: tuple[Clip, ...]
    unused: dict[str, str]


def source_digest(files: Sequence[RawFile], pseudonyms: Pseudonyms) -> str:
    """Digest of a study's files by place, size and time: unchanged means not read again."""
    lines = sorted(f"{pseudonyms.path(str(f.path))} {f.size} {f.modified_ns}" for f in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def prepare(
    files: StudyFiles, *, pseudonyms: Pseudonyms, clips: FolderClipStore, site: str
) -> Prepared:
    """Read, plan, decode, assemble and preview one study.

    Clips and previews are on disk when this returns. A series that cannot be
    read costs the study that series; a study that cannot be read at all is an
    entry in state failed. Nothing of the input raises.
    """
    study = pseudonyms.study(files.uid)
    try:
        raw = read_study(files)
    except InputError as error:
        return _failed(files, str(error), pseudonyms=pseudonyms, site=site)
    plan = plan_study(raw)
    who = deidentify(raw, pseudonyms, site=site)
    kept = [_keep(series, study, pseudonyms) for series in plan.series]
    made = [clip for one in kept for clip in one.clips]
    _write(made, clips)
    state, reason = (State.INDEXED, "") if made else _fate(kept, plan.state, plan.reason)
    entry = StudyEntry(
        study=replace(who.study, state=state, reason=reason, series=tuple(k.series for k in kept)),
        clips=tuple(clip.record for clip in made),
        files=tuple(_seen(raw, kept, study, pseudonyms)),
        source_digest=source_digest(files.files, pseudonyms),
        accession_key=who.accession_key,
    )
    reports = tuple(make_report(r, pseudonyms, raw.identifiers) for r in raw.reports)
    return Prepared(entry=entry, secrets=who.secrets, reports=reports)


def _keep(plan: SeriesPlan, study: StudyId, pseudonyms: Pseudonyms) -> _Kept:
    """Decode and assemble one series; what cannot be read becomes its reason."""
    series = Series(
        id=pseudonyms.series(plan.uid),
        view=plan.view,
        technique=plan.technique,
        state=plan.state,
        reason=plan.reason,
        slices=plan.slices,
        phases=plan.phases,
        spacing_mm=plan.spacing_mm,
        slice_spacing_mm=plan.slice_spacing_mm,
    )
    unused = dict(plan.unused)
    clips: dict[str, Clip] = {}
    broken: Counter[str] = Counter()
    for clip_plan in plan.clips:
        try:
            clip = _clip(clip_plan, study, series)
        except InputError as error:
            broken[str(error)] += 1
            unused |= {frame.instance_uid: str(error) for frame in clip_plan.frames}
            continue
        if clip.record.id in clips:
            unused |= {frame.instance_uid: COPY for frame in clip_plan.frames}
        clips.setdefault(clip.record.id, clip)
    if broken:
        worst = broken.most_common(1)[0][0]
        lost = f"{sum(broken.values())} of {len(plan.clips)} clips lost: {worst}"
        state = State.INDEXED if clips else State.FAILED
        series = replace(series, state=state, reason=lost if clips else worst)
    kept = tuple(clips.values())
    return _Kept(series=replace(series, clips=len(kept)), clips=kept, unused=unused)


def _clip(plan: ClipPlan, study: StudyId, series: Series) -> Clip:
    return assemble(plan, read_frames(plan.frames), study=study, series=series.id)


def _write(made: Sequence[Clip], clips: FolderClipStore) -> None:
    if not made:
        return
    centre = heart_centre(made)
    for clip in made:
        clips.write(clip)
        clips.write_preview(clip.record.id, sheet(clip, centre))


def _fate(kept: Sequence[_Kept], state: State, reason: str) -> tuple[State, str]:
    """State of a study without clips: its plan's, unless reading the pixels failed."""
    failed = [k.series for k in kept if k.series.state is State.FAILED]
    if state is State.INDEXED and failed:
        return State.FAILED, failed[0].reason
    return state, reason


def _seen(
    raw: RawStudy, kept: Sequence[_Kept], study: StudyId, pseudonyms: Pseudonyms
) -> list[FileSeen]:
    """Account for every file of the study: used, or unused and why."""
    reasons = {uid: why for k in kept for uid, why in k.unused.items()}
    by_series = {k.series.id: k.series for k in kept}

    def why(file: RawFile) -> str:
        if file.unused:
            return file.unused
        if file.instance_uid in reasons:
            return reasons[file.instance_uid]
        series = by_series.get(pseudonyms.series(file.series_uid))
        return series.reason if series is not None and not series.clips else ""

    return [file_seen(file, study, why(file), pseudonyms) for file in raw.files]


def file_seen(
    file: RawFile, study: StudyId | None, reason: str, pseudonyms: Pseudonyms
) -> FileSeen:
    """Record one file under the pseudonym of its path; no reason means that it is used."""
    return FileSeen(
        key=pseudonyms.path(str(file.path)),
        study=study,
        used=not reason,
        reason=reason,
        size=file.size,
        modified_ns=file.modified_ns,
    )


def crashed(files: StudyFiles, *, pseudonyms: Pseudonyms, site: str) -> Prepared:
    """Stand in for a study whose reading took its process down."""
    return _failed(files, CRASH, pseudonyms=pseudonyms, site=site)


def _failed(files: StudyFiles, reason: str, *, pseudonyms: Pseudonyms, site: str) -> Prepared:
    study = pseudonyms.study(files.uid)
    who = deidentify(
        RawStudy(uid=files.uid, patient_id="", files=files.files), pseudonyms, site=site
    )
    entry = StudyEntry(
        study=replace(who.study, state=State.FAILED, reason=reason),
        clips=(),
        files=tuple(file_seen(f, study, f.unused or reason, pseudonyms) for f in files.files),
        source_digest=source_digest(files.files, pseudonyms),
    )
    return Prepared(entry=entry, secrets=who.secrets, reports=())
