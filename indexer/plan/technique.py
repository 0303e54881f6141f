"""How a run of images was acquired: physics and geometry first, tags next, words last.

Each rule looks at one kind of evidence and either decides or passes on; the
first that decides wins.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from indexer.plan.beats import MIN_CINE_PHASES, MIN_RUN, Course
from indexer.plan.evidence import Evidence
from indexer.plan.images import Picture
from indexer.plan.words import technique_named
from retrieval.geometry.planes import angle_between_lines
from retrieval.values.study import Technique

SOURCE_TIMES = 3
"""As many different inversion or echo times at one slice make a measurement of a curve."""

LGE_TI_MS = (100.0, 700.0)
"""Inversion times that null myocardium after contrast (J Cardiovasc Magn Reson 2020;22:17),
early enhancement included; brain and angiography protocols lie above, STIR is spin echo."""

T2_WEIGHTED_TE_MS = 40.0
LONGEST_T2_STAR_TE_MS = 30.0
"""Multi-echo gradient echo for T2* ends by 20 ms; T2 mapping reaches 50 ms and more."""

MOLLI_IMAGES = 15
"""MOLLI and its kin take 7 to 11 images a slice, TI scouts 15 to 40."""

DIASTOLE_MS = 150.0
"""A trigger delay beyond this means that a rest period of the heart was waited for."""

MOST_STILLS = 3
"""A slice shown more often than this shows a course of something."""

STRAIGHT_DEG = 10.0
"""Nearer than this to an axis of the patient, nobody has looked for the heart's own."""

VOLUME_SLICES = 40
VOLUME_SPACING_MM = 3.0
"""More and thinner slices than this, without inversion, are angiography or whole-heart volumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run is, and why it makes no clips, if it makes none."""

    technique: Technique
    reason: str = ""

    @property
    def kept(self) -> bool:
        """Whether the run may become clips."""
        return not self.reason


_TAG = re.compile(r"(?<![A-Z])(TAG|C?SPAMM)")

Rule = Callable[[Evidence], Verdict | None]


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
    worded = technique_named(e.words) is Technique.FLOW and not _is_steady_state(e)
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
        return _T1_SOURCES if _spans_beats(e) and e.phases <= MOLLI_IMAGES else _TI_SCOUT
    return _TI_SCOUT if e.inversion and _is_cine(e) else None


def _spans_beats(e: Evidence) -> bool:
    """Whether inversion times go on beyond one beat, or every image waits for one moment of it."""
    rr = next((t.rr_ms for t in e.timings if t.rr_ms), None)
    delays = [f.trigger_ms for f in e.frames if f.trigger_ms is not None]
    one_moment = bool(delays) and max(delays) - min(delays) < DIASTOLE_MS
    return one_moment or max(e.inversion_times) > 1.3 * (rr or 1200.0)


def _echo_series(e: Evidence) -> Verdict | None:
    """Many echo times at a slice: a T2* or T2 measurement."""
    if max(len({f.te_ms for f in s.frames} - {None}) for s in e.slices) < SOURCE_TIMES:
        return None
    if "SE" in e.tags or e.echo_times[-1] > LONGEST_T2_STAR_TE_MS:
        return _T2_SOURCES
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
        return _T1_SOURCES
    if ordered or (e.phases >= MIN_RUN and not _is_beat(e) and named is Technique.PERFUSION):
        return Verdict(technique=Technique.PERFUSION)
    return None


def _cine(e: Evidence) -> Verdict | None:
    if not _is_cine(e):
        return _part_of_a_cine(e)
    if technique_named(e.words) is Technique.TI_SCOUT:
        return _TI_SCOUT
    return Verdict(technique=Technique.CINE)


def _part_of_a_cine(e: Evidence) -> Verdict | None:
    """Phases of a beat, but too few: what is left of a cine."""
    if e.inversion or e.inversion_times or "SE" in e.tags or not e.still:
        return None
    promised = max((f.phase_count or 0) for f in e.frames)
    if promised >= MIN_CINE_PHASES or (_is_beat(e) and e.phases > MOST_STILLS):
        return Verdict(
            technique=Technique.UNKNOWN,
            reason=f"{e.phases} phases of a beat: a cine needs at least {MIN_CINE_PHASES}",
        )
    return None


