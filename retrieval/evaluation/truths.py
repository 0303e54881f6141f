"""Judgments from what is true of simulated hearts: the truth.jsonl beside a phantom archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import UsageError
from retrieval.evaluation.judgments import Judgment
from retrieval.evaluation.records import Record, pick, read_json_lines
from retrieval.evaluation.resolve import Resolver
from retrieval.phantom.sentences import CONCEPTS, degrees, phrases
from retrieval.phantom.truth import HeartTruth, Hypertrophy, Scar, ScarPattern, Territory
from retrieval.values.study import Sex, StudyId

WORDINGS = 3
"""Questions a concept is asked in, spread over the wordings that training never sees."""

TRUE_FROM = 0.5
"""Degree from which a statement counts as true."""


def is_truth(path: Path) -> bool:
    """Whether a JSON Lines file holds the parameters of simulated hearts."""
    return path.suffix == ".jsonl" and any(
        "lvedv_ml" in record for _, record in read_json_lines(path)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truths:
    """What is true of simulated studies.

    Attributes
    ----------
    studies
        N of them.
    hearts
        N, one a study.
    true
        (N,) booleans by concept; concepts that are true of all or of none are left out.
    wordings
        What is asked for each concept, in words that training never sees.
    """

    studies: tuple[StudyId, ...]
    hearts: tuple[HeartTruth, ...]
    true: Mapping[str, NDArray[np.bool_]]
    wordings: Mapping[str, tuple[str, ...]]

    def judgments(self) -> list[Judgment]:
        """One question a wording."""
        return [
            Judgment(
                query=query,
                relevant=frozenset(self.studies[i] for i in np.flatnonzero(true)),
                among=frozenset(self.studies),
            )
            for concept, true in self.true.items()
            for query in self.wordings[concept]
        ]


def read_truths(path: Path, resolver: Resolver) -> Truths:
    """Read what is true of the studies of an archive of simulated hearts.

    Raises
    ------
    UsageError
        A line is not such a record, or names a study that is not in the archive.
    """
    hearts: dict[StudyId, HeartTruth] = {}
    for where, record in read_json_lines(path):
        name = str(pick(record, ("study_uid", "study"), where=where))
        hearts[resolver.require(name, where=where)] = _truth(record, where)
    return truths_of(hearts)


def truths_of(hearts: Mapping[StudyId, HeartTruth]) -> Truths:
    """Say what is true of simulated hearts, and in which words to ask for it."""
    columns = (degrees(CONCEPTS, list(hearts.values())) >= TRUE_FROM).T
    true = dict(zip(CONCEPTS, columns, strict=True))
    telling = [c for c in CONCEPTS if 0 < true[c].sum() < len(hearts)]
    return Truths(
        studies=tuple(hearts),
        hearts=tuple(hearts.values()),
        true={concept: true[concept] for concept in telling},
        wordings={concept: _spread(phrases(concept, "held out")) for concept in telling},
    )


def _spread(wordings: Sequence[str]) -> tuple[str, ...]:
    places = np.unique(np.linspace(0, len(wordings) - 1, WORDINGS).astype(int))
    return tuple(wordings[int(place)] for place in places)


def _truth(record: Record, where: str) -> HeartTruth:
    try:
        given = {name: record[name] for name in HeartTruth.__dataclass_fields__}
        return HeartTruth(
            **given
            | {
                "sex": Sex(record["sex"]),
                "hypertrophy": Hypertrophy(record["hypertrophy"]),
                **{name: tuple(record[name]) for name in given if name.endswith("_segments")},
                "scars": tuple(_scar(scar) for scar in record["scars"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{where}: not the truth of a simulated heart ({error})") from error


def _scar(record: Record) -> Scar:
    territory = record["territory"]
    return Scar(
        pattern=ScarPattern(record["pattern"]),
        territory=None if territory is None else Territory(territory),
        segments=tuple(record["segments"]),
        transmurality=record["transmurality"],
    )
