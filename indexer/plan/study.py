"""The plan of a whole study."""

from collections import Counter
from collections.abc import Iterable, Sequence

from indexer.plan.clips import axis_of, clips_of, geometric_view
from indexer.plan.evidence import is_gated, is_watched
from indexer.plan.plans import ClipPlan, SeriesPlan, StudyPlan
from indexer.plan.relations import related
from indexer.plan.runs import Run, runs_of
from indexer.plan.slices import flaw_of
from indexer.plan.stacks import spacing_of
from indexer.plan.view import LongAxis
from indexer.plan.words import names_heart, words_of
from indexer.raw import Frame, RawSeries, RawStudy
from retrieval.values.study import State, View

NOT_CARDIAC = "no cardiac series"
NO_HEARTBEAT = "not cardiac: no heartbeat in its headers"


def plan_study(raw: RawStudy) -> StudyPlan:
    """Decide which frames of a study become which clips.

    Nothing but what headers say is used; pixels are not read. Neither the order
    of series and frames nor file names and instance numbers matter, and
    descriptions only where physics and geometry leave a doubt.
    """
    readable = [s for s in raw.series if not s.refusal]
    if not any(_is_cardiac(s, oriented=raw.oriented) for s in readable):
        return _not_cardiac(raw)
    runs = related(
        [
            run
            for number, series in enumerate(raw.series)
            for run in runs_of(_placed(series), number, oriented=raw.oriented)
        ]
    )
    axis = axis_of(runs)
    clips = clips_of(runs, axis, oriented=raw.oriented)
    plans = tuple(
        _series_plan(series, [r for r in runs if r.series == number], clips.get(number, []), axis)
        for number, series in enumerate(raw.series)
    )
    state, reason = _fate(plans)
    return StudyPlan(series=plans, state=state, reason=reason)


def _placed(series: RawSeries) -> list[Frame]:
    """The frames of a series that may become clips and lie somewhere."""
    return [] if series.refusal else [f for f in series.frames if not flaw_of(f)]


def _is_cardiac(series: RawSeries, *, oriented: bool) -> bool:
    """Whether a series' headers speak of a heart; files without orientation come from such sets."""
    frames = series.frames
    if not frames:
        return False
    told = not oriented or is_gated(frames) or names_heart(words_of(frames))
    return told or is_watched([f for f in frames if not flaw_of(f)])


def _not_cardiac(raw: RawStudy) -> StudyPlan:
    """The plan of a study in which nothing that can be read is a heart."""
    series = tuple(
        SeriesPlan(
            uid=s.uid,
            state=State.EXCLUDED,
            reason=NO_HEARTBEAT,
            unused=_all_unused(s.frames, NO_HEARTBEAT),
        )
        if _has_no_heart(s, oriented=raw.oriented)
        else _refused(s)
        for s in raw.series
    )
    state, reason = _fate(series)
    heartless = any(s.reason == NO_HEARTBEAT for s in series)
    if heartless and state is not State.FAILED:
        return StudyPlan(series=series, state=State.EXCLUDED, reason=NOT_CARDIAC)
    return StudyPlan(series=series, state=state, reason=reason)


def _has_no_heart(series: RawSeries, *, oriented: bool) -> bool:
    """Whether a series is no heart's by its headers; mending its pixels would not change that."""
    if not series.refusal:
        return True
    told = series.modality == "MR" and series.refused_as == State.FAILED and bool(series.frames)
    return told and not _is_cardiac(series, oriented=oriented)


def _refused(series: RawSeries) -> SeriesPlan:
    return SeriesPlan(
        uid=series.uid,
        state=State(series.refused_as or "excluded"),
        reason=series.refusal,
        unused=_all_unused(series.frames, series.refusal),
    )


def _all_unused(frames: Iterable[Frame], reason: str) -> tuple[tuple[str, str], ...]:
    return tuple((uid, reason) for uid in sorted({f.instance_uid for f in frames}))


def _series_plan(
    series: RawSeries, runs: Sequence[Run], clips: Sequence[ClipPlan], axis: LongAxis
) -> SeriesPlan:
    if series.refusal:
        return _refused(series)
    unused = _unused(series, runs, clips)
    if not runs:
        reason = unused[0][1] if unused else "no image in it"
        return SeriesPlan(uid=series.uid, state=State.FAILED, reason=reason, unused=unused)
    main = max(runs, key=lambda r: (len(r.kept), r.frames))
    alike = [r for r in runs if r.technique is main.technique]
    shown = [c for r in alike for c in r.kept] or [c for r in alike for c in r.cuts]
    return SeriesPlan(
        uid=series.uid,
        view=_main_view(clips) if clips else geometric_view(main, axis),
        technique=main.technique,
        state=State.INDEXED if clips else State.EXCLUDED,
        reason="" if clips else _main_reason(main),
        slices=len(shown),
        phases=max(len(c.timing.frames) for c in shown),
        spacing_mm=shown[0].slice.plane.spacing_mm,
        slice_spacing_mm=spacing_of([c.slice.plane for c in shown]),
        clips=tuple(sorted(clips, key=_clip_order)),
        unused=unused,
    )


def _clip_order(clip: ClipPlan) -> tuple[object, ...]:
    return (clip.technique, clip.variant, clip.view, clip.slice_index, clip.frames[0].instance_uid)


def _main_view(clips: Sequence[ClipPlan]) -> View:
    """The view of most clips; `OTHER` where two views are equally many."""
    ranked = Counter(c.view for c in clips).most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return View.OTHER
    return ranked[0][0]


def _main_reason(run: Run) -> str:
    return Counter(c.flaw for c in run.cuts).most_common(1)[0][0]


def _unused(
    series: RawSeries, runs: Sequence[Run], clips: Sequence[ClipPlan]
) -> tuple[tuple[str, str], ...]:
    """Every instance that no clip uses, with its reason."""
    used = {f.instance_uid for c in clips for f in c.frames}
    reasons: dict[str, str] = {}
    for frame in sorted(series.frames, key=lambda f: (f.instance_uid, f.index)):
        reasons.setdefault(frame.instance_uid, flaw_of(frame))
    for run in runs:
        for cut in run.cuts:
            for frame, why in cut.unused:
                reasons[frame.instance_uid] = why
            if not cut.kept:
                reasons |= {f.instance_uid: cut.flaw for f in cut.slice.frames}
    return tuple((uid, why) for uid, why in reasons.items() if uid not in used)


def _fate(series: Sequence[SeriesPlan]) -> tuple[State, str]:
    """State of a study from its series: indexed if a clip remains, else the gravest reason."""
    if any(s.state is State.INDEXED for s in series):
        return State.INDEXED, ""
    for state in (State.FAILED, State.QUARANTINED, State.EXCLUDED):
        reasons = Counter(s.reason for s in series if s.state is state)
        if reasons:
            return state, "; ".join(sorted(reasons))
    return State.EXCLUDED, "no images"
