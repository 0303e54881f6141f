"""What a plan says: which frames of a study become which clips, and what becomes of the rest."""

from dataclasses import dataclass

from indexer.raw import Frame
from retrieval.values.study import State, Technique, View


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """One clip to be made. Lengths in mm, times in ms.

    Attributes
    ----------
    frames
        In phase order: one beat of one slice, the time course of a perfusion
        run at one slice, or one still.
    variant
        As `retrieval.values.clip.ClipRecord.variant`.
    slice_index, slice_count, slice_spacing_mm
        Place in the stack, which may reach over several series; the spacing is
        None for a plane on its own.
    frame_times_ms
        One per frame, increasing: from the R wave for one beat, from the first
        frame for a perfusion run; empty where unknown.
    """

    frames: tuple[Frame, ...]
    view: View
    technique: Technique
    variant: str = ""
    slice_index: int = 0
    slice_count: int = 1
    frame_times_ms: tuple[float, ...] = ()
    rr_ms: float | None = None
    slice_spacing_mm: float | None = None
    oriented: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlan:
    """What becomes of one series. Every instance of it is in a clip or in `unused`, never both.

    Attributes
    ----------
    slices, phases
        Slice positions, and images per position (the most that any has), of
        what the series mainly holds.
    slice_spacing_mm
        Median distance between neighbouring slices along their normal; None
        for fewer than two.
    unused
        (instance UID, reason) of every instance that no clip uses.
    """

    uid: str
    view: View = View.OTHER
    technique: Technique = Technique.UNKNOWN
    state: State
    reason: str = ""
    slices: int = 0
    phases: int = 0
    spacing_mm: tuple[float, float] | None = None
    slice_spacing_mm: float | None = None
    clips: tuple[ClipPlan, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What becomes of one study: its series in the order they came in."""

    series: tuple[SeriesPlan, ...]
    state: State
    reason: str = ""
