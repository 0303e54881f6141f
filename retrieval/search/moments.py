"""One moment of the archive for each query: no answer mixes two, none is older than its query."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from threading import Lock

import numpy as np

from retrieval.ports import CatalogReader, VectorIndex
from retrieval.search.collapse import Pairs, copies
from retrieval.search.members import Studies, bitmap_of
from retrieval.search.roster import Roster
from retrieval.search.video import Pool
from retrieval.values.embedding import Mask
from retrieval.values.query import Access, Filter
from retrieval.values.study import PatientId, StudyId

_ANYBODY = Access(sites=None, unreleased=True)
"""What is kept for all readers knows of all studies; each one's own access is in each mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What one reader may be answered from, at one moment."""

    index: VectorIndex
    roster: Roster
    access: Access

    def eligible(self, where: Filter) -> Studies:
        """The studies that the filter and the reader's access allow."""
        return Studies(self.roster, self.roster.eligible(where, self.access))

    def of_patients(self, patients: Collection[PatientId]) -> Studies:
        """The studies of these patients, whether they may be seen or not."""
        return Studies(self.roster, self.roster.among("patient", patients))

    def patients(self, studies: Iterable[StudyId]) -> dict[StudyId, PatientId]:
        """Whose each of these studies is, of those that may answer somebody."""
        return self.roster.patients(studies)

    def pool(self, where: Filter, studies: Collection[StudyId]) -> Pool:
        """The vectors of those of `studies` that are eligible, and meet the filter themselves."""
        chosen = self.roster.eligible(where, self.access) & bitmap_of(self.roster, studies)
        return Pool(self.index, self.roster, self.roster.rows(where, chosen))


class Moments:
    """Gives each query its moment. Safe to share between threads.

    Parameters
    ----------
    index
        The generation that is searched.
    catalog
        Asked, at every call of `now`, for what has changed since the last.
    """

    def __init__(self, index: VectorIndex, catalog: CatalogReader) -> None:
        self._index = index
        self._catalog = catalog
        self._lock = Lock()
        self._copies: tuple[Mask, Pairs] | None = None
        self._roster = Roster.unread(index.keys)

    def now(self, access: Access) -> Moment:
        """The archive as it is, for one reader: all that was committed before this call."""
        with self._lock:
            roster = self._roster
            news = self._catalog.standing(
                self._index.encoder_id, since=roster.revision, access=_ANYBODY
            )
            if news is not None:
                roster = self._roster = roster.after(news)
        return Moment(index=self._index, roster=roster, access=access)

    def copies(self, moment: Moment) -> list[tuple[StudyId, StudyId]]:
        """Pairs of studies whose own vectors are practically equal, whoever may see them.

        Vectors never change, so they are compared once.
        """
        whole = moment.roster.whole
        with self._lock:
            kept = self._copies
            if kept is None or not np.array_equal(kept[0], whole):
                keys = self._index.keys[whole]
                vectors = self._index.vectors(keys).vectors
                kept = self._copies = (whole, np.flatnonzero(whole)[copies(vectors)])
        owners, ids = moment.roster.owners[kept[1]], moment.roster.ids
        return [(ids[a], ids[b]) for a, b in owners.tolist() if min(a, b) >= 0]
