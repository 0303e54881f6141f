"""What one visit acquires: series by series, with their sampling, timing and headers."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from indexer.dicom.visit import Image, Series, Vector3
from indexer.phantoms.protocol import FEW_SLICES, Protocol
from indexer.phantoms.scanners import Scanner
from retrieval.phantom.contrasts import MAPS
from retrieval.phantom.subject import BodyPlane, Cut, Grid, Subject
from retrieval.values.study import Technique, View

MakeUid = Callable[[str], str]

_BLOOD = 0.85
"""Brightness of blood that `Scanner.peak` stands for."""

_PHASE_SLOPE, _PHASE_INTERCEPT = 2.0, -4096.0
_LATE_PHASE = 0.7
"""LGE and other stills are triggered in mid-diastole."""

_FIRST_SLICE, _NEXT_SLICE = 0.12, 0.24
"""Shares of the beat at which a first pass images its first slice, and later each next one."""

_MAGNITUDE = ("M", "NORM")


class Examination:
    """Images a subject, series by series, on a clock of its own."""

    def __init__(
        self,
        subject: Subject,
        scanner: Scanner,
        protocol: Protocol,
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
        self._protocol = protocol
        self._clock_s = 30.0
        self._number = 0

    def series(self) -> list[Series]:
        """Everything the visit acquires, in order."""
        protocol = self._protocol
        found = [self._localiser()]
        for view in (*protocol.cine_views, View.SHORT_AXIS):
            found += self._cine(view)
        for technique in protocol.stills:
            found += self._still(technique)
        for kind in protocol.passes:
            found += self._first_pass(kind)
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
            images, "localizer", Technique.LOCALISER, grid, gap_mm=None, kind=_MAGNITUDE
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
        return self._split(images, view, Technique.CINE, kind=_MAGNITUDE)

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
        found = self._split(magnitude, view, Technique.LGE, kind=_MAGNITUDE)
        if self._scanner.phase_sensitive:
            found += self._split(phase, view, Technique.LGE, kind=("PSIR", "NORM"))
        return found

    def _still(self, technique: Technique) -> list[Series]:
        """A stack of T2-weighted images, or a few slices of a map."""
        protocol, rr = self._protocol, 60000 / self._subject.truth.heart_rate_bpm
        stack = technique is Technique.T2_WEIGHTED
        count = protocol.slices if stack else FEW_SLICES
        cut = self._subject.stack(
            technique,
            protocol.grid,
            slices=count,
            gap_mm=self._gap(technique),
            phases=[_LATE_PHASE],
        )
        if technique in MAPS:
            slope = self._scanner.map_slopes.get(technique, 1.0)
            top = 2**self._scanner.bits_stored - 1
            stored = np.clip(np.rint(cut.images / slope), 0, top).astype(np.uint16)
        else:
            stored = self._stored(cut.images)
        images: list[Image] = []
        for k in range(count):
            timing = (_LATE_PHASE * rr, rr)
            images.append(self._one(stored[k, 0], cut, k, 0, timing, key=f"{technique}/{k}"))
            self._clock_s += 11
        kind = self._scanner.map_kind.get(technique, _MAGNITUDE)
        return self._split(images, View.SHORT_AXIS, technique, kind=kind)

    def _first_pass(self, kind: str) -> list[Series]:
        """All beats of a few slices, while contrast agent passes for the first time."""
        protocol, scanner = self._protocol, self._scanner
        faster = 1.25 if kind == "stress" else 1.0
        rr = 60000 / (self._subject.truth.heart_rate_bpm * faster)
        triggers = [_FIRST_SLICE + _NEXT_SLICE * k for k in range(FEW_SLICES)]
        count = protocol.frames
        cut = self._subject.first_pass(
            protocol.grid,
            slices=FEW_SLICES,
            gap_mm=self._gap(Technique.PERFUSION),
            triggers=triggers,
            times=[p / (count - 1) for p in range(count)],
            stress=kind == "stress",
        )
        stored = self._stored(cut.images)
        images: list[Image] = []
        for k, share in enumerate(triggers):
            for p in range(count):
                begun = p * rr
                trigger = share * rr + (begun if scanner.running_trigger else 0.0)
                image = self._one(
                    stored[k, p], cut, k, p, (trigger, rr), key=f"pass/{kind}/{k}/{p}"
                )
                taken = self._clock_s + (begun + share * rr) / 1000
                images.append(replace(image, taken_s=taken))
        self._clock_s += count * rr / 1000 + 240
        return self._split(
            images, View.SHORT_AXIS, Technique.PERFUSION, kind=_MAGNITUDE, passing=kind
        )

    def _gap(self, technique: Technique) -> float:
        """Between slices: few of them are spread over the ventricle."""
        protocol = self._protocol
        few = technique is Technique.PERFUSION or technique in MAPS
        return protocol.gap_mm * (2 if few else 1)

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
        self,
        images: list[Image],
        view: View,
        technique: Technique,
        *,
        kind: tuple[str, str],
        passing: str = "",
    ) -> list[Series]:
        """One series, or for cine one per slice where the scanner does so."""
        protocol, scanner = self._protocol, self._scanner
        name = scanner.names[technique, view] + scanner.passes.get(passing, "")
        gap = self._gap(technique) if view is View.SHORT_AXIS else None
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
        scanner, pulse = self._scanner, self._protocol.pulses[technique]
        signed = kind[0] == "PSIR"
        slope, intercept, unit = self._scale(technique, signed=signed)
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
            tr_ms=pulse.tr_ms,
            te_ms=pulse.te_ms,
            ti_ms=pulse.ti_ms,
            flip_deg=pulse.flip_deg,
            contrast=pulse.contrast,
            dynamic=technique is Technique.PERFUSION,
            weighting=pulse.weighting,
            bits_stored=12 if signed else scanner.bits_stored,
            slope=slope,
            intercept=intercept,
            unit=unit,
            compressed=scanner.compressed,
            attributes=dict(scanner.tags.get(technique, scanner.tags[Technique.CINE])),
        )

    def _scale(
        self, technique: Technique, *, signed: bool
    ) -> tuple[float | None, float | None, str]:
        """Rescale slope, intercept and type of a series."""
        scanner = self._scanner
        if signed:
            return _PHASE_SLOPE, _PHASE_INTERCEPT, "US"
        if technique not in MAPS:
            return scanner.slope, scanner.intercept, "US"
        if technique not in scanner.map_slopes:
            return None, None, "US"
        return scanner.map_slopes[technique], 0.0, scanner.map_unit


def _signed(images: NDArray[np.float32]) -> NDArray[np.uint16]:
    """A phase-sensitive reconstruction: nulled muscle near 0, what recovers slower below."""
    return np.clip(np.rint(2048 + (images - 0.12) * 950), 0, 4095).astype(np.uint16)


def _vector(v: NDArray[np.float64]) -> Vector3:
    return float(v[0]), float(v[1]), float(v[2])
