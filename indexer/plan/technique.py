"""How a run of images was acquired: physics and geometry first, tags next, words last.

Each rule looks at one kind of evidence and either decides or passes on; the
first that decides wins.
"""

import re

from indexer.plan.beats import MIN_CINE_PHASES, MIN_RUN, Course
from indexer.plan.evidence import Evidence
from indexer.plan.images import Picture
from indexer.plan.stills import STILL_RULES
from indexer.plan.verdicts import (
    MOST_STILLS,
    SOURCE_TIMES,
    T1_SOURCES,
    T2_SOURCES,
    TI_SCOUT,
    Rule,
    Verdict,
)
from indexer.plan.words import technique_named
from retrieval.values.study import Technique

MOLLI_IMAGES = 15
"""MOLLI and its kin take 7 to 11 images a slice, TI scouts 15 to 40."""

ONE_MOMENT_MS = 150.0
"""Trigger delays that spread less than this wait for one moment of the beat."""

LONGEST_T2_STAR_TE_MS = 30.0
"""Multi-echo gradient echo for T2* ends by 20 ms; T2 mapping reaches 50 ms and more."""

_TAG = re.compile(r"(?<![A-Z])(TAG|C?SPAMM)")


def technique_of(evidence: Evidence) -> Verdict:
    """Decide how a run was acquired."""
    for rule in _RULES:
        verdict = rule(evidence)
        if verdict is not None:
            return verdict
    return Verdict(
        technique=Technique.UNKNOWN,
        reason=f"{evidence.phases} images a slice, {evidence.course.value}: no technique fits",
    )


def _picture(e: Evidence) -> Verdict | None:
    if e.picture in (Picture.COMPUTED, Picture.PART):
        return Verdict(technique=Technique.UNKNOWN, reason=f"{e.picture.value}: not kept")
    if e.picture is Picture.VELOCITY:
        return Verdict(
            technique=Technique.FLOW, reason="velocity images: the magnitude beside them is kept"
        )
    return None


def _map(e: Evidence) -> Verdict | None:
    if e.picture is not Picture.MAP:
        return None
    said = " ".join(e.types)
    if re.search(r"(T2 ?(\*|STAR)|R2 ?(\*|STAR))", said):
        return Verdict(technique=Technique.T2_STAR)
    if re.search(r"\b(T2|R2)\b", said):
        return Verdict(technique=Technique.T2_MAP)
    if re.search(r"\b(T1|ECV)\b", said):
        return Verdict(technique=Technique.T1_MAP)
    named = technique_named(e.words)
    if named is not None and named in (Technique.T1_MAP, Technique.T2_MAP, Technique.T2_STAR):
        return Verdict(technique=named)
    if e.inversion or e.inversion_times:
        return Verdict(technique=Technique.T1_MAP)
    return Verdict(
        technique=Technique.UNKNOWN, reason="a map, and no header says of which quantity"
    )


def _unoriented(e: Evidence) -> Verdict | None:
    """Files without patient orientation come from data sets of short-axis cines (ACDC)."""
    return None if e.oriented else Verdict(technique=Technique.CINE)


def _tagging(e: Evidence) -> Verdict | None:
    tagged = e.tagging or "TAGGING" in e.types or any(_TAG.search(t) for t in e.tags)
    worded = _is_cine(e) and technique_named(e.words) is Technique.TAGGING
    return Verdict(technique=Technique.TAGGING) if tagged or worded else None


def _flow(e: Evidence) -> Verdict | None:
    worded = technique_named(e.words) is Technique.FLOW and not e.steady_state
    if _is_cine(e) and (e.velocity or worded):
        return Verdict(technique=Technique.FLOW)
    return None


def _inversion_series(e: Evidence) -> Verdict | None:
    """Many inversion times at a slice: source images of a T1 map, or a TI scout."""
    if "SE" in e.tags:
        return None
    times = max(len({f.ti_ms for f in s.frames} - {None, 0.0}) for s in e.slices)
    if times >= SOURCE_TIMES:
        # A TI scout sweeps TI within a beat or two; MOLLI samples several beats, a few images.
        return T1_SOURCES if _spans_beats(e) and e.phases <= MOLLI_IMAGES else TI_SCOUT
    return TI_SCOUT if e.inversion and _is_cine(e) else None


def _spans_beats(e: Evidence) -> bool:
    """Whether inversion times go on beyond one beat, or every image waits for one moment of it."""
    rr = next((t.rr_ms for t in e.timings if t.rr_ms), None)
    delays = [f.trigger_ms for f in e.frames if f.trigger_ms is not None]
    one_moment = bool(delays) and max(delays) - min(delays) < ONE_MOMENT_MS
    return one_moment or max(e.inversion_times) > 1.3 * (rr or 1200.0)


def _echo_series(e: Evidence) -> Verdict | None:
    """Many echo times at a slice: a T2* or T2 measurement."""
    if max(len({f.te_ms for f in s.frames} - {None}) for s in e.slices) < SOURCE_TIMES:
        return None
    if "SE" in e.tags or e.echo_times[-1] > LONGEST_T2_STAR_TE_MS:
        return T2_SOURCES
    return Verdict(technique=Technique.T2_STAR)


def _over_beats(e: Evidence) -> Verdict | None:
    if e.course is Course.REAL_TIME:
        return Verdict(
            technique=Technique.UNKNOWN,
            reason=f"real-time run of {e.phases} images a slice over many beats: not one beat",
        )
    named = technique_named(e.words)
    ordered = e.course is Course.RUN
    if named is Technique.T1_MAP and (ordered or e.course is Course.REPEATS):
        return T1_SOURCES
    if ordered or (e.phases >= MIN_RUN and not _is_beat(e) and named is Technique.PERFUSION):
        return Verdict(technique=Technique.PERFUSION)
    return None


def _cine(e: Evidence) -> Verdict | None:
    if not _is_cine(e):
        return _part_of_a_cine(e)
    if technique_named(e.words) is Technique.TI_SCOUT:
        return TI_SCOUT
    return Verdict(technique=Technique.CINE)


def _part_of_a_cine(e: Evidence) -> Verdict | None:
    """Phases of a beat, but too few: what is left of a cine."""
    if e.inversion or e.inversion_times or "SE" in e.tags or not e.still:
        return None
    promised = max((f.phase_count or 0) for f in e.frames)
    if promised >= MIN_CINE_PHASES or (_is_beat(e) and e.phases > MOST_STILLS):
        lack = (
            f"a cine needs at least {MIN_CINE_PHASES}"
            if e.phases < MIN_CINE_PHASES
            else "no header tells their order"
        )
        return Verdict(technique=Technique.UNKNOWN, reason=f"{e.phases} phases of a beat: {lack}")
    return None


def _is_beat(e: Evidence) -> bool:
    return e.course is Course.BEAT


def _is_cine(e: Evidence) -> bool:
    return _is_beat(e) and e.phases >= MIN_CINE_PHASES


_RULES: tuple[Rule, ...] = (
    _picture,
    _map,
    _unoriented,
    _tagging,
    _flow,
    _inversion_series,
    _echo_series,
    _over_beats,
    _cine,
    *STILL_RULES,
)
