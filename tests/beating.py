"""A bright disc that beats: the least that an encoder takes for a heart."""

import numpy as np

from retrieval.values.clip import ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

STUDY = StudyId("5" * 24)
DIRECTIONS = {
    View.SHORT_AXIS: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    View.FOUR_CHAMBER: ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    View.TWO_CHAMBER: ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}
CENTRE = (10.0, -5.0, 0.0)
"""Patient coordinates of the disc's middle."""


def disc(
    view=View.SHORT_AXIS,
    technique=Technique.CINE,
    *,
    height=0.0,
    radius_mm=30.0,
    spacing=1.5,
    size=128,
    phases=6,
    offset=(0.0, 0.0),
    seed=0,
    gain=1.0,
    **changes,
):
    """One clip; `height` along the normal, `offset` of the field of view's middle, all in mm."""
    phases = phases if technique is Technique.CINE else 1
    row, column = (np.array(v) for v in DIRECTIONS.get(view, DIRECTIONS[View.SHORT_AXIS]))
    middle = np.array(CENTRE) + np.cross(row, column) * height
    middle = middle + row * offset[1] + column * offset[0]
    corner = middle - (row + column) * spacing * (size - 1) / 2
    axis = (np.arange(size) - (size - 1) / 2) * spacing
    away = np.hypot(axis[:, None] + offset[0], axis[None, :] + offset[1])
    beat = 1 - 0.4 * np.sin(np.pi * np.arange(phases) / phases)
    edge = np.clip((radius_mm * beat[:, None, None] - away) / spacing + 0.5, 0, 1)
    noise = np.random.default_rng(seed).normal(0, 4, (phases, size, size))
    pixels = np.round((200 + 600 * edge + noise) * gain).astype(np.int32)
    given = {
        "study": STUDY,
        "series": SeriesId(f"{technique.value} {view.value}"),
        "view": view,
        "technique": technique,
        "phases": phases,
        "rows": size,
        "columns": size,
        "spacing_mm": (spacing, spacing),
        "position_mm": tuple(float(v) for v in corner),
        "row_direction": tuple(row),
        "column_direction": tuple(column),
    }
    return identify(ClipRecord(**(given | changes)), pixels)


def stack(count=5, gap=10.0, technique=Technique.CINE, **changes):
    """Short-axis clips around the disc's middle, base (low z) to apex."""
    return [
        disc(
            technique=technique,
            height=(i - (count - 1) / 2) * gap,
            seed=i,
            slice_index=i,
            slice_count=count,
            **changes,
        )
        for i in range(count)
    ]
