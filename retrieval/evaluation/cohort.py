"""Labelled studies of an archive, in a fixed order, with what experts measured of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.labels import Labels
from retrieval.evaluation.measurements import FILE, QUANTITIES, Floats, read_measurements
from retrieval.evaluation.resolve import Resolver
from retrieval.ports import CatalogReader
from retrieval.values.query import Access
from retrieval.values.study import PatientId, StudyId


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """N labelled studies in the order of the names that the labels give them.

    That order is the same in every home, so splits are too. Nothing may rank
    by it: names can run in order of label.

    Attributes
    ----------
    labels
        L names, in order.
    member
        (N, L) booleans, which labels a study has.
    measured
        (N,) numbers by quantity, NaN where unknown; empty where nothing was measured.
    """

    studies: tuple[StudyId, ...]
    patients: tuple[PatientId, ...]
    labels: tuple[str, ...]
    member: NDArray[np.bool_]
    measured: Mapping[str, Floats]

    @property
    def classes(self) -> list[str]:
        """Each study's labels as one word: what resampling is stratified by."""
        return ["+".join(np.array(self.labels)[row]) for row in self.member]

    def only(self, studies: NDArray[np.bool_]) -> "Cohort":
        """Those studies for which the (N,) booleans are true."""
        kept = np.flatnonzero(studies)
        return Cohort(
            studies=tuple(self.studies[i] for i in kept),
            patients=tuple(self.patients[i] for i in kept),
            labels=self.labels,
            member=self.member[kept],
            measured={name: values[kept] for name, values in self.measured.items()},
        )


def cohort_of(
    labels: Labels, folder: Path, resolver: Resolver, catalog: CatalogReader, *, access: Access
) -> Cohort:
    """Gather the labelled studies that the archive holds.

    Parameters
    ----------
    folder
        Where a table of measurements may lie (`measurements.FILE`).

    Raises
    ------
    UsageError
        The table cannot be read.
    """
    studies = list(labels.of)
    people = {s.id: s.patient.id for s in catalog.ledger(access=access)}
    names = tuple(sorted({label for its in labels.of.values() for label in its}))
    table = folder / FILE
    return Cohort(
        studies=tuple(studies),
        patients=tuple(people[study] for study in studies),
        labels=names,
        member=np.array([[name in labels.of[study] for name in names] for study in studies]),
        measured=_measured(table, studies, resolver) if table.is_file() else {},
    )


def _measured(table: Path, studies: list[StudyId], resolver: Resolver) -> dict[str, Floats]:
    rows = {resolver.find(name): row for name, row in read_measurements(table).items()}
    return {
        quantity: np.array([rows[s][quantity] if s in rows else np.nan for s in studies])
        for quantity in QUANTITIES
    }
