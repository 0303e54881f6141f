"""What a rule may say of a run of images."""

from collections.abc import Callable
from dataclasses import dataclass

from indexer.plan.evidence import Evidence
from retrieval.values.study import Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run is, and why it makes no clips, if it makes none."""

    technique: Technique
    reason: str = ""

    @property
    def kept(self) -> bool:
        """Whether the run may become clips."""
        return not self.reason


Rule = Callable[[Evidence], Verdict | None]

TI_SCOUT = Verdict(technique=Technique.TI_SCOUT, reason="TI scout: not kept")
T1_SOURCES = Verdict(technique=Technique.T1_MAP, reason="source images of a T1 map: not kept")
T2_SOURCES = Verdict(technique=Technique.T2_MAP, reason="source images of a T2 map: not kept")
LOCALISER = Verdict(technique=Technique.LOCALISER, reason="localiser: not kept")

SOURCE_TIMES = 3
"""As many different inversion or echo times at one slice make a measurement of a curve."""

MOST_STILLS = 3
"""A slice shown more often than this shows a course of something."""
