"""Who may answer a query, at one moment: all that filters and permissions test."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Keys
from retrieval.values.study import PatientId, Sex, StudyId, Technique, View

KINDS: tuple[tuple[View, Technique], ...] = tuple(product(View, Technique))
"""Every kind of clip. Columns name a kind by its place in here."""

KIND_NUMBERS: Mapping[tuple[str, str], int] = MappingProxyType(
    {(view.value, technique.value): number for number, (view, technique) in enumerate(KINDS)}
)

STRAY = len(KINDS)
"""In place of a kind: the vector of a clip that is none of its study's."""

WHOLE = -1
"""In place of a kind: the vector of a study as a whole."""


class StudyFacts(NamedTuple):
    """What a filter or an access can test of a study itself, and whose study it is."""

    id: StudyId
    patient: PatientId
    site: str
    released: bool
    sex: Sex | None
    age_years: int | None
    year: int | None
    vendor: str | None
    field_strength_t: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """Indexed studies, not deleted, with the vectors of one encoder.

    Attributes
    ----------
    revision
        Of the catalog at this moment. It is higher after every change of a
        study, its clips or its embeddings.
    changed
        Only these studies may have changed since the revision that was asked
        about; whatever was known of them is void, and they are all that is said
        here. None: all studies are said here, and all that was known is void.
    studies
        S of them, each once, in any order.
    shows
        (K, S) bool: whether a study has a clip of each of `KINDS`, with or
        without a vector.
    keys
        (M,) int64, each once, in any order: the encoder's vectors of these studies.
    owners
        (M,) int32: places in `studies`.
    kinds
        (M,) int16: places in `KINDS`, or `STRAY`, or `WHOLE`.
    clips
        (M,) ASCII: ids of their clips; empty for a study as a whole.
    """

    revision: int
    changed: frozenset[StudyId] | None
    studies: tuple[StudyFacts, ...]
    shows: NDArray[np.bool_]
    keys: Keys
    owners: NDArray[np.int32]
    kinds: NDArray[np.int16]
    clips: NDArray[np.bytes_]
