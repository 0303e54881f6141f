"""Archives of simulated patients without pixels, for benches that know the truth of the hearts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from retrieval.catalog.catalog import SqlCatalog
from retrieval.encoder.phantom.encoder import PhantomEncoder
from retrieval.evaluation.seen import embed_one
from retrieval.language.findings import find_findings
from retrieval.language.measurements import find_measurements
from retrieval.language.sections import impression_of
from retrieval.phantom.sentences import write_report
from retrieval.phantom.truth import HeartTruth
from retrieval.training.trial import simulated_patient
from retrieval.values.clip import ClipRecord
from retrieval.values.embedding import Embeddings, EncoderId, StudyEmbedding, rows_of
from retrieval.values.intake import StudyEntry
from retrieval.values.report import Report
from retrieval.values.study import Series, State, Study, StudyId
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table
from tests.doubles import a_study


@dataclass(frozen=True, slots=True)
class Simulated:
    """One patient, one study: what an archive holds of it, and what is true of the heart."""

    study: Study
    clips: tuple[ClipRecord, ...]
    embedding: StudyEmbedding
    truth: HeartTruth
    report: Report


def simulated(encoder: PhantomEncoder, seed: int, count: int) -> list[Simulated]:
    """Simulate patients seed, seed + 1, ..., with reports in wordings that no training read."""
    return [_one(encoder, number) for number in range(seed, seed + count)]


def archive(
    patients: Sequence[Simulated],
    encoder_id: EncoderId,
    database: Path,
    *,
    reported: Collection[StudyId],
) -> tuple[SqlCatalog, ExactIndex]:
    """A catalog and an index of some patients, of whom some have a report.

    Parameters
    ----------
    database
        A file that is not there yet.
    """
    catalog = SqlCatalog.open(f"sqlite:///{database}", migrate=True)
    vectors: dict[int, NDArray[np.float32]] = {}
    for patient in patients:
        study = replace(patient.study, series=_series(patient.clips))
        entry = StudyEntry(study=study, clips=patient.clips, files=(), source_digest=study.id)
        rows = rows_of(patient.embedding)
        catalog.put_study(entry)
        catalog.put_embeddings(rows)
        if study.id in reported:
            catalog.put_report(patient.report)
        vectors |= {row.key: row.vector for row in rows}
    keys = np.array(sorted(vectors), dtype=np.int64)
    rows = Embeddings(encoder_id, np.stack([vectors[key] for key in keys.tolist()]))
    return catalog, ExactIndex(Table(keys, rows, generation="simulated"))


def reported(patients: Sequence[Simulated], share: float) -> frozenset[StudyId]:
    """A share of the patients, drawn by the id of each."""
    return frozenset(p.study.id for p in patients if Random(p.study.id).random() < share)


def _series(clips: Sequence[ClipRecord]) -> tuple[Series, ...]:
    first = {clip.series: clip for clip in reversed(clips)}
    return tuple(
        Series(id=name, view=clip.view, technique=clip.technique, state=State.INDEXED)
        for name, clip in sorted(first.items())
    )


def _one(encoder: PhantomEncoder, number: int) -> Simulated:
    patient = simulated_patient(number)
    clips = tuple(clip.record for clip in patient.clips)
    study = a_study(f"simulated {number}")
    truth = patient.truth
    person = replace(study.patient, sex=truth.sex, age_years=truth.age_years)
    study = replace(study, id=clips[0].study, patient=person)
    (embedding,) = embed_one(encoder, patient.clips)
    text = write_report(truth, Random(number), split="held out")
    return Simulated(study, clips, embedding, truth, _read(study.id, text))


def _read(study: StudyId, text: str) -> Report:
    return Report(
        digest=study,
        study=study,
        text=text,
        impression=impression_of(text),
        findings=find_findings(text),
        measurements=find_measurements(text),
    )
