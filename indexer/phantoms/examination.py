"""What one visit acquires: which series, with which sampling, timing and headers."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from indexer.dicom.write import Image, Series, Vector3
from indexer.phantoms.scanners import Scanner
from retrieval.phantom.subject import BodyPlane, Cut, Grid, Subject
from retrieval.values.study import Technique, View

MakeUid = Callable[[str], str]

_LONG_AXES = (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)
_BLOOD = 0.85
"""Brightness of blood that `Scanner.peak` stands for."""

_PHASE_SLOPE, _PHASE_INTERCEPT = 2.0, -4096.0
_LATE_PHASE = 0.7
"""LGE is triggered in mid-diastole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The choices of one visit, drawn once."""

    grid: Grid
    slices: int
    gap_mm: float
    phases: int
    cine_views: tuple[View, ...]
    late_views: tuple[View, ...]
    tr_ms: float
    te_ms: float
    ti_ms: float

    @classmethod
    def draw(cls, rng: Random, subject: Subject) -> "Protocol":
        """Choose; now and then a view, or late enhancement altogether, is missing."""
        pixel = round(rng.uniform(1.35, 1.95), 4)
        height = _multiple(rng.uniform(215, 250) / pixel)
        width = _multiple(height * rng.choice([0.8, 0.88, 1.0]))
        gap = rng.choice([8.0, 8.8, 9.6, 10.0, 10.0])
        needed = (subject.lv_length_mm + rng.uniform(4, 16)) / gap
        late = rng.random() < 0.87
        late_views = tuple(v for v in _LONG_AXES if rng.random() < 0.8)
        return cls(
            grid=Grid(
                pixel_mm=pixel, size=(height, width), thickness_mm=gap - rng.choice([0.0, 1.0, 2.0])
            ),
            slices=min(13, max(8, round(needed))),
            gap_mm=gap,
            phases=rng.choice([18, 20, 20, 22, 24, 25, 25, 28, 30, 32]),
            cine_views=tuple(v for v in _LONG_AXES if rng.random() < 0.92),
            late_views=(View.SHORT_AXIS, *late_views) if late else (),
            tr_ms=round(rng.uniform(2.8, 3.6), 2),
            te_ms=round(rng.uniform(1.2, 1.6), 2),
            ti_ms=float(rng.randrange(240, 360, 10)),
        )


class Examination:
    """Images a subject, series by series, on a clock of its own."""

    def __init__(
        self,
        subject: Subject,
        scanner: Scanner,
        rng: Random,
        make_uid: MakeUid,
        *,
        blank_descriptions: bool,
    ) -> None:
        self._subject = subject
        self._scanner = scanner
        self._rng = rng
        self._make_uid = make_uid
        self._blank = blank_descriptions
        self._protocol = Protocol.draw(rng, subject)
        self._clock_s = 30.0
        self._number = 0

    def series(self) -> list[Series]:
        """Everything the visit acquires, in order."""
        protocol = self._protocol
        found = [self._localiser()]
        for view in (*protocol.cine_views, View.SHORT_AXIS):
            found += self._cine(view)
        for view in protocol.late_views:
            found += self._late(view)
        return found

    def _localiser(self) -> Series:
        grid = Grid(pixel_mm=2.75, size=(136, 136), thickness_mm=8.0)
        planes: tuple[BodyPlane, ...] = ("transaxial", "coronal", "sagittal")
        cuts = [self._subject.body_plane(name, grid) for name in planes]
        images = [
            self._one(self._stored(c.images)[0, 0], c, 0, key=f"localiser/{i}")
            for i, c in enumerate(cuts)
        ]
        self._clock_s += 20
        return self._assemble(
            images, "localizer", Technique.LOCALISER, grid, gap_mm=None, kind=("M", "NORM")
        )

    def _cine(self, view: View) -> list[Series]:
        protocol, scanner, subject = self._protocol, self._scanner, self._subject
        nominal_rr = 60000 / subject.truth.heart_rate_bpm
        steps = [k * scanner.covered / protocol.phases for k in range(protocol.phases)]
        shares = [scanner.first_trigger_ms / nominal_rr + s for s in steps]
        cut = self._cut(view, Technique.CINE, shares)
        stored = self._stored(cut.images)
        images: list[Image] = []
        for k in range(len(stored)):
            rr = nominal_rr * (1 + max(-0.08, min(0.08, self._rng.gauss(0, 0.025))))
            for p, step in enumerate(steps):
                trigger = scanner.first_trigger_ms + step * rr
                key = f"cine/{view}/{k}/{p}"
                images.append(self._one(stored[k, p], cut, k, p, (trigger, rr), key=key))
            self._clock_s += 12 + 8 * self._rng.random()
        return self._split(images, view, Technique.CINE, kind=("M", "NORM"))

    def _late(self, view: View) -> list[Series]:
        rr = 60000 / self._subject.truth.heart_rate_bpm
        cut = self._cut(view, Technique.LGE, [_LATE_PHASE])
        stored = self._stored(cut.images)
        signed = _signed(cut.images)
        magnitude, phase = [], []
        for k in range(len(stored)):
            timing = (_LATE_PHASE * rr, rr)
            magnitude.append(self._one(stored[k, 0], cut, k, 0, timing, key=f"late/{view}/{k}"))
            phase.append(self._one(signed[k, 0], cut, k, 0, timing, key=f"late/{view}/{k}/ps"))
            self._clock_s += 11
        found = self._split(magnitude, view, Technique.LGE, kind=("M", "NORM"))
        if self._scanner.phase_sensitive:
            found += self._split(phase, view, Technique.LGE, kind=("PSIR", "NORM"))
        return found

    def _cut(self, view: View, technique: Technique, shares: list[float]) -> Cut:
        p = self._protocol
        if view is View.SHORT_AXIS:
            return self._subject.stack(
                technique, p.grid, slices=p.slices, gap_mm=p.gap_mm, phases=shares
            )
        return self._subject.long_axis(view, technique, p.grid, phases=shares)

    def _stored(self, images: NDArray[np.float32]) -> NDArray[np.uint16]:
        top = 2**self._scanner.bits_stored - 1
        return np.clip(np.rint(images * (self._scanner.peak / _BLOOD)), 0, top).astype(np.uint16)

    def _one(
        self,
        pixels: NDArray[np.uint16],
        cut: Cut,
        slice_index: int,
        phase_index: int = 0,
        timing: tuple[float, float] | None = None,
        *,
        key: str,
    ) -> Image:
        plane = slice_index if len(cut.row) > 1 else 0
        trigger, rr = timing if timing is not None else (None, None)
        return Image(
            instance_uid=self._make_uid(key),
            pixels=pixels,
            position_mm=_vector(cut.position_mm[plane]),
            row=_vector(cut.row[plane]),
            column=_vector(cut.column[plane]),
            slice_index=slice_index,
            phase_index=phase_index,
            trigger_ms=trigger,
            rr_ms=rr,
            taken_s=self._clock_s + (trigger or 0) / 1000,
        )

    def _split(
        self, images: list[Image], view: View, technique: Technique, *, kind: tuple[str, str]
    ) -> list[Series]:
        """One series, or for cine one per slice where the scanner does so."""
        protocol, scanner = self._protocol, self._scanner
        name = scanner.names[technique, view]
        gap = protocol.gap_mm if view is View.SHORT_AXIS else None
        groups = [images]
        if scanner.series_per_slice and technique is Technique.CINE:
            slices = sorted({image.slice_index for image in images})
            groups = [[i for i in images if i.slice_index == k] for k in slices]
        return [
            self._assemble(group, name, technique, protocol.grid, gap_mm=gap, kind=kind)
            for group in groups
        ]

    def _assemble(
        self,
        images: list[Image],
        name: str,
        technique: Technique,
        grid: Grid,
        *,
        gap_mm: float | None,
        kind: tuple[str, str],
    ) -> Series:
        protocol, scanner = self._protocol, self._scanner
        late = technique is Technique.LGE
        signed = kind[0] == "PSIR"
        self._number += 1
        numbers = list(range(1, len(images) + 1))
        if scanner.shuffled:
            self._rng.shuffle(numbers)
        name = "" if self._blank else name
        return Series(
            uid=self._make_uid(f"series/{self._number}"),
            number=self._number,
            description=name,
            protocol=name,
            images=tuple(images),
            numbers=tuple(numbers),
            image_type=("DERIVED", "PRIMARY", *kind, "SIMULATED"),
            pixel_mm=grid.pixel_mm,
            thickness_mm=grid.thickness_mm,
            gap_mm=gap_mm,
            tr_ms=round(protocol.tr_ms * (2.2 if late else 1), 2),
            te_ms=round(protocol.te_ms * (2.1 if late else 1), 2),
            ti_ms=protocol.ti_ms if late else None,
            flip_deg=25.0 if late else 60.0,
            contrast=late,
            bits_stored=12 if signed else scanner.bits_stored,
            slope=_PHASE_SLOPE if signed else scanner.slope,
            intercept=_PHASE_INTERCEPT if signed else scanner.intercept,
            compressed=scanner.compressed,
            attributes=dict(scanner.late if late else scanner.cine),
        )


def _signed(images: NDArray[np.float32]) -> NDArray[np.uint16]:
    """A phase-sensitive reconstruction: nulled muscle near 0, what recovers slower below."""
    return np.clip(np.rint(2048 + (images - 0.12) * 950), 0, 4095).astype(np.uint16)


def _multiple(pixels: float) -> int:
    return int(pixels / 4) * 4


def _vector(v: NDArray[np.float64]) -> Vector3:
    return float(v[0]), float(v[1]), float(v[2])
