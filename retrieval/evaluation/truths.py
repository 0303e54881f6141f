"""Judgments from what is true of simulated hearts: the truth.jsonl beside a phantom archive."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

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


def read_truths(path: Path, resolver: Resolver) -> list[Judgment]:
    """Turn simulated truth into judgments: a few questions a concept.

    Concepts that are true of all or of none of the studies are left out.

    Raises
    ------
    UsageError
        A line is not such a record, or names a study that is not in the archive.
    """
    truths: dict[StudyId, HeartTruth] = {}
    for where, record in read_json_lines(path):
        name = str(pick(record, ("study_uid", "study"), where=where))
        truths[resolver.require(name, where=where)] = _truth(record, where)
    studies = list(truths)
    true = degrees(CONCEPTS, list(truths.values())) >= TRUE_FROM
    return [
        Judgment(
            query=query,
            relevant=frozenset(studies[i] for i in np.flatnonzero(true[:, column])),
            among=frozenset(studies),
        )
        for column, concept in enumerate(CONCEPTS)
        if 0 < true[:, column].sum() < len(studies)
        for query in _spread(phrases(concept, "held out"))
    ]


def _spread(wordings: Sequence[str]) -> list[str]:
    places = np.unique(np.linspace(0, len(wordings) - 1, WORDINGS).astype(int))
    return [wordings[int(place)] for place in places]


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
