"""When each phase of a clip is on screen.

All clips are timed by the fraction of the beat, 0 at the first phase (end
diastole, just after the R wave), so that clips with other frame counts and
other heart rates beat together.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from retrieval.values.clip import ClipRecord

NOMINAL_BEAT_MS = 1000.0
"""A beat shown when neither the clip nor its study says how long it was."""

MS_PER_MINUTE = 60_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """How a clip plays.

    Attributes
    ----------
    ms
        The beat's length in milliseconds.
    known
        False where the source gives no time at all and `ms` is nominal.
    starts
        Per phase, the fraction of the beat at which it comes on; the first is
        0, they increase, all lie in [0, 1). A phase stays until the next.
    """

    ms: float
    known: bool
    starts: tuple[float, ...]

    @property
    def bpm(self) -> int | None:
        """Beats per minute, whole; None where unknown."""
        return round(MS_PER_MINUTE / self.ms) if self.known else None


def beat_of(clip: ClipRecord, heart_rate_bpm: float | None) -> Beat:
    """Time a clip by its own RR interval, else its frame times, else its study's heart rate.

    Parameters
    ----------
    heart_rate_bpm
        The study's, for clips that carry no time of their own.
    """
    timed = _usable_times(clip)
    from_frames = timed[-1] - timed[0] + _step(timed) if timed else None
    given = MS_PER_MINUTE / heart_rate_bpm if heart_rate_bpm else None
    ms = clip.rr_ms or from_frames or given
    if ms is None:
        return Beat(ms=NOMINAL_BEAT_MS, known=False, starts=_even(clip.phases))
    if not timed:
        return Beat(ms=ms, known=True, starts=_even(clip.phases))
    if timed[-1] - timed[0] >= ms:  # frames reach past the R wave that RR promised
        return Beat(ms=ms, known=True, starts=_even(clip.phases))
    return Beat(ms=ms, known=True, starts=tuple((t - timed[0]) / ms for t in timed))


def _usable_times(clip: ClipRecord) -> tuple[float, ...]:
    times = clip.frame_times_ms
    return times if clip.phases > 1 and len(times) == clip.phases else ()


def _step(times: tuple[float, ...]) -> float:
    return median(b - a for a, b in pairwise(times))


def _even(phases: int) -> tuple[float, ...]:
    return tuple(i / phases for i in range(phases))
