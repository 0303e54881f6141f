"""The frames of one slice put in order, one acquisition at a time, and what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import median

from indexer.raw import Frame

MIN_CINE_PHASES = 8
"""Fewer phases than this do not show a beat; scanners make 12 to 50."""

RR_RANGE_MS = (200.0, 3000.0)
"""20 to 300 beats per minute; what lies outside is not a heart's RR interval."""

USUAL_RR_MS = 900.0
"""Taken where no header tells the beat's length and a yardstick is needed."""

BREATH_MS = 3000.0
"""Images of one slice that lie further apart were made in different breath-holds."""

MIN_SECONDS = 4
"""A clock without fractions has gone on when it has shown this many different seconds."""

MOST_PHASES = 100
"""No scanner cuts one beat finer; so many images come from several beats."""

MIN_RUN = 16
"""Images of one slice at one delay that make a dynamic run where only their order is known."""

SAME_MS = 0.5
"""Trigger times closer than this are one."""


class Course(Enum):
    """What the frames of one slice position show, one after the other."""

    STILL = "one image"
    BEAT = "phases of one beat"
    REPEATS = "one moment, several times"
    RUN = "a beat or more from image to image"
    REAL_TIME = "many images a beat, over many beats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One acquisition of one slice, in order.

    Attributes
    ----------
    frames
        In the order of time.
    times_ms
        One per frame, increasing, from the R wave (`BEAT`) or the first frame
        (`RUN`, `REAL_TIME`); empty where unknown.
    rr_ms
        As headers say, else for a beat its phases times their step; None where
        neither can be told.
    repeats
        Frames of other acquisitions of the same slice.
    """

    course: Course
    frames: tuple[Frame, ...]
    times_ms: tuple[float, ...] = ()
    rr_ms: float | None = None
    repeats: tuple[Frame, ...] = ()


def timing_of(frames: Sequence[Frame]) -> Timing:
    """Tell what one slice's frames show, and put them in order.

    Where the slice was acquired more than once, the latest acquisition that
    has (nearly) as many phases as the fullest is kept; two are never mixed.
    """
    run = _long_run(frames)
    if run is not None:
        return run
    parts = _acquisitions(frames)
    most = max(len(p) for p in parts)
    kept = next(p for p in reversed(parts) if len(p) >= 0.9 * most)
    repeats = tuple(f for p in parts if p is not kept for f in p)
    return _short_course(kept, repeats)


def rr_of(frames: Sequence[Frame]) -> float | None:
    """Length of the beat in ms as the headers say it (RR interval, else heart rate), or None.

    The median over the frames; values that no heart has are ignored.
    """
    low, high = RR_RANGE_MS
    said = [f.rr_ms for f in frames if f.rr_ms is not None and low <= f.rr_ms <= high]
    if not said:
        rates = [60_000 / f.heart_rate_bpm for f in frames if f.heart_rate_bpm]
        said = [r for r in rates if low <= r <= high]
    return float(median(said)) if said else None


def by_time(frame: Frame) -> tuple[float | str, ...]:
    """Sort key within one acquisition of one slice.

    Trigger time, then temporal position, then time of acquisition, then of
    content; the instance number, which exports renumber, never counts. The
    UID only makes the order of frames that no header tells apart repeatable.
    """
    return (_known(frame.trigger_ms), _known(frame.temporal_position), *_by_clock(frame))


def _by_clock(frame: Frame) -> tuple[float | str, ...]:
    clock = (_known(frame.acquired_ms), _known(frame.content_ms))
    order = (_known(frame.temporal_position), _known(frame.trigger_ms))
    return (*clock, *order, frame.instance_uid, frame.index)


def _known(value: float | None) -> float:
    return 0.0 if value is None else float(value)


def _distinct(values: Sequence[float]) -> int:
    """Number of values that differ by more than `SAME_MS`."""
    at = sorted(values)
    return sum(i == 0 or b - at[i - 1] > SAME_MS for i, b in enumerate(at))


def _steps(values: Sequence[float]) -> list[float]:
    return [b - a for a, b in pairwise(sorted(values))]


def _long_run(frames: Sequence[Frame]) -> Timing | None:
    """The frames as a run over several beats by the time of day, or None if they are none."""
    clock, acquired = _clock(frames)
    if len(frames) < 3 or len(clock) < len(frames) or not _goes_on(clock, acquired=acquired):
        return None
    rr = rr_of(frames) or USUAL_RR_MS
    span = max(clock) - min(clock)
    ordered = tuple(sorted(frames, key=_by_clock))
    if span < 2.5 * rr or _is_one_beat(ordered, rr):
        return None
    course = _run_kind(span / (len(frames) - 1), rr, len(frames))
    if course is Course.REAL_TIME and not acquired:
        return None  # phases of one beat are reconstructed one after the other as well
    times = tuple(t - min(clock) for t in sorted(clock))
    return Timing(course=course, frames=ordered, times_ms=_increasing(times), rr_ms=rr_of(frames))


def _goes_on(clock: Sequence[float], *, acquired: bool) -> bool:
    """Whether a clock runs on from image to image, as far as its own steps show it."""
    if _distinct(clock) >= 0.8 * len(clock):
        return True
    seconds = all(t % 1000 == 0 for t in clock)
    unbroken = max(_steps(clock)) <= BREATH_MS
    return acquired and seconds and unbroken and _distinct(clock) >= MIN_SECONDS


def _clock(frames: Sequence[Frame]) -> tuple[list[float], bool]:
    """Times of day of acquisition, or else of content; and whether they are of acquisition."""
    acquired = [f.acquired_ms for f in frames if f.acquired_ms is not None]
    if len(acquired) == len(frames):
        return acquired, True
    return [f.content_ms for f in frames if f.content_ms is not None], False


def _run_kind(step: float, rr: float, frames: int) -> Course:
    """A run with an image every beat or so, several images a beat, or a few images only."""
    if step < 0.45 * rr:
        return Course.REAL_TIME
    return Course.RUN if frames >= MIN_RUN else Course.REPEATS


def _is_one_beat(ordered: Sequence[Frame], rr: float) -> bool:
    """Whether trigger times walk evenly through one beat, as a segmented cine's do.

    In real time they walk as fast as the clock and start again with each beat.
    """
    triggers = [f.trigger_ms for f in ordered if f.trigger_ms is not None]
    if len(triggers) < len(ordered) or len(ordered) < MIN_CINE_PHASES:
        return False
    steps = _steps(triggers)
    even = min(steps) > SAME_MS and max(steps) <= 3 * median(steps)
    ahead = [b - a for a, b in pairwise(triggers)]
    ticks = [b - a for a, b in pairwise(_clock(ordered)[0])]
    lag = median(abs(a - t) for a, t in zip(ahead, ticks, strict=True))
    return even and 0.4 * rr <= sum(steps) <= 1.35 * rr and lag > 0.1 * median(ticks)


def _acquisitions(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Part frames of one slice that were acquired in several goes; the earliest first."""
    goes = _by_breath(frames)
    parts = [part for go in goes for part in _by_copy(go)]
    return sorted(parts, key=lambda part: min(_by_clock(f) for f in part))


