"""What comes of asking: where every study compared stands, best first."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.search.estimates import percentiles
from retrieval.values.machine_finding import Method
from retrieval.values.study import StudyId

Interval = tuple[float, float]
"""Percentiles, the lower first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one study stands; fields as `retrieval.values.machine_finding.MachineFinding`.

    Attributes
    ----------
    kin
        Whether it is of a patient of whom another study was an example.
    """

    study: StudyId
    score: float
    percentile: float
    interval: Interval | None
    kin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question, asked of an archive.

    Attributes
    ----------
    question
        In words; empty for examples.
    asked
        The phrasings, or `like STUDY` and `unlike STUDY`.
    narrowed
        Words of the question that became a filter, as they were typed.
    recognised
        Whether a finding was recognised in the words; an encoder gives any
        others a direction too, which may mean nothing.
    spread
        What the intervals come from, or why there are none.
    places
        Best first; equal scores by study.
    eligible, missing
        Studies that passed filter and permissions, examples left out, and how
        many of them have no vector in this generation.
    """

    question: str
    method: Method
    asked: tuple[str, ...]
    narrowed: tuple[str, ...] = ()
    recognised: bool = True
    spread: str
    places: tuple[Place, ...]
    eligible: int
    missing: int


def ranked(
    scores: Mapping[StudyId, float],
    intervals: Mapping[StudyId, Interval],
    kin: frozenset[StudyId] = frozenset(),
) -> tuple[Place, ...]:
    """Order studies by score and place each among all of them; `intervals` may be empty."""
    studies = sorted(scores, key=lambda study: (-scores[study], study))
    values = np.array([scores[study] for study in studies])
    return tuple(
        Place(
            study=study,
            score=scores[study],
            percentile=percentile,
            interval=intervals.get(study),
            kin=study in kin,
        )
        for study, percentile in zip(studies, places(values).tolist(), strict=True)
    )


def places(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) percentile of each of N scores among them all."""
    return percentiles(scores, scores)
