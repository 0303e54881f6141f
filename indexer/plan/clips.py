"""Runs made into clip plans: stacks in order, each with its view."""

from collections import Counter
from collections.abc import Iterable, Sequence

from indexer.plan.plans import ClipPlan
from indexer.plan.relations import same_place
from indexer.plan.runs import Run
from indexer.plan.slices import Slice, parallel
from indexer.plan.stacks import Member, Stack, stacks_of
from indexer.plan.view import LongAxis, long_axis, sight
from indexer.plan.words import view_named, words_of
from retrieval.values.study import Technique, View

SAME_PLANE_MM = 10.0
"""A flow plane this near to a cine's shows what the cine shows."""

Clips = dict[int, list[ClipPlan]]
"""Clip plans by the place of their series in the study."""


def axis_of(runs: Sequence[Run]) -> LongAxis:
    """The heart's long axis; flow planes are cut across vessels and tell nothing of it."""
    shown = [r for r in runs if r.technique is not Technique.FLOW]
    return long_axis([c.slice.plane for r in shown for c in r.kept])


def clips_of(runs: Sequence[Run], axis: LongAxis, *, oriented: bool) -> Clips:
    """Plan every clip of a study."""
    clips: Clips = {}
    seen: list[tuple[Slice, View]] = []
    for stack in sorted(stacks_of(runs), key=_is_flow):
        view = _common(_view(m, stack, axis, seen, oriented=oriented) for m in stack.members)
        towards_apex = oriented and view is View.SHORT_AXIS
        members = stack.ordered(axis.direction if towards_apex else stack.normal)
        for index, member in enumerate(members):
            plan = _clip_plan(member, stack, index, view, oriented=oriented)
            clips.setdefault(member.run.series, []).append(plan)
            seen.append((member.slice, view))
    return clips


def geometric_view(run: Run, axis: LongAxis) -> View:
    """The view of a run that makes no clips, by geometry alone."""
    if run.technique in (Technique.LOCALISER, Technique.FLOW, Technique.UNKNOWN):
        return View.OTHER
    if not run.evidence.oriented:
        return View.SHORT_AXIS
    groups = parallel([c.slice.plane for c in run.cuts])
    return _common(sight(p, axis, stacked=len(g)).view for g in groups for p in g)


def _is_flow(stack: Stack) -> bool:
    """Flow comes last: its views are those of the cines beside it."""
    return stack.members[0].run.technique is Technique.FLOW


def _common(views: Iterable[View]) -> View:
    """The commonest view; of several, the first in the alphabet."""
    counted = Counter(views)
    return min(counted, key=lambda v: (-counted[v], v))


def _clip_plan(member: Member, stack: Stack, index: int, view: View, *, oriented: bool) -> ClipPlan:
    timing = member.cut.timing
    return ClipPlan(
        frames=timing.frames,
        view=view,
        technique=member.run.technique,
        variant=member.run.variant,
        slice_index=index,
        slice_count=len(stack.members),
        frame_times_ms=timing.times_ms,
        rr_ms=timing.rr_ms,
        slice_spacing_mm=stack.spacing_mm,
        oriented=oriented,
    )


def _view(
    member: Member,
    stack: Stack,
    axis: LongAxis,
    seen: Sequence[tuple[Slice, View]],
    *,
    oriented: bool,
) -> View:
    """The view of one slice: geometry, and words where it leaves a doubt."""
    if not oriented:
        return View.SHORT_AXIS
    named = view_named(words_of(member.slice.frames))
    said = sight(member.slice.plane, axis, stacked=len(stack.members))
    if _is_flow(stack) and said.view is not View.TRANSAXIAL:
        # The angles of chambers mean nothing where planes are cut across vessels.
        beside = (v for s, v in seen if same_place(s, member.slice, SAME_PLANE_MM))
        return next(beside, named or View.OTHER)
    return named if named is not None and named in said.doubt else said.view
