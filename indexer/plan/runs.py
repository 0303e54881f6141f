"""Runs: the images of one series that were acquired alike, with what they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.plan.beats import MIN_CINE_PHASES, Course, Timing
from indexer.plan.evidence import Evidence, evidence_of
from indexer.plan.images import Picture, picture_of, types_of
from indexer.plan.slices import Slice, slices_of
from indexer.plan.technique import technique_of
from indexer.plan.verdicts import Verdict
from indexer.raw import Frame
from retrieval.values.study import Technique

_COUNTER = re.compile(r"(ECHO|TE|TI|SET|REP) ?\d+$")
"""Image types that number images instead of telling their kind (Siemens: ECHO_00)."""

STILLS = frozenset(
    {
        Technique.LGE,
        Technique.EARLY_ENHANCEMENT,
        Technique.T1_MAP,
        Technique.T2_MAP,
        Technique.T2_WEIGHTED,
        Technique.T2_STAR,
    }
)
"""Techniques of which a slice's clip is one image."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """One slice of a run as it may become a clip.

    Attributes
    ----------
    timing
        The frames that the clip would hold, in order.
    unused
        Frames of the slice that it would not hold, with the reason.
    flaw
        Why the slice makes no clip, or empty.
    """

    slice: Slice
    timing: Timing
    unused: tuple[tuple[Frame, str], ...] = ()
    flaw: str = ""

    @property
    def kept(self) -> bool:
        """Whether it becomes a clip."""
        return not self.flaw

    def without(self, flaw: str) -> "Cut":
        """The same slice, making no clip for the reason given."""
        return replace(self, flaw=flaw)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """Images of one series acquired alike. `series` is its place in the study."""

    series: int
    evidence: Evidence
    verdict: Verdict
    cuts: tuple[Cut, ...]
    variant: str = ""

    @property
    def technique(self) -> Technique:
        """How it was acquired."""
        return self.verdict.technique

    @property
    def kept(self) -> tuple[Cut, ...]:
        """The slices that become clips."""
        return tuple(c for c in self.cuts if c.kept)

    @property
    def frames(self) -> int:
        """Number of images."""
        return sum(len(c.slice) for c in self.cuts)


def runs_of(frames: Sequence[Frame], series: int, *, oriented: bool) -> list[Run]:
    """Part the frames of one series, all with geometry, into runs."""
    alike: dict[tuple[str, tuple[str, ...], tuple[str, ...], int], list[Frame]] = {}
    for frame in frames:
        tags = tuple(sorted(set(frame.sequence)))
        types = tuple(sorted(t for t in types_of(frame) if not _COUNTER.match(t)))
        kind = (picture_of(frame).name, tags, types, round(frame.flip_deg or 0.0))
        alike.setdefault(kind, []).append(frame)
    # Sorted, so that the order of files changes nothing.
    return [
        judged(series, evidence_of(tuple(slices_of(some)), Picture[kind[0]], oriented=oriented))
        for kind, some in sorted(alike.items())
    ]


def judged(series: int, evidence: Evidence, verdict: Verdict | None = None) -> Run:
    """A run with its verdict (by default the evidence's own) and the clips that follow from it."""
    verdict = verdict or technique_of(evidence)
    cuts = tuple(
        _cut(one, timing, verdict, oriented=evidence.oriented)
        for one, timing in zip(evidence.slices, evidence.timings, strict=True)
    )
    return Run(series=series, evidence=evidence, verdict=verdict, cuts=cuts)


def _cut(one: Slice, timing: Timing, verdict: Verdict, *, oriented: bool) -> Cut:
    if not verdict.kept:
        return Cut(slice=one, timing=timing, flaw=verdict.reason)
    if verdict.technique in STILLS:
        return _still(one, timing, verdict.technique)
    repeats = tuple(
        (f, "acquired again: a later acquisition of this slice is kept") for f in timing.repeats
    )
    cut = Cut(slice=one, timing=timing, unused=repeats)
    if verdict.technique is Technique.PERFUSION:
        if len(timing.frames) >= MIN_CINE_PHASES:
            return replace(cut, timing=replace(timing, rr_ms=None))
        return cut.without(f"{len(timing.frames)} images of one slice: too few for perfusion")
    beat = timing.course is Course.BEAT and len(timing.frames) >= MIN_CINE_PHASES
    if oriented and not beat:
        found = len(timing.frames)
        return cut.without(
            f"{found} images of one slice, {timing.course.value}: "
            f"at least {MIN_CINE_PHASES} phases of one beat are needed"
        )
    return cut


def _still(one: Slice, timing: Timing, technique: Technique) -> Cut:
    """Keep one image of a slice: the first echo, else the latest acquisition."""
    latest = sorted(one.frames, key=_latest)
    if technique is Technique.T2_STAR:
        keep, why = min(latest, key=lambda f: f.te_ms or 0.0), "a later echo: the first is kept"
    else:
        keep, why = latest[-1], "acquired again: a later image of this slice is kept"
    still = Timing(
        course=Course.STILL,
        frames=(keep,),
        times_ms=() if keep.trigger_ms is None else (keep.trigger_ms,),
        rr_ms=timing.rr_ms,
    )
    rest = tuple((f, why) for f in one.frames if f is not keep)
    return Cut(slice=one, timing=still, unused=rest)


def _latest(frame: Frame) -> tuple[float | str, ...]:
    clock = (frame.acquired_ms or 0.0, frame.content_ms or 0.0, frame.temporal_position or 0)
    return (*clock, frame.trigger_ms or 0.0, frame.instance_uid, frame.index)
