"""One- and few-shot: studies scored by their likeness to examples, spread over the examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from retrieval.classify.answer import Answer, Interval, places, ranked
from retrieval.classify.examples import METHODS, Floats, centred
from retrieval.errors import UsageError
from retrieval.ports import CatalogReader
from retrieval.search.estimates import COVERAGE
from retrieval.search.searcher import Searcher
from retrieval.values.machine_finding import Method
from retrieval.values.query import Access, Filter, Query
from retrieval.values.study import StudyId

BLOCK = 4096
"""Studies scored at a time: 16 MiB at 512 dimensions."""

Score = Callable[[Floats, Floats], Floats]
"""(n, D) examples with what is looked for and (m, D) without it, m from 0, to (N,) scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Studies that have what is looked for, and studies that have not.

    Each counts once, whatever the order.

    Raises
    ------
    UsageError
        None has it, or one stands on both sides.
    """

    like: frozenset[StudyId]
    unlike: frozenset[StudyId] = frozenset()

    def __post_init__(self) -> None:
        if not self.like:
            raise UsageError("no example has what is looked for; give one or more with --like")
        both = sorted(self.like & self.unlike)
        if both:
            raise UsageError(f"study {both[0]} is given as like and as unlike; choose one of them")

    @property
    def all(self) -> frozenset[StudyId]:
        """Those on either side."""
        return self.like | self.unlike

    @property
    def lines(self) -> tuple[str, ...]:
        """One line an example."""
        unlike = (f"unlike {study}" for study in sorted(self.unlike))
        return (*(f"like {study}" for study in sorted(self.like)), *unlike)


def by_examples(
    searcher: Searcher,
    catalog: CatalogReader,
    examples: Examples,
    method: Method,
    where: Filter,
    *,
    access: Access,
) -> Answer:
    """Score every eligible study but the examples.

    Where nothing unlike is given, the mean of all studies compared stands on
    the other side, once for each example. The spread of a study's place is
    that of the examples: its percentile is found again with each example left
    out (jackknife), and the interval is Student's over the smaller side.

    Parameters
    ----------
    method
        One of the two that learn from examples.

    Raises
    ------
    StudyNotFound
        An example is no study that `access` may see.
    UsageError
        An example has no vector, or no study is left to compare.
    """
    like, unlike = (
        _vectors(searcher, sorted(side), access) for side in (examples.like, examples.unlike)
    )
    _, eligible, pool = searcher.compared(Query(limit=None, where=where), access=access)
    found = pool.vectors_of_studies()
    studies = [study for study in found if study not in examples.all]
    if not studies:
        raise UsageError("no eligible study is left to compare with the examples; widen the filter")
    rows = np.stack([found[study] for study in studies]).astype(np.float64)
    score = _scorer(method, rows)
    scores = score(like, unlike)
    bounds = _bounds(score, like, unlike)
    asked = len(eligible - examples.all)
    return Answer(
        question="",
        method=method,
        asked=examples.lines,
        spread=_spread(examples),
        places=ranked(
            dict(zip(studies, scores.tolist(), strict=True)),
            {} if bounds is None else dict(zip(studies, bounds, strict=True)),
            _kin(catalog, studies, examples, access),
        ),
        eligible=asked,
        missing=asked - len(studies),
    )


def _vectors(searcher: Searcher, studies: Sequence[StudyId], access: Access) -> Floats:
    """(n, D) vectors of examples; of none, an array of length 0."""
    rows = [searcher.example(study, access=access).vectors[0] for study in studies]
    return np.array(rows, dtype=np.float64)


def _scorer(method: Method, rows: Floats) -> Score:
    """Scores of `rows` by a method, from any examples; rounded, so that equal ones tie."""
    scores_of, mean = METHODS[method], rows.mean(axis=0, keepdims=True)

    def score(like: Floats, unlike: Floats) -> Floats:
        other = unlike if len(unlike) else np.repeat(mean, len(like), axis=0)
        both = np.concatenate([like, other])[None]
        kind = np.arange(both.shape[1]) < len(like)
        parts: list[Floats] = []
        for start in range(0, len(rows), BLOCK):
            known, asked = centred(both, kind, rows[start : start + BLOCK])
            parts.append(scores_of(known, kind, asked)[0])
        return np.concatenate(parts).round(9)

    return score


def _bounds(score: Score, like: Floats, unlike: Floats) -> list[Interval] | None:
    """Of each study's percentile; None where a side has one example."""
    given = [len(side) for side in (like, unlike) if len(side)]
    if min(given) < 2:
        return None
    variance = _variance([score(np.delete(like, i, axis=0), unlike) for i in range(len(like))])
    if len(unlike):
        variance = variance + _variance(
            [score(like, np.delete(unlike, i, axis=0)) for i in range(len(unlike))]
        )
    reach = student.ppf((1 + COVERAGE) / 2, min(given) - 1) * np.sqrt(variance)
    middle = places(score(like, unlike))
    lows, highs = np.maximum(middle - reach, 0), np.minimum(middle + reach, 100)
    return list(zip(lows.tolist(), highs.tolist(), strict=True))


def _variance(left_out: Sequence[Floats]) -> Floats:
    """(N,) jackknife variance of percentiles, from the scores with each example left out."""
    found = np.stack([places(scores) for scores in left_out])
    gaps = found - found.mean(axis=0)
    return (len(found) - 1) / len(found) * (gaps * gaps).sum(axis=0)


def _kin(
    catalog: CatalogReader, studies: Sequence[StudyId], examples: Examples, access: Access
) -> frozenset[StudyId]:
    """Studies of a patient of whom an example is."""
    of = catalog.studies(sorted(examples.all), access=access)
    patients = {study.patient.id for study in of}
    others = catalog.studies(studies, access=access)
    return frozenset(study.id for study in others if study.patient.id in patients)


def _spread(examples: Examples) -> str:
    like, unlike = len(examples.like), len(examples.unlike)
    other = f"{unlike} without it" if unlike else "on the other side the mean of those compared"
    told = f"{like} example{'' if like == 1 else 's'} with it, {other}"
    if like < 2 or unlike == 1:
        return f"{told}; one example tells nothing of its own spread, so there is no interval"
    return f"{told}; {COVERAGE * 100:.0f} % intervals over which examples were given"
