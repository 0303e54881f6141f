"""How probable it is that a reader would say that a study has what is wanted.

A probability speaks of one finding and of images alone. It is calibrated on
what the archive's reports state and deny, for the share of studies with the
finding among those at hand: known where reports speak, found from the scores
where they are silent.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files

import numpy as np

from retrieval.ports import TextEncoder
from retrieval.search.asked import Asked, asked_vector
from retrieval.search.calibrate import (
    prevalence_by_reports,
    prevalence_by_scores,
    probabilities,
)
from retrieval.search.found import Found
from retrieval.search.understand.chips import FindingChip
from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.prompts import plain, prompts
from retrieval.search.verdicts import Witness
from retrieval.search.video import Pool
from retrieval.values.embedding import Embeddings
from retrieval.values.query import Said, Verdict
from retrieval.values.reliability import Belief, Calibration, Reliability
from retrieval.values.study import StudyId

SAMPLE = 2000
"""Studies whose scores say how many have a finding."""

_FIRM = {Verdict.AGREES: True, Verdict.CONTRADICTS: False}


class Finding:
    """One wanted finding: how probable it is in each study, by images.

    Parameters
    ----------
    chip
        The finding as such.
    direction
        Its phrasings, as the encoder has them.
    found
        The answer: studies at hand, and what their reports say.
    """

    def __init__(
        self,
        chip: FindingChip,
        calibration: Calibration,
        direction: Embeddings,
        pool: Pool,
        witness: Witness,
        found: Found,
    ) -> None:
        self.term = chip.term
        self.badge = calibration.badge
        self._calibration = calibration
        self._pool = pool
        self._direction = direction
        shown = witness.acquired(chip)
        self._studies = found.compared if shown is None else found.compared & shown
        self._firm = _firm(chip, witness, found.said)

    def beliefs(self, studies: Collection[StudyId]) -> dict[StudyId, Belief]:
        """What is believed of some studies; those without images that show it are left out."""
        scores = self._pool.scores(self._direction, self._studies & frozenset(studies))
        spoken, silent = self._prevalences
        return {
            study: Belief(
                term=self.term,
                probability=self._probability(score, spoken if study in self._said else silent),
                badge=self.badge,
            )
            for study, score in scores.items()
        }

    def _probability(self, score: float, prevalence: float) -> float:
        return float(probabilities(np.array([score]), self._calibration, prevalence)[0])

    @cached_property
    def _said(self) -> Mapping[StudyId, bool]:
        """Studies at hand whose report states or denies the finding as such."""
        return {study: has for study, has in self._firm.items() if study in self._studies}

    @cached_property
    def _prevalences(self) -> tuple[float, float]:
        """The share with the finding where reports speak of it, and where they do not."""
        said = self._said
        spoken = prevalence_by_reports(sum(said.values()), len(said), self._calibration)
        sample = sampled(self._studies - said.keys())
        scores = np.array(list(self._pool.scores(self._direction, sample).values()))
        return spoken, prevalence_by_scores(scores, self._calibration)


def findings(
    found: Found,
    pool: Pool,
    reliability: Reliability | None,
    *,
    texts: TextEncoder,
    witness: Witness,
) -> list[Finding]:
    """The wanted findings that were assessed on this archive, each once."""
    known = {} if reliability is None else reliability.findings
    wanted = {chip.term: chip for chip in found.planned.wanted if chip.term in known}
    return [
        Finding(
            plain(term),
            known[term],
            asked_vector(texts, [Asked(prompts(plain(term)))]),
            pool,
            witness,
            found,
        )
        for term in wanted
    ]


def beliefs(
    assessed: Sequence[Finding], studies: Collection[StudyId]
) -> dict[StudyId, tuple[Belief, ...]]:
    """What is believed of some studies, finding by finding."""
    found: dict[StudyId, list[Belief]] = {}
    for finding in assessed:
        for study, belief in finding.beliefs(studies).items():
            found.setdefault(study, []).append(belief)
    return {study: tuple(its) for study, its in found.items()}


def above_unrelated(query: Embeddings, texts: TextEncoder, pool: Pool) -> float:
    """The share of unrelated texts whose best score is lower than the query's, 0 to 1."""
    sample = sampled(pool.studies())
    best = [
        max(pool.scores(one, sample).values(), default=-1.0)
        for one in [query, *_unrelated_vectors(texts)]
    ]
    return float(np.mean([best[0] > other for other in best[1:]]))


def sampled(studies: Collection[StudyId]) -> list[StudyId]:
    """At most `SAMPLE` of some studies; ids are digests, so any order of them is random."""
    ordered = sorted(studies)
    step = -(-len(ordered) // SAMPLE)
    return ordered[:: max(step, 1)]


def _firm(
    chip: FindingChip, witness: Witness, said: Mapping[StudyId, Sequence[Said]]
) -> dict[StudyId, bool]:
    """What reports firmly say of a finding as such; asked anew only where the query asked more."""
    line = chip_line(chip)
    known = {study: one for study, its in said.items() for one in its if one.chip == line}
    if not known:
        known = {study: one for study, (one,) in witness.say([chip]).items()}
    return {s: _FIRM[one.verdict] for s, one in known.items() if one.verdict in _FIRM}


def _unrelated_vectors(texts: TextEncoder) -> list[Embeddings]:
    return [texts.encode_texts([text]) for text in unrelated()]


@cache
def unrelated() -> tuple[str, ...]:
    """Texts about nothing that is in a heart."""
    told = files("retrieval.search").joinpath("unrelated.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(told)["texts"])
