"""Who may be found, in columns: what the catalog's conditions say of each study, as bitmaps.

SQL defines who is eligible (`retrieval.catalog.conditions`); this says the same
in NumPy, of every study at once, and tests hold both to one answer. Fetching
half a million keys from a database takes longer than searching their vectors.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retrieval.values.embedding import Keys, Mask
from retrieval.values.query import Access, Filter
from retrieval.values.standing import KINDS, WHOLE, Standing, StudyFacts
from retrieval.values.study import PatientId, StudyId

Chosen = NDArray[np.bool_]
"""(S,) one truth value for each study of a roster."""

_NOBODY = -1
"""In place of a study's number: the row of a study that may answer nobody, or is gone.

Arrays that are looked up by number have one more item for it, the last.
"""

_UNSAID = -1
"""In place of a word's number: the study does not say, and no filter passes it."""

_COLUMNS = np.dtype(
    [
        ("patient", np.int32),
        ("site", np.int32),
        ("released", np.bool_),
        ("sex", np.int32),
        ("age_years", np.float64),
        ("year", np.float64),
        ("vendor", np.int32),
        ("field_strength_t", np.float64),
    ]
)
"""Of each study. Words are numbers of `Roster.words`; NaN stands for what is not said."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Roster:
    """Studies that may answer somebody, and whose each row of a generation is. Never changes.

    Attributes
    ----------
    keys
        (N,) int64, increasing: the keys of the generation.
    revision
        Of the catalog; None before it was read.
    ids, numbers
        S studies, and the place of each.
    words
        Numbers of the words in `columns`.
    columns
        (S,) what the study says of itself.
    shows
        (K, S) bool: whether it has a clip of each of `KINDS`.
    owners
        (N,) int32: number of the study of each row, or -1 for nobody's.
    kinds, clips
        (N,) int16 and ASCII: as in `Standing`; of no meaning where a row is nobody's.
    """

    keys: Keys
    revision: int | None
    ids: tuple[StudyId, ...]
    numbers: Mapping[StudyId, int]
    words: Mapping[str, int]
    columns: NDArray[Any]
    shows: NDArray[np.bool_]
    owners: NDArray[np.int32]
    kinds: NDArray[np.int16]
    clips: NDArray[np.bytes_]

    @classmethod
    def unread(cls, keys: Keys) -> Self:
        """Start with nobody."""
        return cls(
            keys=keys,
            revision=None,
            ids=(),
            numbers={},
            words={},
            columns=np.empty(0, dtype=_COLUMNS),
            shows=np.empty((len(KINDS), 0), dtype=bool),
            owners=np.full(len(keys), _NOBODY, dtype=np.int32),
            kinds=np.zeros(len(keys), dtype=np.int16),
            clips=np.zeros(len(keys), dtype="S1"),
        )

    def after(self, news: Standing) -> Self:
        """The roster of a later moment, given what has changed until then."""
        stays = np.full(len(self.ids), news.changed is not None)
        for study in news.changed or ():
            if study in self.numbers:
                stays[self.numbers[study]] = False
        ids = (*compress(self.ids, stays.tolist()), *(study.id for study in news.studies))
        before = len(ids) - len(news.studies)
        moved = np.full(len(self.ids) + 1, _NOBODY, dtype=np.int32)
        moved[:-1][stays] = np.arange(before)
        owners, kinds = moved[self.owners], self.kinds.copy()
        clips = self.clips.astype(np.promote_types(self.clips.dtype, news.clips.dtype))
        rows, held = self._rows_of(news.keys)
        owners[rows] = news.owners[held] + before
        kinds[rows] = news.kinds[held]
        clips[rows] = news.clips[held]
        words = dict(self.words)
        return type(self)(
            keys=self.keys,
            revision=news.revision,
            ids=ids,
            numbers={study: number for number, study in enumerate(ids)},
            words=words,
            columns=np.concatenate([self.columns[stays], _columns(news.studies, words)]),
            shows=np.concatenate([self.shows[:, stays], news.shows], axis=1),
            owners=owners,
            kinds=kinds,
            clips=clips,
        )

    def eligible(self, where: Filter, access: Access) -> Chosen:
        """Studies that may answer a query, as `CatalogReader.eligible` says it."""
        chosen = np.ones(len(self.ids), dtype=bool)
        if access.sites is not None:
            chosen &= self.among("site", access.sites)
        if not access.unreleased:
            chosen &= self.columns["released"]
        for column, allowed in (("sex", where.sexes), ("vendor", where.vendors)):
            if allowed:
                chosen &= self.among(column, allowed)
        if where.field_strengths_t:
            strengths = np.array(sorted(where.field_strengths_t))
            chosen &= np.isin(self.columns["field_strength_t"], strengths)
        for column, low, high in (
            ("age_years", where.age_from, where.age_to),
            ("year", where.year_from, where.year_to),
        ):
            if low is not None:
                chosen &= self.columns[column] >= low
            if high is not None:
                chosen &= self.columns[column] <= high
        if where.views or where.techniques:
            chosen &= self.shows[_meeting(where)].any(axis=0)
        return chosen

    def among(self, column: str, words: Iterable[str]) -> Chosen:
        """Studies whose word in a column is one of these."""
        known = [self.words[word] for word in words if word in self.words]
        return np.isin(self.columns[column], np.array(known, dtype=np.int32))

    def rows(self, where: Filter, studies: Chosen) -> Mask:
        """Rows of these studies; those of clips only where the clip meets the filter."""
        held = self.of(studies)
        if where.views or where.techniques:
            # Kinds there are, one for strays, which meet nothing, and last the study as a whole.
            meets = np.array([*_meeting(where), False, True])
            held &= meets[self.kinds]
        return held

    def of(self, studies: Chosen) -> Mask:
        """Every row of these studies."""
        return np.append(studies, False)[self.owners]

    def having(self, rows: Mask) -> Chosen:
        """Studies that at least one of these rows belongs to."""
        found = np.zeros(len(self.ids) + 1, dtype=bool)
        found[self.owners[rows]] = True
        return found[:-1]

    def numbered(self, studies: Collection[StudyId]) -> Chosen:
        """These studies; those that may answer nobody are left out."""
        chosen = np.zeros(len(self.ids), dtype=bool)
        for study in studies:
            if study in self.numbers:
                chosen[self.numbers[study]] = True
        return chosen

    def patients(self, studies: Iterable[StudyId]) -> dict[StudyId, PatientId]:
        """Whose each of these studies is; those that may answer nobody are left out."""
        numbers = {study: self.numbers[study] for study in studies if study in self.numbers}
        names = self.columns["patient"].tolist()
        return {study: PatientId(self._names[names[n]]) for study, n in numbers.items()}

    @cached_property
    def _names(self) -> Mapping[int, str]:
        """The word of each number."""
        return {number: word for word, number in self.words.items()}

    @cached_property
    def whole(self) -> Mask:
        """Rows of studies as a whole."""
        return self.kinds == WHOLE

    @cached_property
    def competing(self) -> Mask:
        """Rows that a study is ranked by: that of the whole where there is one, else its clips'."""
        return self.whole | ~self.of(self.having(self.whole))

    def _rows_of(self, keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Rows of those keys that the generation holds, and which these are."""
        places = np.searchsorted(self.keys, keys)
        held = places < len(self.keys)
        held[held] = self.keys[places[held]] == keys[held]
        return places[held], held


def _columns(studies: Collection[StudyFacts], words: dict[str, int]) -> NDArray[Any]:
    """Columns of these studies; words that are new are added to `words`."""

    def number(word: str | None) -> int:
        return _UNSAID if word is None else words.setdefault(str(word), len(words))

    def amount(value: float | None) -> float:
        return np.nan if value is None else value

    rows = [
        (
            number(study.patient),
            number(study.site),
            study.released,
            number(study.sex),
            amount(study.age_years),
            amount(study.year),
            number(study.vendor),
            amount(study.field_strength_t),
        )
        for study in studies
    ]
    return np.array(rows, dtype=_COLUMNS)


def _meeting(where: Filter) -> NDArray[np.bool_]:
    """(K,) which of `KINDS` meet the views and techniques of a filter, both in one clip."""
    return np.array(
        [
            (not where.views or view in where.views)
            and (not where.techniques or technique in where.techniques)
            for view, technique in KINDS
        ]
    )
