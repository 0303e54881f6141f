"""Sets of studies as bitmaps."""

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TypeVar

import numpy as np

from retrieval.search.roster import Chosen, Roster
from retrieval.values.study import StudyId

_T = TypeVar("_T")


class Studies(AbstractSet[StudyId]):
    """A set of studies that a roster knows, as a bitmap."""

    def __init__(self, roster: Roster, chosen: Chosen) -> None:
        self.roster = roster
        self.chosen = chosen
        self._count = int(np.count_nonzero(chosen))

    def __contains__(self, study: object) -> bool:
        number = self.roster.numbers.get(study)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return number is not None and bool(self.chosen[number])

    def __iter__(self) -> Iterator[StudyId]:
        return (self.roster.ids[number] for number in np.flatnonzero(self.chosen).tolist())

    def __len__(self) -> int:
        return self._count

    def __sub__(self, other: AbstractSet[object]) -> "Studies":
        return Studies(self.roster, self.chosen & ~bitmap_of(self.roster, other))

    def __and__(self, other: AbstractSet[object]) -> "Studies":
        return Studies(self.roster, self.chosen & bitmap_of(self.roster, other))

    @classmethod
    def _from_iterable(cls, it: Iterable[_T]) -> frozenset[_T]:
        """What the other operators of sets return."""
        return frozenset(it)


def bitmap_of(roster: Roster, studies: Collection[object]) -> Chosen:
    """The bitmap of any set of studies."""
    if isinstance(studies, Studies) and studies.roster is roster:
        return studies.chosen
    return roster.numbered(studies)  # pyright: ignore[reportArgumentType]