def _by_breath(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Part at pauses of a breath, if each side walks through the beat on its own."""
    if any(f.acquired_ms is None or f.trigger_ms is None for f in frames):
        return [list(frames)]
    goes: list[list[Frame]] = []
    for frame in sorted(frames, key=_by_clock):
        if not goes or _known(frame.acquired_ms) - _known(goes[-1][-1].acquired_ms) > BREATH_MS:
            goes.append([])
        goes[-1].append(frame)
    whole = _reach(frames)
    full = [g for g in goes if len(g) >= MIN_CINE_PHASES and _reach(g) >= 0.7 * whole]
    overlap = _distinct([_known(f.trigger_ms) for f in frames]) < len(frames)
    return goes if len(full) > 1 or (full and overlap) else [list(frames)]


def _reach(frames: Sequence[Frame]) -> float:
    triggers = [_known(f.trigger_ms) for f in frames]
    return max(triggers) - min(triggers)


def _by_copy(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Part frames whose trigger times repeat: first copies, second copies, and so on."""
    at: list[list[Frame]] = []
    for frame in sorted(frames, key=by_time):
        apart = not at or _known(frame.trigger_ms) - _known(at[-1][0].trigger_ms) > SAME_MS
        if apart:
            at.append([])
        at[-1].append(frame)
    copies = max(len(level) for level in at)
    if copies == 1 or len(at) < MIN_CINE_PHASES:
        return [list(frames)]
    levels = [sorted(level, key=_by_clock) for level in at]
    return [[level[k] for level in levels if k < len(level)] for k in range(copies)]


def _short_course(frames: Sequence[Frame], repeats: tuple[Frame, ...]) -> Timing:
    """One acquisition as a still, a beat, or repeats, by its trigger times."""
    ordered = tuple(sorted(frames, key=by_time))
    rr = rr_of(ordered)
    triggers = [f.trigger_ms for f in ordered if f.trigger_ms is not None]
    times = _increasing(tuple(triggers)) if len(triggers) == len(ordered) else ()
    course = _course(ordered, triggers, rr)
    if course in (Course.RUN, Course.REAL_TIME):
        times = tuple(t - triggers[0] for t in times)
    if course is Course.BEAT and rr is None and len(times) > 1:
        rr = median(_steps(times)) * len(times)
    return Timing(course=course, frames=ordered, times_ms=times, rr_ms=rr, repeats=repeats)


def _course(frames: Sequence[Frame], triggers: Sequence[float], rr: float | None) -> Course:
    if len(frames) == 1:
        return Course.STILL
    if len(triggers) == len(frames) and _distinct(triggers) >= 0.8 * len(frames):
        steps = _steps(triggers)
        # Without a header for the beat, phases are told from beats by their step.
        within = sum(steps) <= 1.35 * rr if rr else sum(steps) <= 1600
        if within and len(frames) > MOST_PHASES:
            return Course.REAL_TIME
        if within:
            return Course.BEAT
        return _run_kind(median(steps), rr or USUAL_RR_MS, len(frames))
    return _course_by_order(frames, silent=not triggers)


def _course_by_order(frames: Sequence[Frame], *, silent: bool) -> Course:
    """Tell phases of a beat from a dynamic run where only the order of the images is known."""
    numbered = len({f.temporal_position for f in frames} - {None}) == len(frames)
    timed = len({(f.acquired_ms, f.content_ms) for f in frames}) == len(frames)
    phases = max((f.phase_count or 0) for f in frames)
    if silent and phases > 1 and (numbered or (timed and phases == len(frames))):
        return Course.BEAT
    return Course.RUN if numbered and len(frames) >= MIN_RUN and not silent else Course.REPEATS


def _increasing(times: tuple[float, ...]) -> tuple[float, ...]:
    """The times if they increase strictly, else nothing."""
    return times if all(b > a for a, b in pairwise(times)) else ()