def _along_patient_axes(e: Evidence) -> Verdict | None:
    """Crossing stills along the patient's own axes are scouts, whatever the read-out."""
    straight = all(
        min(angle_between_lines(s.plane.normal, axis) for axis in np.eye(3)) < STRAIGHT_DEG
        for s in e.slices
    )
    return _LOCALISER if straight and e.directions >= 2 and e.phases <= MOST_STILLS else None


def _spin_echo(e: Evidence) -> Verdict | None:
    if "SE" not in e.tags:
        return None
    if (e.te_ms or 0.0) >= T2_WEIGHTED_TE_MS:
        return Verdict(technique=Technique.T2_WEIGHTED)
    return Verdict(
        technique=Technique.UNKNOWN,
        reason=f"spin echo at TE {e.te_ms or 0:g} ms: neither T2-weighted nor any kept technique",
    )


def _inversion_stills(e: Evidence) -> Verdict | None:
    low, high = LGE_TI_MS
    ti = e.ti_ms
    if e.picture is Picture.PHASE_SENSITIVE:
        return Verdict(technique=Technique.LGE)
    if (ti is not None and low <= ti <= high) or (ti is None and e.inversion):
        named = technique_named(e.words)
        early = named is Technique.EARLY_ENHANCEMENT
        return Verdict(technique=named if named is not None and early else Technique.LGE)
    return None


def _t2_prepared(e: Evidence) -> Verdict | None:
    prepared = any("T2PREP" in t.replace("_", "").replace(" ", "") for t in e.tags)
    if not prepared or _is_volume(e):
        return None
    if e.phases >= SOURCE_TIMES:
        return _T2_SOURCES
    return Verdict(technique=Technique.T2_WEIGHTED)


def _crossing_planes(e: Evidence) -> Verdict | None:
    return _LOCALISER if e.directions >= 2 and e.phases <= MOST_STILLS else None


def _worded_stills(e: Evidence) -> Verdict | None:
    named = technique_named(e.words)
    if named is None:
        return None
    if named in (Technique.LGE, Technique.EARLY_ENHANCEMENT, Technique.T2_WEIGHTED):
        return Verdict(technique=named)
    if named is Technique.LOCALISER:
        return _LOCALISER
    if named in (Technique.T1_MAP, Technique.T2_MAP) and e.course is Course.REPEATS:
        return Verdict(technique=named, reason=f"source images of a {named.value}: not kept")
    return None


def _plain_stills(e: Evidence) -> Verdict | None:
    """Stills without preparation: late enhancement if after contrast and timed, else scouts."""
    if _is_volume(e):
        return Verdict(
            technique=Technique.UNKNOWN,
            reason=f"a volume of {len(e.slices)} thin slices without inversion: not kept",
        )
    if e.phases >= SOURCE_TIMES:
        return None
    timed = any((f.trigger_ms or 0.0) > DIASTOLE_MS for f in e.frames)
    if e.contrast and timed and "GR" in e.tags and not _is_steady_state(e):
        return Verdict(technique=Technique.LGE)
    return _LOCALISER


def _is_beat(e: Evidence) -> bool:
    return e.course is Course.BEAT


def _is_cine(e: Evidence) -> bool:
    return _is_beat(e) and e.phases >= MIN_CINE_PHASES


def _is_steady_state(e: Evidence) -> bool:
    return "SS" in e.tags and "SP" not in e.tags


def _is_volume(e: Evidence) -> bool:
    thick = [f.thickness_mm for f in e.frames if f.thickness_mm is not None]
    return len(e.slices) > VOLUME_SLICES and bool(thick) and max(thick) < VOLUME_SPACING_MM


_TI_SCOUT = Verdict(technique=Technique.TI_SCOUT, reason="TI scout: not kept")
_T1_SOURCES = Verdict(technique=Technique.T1_MAP, reason="source images of a T1 map: not kept")
_T2_SOURCES = Verdict(technique=Technique.T2_MAP, reason="source images of a T2 map: not kept")
_LOCALISER = Verdict(technique=Technique.LOCALISER, reason="localiser: not kept")

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
    _along_patient_axes,
    _spin_echo,
    _inversion_stills,
    _t2_prepared,
    _crossing_planes,
    _worded_stills,
    _plain_stills,
)
