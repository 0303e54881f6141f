"""Which clip stands for a study where none of its clips has a score of its own."""

from collections.abc import Iterable

from retrieval.errors import StoreError
from retrieval.values.clip import ClipRecord
from retrieval.values.query import Filter
from retrieval.values.study import StudyId, Technique, View

_VIEWS = (View.SHORT_AXIS, View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER, *View)
_TECHNIQUES = (Technique.CINE, Technique.LGE, *Technique)


def meets(clip: ClipRecord, where: Filter) -> bool:
    """Whether a clip has one of the views and one of the techniques asked for."""
    right_view = not where.views or clip.view in where.views
    return right_view and (not where.techniques or clip.technique in where.techniques)


def representative(study: StudyId, clips: Iterable[ClipRecord], where: Filter) -> ClipRecord:
    """Pick a clip that meets the filter: cine before LGE, mid-stack short axis before long axis.

    Raises
    ------
    StoreError
        None does, though the study passed the filter.
    """
    fitting = [clip for clip in clips if meets(clip, where)]
    if not fitting:
        raise StoreError(
            f"study {study} answers the filter but has no clip that does; ingest it again"
        )
    return min(fitting, key=_preference)


def _preference(clip: ClipRecord) -> tuple[int, int, float, int, str]:
    off_centre = abs(clip.slice_index - (clip.slice_count - 1) / 2)
    technique, view = _TECHNIQUES.index(clip.technique), _VIEWS.index(clip.view)
    return technique, view, off_centre, clip.slice_index, clip.id
