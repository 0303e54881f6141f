"""What the headers of one run of images say together."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from indexer.plan.beats import MIN_CINE_PHASES, Course, Timing, rr_of, timing_of
from indexer.plan.images import Picture, encodes, is_inversion, types_of
from indexer.plan.slices import Slice, slices_of
from indexer.plan.words import words_of
from indexer.raw import Frame
from retrieval.geometry.planes import angle_between_lines

CROSSING_DEG = 30.0
"""Planes that differ by more are cut on purpose in another direction."""

LONGEST_TRIGGER_MS = 2000.0
"""Longer trigger times are not delays after an R wave but times over a run."""

OBLIQUE = 0.17
"""A normal with this much (10 degrees) along each axis of the patient was turned twice, as planes
are for a heart and little else; heads and bellies are cut along an axis, or tilted once."""

WATCHED_SLICES = 20
"""Nobody watches a beat or a first pass on more planes than this; other organs come as volumes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Facts about a run: images of one series, one kind of picture, one set of sequence tags.

    Attributes
    ----------
    timings
        One per slice, in the order of `slices`.
    course, phases
        What most slices show, and the most images any slice has in one acquisition.
    directions
        Number of clearly different slice orientations.
    inversion_times, echo_times
        Distinct values, sorted, in ms.
    tags
        Sequence name, type, variant and options, in parts.
    """

    picture: Picture
    oriented: bool
    slices: tuple[Slice, ...]
    timings: tuple[Timing, ...]
    course: Course
    phases: int
    directions: int
    inversion: bool
    inversion_times: tuple[float, ...]
    echo_times: tuple[float, ...]
    tr_ms: float | None
    flip_deg: float | None
    velocity: bool
    tagging: bool
    contrast: bool | None
    tags: frozenset[str]
    types: frozenset[str]
    units: frozenset[str]
    words: str

    @property
    def frames(self) -> list[Frame]:
        """Every frame, slice by slice."""
        return [f for s in self.slices for f in s.frames]

    @property
    def still(self) -> bool:
        """Whether slices show a moment, once or several times, or too little of a beat."""
        few = self.course is Course.BEAT and self.phases < MIN_CINE_PHASES
        return few or self.course in (Course.STILL, Course.REPEATS)

    @property
    def steady_state(self) -> bool:
        """Whether tags speak of a balanced read-out, not spoiled."""
        return "SS" in self.tags and "SP" not in self.tags

    @property
    def ti_ms(self) -> float | None:
        """The inversion time, if there is one."""
        return median(self.inversion_times) if self.inversion_times else None

    @property
    def te_ms(self) -> float | None:
        """The shortest echo time."""
        return self.echo_times[0] if self.echo_times else None

    @property
    def acquired_ms(self) -> float | None:
        """When the run began, by the time of day."""
        return min((f.acquired_ms for f in self.frames if f.acquired_ms is not None), default=None)


def evidence_of(slices: tuple[Slice, ...], picture: Picture, *, oriented: bool) -> Evidence:
    """Gather what the headers of some slices say."""
    frames = [f for s in slices for f in s.frames]
    timings = tuple(timing_of(s.frames) for s in slices)
    words = words_of(frames)
    return Evidence(
        picture=picture,
        oriented=oriented,
        slices=slices,
        timings=timings,
        course=_main_course(timings),
        phases=max(len(t.frames) for t in timings),
        directions=_directions(slices),
        inversion=any(is_inversion(f) for f in frames),
        inversion_times=_values(f.ti_ms for f in frames),
        echo_times=_values(f.te_ms for f in frames),
        tr_ms=_median(f.tr_ms for f in frames),
        flip_deg=_median(f.flip_deg for f in frames),
        velocity=any(encodes(f) for f in frames),
        tagging=any(f.tagging for f in frames),
        contrast=_said(f.contrast for f in frames),
        tags=frozenset(t for f in frames for s in f.sequence for t in _parts(s)),
        types=frozenset(t for f in frames for t in types_of(f)),
        units=frozenset(f.unit.upper() for f in frames if f.unit),
        words=words,
    )


def _main_course(timings: Iterable[Timing]) -> Course:
    """The course with the most images; ties go to the course named first."""
    weight: Counter[Course] = Counter()
    for timing in timings:
        weight[timing.course] += len(timing.frames)
    return max(Course, key=lambda course: weight[course])


def _directions(slices: Iterable[Slice]) -> int:
    known: list[Slice] = []
    for one in slices:
        if all(angle_between_lines(one.plane.normal, k.plane.normal) > CROSSING_DEG for k in known):
            known.append(one)
    return len(known)


def is_gated(frames: Iterable[Frame]) -> bool:
    """Whether tags speak of a heartbeat.

    A trigger time alone counts only as a delay within a beat: GE writes the
    time over a whole run there in functional MR of the brain.
    """
    frames = list(frames)
    delays = [f.trigger_ms for f in frames if f.trigger_ms]
    return (
        rr_of(frames) is not None
        or (bool(delays) and min(delays) > 0 and max(delays) <= LONGEST_TRIGGER_MS)
        or any((f.phase_count or 0) > 1 for f in frames)
        or any("CARDIAC" in types_of(f) or "CG" in f.sequence for f in frames)
    )


def is_watched(frames: Sequence[Frame]) -> bool:
    """Whether headers tell of twice oblique planes, few and shown again and again in time.

    A first pass without one word of a heartbeat looks like that. Echo planes
    and spin echoes are watched in other organs.

    Parameters
    ----------
    frames
        All with geometry.
    """
    if any(t in ("EP", "SE") for f in frames for s in f.sequence for t in _parts(s)):
        return False
    slices = slices_of(frames)
    return 0 < len(slices) <= WATCHED_SLICES and all(
        _is_twice_oblique(s) and _moments(s) >= MIN_CINE_PHASES for s in slices
    )


def _is_twice_oblique(one: Slice) -> bool:
    return min(abs(part) for part in one.plane.normal.tolist()) >= OBLIQUE


def _moments(one: Slice) -> int:
    """Number of different times that the headers of a slice's images tell."""
    return len({(f.trigger_ms, f.acquired_ms, f.content_ms) for f in one.frames})


def _parts(value: str) -> list[str]:
    return [value.upper(), *re.split(r"[\\ ]", value.upper())]


def _values(values: Iterable[float | None]) -> tuple[float, ...]:
    """Distinct positive values, rounded to 0.1."""
    return tuple(sorted({round(v, 1) for v in values if v is not None and v > 0}))


def _median(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(median(known)) if known else None


def _said(values: Iterable[bool | None]) -> bool | None:
    known = {v for v in values if v is not None}
    return None if not known else True in known
