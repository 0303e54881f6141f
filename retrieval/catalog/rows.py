"""Values to rows and back. Rows never leave this package."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC
from typing import Any

import numpy as np
from sqlalchemy import Row

from retrieval.catalog.tables import (
    ClipRow,
    EmbeddingRow,
    FindingRow,
    MachineFindingRow,
    MeasurementRow,
    ReportRow,
    SeriesRow,
    StudyRow,
)
from retrieval.values.clip import ClipRecord
from retrieval.values.embedding import Embeddings, EncoderId, StoredEmbedding, StoredEstimate
from retrieval.values.finding import Finding
from retrieval.values.intake import FileSeen, StudyEntry
from retrieval.values.machine_finding import MachineFinding, StoredMachineFinding
from retrieval.values.measurement import Measurement
from retrieval.values.report import Report
from retrieval.values.study import Patient, PatientId, Scanner, Series, SeriesId, Study, StudyId

_FLOAT32 = np.dtype("<f4")

CLIP_FIELDS = tuple(f.name for f in fields(ClipRecord))
SERIES_FIELDS = tuple(f.name for f in fields(Series))
FILE_FIELDS = tuple(f.name for f in fields(FileSeen))
MACHINE_FINDING_FIELDS = tuple(f.name for f in fields(MachineFinding))
MEASUREMENT_FIELDS = ("quantity", "low", "high", "holds_low", "holds_high", "unit")


def study_row(entry: StudyEntry) -> StudyRow:
    """The study itself; `deleted_at` is left alone, since reading again is no undeletion."""
    study, patient, scanner = entry.study, entry.study.patient, entry.study.scanner
    return StudyRow(
        id=study.id,
        patient=patient.id,
        sex=patient.sex,
        age_years=patient.age_years,
        height_cm=patient.height_cm,
        weight_kg=patient.weight_kg,
        bsa_m2=patient.bsa_m2,
        site=study.site,
        state=study.state,
        reason=study.reason,
        year=study.year,
        acquired_on=study.acquired_on,
        vendor=scanner.vendor,
        model=scanner.model,
        software=scanner.software,
        field_strength_t=scanner.field_strength_t,
        contrast=study.contrast,
        heart_rate_bpm=study.heart_rate_bpm,
        accession_key=entry.accession_key,
        source_digest=entry.source_digest,
        released=entry.released,
    )


def series_rows(study: Study) -> list[SeriesRow]:
    """The series of a study, numbered in their order."""
    return [
        SeriesRow(study=study.id, position=position, **_values(series, SERIES_FIELDS))
        for position, series in enumerate(study.series)
    ]


def study_value(row: StudyRow, series: Sequence[SeriesRow]) -> Study:
    """Return a study as it was put; `series` in order of position."""
    return Study(
        id=StudyId(row.id),
        patient=Patient(
            id=PatientId(row.patient),
            sex=row.sex,
            age_years=row.age_years,
            height_cm=row.height_cm,
            weight_kg=row.weight_kg,
            bsa_m2=row.bsa_m2,
        ),
        site=row.site,
        state=row.state,
        reason=row.reason,
        year=row.year,
        acquired_on=row.acquired_on,
        scanner=Scanner(
            vendor=row.vendor,
            model=row.model,
            software=row.software,
            field_strength_t=row.field_strength_t,
        ),
        contrast=row.contrast,
        heart_rate_bpm=row.heart_rate_bpm,
        series=tuple(_series_value(s) for s in series),
    )


def _series_value(row: SeriesRow) -> Series:
    values = _values(row, SERIES_FIELDS)
    values["id"] = SeriesId(row.id)
    return Series(**values)


def clip_values(clip: ClipRecord) -> dict[str, Any]:
    """One clip as columns."""
    return _values(clip, CLIP_FIELDS)


def clip_value(row: ClipRow) -> ClipRecord:
    """Return a clip as it was put."""
    return ClipRecord(**_values(row, CLIP_FIELDS))


def file_values(file: FileSeen) -> dict[str, Any]:
    """One file as columns."""
    return _values(file, FILE_FIELDS)


def report_row(report: Report) -> ReportRow:
    """The report itself, without what it states and version."""
    return ReportRow(
        digest=report.digest,
        study=report.study,
        accession_key=report.accession_key,
        text=report.text,
        impression=report.impression,
        reader=report.reader,
    )


def finding_rows(report: int, findings: Sequence[Finding]) -> list[FindingRow]:
    """The statements of the report that arrived as number `report`."""
    return [
        FindingRow(
            report=report,
            position=position,
            name=finding.name,
            polarity=finding.polarity,
            start_at=finding.start,
            end_at=finding.end,
        )
        for position, finding in enumerate(findings)
    ]


def finding_value(row: FindingRow) -> Finding:
    """Return a statement as it was put."""
    return Finding(name=row.name, polarity=row.polarity, start=row.start_at, end=row.end_at)


def measurement_rows(report: int, measurements: Sequence[Measurement]) -> list[MeasurementRow]:
    """The measurements of the report that arrived as number `report`."""
    return [
        MeasurementRow(
            report=report,
            position=position,
            start_at=measurement.start,
            end_at=measurement.end,
            **_values(measurement, MEASUREMENT_FIELDS),
        )
        for position, measurement in enumerate(measurements)
    ]


def measurement_value(row: MeasurementRow | Row[*tuple[Any, ...]]) -> Measurement:
    """Return a measurement as it was put; of a row of its table or its columns."""
    return Measurement(start=row.start_at, end=row.end_at, **_values(row, MEASUREMENT_FIELDS))


def embedding_values(row: StoredEmbedding) -> dict[str, Any]:
    """One vector as columns."""
    return {
        "key": int(row.key),
        "study": row.study,
        "clip": row.clip,
        "input_digest": row.input_digest,
        "encoder_id": row.encoder_id,
        "vector": np.ascontiguousarray(row.vector, dtype=_FLOAT32).tobytes(),
    }


def embeddings_value(encoder_id: EncoderId, rows: Sequence[EmbeddingRow]) -> Embeddings:
    """Stack stored vectors, (N, D) float32, bit for bit."""
    flat = np.frombuffer(b"".join(row.vector for row in rows), dtype=_FLOAT32)
    return Embeddings(encoder_id, flat.reshape(len(rows), -1).astype(np.float32))


def estimate_values(row: StoredEstimate) -> dict[str, Any]:
    """One estimate as columns."""
    return {
        "encoder_id": row.encoder_id,
        "study": row.study,
        "quantity": row.estimate.quantity,
        "input_digest": row.input_digest,
        "value": row.estimate.value,
        "spread": row.estimate.spread,
    }


def machine_finding_values(row: StoredMachineFinding) -> dict[str, Any]:
    """One machine finding as columns; its time in UTC, since SQLite keeps no zone."""
    values = _values(row.finding, MACHINE_FINDING_FIELDS)
    values["asked"] = list(row.finding.asked)
    values["made_at"] = row.finding.made_at.astimezone(UTC)
    return {"encoder_id": row.encoder_id, "study": row.study, **values}


def machine_finding_value(row: MachineFindingRow) -> MachineFinding:
    """Return a machine finding as it was put."""
    values = _values(row, MACHINE_FINDING_FIELDS)
    values["asked"] = tuple(row.asked)
    made_at = row.made_at
    values["made_at"] = made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC)
    return MachineFinding(**values)


def _values(source: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
