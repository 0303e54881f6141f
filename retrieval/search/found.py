"""What a search found, before it is dressed for a reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retrieval.search.collapse import Folded
from retrieval.search.members import Studies
from retrieval.search.moments import Moment
from retrieval.search.plan import Plan
from retrieval.search.video import Pool
from retrieval.values.embedding import Embeddings
from retrieval.values.query import Filter, Said
from retrieval.values.study import StudyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A ranking before it is dressed.

    Attributes
    ----------
    studies
        (study, score), best first.
    eligible, missing
        As in `Ranking`.
    """

    studies: tuple[tuple[StudyId, float], ...]
    eligible: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An order, and what its evidence and its worth can be drawn from.

    Attributes
    ----------
    now
        The archive as it was when the query came.
    where
        The query's filter, narrowed by its words.
    channels
        Whose rankings made the order.
    compared
        Eligible studies that were not set aside.
    first
        At least as many of the best as a judge of the answer wants to see.
    set_aside, answers
        As in `Ranking`.
    pool, vector
        What images were compared, and with what; None where they were not asked.
    said
        What reports say of the query's chips.
    sentences
        Of reports that share words with what no chip stands for.
    folded
        What lies under each hit: further studies of its patient, and copies.
    """

    now: Moment
    order: Order
    planned: Plan
    where: Filter
    channels: tuple[str, ...]
    compared: Studies
    first: tuple[StudyId, ...]
    set_aside: int = 0
    answers: int = 0
    pool: Pool | None = None
    vector: Embeddings | None = None
    said: Mapping[StudyId, tuple[Said, ...]] = field(default_factory=dict)
    sentences: Mapping[StudyId, str] = field(default_factory=dict)
    folded: Mapping[StudyId, tuple[Folded, ...]] = field(default_factory=dict)
