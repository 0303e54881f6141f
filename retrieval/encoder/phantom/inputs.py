"""What the phantom encoder looks at: from the clips of a study to arrays of fixed physical scale.

The same contract holds for simulated studies in training and for real ones;
it is saved in every checkpoint and is part of the encoder's id.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder.phantom.choice import Place, choose
from retrieval.encoder.phantom.contract import (
    MAP_CEILING_MS,
    TECHNIQUES,
    VIEWS,
    InputContract,
    known_view,
)
from retrieval.errors import UnusableSeries
from retrieval.geometry.first_pass import first_pass
from retrieval.geometry.heart import Point, crop, end_systole, heart_centre, phase_at
from retrieval.ports import Pixels
from retrieval.values.clip import Clip, ClipId
from retrieval.values.study import Technique

__all__ = [
    "MAP_CEILING_MS",
    "TECHNIQUES",
    "VIEWS",
    "InputContract",
    "Place",
    "StudyInput",
    "choose",
    "known_view",
    "look",
    "prepare",
    "prepare_variants",
    "standardise",
    "standardise_map",
]

Images = NDArray[np.float32]

PLAUSIBLE_MS = {Technique.T1_MAP: (300.0, 2500.0), Technique.T2_MAP: (25.0, 250.0)}
"""Where the middle of a heart's values lies if they are milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInput:
    """One study as arrays, K clips in canonical order.

    Attributes
    ----------
    clips
        K ids.
    images
        (K, 2, size, size) float32 in [0, ceiling]: end-diastole and
        end-systole of a cine, brightest blood and brightest muscle of a first
        pass, relative and absolute values of a map, twice the same image of
        any other still.
    technique, view
        (K,) int64, places in TECHNIQUES and VIEWS.
    position_mm
        (K,) float32 along the slice normal from the middle of the clip's own
        stack, towards the apex where that is known; 0 for single planes.
    gap_mm
        (K,) float32 between neighbouring chosen slices of the stack, on average;
        0 for single planes.
    """

    clips: tuple[ClipId, ...]
    images: Images
    technique: NDArray[np.int64]
    view: NDArray[np.int64]
    position_mm: NDArray[np.float32]
    gap_mm: NDArray[np.float32]


def prepare(clips: Sequence[Clip], contract: InputContract) -> StudyInput:
    """Choose clips of one study and cut the heart out of them.

    The order of `clips` does not matter.

    Raises
    ------
    UnusableSeries
        No clip is of a technique the encoder knows.
    """
    places = choose(clips, contract)
    centre, systole = orient(places)
    records = [p.clip.record for p in places]
    return StudyInput(
        clips=tuple(r.id for r in records),
        images=np.stack([look(p.clip, centre, systole, contract) for p in places]),
        technique=np.array([TECHNIQUES.index(r.technique) for r in records], np.int64),
        view=np.array([VIEWS.index(known_view(r.view)) for r in records], np.int64),
        position_mm=np.array([p.position_mm for p in places], np.float32),
        gap_mm=np.array([p.gap_mm for p in places], np.float32),
    )


def prepare_variants(
    clips: Sequence[Clip], of: ClipId, variants: Iterable[Pixels], contract: InputContract
) -> StudyInput:
    """What one clip of a study would look like with other pixels, N times, as N clips.

    Where the heart is, and at which phases it is looked at, is what `prepare`
    finds in `clips` as they are.

    Raises
    ------
    UnusableSeries
        The encoder does not look at that clip, or at any.
    """
    places = choose(clips, contract)
    place = next((p for p in places if p.clip.record.id == of), None)
    if place is None:
        raise UnusableSeries(f"the phantom encoder does not look at clip {of}")
    centre, systole = orient(places)
    record = place.clip.record
    phases = looked_at(place.clip, centre, systole)
    images = np.stack(
        [look_at(Clip(record, pixels), phases, centre, contract) for pixels in variants]
    )

    def each(value: float, kind: type[np.generic]) -> NDArray[Any]:
        return np.full(len(images), value, kind)

    return StudyInput(
        clips=(record.id,) * len(images),
        images=images,
        technique=each(TECHNIQUES.index(record.technique), np.int64),
        view=each(VIEWS.index(known_view(record.view)), np.int64),
        position_mm=each(place.position_mm, np.float32),
        gap_mm=each(place.gap_mm, np.float32),
    )


def orient(places: Sequence[Place]) -> tuple[Point, float]:
    """The middle of the heart, mm, and the fraction of the beat at which it is smallest."""
    known = sorted((p.clip for p in places), key=lambda c: c.record.id)
    centre = heart_centre(known)
    return centre, end_systole(known, centre)


def look(clip: Clip, centre: Point, systole: float, contract: InputContract) -> Images:
    """(2, size, size): the two images of one clip, at physical scale, in [0, ceiling]."""
    return look_at(clip, looked_at(clip, centre, systole), centre, contract)


def looked_at(clip: Clip, centre: Point, systole: float) -> tuple[int, int]:
    """The two phases of a clip that are looked at; the same one twice of most stills."""
    technique, phases = clip.record.technique, clip.record.phases
    if technique is Technique.CINE and phases > 1:
        return 0, max(1, phase_at(phases, systole))
    return first_pass(clip, centre) if technique is Technique.PERFUSION else (0, 0)


def look_at(clip: Clip, phases: tuple[int, int], centre: Point, contract: InputContract) -> Images:
    """(2, size, size): two phases of one clip, at physical scale, in [0, ceiling]."""
    images = crop(
        clip, centre, size=contract.size_px, spacing_mm=contract.spacing_mm, phases=phases
    )
    technique = clip.record.technique
    if technique in MAP_CEILING_MS:
        values = -images[0] if clip.record.monochrome1 else images[0]
        if _in_ms(values, clip.record.unit, technique):
            return standardise_map(values, technique, contract)
    return standardise(images, contract)


def standardise(pair: Images, contract: InputContract) -> Images:
    """Map the percentiles of (2, size, size) to 0 and 1; both images share one scale."""
    step = contract.sample_step
    low, high = np.percentile(pair[:, ::step, ::step], contract.percentiles)
    scale = max(float(high - low), np.finfo(np.float32).tiny)
    return np.clip((pair - np.float32(low)) / np.float32(scale), 0, np.float32(contract.ceiling))


def standardise_map(values: Images, technique: Technique, contract: InputContract) -> Images:
    """Turn relaxation times (size, size) in ms into a pair (2, size, size).

    The first image is scaled by its percentiles like any other; the second is
    the time as a share of MAP_CEILING_MS, so that a raised T1 is seen as such.
    Both stop at the ceiling of the contract, and at 0.
    """
    relative = standardise(np.stack([values, values]), contract)[0]
    absolute = values / np.float32(MAP_CEILING_MS[technique])
    return np.stack([relative, np.clip(absolute, 0, np.float32(contract.ceiling))])


def _in_ms(values: Images, unit: str, technique: Technique) -> bool:
    """Whether a map's values are milliseconds: its header says so, or says nothing and they fit."""
    if unit:
        return unit.casefold() == "ms"
    quarter = len(values) // 4
    low, high = PLAUSIBLE_MS[technique]
    return low <= float(np.median(values[quarter:-quarter, quarter:-quarter])) <= high
