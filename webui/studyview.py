"""How a study's clips are laid out on its page: what plays together, and what stands apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from retrieval.geometry.stacks import tallest_stack
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.study import Study, Technique, View
from webui import words
from webui.beat import MS_PER_MINUTE, NOMINAL_BEAT_MS, beat_of
from webui.choice import LONG_AXES
from webui.sheets import tile

Content = dict[str, object]


@dataclass(frozen=True, slots=True)
class Group:
    """Clips shown together: long axes beside a stack from base to apex."""

    title: str
    long: tuple[ClipRecord, ...]
    short: tuple[ClipRecord, ...]

    @property
    def clips(self) -> tuple[ClipRecord, ...]:
        """All of them, long axes first."""
        return self.long + self.short


def groups(clips: Sequence[ClipRecord]) -> tuple[Group, list[Group]]:
    """Divide a study's clips; every clip is in exactly one group.

    Returns
    -------
    cine, others
        `cine` holds one clip per long-axis view and the tallest short-axis
        stack. `others` holds the rest, by technique and variant; cines that
        were acquired again come first.
    """
    cines = [c for c in clips if c.technique is Technique.CINE]
    stack = tallest_stack(c for c in cines if c.view is View.SHORT_AXIS)
    long = [c for view in LONG_AXES for c in cines if c.view is view]
    first = [
        next(c for c in long if c.view is v) for v in LONG_AXES if any(c.view is v for c in long)
    ]
    cine = Group("Cine", tuple(first), tuple(stack))
    shown = {c.id for c in cine.clips}
    rest: dict[str, list[ClipRecord]] = {}
    for clip in clips:
        if clip.id not in shown:
            rest.setdefault(_title(clip), []).append(clip)
    return cine, [_group(title, members) for title, members in rest.items()]


def _title(clip: ClipRecord) -> str:
    name = words.technique_name(clip.technique)
    again = "further cine" if clip.technique is Technique.CINE else name
    return ", ".join(part for part in (again[:1].upper() + again[1:], clip.variant) if part)


def _group(title: str, members: Sequence[ClipRecord]) -> Group:
    short = tuple(c for c in members if c.view is View.SHORT_AXIS)
    return Group(title, tuple(c for c in members if c.view is not View.SHORT_AXIS), short)


def beat_ms(cine: Group, study: Study) -> tuple[float, bool]:
    """The beat that all clips share on screen, and whether it is the study's own."""
    if study.heart_rate_bpm:
        return MS_PER_MINUTE / study.heart_rate_bpm, True
    known = [beat.ms for beat in (beat_of(c, None) for c in cine.clips) if beat.known]
    return (median(known), True) if known else (NOMINAL_BEAT_MS, False)


def layout(study: Study, clips: Sequence[ClipRecord], driving: ClipId | None) -> Content:
    """What the player needs to lay out and play a study, ready for JSON."""
    cine, others = groups(clips)
    beat, known = beat_ms(cine, study)
    return {
        "study": study.id,
        "beat": beat,
        "known": known,
        "rate": f"{MS_PER_MINUTE / beat:.0f} bpm" if known else "rate not given",
        "rateNote": "" if known else "Shown at 60 beats per minute: the files give no time",
        "cine": _content(cine, driving),
        "stills": [_content(group, driving) for group in others],
    }


def contents(clips: Iterable[ClipRecord]) -> str:
    """What a study holds: "SAX 12 · 4CH · 2CH · LGE 11"."""
    cine, others = groups(list(clips))
    parts = [f"SAX {len(cine.short)}"] if cine.short else []
    parts += [clip.view.value for clip in cine.long]
    parts += [f"{group.title} {len(group.clips)}" for group in others]
    return words.joined(parts)


def _content(group: Group, driving: ClipId | None) -> Content:
    return {
        "title": group.title,
        "long": [_item(c, c.view.value, _phases(c), driving) for c in group.long],
        "short": [
            _item(c, str(n), words.level(c) if _typical(c) else "", driving)
            for n, c in enumerate(group.short, start=1)
        ],
    }


def _item(clip: ClipRecord, label: str, right: str, driving: ClipId | None) -> Content:
    return {
        **tile(clip, None),
        "label": label,
        "right": right,
        "alt": f"{words.clip_name(clip)}, {label}",
        "driving": clip.id == driving,
    }


def _phases(clip: ClipRecord) -> str:
    return f"{clip.phases} phases" if clip.phases > 1 else ""


def _typical(clip: ClipRecord) -> bool:
    """The slices that carry the name of their level: the first, the middle and the last."""
    return clip.slice_index in (0, (clip.slice_count - 1) // 2, clip.slice_count - 1)
