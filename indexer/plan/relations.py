"""What runs of one study say of each other: pairs, and before and after."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from indexer.plan.images import Picture
from indexer.plan.runs import Cut, Run, judged
from indexer.plan.slices import SAME_PLACE_MM, Slice
from indexer.plan.verdicts import Verdict
from indexer.plan.words import before_or_after_contrast, rest_or_stress
from retrieval.geometry.planes import angle_between_lines
from retrieval.values.study import Technique

PAIR_MS = 60_000.0
"""Both images of a pair come from one acquisition; later than this is another one."""

EARLY_TI_MS = 400.0
EARLY_OVER_LATE_MS = 100.0
"""Early enhancement uses a long fixed TI; late enhancement of the same study one that is shorter
by at least this much (J Cardiovasc Magn Reson 2020;22:17)."""

SAME_TIMING = 0.05
"""Repetition and echo times of one protocol agree to this fraction."""


def related(runs: Sequence[Run]) -> list[Run]:
    """Settle everything about runs that takes two of them; order and number stay."""
    found = [_as_flow(run, runs) for run in runs]
    found = [_as_early(run, found) for run in found]
    found = [_without_paired_magnitude(run, found) for run in found]
    return [replace(run, variant=_variant(run, found)) for run in found]


def same_place(a: Slice, b: Slice, within_mm: float = SAME_PLACE_MM) -> bool:
    """Whether two slices of any matrix show the same plane."""
    return (
        angle_between_lines(a.plane.normal, b.plane.normal) < 1.0
        and abs(a.plane.height_of(b.plane.centre)) < within_mm
    )


def _one_protocol(a: Run, b: Run) -> bool:
    """Whether echo and repetition times agree, and are known unless one series holds both."""
    times = ((a.evidence.te_ms, b.evidence.te_ms), (a.evidence.tr_ms, b.evidence.tr_ms))
    known = [(x, y) for x, y in times if x is not None and y is not None]
    agree = all(abs(x - y) <= SAME_TIMING * max(x, y) for x, y in known)
    return agree and (bool(known) or a.series == b.series)


def _as_flow(run: Run, runs: Sequence[Run]) -> Run:
    """A cine whose planes and timing are those of velocity images is their magnitude."""
    if run.technique is not Technique.CINE:
        return run
    e = run.evidence
    for other in runs:
        o = other.evidence
        if (
            o.picture is Picture.VELOCITY
            and abs(o.phases - e.phases) <= 1
            and _one_protocol(run, other)
            and all(any(same_place(s, v) for v in o.slices) for s in e.slices)
        ):
            return judged(run.series, e, Verdict(technique=Technique.FLOW))
    return run


def _as_early(run: Run, runs: Sequence[Run]) -> Run:
    ti, begun = run.evidence.ti_ms, run.evidence.acquired_ms
    if run.technique is not Technique.LGE or ti is None or begun is None or ti < EARLY_TI_MS:
        return run
    later = any(
        other.technique is Technique.LGE
        and (other.evidence.ti_ms or ti) <= ti - EARLY_OVER_LATE_MS
        and (other.evidence.acquired_ms or 0.0) > begun
        for other in runs
    )
    if not later:
        return run
    return judged(run.series, run.evidence, Verdict(technique=Technique.EARLY_ENHANCEMENT))


def _without_paired_magnitude(run: Run, runs: Sequence[Run]) -> Run:
    """Of a magnitude and a phase-sensitive image of one acquisition, the latter is the clip."""
    if run.technique not in (Technique.LGE, Technique.EARLY_ENHANCEMENT):
        return run
    if run.evidence.picture is not Picture.MAGNITUDE:
        return run
    partners = [
        cut
        for other in runs
        if other.evidence.picture is Picture.PHASE_SENSITIVE
        for cut in other.kept
    ]
    cuts = tuple(
        cut.without("magnitude of a phase-sensitive pair")
        if cut.kept and any(_pair(cut, p) for p in partners)
        else cut
        for cut in run.cuts
    )
    return replace(run, cuts=cuts)


def _pair(magnitude: Cut, sensitive: Cut) -> bool:
    if not same_place(magnitude.slice, sensitive.slice):
        return False
    a = magnitude.timing.frames[0].acquired_ms
    b = sensitive.timing.frames[0].acquired_ms
    return a is None or b is None or abs(a - b) <= PAIR_MS


def _variant(run: Run, runs: Sequence[Run]) -> str:
    if not run.kept:
        return ""
    if run.evidence.picture is Picture.PHASE_SENSITIVE:
        return "phase-sensitive"
    if run.technique is Technique.PERFUSION:
        types = run.evidence.types & {"REST", "STRESS"}
        return next(iter(types)).lower() if len(types) == 1 else rest_or_stress(run.evidence.words)
    if run.technique in (Technique.CINE, Technique.T1_MAP):
        side = _side_of_contrast(runs)
        alike = [r for r in runs if r.technique is run.technique and r.kept]
        # One side alone needs no telling apart.
        return side(run) if len({side(r) for r in alike} - {""}) > 1 else ""
    return ""


def _side_of_contrast(runs: Sequence[Run]) -> Callable[[Run], str]:
    """How to tell the side of contrast of a run: its own header, the clock, then words."""
    given = [r.evidence.acquired_ms for r in runs if r.evidence.contrast]
    first = min((g for g in given if g is not None), default=None)

    def side(run: Run) -> str:
        begun = run.evidence.acquired_ms
        if run.evidence.contrast is not None:
            return "after contrast" if run.evidence.contrast else "before contrast"
        if first is not None and begun is not None:
            return "before contrast" if begun < first else "after contrast"
        if given:
            return "before contrast"
        return before_or_after_contrast(run.evidence.words)

    return side
