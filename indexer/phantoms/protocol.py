"""The choices of one visit: which series, with which sampling and timing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

from retrieval.phantom.subject import Grid, Subject
from retrieval.values.study import Technique, View

LONG_AXES = (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)

FEW_SLICES = 3
"""Slices of a first pass and of maps: base, middle, apex."""

_STRESS, _STRESS_ALONE, _T2_WEIGHTED, _T1_MAP, _T2_MAP = 0.18, 0.2, 0.2, 0.25, 0.15
"""Shares of visits with stress perfusion, of those without rest beside it, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How one technique's images are excited and read. Times in ms, angles in degrees."""

    tr_ms: float
    te_ms: float
    ti_ms: float | None
    flip_deg: float
    contrast: bool
    weighting: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The choices of one visit, drawn once.

    Attributes
    ----------
    phases
        Of cines.
    frames
        Of first passes, one a beat.
    passes
        "stress" and "rest", as far as they are acquired, in this order.
    stills
        Further techniques than LGE of which a few slices or a stack are taken.
    """

    grid: Grid
    slices: int
    gap_mm: float
    phases: int
    cine_views: tuple[View, ...]
    late_views: tuple[View, ...]
    frames: int
    passes: tuple[str, ...]
    stills: tuple[Technique, ...]
    pulses: Mapping[Technique, Pulse]

    @classmethod
    def draw(cls, rng: Random, subject: Subject) -> "Protocol":
        """Choose; now and then a view, or late enhancement altogether, is missing."""
        pixel = round(rng.uniform(1.35, 1.95), 4)
        height = _multiple(rng.uniform(215, 250) / pixel)
        width = _multiple(height * rng.choice([0.8, 0.88, 1.0]))
        gap = rng.choice([8.0, 8.8, 9.6, 10.0, 10.0])
        needed = (subject.lv_length_mm + rng.uniform(4, 16)) / gap
        late = rng.random() < 0.87
        late_views = tuple(v for v in LONG_AXES if rng.random() < 0.8)
        return cls(
            grid=Grid(
                pixel_mm=pixel, size=(height, width), thickness_mm=gap - rng.choice([0.0, 1.0, 2.0])
            ),
            slices=min(13, max(8, round(needed))),
            gap_mm=gap,
            phases=rng.choice([18, 20, 20, 22, 24, 25, 25, 28, 30, 32]),
            cine_views=tuple(v for v in LONG_AXES if rng.random() < 0.92),
            late_views=(View.SHORT_AXIS, *late_views) if late else (),
            pulses=_pulses(rng),
            frames=rng.randrange(20, 41),
            passes=_passes(rng),
            stills=_stills(rng),
        )

    def complete(self) -> "Protocol":
        """Make every technique part of the visit."""
        return replace(
            self,
            late_views=self.late_views or (View.SHORT_AXIS,),
            passes=("stress", "rest"),
            stills=(Technique.T2_WEIGHTED, Technique.T1_MAP, Technique.T2_MAP),
        )


def _pulses(rng: Random) -> dict[Technique, Pulse]:
    tr, te = round(rng.uniform(2.8, 3.6), 2), round(rng.uniform(1.2, 1.6), 2)
    late = float(rng.randrange(240, 360, 10))
    echo = float(rng.randrange(56, 88, 2))

    def pulse(
        weighting: str,
        tr_ms: float,
        te_ms: float,
        flip_deg: float,
        *,
        ti_ms: float | None = None,
        contrast: bool = False,
    ) -> Pulse:
        return Pulse(
            tr_ms=round(tr_ms, 2),
            te_ms=round(te_ms, 2),
            ti_ms=ti_ms,
            flip_deg=flip_deg,
            contrast=contrast,
            weighting=weighting,
        )

    return {
        Technique.LOCALISER: pulse("UNKNOWN", tr, te, 60.0),
        Technique.CINE: pulse("UNKNOWN", tr, te, 60.0),
        Technique.LGE: pulse("T1", tr * 2.2, te * 2.1, 25.0, ti_ms=late, contrast=True),
        Technique.PERFUSION: pulse("PERFUSION", tr * 0.8, te * 0.8, 12.0, contrast=True),
        Technique.T2_WEIGHTED: pulse("STIR", 1700.0, echo, 180.0, ti_ms=170.0),
        Technique.T1_MAP: pulse("T1", tr * 0.9, te * 0.8, 35.0),
        Technique.T2_MAP: pulse("T2", tr * 0.95, te * 0.9, 70.0),
    }


def _passes(rng: Random) -> tuple[str, ...]:
    stress = rng.random() < _STRESS
    alone = rng.random() < _STRESS_ALONE
    if stress:
        return ("stress",) if alone else ("stress", "rest")
    return ("rest",) if rng.random() < 0.05 else ()


def _stills(rng: Random) -> tuple[Technique, ...]:
    shares = (
        (Technique.T2_WEIGHTED, _T2_WEIGHTED),
        (Technique.T1_MAP, _T1_MAP),
        (Technique.T2_MAP, _T2_MAP),
    )
    return tuple(technique for technique, share in shares if rng.random() < share)


def _multiple(pixels: float) -> int:
    return int(pixels / 4) * 4
