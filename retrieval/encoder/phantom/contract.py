"""What the phantom encoder is shown: techniques, views, scale. Saved in every checkpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from retrieval.values.clip import ClipRecord
from retrieval.values.study import Technique, View

TECHNIQUES = (
    Technique.CINE,
    Technique.LGE,
    Technique.PERFUSION,
    Technique.T2_WEIGHTED,
    Technique.T1_MAP,
    Technique.T2_MAP,
)
"""Techniques an encoder can know; a clip's technique is its place in this tuple."""

VIEWS = (View.SHORT_AXIS, View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.OTHER)
"""Views the encoder knows; any other view counts as the last."""

MAP_CEILING_MS = {Technique.T1_MAP: 2000.0, Technique.T2_MAP: 120.0}
"""Relaxation times that become 1 in the absolute channel of a map."""

AFTER_CONTRAST = "after contrast"
"""T1 maps of this variant say something else than native ones, and are not looked at."""

VERSION = 2
"""Of the code that reads clips; checkpoints of another version cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputContract:
    """How clips become network input.

    Attributes
    ----------
    version
        `VERSION`, raised whenever the code that reads clips changes what it computes.
    size_px, spacing_mm
        The square cut out around the heart; never a zoom.
    percentiles, ceiling
        Each clip's percentiles become 0 and 1; brighter pixels stop at `ceiling`.
    sample_step
        Percentiles are taken over every such row and column.
    stack_limit
        Most slices of one technique's short-axis stack, evenly spread.
    plane_limit
        Most clips of each other view and technique.
    techniques
        A beginning of TECHNIQUES: those that the network was taught.
    technique_limit
        Most clips of each of `techniques`; their sum bounds a study.
    """

    version: int = VERSION
    size_px: int = 96
    spacing_mm: float = 2.0
    percentiles: tuple[float, float] = (1.0, 99.0)
    ceiling: float = 1.4
    sample_step: int = 3
    stack_limit: int = 12
    plane_limit: int = 2
    techniques: tuple[Technique, ...] = TECHNIQUES
    technique_limit: tuple[int, ...] = (15, 8, 3, 3, 3, 3)

    def __post_init__(self) -> None:
        if self.techniques != TECHNIQUES[: len(self.techniques)]:
            raise ValueError(
                f"techniques are {list(self.techniques)}; they must begin like {list(TECHNIQUES)}"
            )
        if len(self.technique_limit) != len(self.techniques):
            raise ValueError(
                f"technique_limit has {len(self.technique_limit)} numbers for "
                f"{len(self.techniques)} techniques; give one for each"
            )

    @classmethod
    def saved(cls, given: Mapping[str, Any]) -> Self:
        """Read what a checkpoint says.

        Raises
        ------
        TypeError, ValueError
            It is no such contract.
        """
        known: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in given.items()
        }
        techniques = tuple(Technique(t) for t in known.pop("techniques"))
        return cls(**known, techniques=techniques)

    def sees(self, record: ClipRecord) -> bool:
        """Whether a clip like this one can be looked at."""
        native = record.technique is not Technique.T1_MAP or record.variant != AFTER_CONTRAST
        return native and record.technique in self.techniques


def known_view(view: View) -> View:
    """The view itself, or OTHER if the encoder was not taught it."""
    return view if view in VIEWS else View.OTHER
