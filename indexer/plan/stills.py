"""Rules for runs of which each slice shows one moment of the beat, once or several times."""

import numpy as np

from indexer.plan.beats import Course
from indexer.plan.evidence import Evidence
from indexer.plan.images import Picture
from indexer.plan.verdicts import (
    LOCALISER,
    MOST_STILLS,
    SOURCE_TIMES,
    T2_SOURCES,
    Rule,
    Verdict,
)
from indexer.plan.words import technique_named
from retrieval.geometry.planes import angle_between_lines
from retrieval.values.study import Technique

LGE_TI_MS = (100.0, 700.0)
"""Inversion times that null myocardium after contrast (J Cardiovasc Magn Reson 2020;22:17),
early enhancement included; brain and angiography protocols lie above, STIR is spin echo."""

T2_WEIGHTED_TE_MS = 40.0
"""Spin echoes from here on are T2-weighted (J Cardiovasc Magn Reson 2020;22:17)."""

DIASTOLE_MS = 150.0
"""A trigger delay beyond this means that a rest period of the heart was waited for."""

STRAIGHT_DEG = 10.0
"""Nearer than this to an axis of the patient, nobody has looked for the heart's own."""

VOLUME_SLICES = 40
VOLUME_SPACING_MM = 3.0
"""More and thinner slices than this, without inversion, are angiography or whole-heart volumes."""


def _along_patient_axes(e: Evidence) -> Verdict | None:
    """Crossing stills along the patient's own axes are scouts, whatever the read-out."""
    straight = all(
        min(angle_between_lines(s.plane.normal, axis) for axis in np.eye(3)) < STRAIGHT_DEG
        for s in e.slices
    )
    return LOCALISER if straight and e.directions >= 2 and e.phases <= MOST_STILLS else None


def _spin_echo(e: Evidence) -> Verdict | None:
    if "SE" not in e.tags:
        return None
    if (e.te_ms or 0.0) >= T2_WEIGHTED_TE_MS and "EP" not in e.tags:
        return Verdict(technique=Technique.T2_WEIGHTED)
    return Verdict(
        technique=Technique.UNKNOWN,
        reason=f"spin echo at TE {e.te_ms or 0:g} ms: not T2-weighted imaging",
    )


def _worded_map(e: Evidence) -> Verdict | None:
    """Maps of third parties carry the headers of their sources, and say that they are derived."""
    named = technique_named(e.words)
    if "DERIVED" not in e.types or not e.still or e.phases >= SOURCE_TIMES:
        return None
    if named is not None and named in (Technique.T1_MAP, Technique.T2_MAP, Technique.T2_STAR):
        return Verdict(technique=named)
    return None


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
        return T2_SOURCES
    return Verdict(technique=Technique.T2_WEIGHTED)


def _crossing_planes(e: Evidence) -> Verdict | None:
    return LOCALISER if e.directions >= 2 and e.phases <= MOST_STILLS else None


def _worded_stills(e: Evidence) -> Verdict | None:
    named = technique_named(e.words)
    if named is None:
        return None
    if named in (Technique.LGE, Technique.EARLY_ENHANCEMENT, Technique.T2_WEIGHTED):
        return Verdict(technique=named)
    if named is Technique.LOCALISER:
        return LOCALISER
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
    if e.contrast and timed and "GR" in e.tags and not e.steady_state:
        return Verdict(technique=Technique.LGE)
    return LOCALISER


def _is_volume(e: Evidence) -> bool:
    thick = [f.thickness_mm for f in e.frames if f.thickness_mm is not None]
    return len(e.slices) > VOLUME_SLICES and bool(thick) and max(thick) < VOLUME_SPACING_MM


STILL_RULES: tuple[Rule, ...] = (
    _along_patient_axes,
    _worded_map,
    _spin_echo,
    _inversion_stills,
    _t2_prepared,
    _crossing_planes,
    _worded_stills,
    _plain_stills,
)
