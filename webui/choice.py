"""Which of a study's clips stand for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.geometry.stacks import tallest_stack
from retrieval.values.clip import ClipRecord
from retrieval.values.study import Technique, View

LONG_AXES = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)

BASE, MID, APEX = 0.22, 0.5, 0.78
"""Where in a stack, from its basal end, a slice is typical of base, middle and apex.

The outermost slices of a planned stack lie beyond the ventricle.
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One small picture beside the best-matching clip.

    Attributes
    ----------
    clip
        None where the study has no such view; the picture then says "none".
    """

    label: str
    clip: ClipRecord | None


def strip(main: ClipRecord, clips: Sequence[ClipRecord]) -> tuple[Slot, Slot, Slot]:
    """Pick three other views for a card.

    4CH cine, 2CH cine and LGE; where a long axis is missing, base and apex of
    the short-axis cine stack. A view that `main` already shows gives way to
    the middle of the stack.
    """
    cines = [c for c in clips if c.technique is Technique.CINE]
    stack = tallest_stack(c for c in cines if c.view is View.SHORT_AXIS)
    others = [
        _slot(main, _first(cines, View.FOUR_CHAMBER), View.FOUR_CHAMBER, stack, BASE),
        _slot(main, _first(cines, View.TWO_CHAMBER), View.TWO_CHAMBER, stack, APEX),
        _late(main, clips, stack),
    ]
    return others[0], others[1], others[2]


def at(stack: Sequence[ClipRecord], share: float) -> ClipRecord:
    """The slice that lies this share of the way from the first to the last."""
    return stack[round(share * (len(stack) - 1))]


def _first(clips: Sequence[ClipRecord], view: View) -> ClipRecord | None:
    return next((c for c in clips if c.view is view), None)


def _slot(
    main: ClipRecord,
    found: ClipRecord | None,
    view: View,
    stack: Sequence[ClipRecord],
    share: float,
) -> Slot:
    if found is not None and (main.view, main.technique) != (view, Technique.CINE):
        return Slot(view.value, found)
    if not stack:
        return Slot(view.value, None)
    if found is not None:
        return Slot("SAX", at(stack, MID))
    picked = at(stack, share)
    if picked.id == main.id:
        return Slot("mid", at(stack, MID))
    return Slot("base" if share == BASE else "apex", picked)


def _late(main: ClipRecord, clips: Sequence[ClipRecord], stack: Sequence[ClipRecord]) -> Slot:
    if main.technique is Technique.LGE and stack:
        return Slot("SAX", at(stack, MID))
    late = [c for c in clips if c.technique is Technique.LGE and c.id != main.id]
    slices = tallest_stack(c for c in late if c.view is View.SHORT_AXIS)
    return Slot("LGE", at(slices, MID) if slices else (late[0] if late else None))
