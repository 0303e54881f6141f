"""What the screens read from: the live generation, opened once and kept until it changes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from retrieval.ports import CatalogReader, ClipStore
from retrieval.search.why import Map, Why
from retrieval.values.clip import ClipId
from retrieval.values.embedding import EncoderId
from retrieval.values.query import LOCAL_OPERATOR, Access, Query, Ranking
from retrieval.values.study import State, StudyId
from webui.sheets import SheetReader

READER: Access = LOCAL_OPERATOR
"""Whose eyes the pages serve: they are shown to this machine's own user only."""

COVERAGE_AGE_S = 20.0
"""Counting every study takes a while in a large archive, so it is not done on every click."""


class Searches(Protocol):
    """Answers queries."""

    def search(self, query: Query, *, access: Access) -> Ranking:
        """Rank the eligible studies, best first."""
        ...

    def wider(self, ranking: Ranking, *, access: Access) -> list[tuple[str, int]]:
        """Broader words for a query, and how many reports say them."""
        ...


class Explains(Protocol):
    """Says why studies answer queries."""

    def why(self, study: StudyId, query: Query, *, access: Access) -> Why:
        """Score a study's clips for a query, from the index."""
        ...

    def map(self, study: StudyId, clip: ClipId, query: Query, *, access: Access) -> Map:
        """Hide parts of one of a study's clips, and score it again for a query."""
        ...


class Reading(Protocol):
    """A home opened for reading, at one generation."""

    @property
    def explainer(self) -> Explains:
        """Says why studies answer."""
        ...

    @property
    def catalog(self) -> CatalogReader:
        """What is known about studies."""
        ...

    @property
    def clips(self) -> ClipStore:
        """Pixels and previews."""
        ...

    @property
    def searcher(self) -> Searches:
        """Answers queries over the generation."""
        ...

    @property
    def generation(self) -> str:
        """Name of the generation that was live when this was opened."""
        ...

    @property
    def encoder_id(self) -> EncoderId:
        """The encoder that made its vectors."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the archive holds and what of it can be searched.

    Attributes
    ----------
    left_out
        (state, reason) -> studies, for all that are not indexed, most first.
    ages, years
        Of the indexed studies for which they are known.
    """

    found: int
    indexed: int
    left_out: tuple[tuple[State, str, int], ...]
    ages: dict[StudyId, int]
    years: dict[StudyId, int]

    @property
    def not_indexed(self) -> int:
        """Studies found that no search compares."""
        return self.found - self.indexed


def coverage_of(catalog: CatalogReader, access: Access) -> Coverage:
    """Count the ledger."""
    ledger = catalog.ledger(access=access)
    out = Counter((s.state, s.reason) for s in ledger if s.state is not State.INDEXED)
    indexed = [s for s in ledger if s.state is State.INDEXED]
    return Coverage(
        found=len(ledger),
        indexed=len(indexed),
        left_out=tuple((state, reason, n) for (state, reason), n in out.most_common()),
        ages={s.id: s.patient.age_years for s in indexed if s.patient.age_years is not None},
        years={s.id: s.year for s in indexed if s.year is not None},
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """One reading with what the screens keep beside it.

    Attributes
    ----------
    research
        Whether studies are shown with what machines make of them.
    """

    reading: Reading
    sheets: SheetReader
    research: bool = False


class Backend:
    """Opens the live generation, and opens the next one when that goes live.

    Parameters
    ----------
    open_reading
        Opens what is live now; raises NothingPublished where nothing is.
    live
        Names what is live, its assessment too; cheap, asked on every run of the page.
    research
        Whether studies are shown with what machines make of them.
    """

    def __init__(
        self,
        open_reading: Callable[[], Reading],
        live: Callable[[], str | None],
        *,
        research: bool = False,
    ) -> None:
        self._open = open_reading
        self._live = live
        self._research = research
        self._lock = Lock()
        self._desk: Desk | None = None
        self._opened: str | None = None
        self._coverage: tuple[float, str, Coverage] | None = None

    def desk(self) -> Desk:
        """The live generation, opened; many sessions share it."""
        with self._lock:
            desk, live = self._desk, self._live()
            if desk is None or self._opened != live:
                reading = self._open()
                desk = self._desk = Desk(reading, SheetReader(reading.clips), self._research)
                self._opened = live
            return desk

    def coverage(self) -> Coverage:
        """What can be searched, at most `COVERAGE_AGE_S` old."""
        reading = self.desk().reading
        now = time.monotonic()
        with self._lock:
            kept = self._coverage
        if kept and kept[1] == reading.generation and now - kept[0] < COVERAGE_AGE_S:
            return kept[2]
        fresh = coverage_of(reading.catalog, READER)
        with self._lock:
            self._coverage = (now, reading.generation, fresh)
        return fresh


_in_use: list[Backend] = []


def use(backend: Backend) -> None:
    """Serve the pages of this process from `backend`."""
    _in_use[:] = [backend]


def current() -> Backend:
    """The backend that this process serves from."""
    if not _in_use:
        raise RuntimeError("no archive is open in this process; start the pages with: cineseek-web")
    return _in_use[0]
