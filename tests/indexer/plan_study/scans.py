"""Header sets as scanners write them, for hearts that lie where hearts lie.

Every function returns frames or series of `indexer.raw`; nothing here is read
from a file. Directions are LPS.
"""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.raw import Frame, RawSeries, RawStudy

UP = np.array([0.0, 0.0, 1.0])
USUAL_AXIS = np.array([0.66, -0.64, -0.38])
CENTRE = np.array([45.0, -35.0, 12.0])

_serial = itertools.count(1)


def unit(v):
    v = np.asarray(v, float)
    return v / np.linalg.norm(v)


def long_axis_normal(roll_deg, axis=USUAL_AXIS):
    """Normal of the plane that holds the axis, turned so far from lateral towards anterior."""
    a = unit(axis)
    lateral = unit(np.cross(UP, a))
    anterior = np.cross(a, lateral)
    roll = np.radians(roll_deg)
    within = np.cos(roll) * lateral + np.sin(roll) * anterior
    return unit(np.cross(within, a))


FOUR = long_axis_normal(28)
TWO = long_axis_normal(91)
THREE = long_axis_normal(143)
SAX = unit(USUAL_AXIS)


def orientation(normal):
    """Row and column direction of an upright image with this normal."""
    n = unit(normal)
    down = -UP if abs(n @ UP) < 0.9 else np.array([0.0, 1.0, 0.0])
    column = unit(down - (down @ n) * n)
    row = np.cross(column, n)
    return (*row.tolist(), *column.tolist())


def image(normal, *, at=0.0, centre=CENTRE, size=192, spacing=1.6, **header):
    """One image whose field of view is centred `at` mm along the normal from the heart."""
    o = np.array(orientation(normal))
    middle = np.asarray(centre) + at * unit(normal)
    corner = middle - (size - 1) / 2 * spacing * (o[:3] + o[3:])
    number = next(_serial)
    return Frame(
        file=Path(f"{number}.dcm"),
        index=0,
        instance_uid=header.pop("instance_uid", f"1.9.{number}"),
        instance_number=header.pop("instance_number", number),
        rows=size,
        columns=size,
        spacing_mm=(spacing, spacing),
        thickness_mm=header.pop("thickness_mm", 8.0),
        position_mm=tuple(np.round(corner, 6).tolist()),
        orientation=tuple(np.round(o, 6).tolist()),
        **header,
    )


SSFP = {
    "sequence": ("*TFI2D1_15", "GR", "SS"),
    "tr_ms": 38.0,
    "te_ms": 1.3,
    "flip_deg": 60.0,
    "image_type": ("ORIGINAL", "PRIMARY", "M", "RETRO", "NORM"),
}


def cine(normal=SAX, *, at=0.0, phases=25, rr=850.0, begun=36_000_000.0, **header):
    """A retrospectively gated cine of one slice."""
    header = SSFP | {"rr_ms": rr, "acquired_ms": begun, "phase_count": phases} | header
    step = rr / phases
    return [
        image(normal, at=at, trigger_ms=step * (p + 0.5), content_ms=begun + 9000 + p * 3, **header)
        for p in range(phases)
    ]


def cine_stack(normal=SAX, *, slices=9, gap=10.0, begun=36_000_000.0, **header):
    """A stack of cines, 15 s a breath-hold; one list of frames per slice."""
    places = (np.arange(slices) - (slices - 1) / 2) * gap
    return [
        cine(normal, at=float(at), begun=begun + 15_000 * i, **header)
        for i, at in enumerate(places)
    ]


LGE = {
    "sequence": ("*TFL2D1_25", "GR", "IR", "SP"),
    "tr_ms": 700.0,
    "te_ms": 3.2,
    "flip_deg": 25.0,
    "ti_ms": 300.0,
    "rr_ms": 850.0,
    "contrast": True,
    "image_type": ("ORIGINAL", "PRIMARY", "M", "NORM"),
}


def lge(normal=SAX, *, at=0.0, begun=37_500_000.0, **header):
    """One late enhancement image."""
    return image(normal, at=at, trigger_ms=620.0, acquired_ms=begun, **(LGE | header))


PERFUSION = {
    "sequence": ("*TFL2D1_58", "GR", "SP", "SK"),
    "tr_ms": 170.0,
    "te_ms": 1.1,
    "flip_deg": 12.0,
    "contrast": True,
    "rr_ms": 800.0,
    "image_type": ("ORIGINAL", "PRIMARY", "M", "NORM"),
}


def perfusion(normal=SAX, *, at=0.0, frames=50, rr=800.0, begun=36_800_000.0, **header):
    """A first pass at one slice: one image a beat, always at the same delay."""
    return [
        image(
            normal,
            at=at,
            trigger_ms=90.0 + 2.5 * (k % 2),
            acquired_ms=begun + k * rr,
            **(PERFUSION | header),
        )
        for k in range(frames)
    ]


def localiser(**header):
    """Three orthogonal scouts."""
    header = {"sequence": ("*TFI2D1_128", "GR", "SS"), "te_ms": 1.2, "tr_ms": 3.0} | header
    return [
        image(n, at=at, size=256, acquired_ms=35_900_000.0, **header)
        for n in np.eye(3)
        for at in (-20.0, 0.0, 20.0)
    ]


def series(frames, **fields):
    """One MR series of these frames."""
    fields = {"uid": f"1.8.{next(_serial)}", "modality": "MR", "sop_class": "MR"} | fields
    return RawSeries(frames=tuple(frames), **fields)


def study(*all_series, **fields):
    """One study of these series (or lists of frames)."""
    listed = tuple(s if isinstance(s, RawSeries) else series(s) for s in all_series)
    fields = {"uid": "1.7.1", "patient_id": "x"} | fields
    return RawStudy(series=listed, **fields)


def flat(lists):
    """Lists of frames as one."""
    return [f for one in lists for f in one]


def changed(raw, **fields):
    """The same study with header fields of every frame replaced."""
    return replace(
        raw,
        series=tuple(
            replace(s, frames=tuple(replace(f, **fields) for f in s.frames)) for s in raw.series
        ),
    )
