"""Assess an encoder on an archive by what the archive's own reports state and deny."""

from collections.abc import Collection, Mapping

import numpy as np

from retrieval.evaluation.calibration import calibrate, enough
from retrieval.ports import CatalogReader, TextEncoder, VectorIndex
from retrieval.search.asked import Asked, asked_vector
from retrieval.search.moments import Moments
from retrieval.search.understand.prompts import plain, prompts
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Kind
from retrieval.search.verdicts import Witness
from retrieval.values.query import Access, Filter, Verdict
from retrieval.values.reliability import Calibration, Reliability
from retrieval.values.study import PatientId, StudyId


def assess(
    texts: TextEncoder,
    index: VectorIndex,
    catalog: CatalogReader,
    *,
    trained_on: Collection[PatientId],
    access: Access,
) -> Reliability:
    """Calibrate every finding of the lexicon that enough reports state and deny.

    A study is judged for a finding where its newest report states or denies it
    and what shows the finding was acquired; silence judges nothing.

    Parameters
    ----------
    trained_on
        Patients that the encoder learned from: they never take part.
    """
    now = Moments(index, catalog).now(access)
    pool = now.pool(Filter(), now.eligible(Filter()))
    studies = catalog.studies(sorted(pool.studies()), access=access)
    patients = {s.id: s.patient.id for s in studies if s.patient.id not in trained_on}
    findings: dict[str, Calibration] = {}
    too_few: dict[str, tuple[int, int]] = {}
    witness = Witness(catalog, Filter(), now)
    for term in _findings():
        judged = _judged(witness, term, patients)
        names = sorted(judged)
        positive = np.array([judged[study] for study in names], dtype=bool)
        people = np.array([patients[study] for study in names], dtype=str)
        if not enough(positive, people):
            too_few[term] = int(positive.sum()), int((~positive).sum())
            continue
        found = pool.scores(asked_vector(texts, [Asked(prompts(plain(term)))]), names)
        findings[term] = calibrate(np.array([found[s] for s in names]), positive, people)
    return Reliability(
        encoder_id=index.encoder_id,
        generation=index.generation,
        studies=len(patients),
        trained_on=len(studies) - len(patients),
        findings=findings,
        too_few=too_few,
    )


def _findings() -> list[str]:
    terms = shipped_terms().terms
    return [name for name, term in terms.items() if term.kind is Kind.FINDING]


def _judged(
    witness: Witness, term: str, patients: Mapping[StudyId, PatientId]
) -> dict[StudyId, bool]:
    chip = plain(term)
    shown = witness.acquired(chip)
    firm = {Verdict.AGREES: True, Verdict.CONTRADICTS: False}
    return {
        study: firm[said.verdict]
        for study, (said,) in witness.say([chip]).items()
        if said.verdict in firm and study in patients and (shown is None or study in shown)
    }
