"""Slices joined into stacks, over the borders of series.

Siemens writes one series per short-axis slice, GE one for the whole stack; the
stack is what geometry says it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.plan.runs import Cut, Run
from indexer.plan.slices import PARALLEL_DEG, Slice, parallel
from retrieval.geometry.planes import Array, Plane, angle_between_lines, mean_line

APART_MM = 1.0
"""Slices of one stack lie at least this far apart; nearer is the same slice, acquired again."""

ASIDE_MM = 40.0
"""Middles of one stack's slices lie within this of each other across the normal."""

GAP_SLICES = 3.5
"""A gap wider than this many slice distances ends a stack."""

PHASES_AGREE = 0.2
ECHO_AGREES = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One slice of one run."""

    run: Run
    cut: Cut

    @property
    def slice(self) -> Slice:
        """The slice itself."""
        return self.cut.slice


@dataclass(slots=True, eq=False)
class Stack:
    """Parallel slices acquired alike, in no order before `ordered` gives one."""

    members: list[Member] = field(default_factory=list)

    @property
    def spacing_mm(self) -> float | None:
        """Median distance between neighbours; None for a plane on its own."""
        return spacing_along([m.slice.plane for m in self.members], self.normal)

    @property
    def normal(self) -> Array:
        """(3,) common normal, on the side of the first slice's."""
        line = mean_line([m.slice.plane.normal for m in self.members])
        first = self.members[0].slice.plane.normal
        return line if float(line @ first) >= 0 else -line

    def ordered(self, direction: Array) -> list[Member]:
        """The slices along a direction."""
        return sorted(self.members, key=lambda m: float(m.slice.plane.centre @ direction))


def spacing_along(planes: Sequence[Plane], normal: Array) -> float | None:
    """Median distance between neighbouring slices along a normal, in mm, to the micrometre.

    Headers give positions with so many digits and no more.
    """
    gaps = np.diff(np.sort([p.centre @ normal for p in planes]))
    gaps = gaps[gaps > APART_MM]
    return round(float(np.median(gaps)), 3) if gaps.size else None


def spacing_of(planes: Sequence[Plane]) -> float | None:
    """Median distance between neighbours among the largest set of parallel planes, in mm."""
    largest = max(parallel(planes), key=len)
    return spacing_along(largest, largest[0].normal)


def stacks_of(runs: Iterable[Run]) -> list[Stack]:
    """Join the kept slices of all runs into stacks, each slice in exactly one."""
    pieces = [piece for run in runs for piece in _pieces(run)]
    # Large pieces first, so that single slices find the stack they belong to.
    waiting = sorted(pieces, key=_size_then_time)
    stacks: list[Stack] = []
    while waiting:
        stack = waiting.pop(0)
        # A slice that joins may bring the next one within reach.
        while (piece := next((p for p in waiting if _fits(stack, p)), None)) is not None:
            stack.members.extend(piece.members)
            waiting.remove(piece)
        stacks.append(stack)
    return stacks


def _size_then_time(piece: Stack) -> tuple[float, ...]:
    first = piece.members[0]
    begun = first.run.evidence.acquired_ms or 0.0
    return (-len(piece.members), begun, *first.slice.plane.centre.tolist())


def _pieces(run: Run) -> list[Stack]:
    """The kept slices of one run, parted by orientation."""
    pieces: list[Stack] = []
    for cut in run.kept:
        normal = cut.slice.plane.normal
        home = next(
            (p for p in pieces if angle_between_lines(p.normal, normal) < PARALLEL_DEG), None
        )
        member = Member(run, cut)
        if home is None:
            pieces.append(Stack([member]))
        else:
            home.members.append(member)
    return pieces


def _fits(stack: Stack, piece: Stack) -> bool:
    a, b = stack.members[0], piece.members[0]
    apart = angle_between_lines(a.slice.plane.normal, b.slice.plane.normal)
    return apart < PARALLEL_DEG and _acquired_alike(a, b) and _in_line(stack, piece)


def _acquired_alike(a: Member, b: Member) -> bool:
    if (a.run.technique, a.run.variant) != (b.run.technique, b.run.variant):
        return False
    if a.run.evidence.picture is not b.run.evidence.picture:
        return False
    x, y = len(a.cut.timing.frames), len(b.cut.timing.frames)
    if abs(x - y) > PHASES_AGREE * max(x, y):
        return False
    te, other = a.run.evidence.te_ms, b.run.evidence.te_ms
    return te is None or other is None or abs(te - other) <= ECHO_AGREES * max(te, other)


def _in_line(stack: Stack, piece: Stack) -> bool:
    """Whether a piece's slices continue a stack without covering any of it again."""
    normal = stack.normal
    if not np.allclose(
        stack.members[0].slice.plane.spacing_mm, piece.members[0].slice.plane.spacing_mm, rtol=0.05
    ):
        return False
    here = np.stack([m.slice.plane.centre for m in stack.members])
    there = np.stack([m.slice.plane.centre for m in piece.members])
    aside = (there.mean(axis=0) - here.mean(axis=0)) @ (np.eye(3) - np.outer(normal, normal))
    gaps = np.abs((here @ normal)[:, None] - (there @ normal)[None, :])
    reach = GAP_SLICES * max(stack.spacing_mm or 0.0, piece.spacing_mm or 0.0, _thickness(stack))
    return (
        float(np.linalg.norm(aside)) < ASIDE_MM
        and float(gaps.min()) > APART_MM
        and float(gaps.min()) <= reach
    )


def _thickness(stack: Stack) -> float:
    frames = stack.members[0].cut.timing.frames
    return frames[0].thickness_mm or 10.0
