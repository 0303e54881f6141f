"""One number for all that a catalog says."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from retrieval.catalog.tables import (
    ClipRow,
    EmbeddedRow,
    EmbeddingRow,
    EstimateRow,
    FileRow,
    FindingRow,
    MachineFindingRow,
    MeasurementRow,
    ReportRow,
    SeriesRow,
    StudyRow,
    VersionRow,
)

_BATCH = 1000


def digest_of(session: Session) -> str:
    """SHA-256 over every row of every table.

    Left out: when things happened (deletion, file times and the digest made
    of them), numbers that only tell the order of arrival, which reader found
    what reports state, and which version wrote machine findings. Rows are hashed
    one by one and the hashes sorted, so no database's idea of order matters.
    """
    whole = hashlib.sha256()
    for name, query in _tables():
        rows = sorted(_hashes(session, query))
        whole.update(f"{name} {len(rows)}\n".encode())
        for row in rows:
            whole.update(row)
    return whole.hexdigest()


def _tables() -> Iterator[tuple[str, Select[*tuple[Any, ...]]]]:
    study = _columns(StudyRow, "deleted_at", "source_digest")
    yield "study", select(*study, StudyRow.deleted_at.is_not(None).label("deleted"))
    yield "series", select(*_columns(SeriesRow, "position"))
    yield "clip", select(*_columns(ClipRow))
    yield "file", select(*_columns(FileRow, "modified_ns"))
    yield "report", select(*_columns(ReportRow, "arrival", "reader"))
    named = (ReportRow.digest, ReportRow.study, ReportRow.accession_key)
    yield "version", select(*_columns(VersionRow, "report"), *named).join(ReportRow)
    yield "finding", select(*_columns(FindingRow, "report"), *named).join(ReportRow)
    yield "measurement", select(*_columns(MeasurementRow, "report"), *named).join(ReportRow)
    yield "embedding", select(*_columns(EmbeddingRow))
    yield "embedded", select(*_columns(EmbeddedRow))
    yield "machine_estimate", select(*_columns(EstimateRow))
    yield "machine_finding", select(*_columns(MachineFindingRow, "made_at", "made_by"))


def _columns(table: type[Any], *left_out: str) -> list[Any]:
    return [getattr(table, c.key) for c in table.__table__.columns if c.key not in left_out]


def _hashes(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[bytes]:
    found = session.execute(query.execution_options(yield_per=_BATCH))
    names = list(found.keys())
    for row in found:
        values = {n: _plain(v) for n, v in zip(names, row, strict=True)}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
        yield hashlib.sha256(text.encode()).digest()


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value + 0.0  # SQLite drops the sign of -0.0
    if isinstance(value, tuple):
        return [v + 0.0 for v in value]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, date):
        return value.isoformat()
    return value
