"""Why a study answers, as plain values: JSON for programs, rows of text for people."""

import numpy as np

from retrieval.geometry.heart import pixel_of
from retrieval.search.views import Json, Row, clip_words
from retrieval.search.why import Map, Why
from retrieval.values.occlusion import Occlusion

VIEW_COLUMNS: Row = ("view", "technique", "best clip", "similarity", "clips")
PHASE_COLUMNS: Row = ("phases", "drop", "")

BAR = 24
"""Characters of the longest bar."""

NEAR_MM = 5.0
"""Less than this from the middle is in the middle."""


def why_json(why: Why, found: Map) -> Json:
    """The object that `cineseek why --json` prints."""
    shown = found.occlusion
    return {
        "study": why.study.id,
        "similarity": why.whole,
        "carried_by": {
            "clip": why.carried_by.id,
            "view": why.carried_by.view,
            "technique": why.carried_by.technique,
            "similarity": why.score,
        },
        "views": [
            {
                "view": one.view,
                "technique": one.technique,
                "clip": one.clip.id,
                "similarity": one.score,
                "clips": one.clips,
            }
            for one in why.views
        ],
        "hidden": {
            "clip": shown.clip.id,
            "of": "study" if shown.whole else "clip",
            "similarity": shown.score,
            "rows": shown.rows,
            "columns": shown.columns,
            "places": shown.places.tolist(),
            "extent_mm": shown.extent_mm,
            "phases": shown.phases,
            "times": shown.times.tolist(),
        },
    }


def view_rows(why: Why) -> list[Row]:
    """One row a view and technique, under `VIEW_COLUMNS`."""
    return [
        (one.view, one.technique, clip_words(one.clip), f"{one.score:.3f}", str(one.clips))
        for one in why.views
    ]


def phase_rows(found: Occlusion) -> list[Row]:
    """One row a group of phases, under `PHASE_COLUMNS`; bars for drops, not for gains."""
    most = float(found.times.max(initial=0.0))
    return [
        (
            f"{first + 1} to {end}" if end - first > 1 else f"{end}",
            f"{drop:+.3f}",
            "█" * round(BAR * max(drop, 0.0) / most) if most > 0 else "",
        )
        for first, end, drop in zip(
            found.phases[:-1], found.phases[1:], found.times.tolist(), strict=True
        )
    ]


def carried_line(why: Why) -> str:
    """Which clip speaks for the study."""
    name = clip_words(why.carried_by)
    if why.score is None:
        return f"ranked as a whole, {why.whole:.3f}; the clip {name} stands for it"
    whole = "" if why.whole is None else f"; the study as a whole {why.whole:.3f}"
    return f"carried by {name}, {why.score:.3f}{whole}"


def hidden_line(found: Map) -> str:
    """What was hidden, and where that costs most."""
    shown = found.occlusion
    row, column = shown.largest
    drop = float(shown.places[row, column])
    whose = "the study's" if shown.whole else "its"
    return (
        f"parts of {clip_words(shown.clip)} hidden, {whose} similarity {shown.score:.3f}; "
        f"most is lost {_place(found, row, column)}: {drop:.3f}"
    )


def _place(found: Map, row: int, column: int) -> str:
    """Where a cell lies on screen, seen from the middle of the heart."""
    shown = found.occlusion
    at = pixel_of(shown.clip, found.centre)
    cell = (
        (shown.rows[row] + shown.rows[row + 1] - 1) / 2,
        (shown.columns[column] + shown.columns[column + 1] - 1) / 2,
    )
    down, across = (np.subtract(cell, at) * shown.clip.spacing_mm).tolist()
    parts = [
        f"{abs(mm):.0f} mm {later if mm > 0 else earlier}"
        for mm, earlier, later in ((down, "above", "below"), (across, "left of", "right of"))
        if abs(mm) >= NEAR_MM
    ]
    return f"{' and '.join(parts)} the heart's middle" if parts else "in the heart's middle"
