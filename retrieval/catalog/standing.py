"""What memory keeps of the catalog for masks: read whole once, then only what has changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Row, Select, String, and_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from retrieval.catalog.conditions import eligible
from retrieval.catalog.tables import (
    CatalogHistoryRow,
    CatalogRevisionRow,
    ClipRow,
    EmbeddingRow,
    StudyRevisionRow,
    StudyRow,
)
from retrieval.values.embedding import EncoderId
from retrieval.values.query import Access, Filter
from retrieval.values.standing import KIND_NUMBERS, KINDS, STRAY, WHOLE, Standing, StudyFacts
from retrieval.values.study import StudyId

_BATCH = 50_000
"""Vectors whose rows are in memory at a time."""

_NOBODY = -1

_FACTS = tuple(getattr(StudyRow, name) for name in StudyFacts._fields)
_KIND = (type_coerce(ClipRow.view, String), type_coerce(ClipRow.technique, String))
"""As text: making members of enumerations would take longer than all the rest."""

_Changed = Select[str] | None
"""The studies that a reading is limited to; None: all."""


def standing_of(
    session: Session, encoder_id: EncoderId, since: int | None, access: Access
) -> Standing | None:
    """Read what has changed after revision `since` (None: all), or nothing if nothing has.

    A revision that this catalog does not remember is one of another catalog,
    or of the same one before a backup was restored, so that all is read.
    """
    number = session.scalars(select(CatalogRevisionRow.number)).one()
    if number == since:
        return None
    changed: _Changed = None
    if since is not None and session.get(CatalogHistoryRow, since) is not None:
        changed = select(StudyRevisionRow.study).where(StudyRevisionRow.number > since)
    facts = select(*_FACTS).where(*eligible(Filter(), access), *_within(StudyRow.id, changed))
    studies = tuple(StudyFacts(*row) for row in session.execute(facts))
    places = {str(study.id): place for place, study in enumerate(studies)}
    keys, owners, kinds, clips = _vectors(session, encoder_id, places, changed)
    return Standing(
        revision=number,
        changed=None if changed is None else frozenset(map(StudyId, session.scalars(changed))),
        studies=studies,
        shows=_shows(session, places, changed),
        keys=keys,
        owners=owners,
        kinds=kinds,
        clips=clips,
    )


def _within(column: InstrumentedAttribute[str], changed: _Changed) -> Sequence[ColumnElement[bool]]:
    return [] if changed is None else [column.in_(changed)]


def _shows(session: Session, places: Mapping[str, int], changed: _Changed) -> NDArray[np.bool_]:
    query = select(ClipRow.study, *_KIND).where(*_within(ClipRow.study, changed)).distinct()
    shows = np.zeros((len(KINDS), len(places)), dtype=bool)
    for study, view, technique in session.connection().execute(query).all():
        if study in places:
            shows[KIND_NUMBERS[view, technique], places[study]] = True
    return shows


def _vectors(
    session: Session, encoder_id: EncoderId, places: Mapping[str, int], changed: _Changed
) -> Sequence[NDArray[Any]]:
    """Keys, owners, kinds and clips, (M,) each, as in `Standing`."""
    query = (
        select(EmbeddingRow.key, EmbeddingRow.study, EmbeddingRow.clip, *_KIND)
        .outerjoin(
            ClipRow, and_(ClipRow.study == EmbeddingRow.study, ClipRow.id == EmbeddingRow.clip)
        )
        .where(EmbeddingRow.encoder_id == encoder_id, *_within(EmbeddingRow.study, changed))
    )
    parts = [_columns([], places)]
    found = session.connection().execute(query, execution_options={"yield_per": _BATCH})
    parts.extend(_columns(batch, places) for batch in found.partitions())
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _columns(
    batch: Sequence[Row[int, str, str | None, str, str]], places: Mapping[str, int]
) -> tuple[NDArray[Any], ...]:
    """What `_vectors` returns, of some rows; those of studies without a place are left out."""
    keys, studies, clips, views, techniques = zip(*batch, strict=True) if batch else [()] * 5
    owners = np.array([places.get(study, _NOBODY) for study in studies], dtype=np.int32)
    whole = np.array([clip is None for clip in clips], dtype=bool)
    kinds = np.array(
        [KIND_NUMBERS.get(kind, STRAY) for kind in zip(views, techniques, strict=True)],
        dtype=np.int16,
    )
    kinds[whole] = WHOLE
    names = np.array([clip or "" for clip in clips], dtype=np.bytes_)
    mine = owners != _NOBODY
    return np.array(keys, dtype=np.int64)[mine], owners[mine], kinds[mine], names[mine]
