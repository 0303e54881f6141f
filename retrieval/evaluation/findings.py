"""Findings on simulated hearts, at the prevalence of a clinic.

Simulated archives hold far more disease than a hospital's. So for each finding
all hearts without it are kept, and of those with it so few are drawn that they
make up 5 % at most; that is repeated, and the figures are averaged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import resample
from retrieval.evaluation.resample import Estimate, Floats, Sorted
from retrieval.evaluation.seen import Seen
from retrieval.evaluation.truths import Truths
from retrieval.values.query import Access

PREVALENCE = 0.05
"""The most that a finding may have."""

FEWEST = 10
"""Studies with the finding that a draw must hold: with fewer, no ranking has precision 1 at 10."""

USUAL = 0.5
"""A statement true of more hearts than this is no finding."""

DRAWS = 400
"""Of studies with the finding for a figure, and of patients for its interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingScore:
    """How well one finding is found, averaged over its wordings.

    Attributes
    ----------
    studies, positives
        In the archive; `drawn` of the positives stand in each draw.
    auc, average_precision, precision10
        The interval is that of another such archive: other patients, and one
        draw of those with the finding.
    worst_wording
        The one with the least AUC.
    """

    concept: str
    studies: int
    positives: int
    drawn: int
    auc: Estimate
    average_precision: Estimate
    precision10: Estimate
    worst_wording: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All findings, and their means.

    Attributes
    ----------
    too_few
        Findings that could not be scored: fewer than `FEWEST` can be drawn.
    usual
        Statements left out because they are true of more than half of the
        hearts: those are no findings.
    """

    scored: tuple[FindingScore, ...]
    too_few: tuple[str, ...]
    usual: tuple[str, ...]
    mean: Mapping[str, float]

    @property
    def worst(self) -> FindingScore:
        """The finding with the least precision at 10; of several, the one with the least AUC."""
        return min(self.scored, key=lambda f: (f.precision10.value, f.auc.value))


def score_findings(
    seen: Seen, truths: Truths, patients: Sequence[str], *, access: Access, draws: int = DRAWS
) -> Findings | None:
    """Score every finding that enough hearts have and enough lack; None where there is none."""
    scored: list[FindingScore] = []
    too_few: list[str] = []
    usual = [concept for concept, true in truths.true.items() if true.mean() > USUAL]
    for concept, true in truths.true.items():
        if concept in usual:
            continue
        if drawn_of(true) < FEWEST:
            too_few.append(concept)
            continue
        scores = seen.scores(truths.wordings[concept], truths.studies, access=access)
        scored.append(_score(concept, truths.wordings[concept], scores, true, patients, draws))
    if not scored:
        return None
    means = ("auc", "average_precision", "precision10")
    return Findings(
        scored=tuple(scored),
        too_few=tuple(too_few),
        usual=tuple(usual),
        mean={name: float(np.mean([getattr(f, name).value for f in scored])) for name in means},
    )


def drawn_of(true: NDArray[np.bool_]) -> int:
    """How many of the positives a draw holds: all, or as many as make up `PREVALENCE`."""
    others = int((~true).sum())
    return min(int(true.sum()), int(others * PREVALENCE / (1 - PREVALENCE)))


def draw_positives(
    weights: Floats, true: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> Floats:
    """(B, N) weights that keep all negatives, and `count` of the positives, without replacement."""
    found = weights.copy()
    places = np.flatnonzero(true)
    for row in found:
        have = row[places].astype(np.int64)
        row[places] = rng.multivariate_hypergeometric(have, min(count, int(have.sum())))
    return found


def _score(
    concept: str,
    wordings: Sequence[str],
    scores: Floats,
    true: NDArray[np.bool_],
    patients: Sequence[str],
    draws: int,
) -> FindingScore:
    rng = np.random.default_rng(0)
    count = drawn_of(true)
    whole = np.ones((draws, len(true)))
    as_they_are = draw_positives(whole, true, count, rng)
    anew = draw_positives(resample.by_patient(patients, true, draws=draws), true, count, rng)
    rankings = [Sorted(row, true) for row in scores]

    def over_wordings(number: Callable[[Sorted, Floats], Floats]) -> Estimate:
        value = float(np.mean([number(r, as_they_are) for r in rankings]))
        return resample.estimate(value, np.mean([number(r, anew) for r in rankings], axis=0))

    areas = [resample.area_under_roc(r, whole[:1])[0] for r in rankings]
    return FindingScore(
        concept=concept,
        studies=len(true),
        positives=int(true.sum()),
        drawn=count,
        auc=over_wordings(resample.area_under_roc),
        average_precision=over_wordings(resample.average_precision),
        precision10=over_wordings(resample.precision_at),
        worst_wording=wordings[int(np.argmin(areas))],
    )
