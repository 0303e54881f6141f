"""The seams of the system. Read this file first.

Code above a seam is written against the Protocol; code below it implements
one. Each Protocol has one suite in tests/contracts/ that every implementation
must pass.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from retrieval.values.clip import Clip, ClipId, ClipRecord
from retrieval.values.embedding import (
    Embeddings,
    EncoderId,
    Keys,
    Mask,
    Neighbours,
    StoredEmbedding,
    StoredEstimate,
    StudyEmbedding,
)
from retrieval.values.estimate import Estimate
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.intake import FileSeen, StudyEntry
from retrieval.values.machine_finding import MachineFinding, StoredMachineFinding
from retrieval.values.measurement import Measurement
from retrieval.values.query import Access, Filter
from retrieval.values.report import Report, Statements
from retrieval.values.standing import Standing
from retrieval.values.study import State, Study, StudyId


class TextEncoder(Protocol):
    """Turns words into unit vectors."""

    @property
    def encoder_id(self) -> EncoderId:
        """Name and digest of the encoder."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed N texts; row i belongs to texts[i]."""
        ...


class VideoEncoder(Protocol):
    """Turns studies into unit vectors in the same space as TextEncoder."""

    @property
    def encoder_id(self) -> EncoderId:
        """Name and digest of the encoder."""
        ...

    def sees(self, record: ClipRecord) -> bool:
        """Whether clips like this one are of any use to this encoder."""
        ...

    def encode_studies(self, studies: Sequence[Sequence[Clip]]) -> list[StudyEmbedding]:
        """Embed N studies, each given by one or more of its clips; item i belongs to studies[i].

        Any subset of a study's clips is accepted, in any order, with the same
        result. Clips of a technique the encoder does not know are left out of
        `inputs`; a study of which nothing is left raises UnusableSeries.
        """
        ...


Pixels = NDArray[np.generic]
"""(phases, rows, columns), stored values as in `Clip.pixels`."""


@runtime_checkable
class VariantEncoder(Protocol):
    """Embeds a study once for each look of one of its clips, without reading the others again."""

    @property
    def encoder_id(self) -> EncoderId:
        """Name and digest of the encoder."""
        ...

    def encode_variants(
        self, clips: Sequence[Clip], of: ClipId, variants: Iterator[Pixels]
    ) -> tuple[Embeddings, bool]:
        """Embed N looks of the clip `of`, and say whether as part of the whole study.

        Row i is what `encode_studies` would say of that clip if its pixels were
        variants[i]: its own vector, or that of the study where clips have none
        (True). Where the encoder looks (at which place, at which phases) is
        decided by `clips` as they are: hiding a part must not move its eye.
        A clip that the encoder does not look at raises UnusableSeries.
        """
        ...


class VectorIndex(Protocol):
    """Exact nearest neighbours by cosine similarity, under a mask."""

    @property
    def encoder_id(self) -> EncoderId:
        """The encoder that made every vector in here."""
        ...

    @property
    def generation(self) -> str:
        """Name of the build this is."""
        ...

    @property
    def keys(self) -> Keys:
        """(N,) int64, increasing: the key of each row. Read-only."""
        ...

    def __len__(self) -> int: ...

    def search(
        self, queries: Embeddings, *, k: int | None, allowed: Mask | None = None
    ) -> list[Neighbours]:
        """Find the k best keys for each query; k None ranks every allowed row.

        When `allowed` (N,) is given only rows where it is true compete, so
        fewer than k come back only if fewer than k are allowed; ValueError for
        a mask of another length. Order and scores are exactly those of
        `Neighbours`.
        """
        ...

    def vectors(self, keys: Keys) -> Embeddings:
        """Return the stored vectors of `keys`, in that order; KeyError for an unknown one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many eligible studies each choice of a facet would leave.

    `facet` names the Filter field; `counts` maps its value, as text, to a
    number of studies. Counts of a facet ignore that facet's own choice.
    """

    facet: str
    counts: dict[str, int]


class CatalogReader(Protocol):
    """What is known about studies. Search and the web UI get this and nothing more."""

    def study(self, study: StudyId, *, access: Access) -> Study:
        """Return one study with its series, or raise StudyNotFound."""
        ...

    def studies(self, ids: Sequence[StudyId], *, access: Access) -> list[Study]:
        """Return studies in the order asked for, or raise StudyNotFound."""
        ...

    def eligible(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        """The indexed, not deleted studies that `where` and `access` allow."""
        ...

    def reported(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        """The eligible studies that have a report."""
        ...

    def keys(
        self, where: Filter, encoder_id: EncoderId, *, access: Access
    ) -> dict[int, tuple[StudyId, ClipId | None]]:
        """Every embedding key of the eligible studies and what it belongs to.

        Clip-level keys are limited to clips that meet the views and techniques
        of `where`. A study-level key has ClipId None. Slow: searching goes by
        `standing`, and this is what that is judged by.
        """
        ...

    def standing(
        self, encoder_id: EncoderId, *, since: int | None, access: Access
    ) -> Standing | None:
        """All that masks are made of, as it has changed since a revision (None: all of it).

        The studies are those of `eligible` under no filter and this access, the
        keys those of `keys`; all of one moment, and never older than the last
        write that was committed before. None if nothing has changed.
        """
        ...

    def clips(self, study: StudyId, *, access: Access) -> list[ClipRecord]:
        """The clips of one study: by technique (cine first), view, series, slice."""
        ...

    def clips_named(self, ids: Sequence[ClipId], *, access: Access) -> list[ClipRecord]:
        """Return clips in the order asked for, or raise ClipNotFound."""
        ...

    def report(self, study: StudyId, *, access: Access) -> Report | None:
        """The newest version of a study's report."""
        ...

    def impressions(self, ids: Sequence[StudyId], *, access: Access) -> dict[StudyId, str]:
        """Newest impressions of those studies that have one."""
        ...

    def search_reports(
        self, text: str, where: Filter, *, limit: int | None, access: Access
    ) -> list[tuple[StudyId, float, str]]:
        """Full-text search in the newest reports: (study, score, best sentence), best first.

        Larger scores are better; equal scores order by study. Any of the words
        may match; words of the query never act as operators.
        """
        ...

    def assertions(
        self, names: Collection[FindingName], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[FindingName, tuple[Polarity, str]]]:
        """What the newest report of each eligible study says of these findings.

        With each polarity comes its sentence, on one line. Of several
        statements the impression's counts, then PRESENT before UNCERTAIN before
        ABSENT, then the first. Studies and findings not mentioned are left out.
        """
        ...

    def measurements(
        self, quantities: Collection[str], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[str, tuple[Measurement, str]]]:
        """What the newest report of each eligible study measures of these quantities.

        With each measurement comes its sentence, on one line. Of several the
        impression's counts, then the largest of `LARGEST`'s quantities and the
        last of others. Studies and quantities not mentioned are left out.
        """
        ...

    def estimates(
        self, encoder_id: EncoderId, *, access: Access
    ) -> dict[StudyId, tuple[Estimate, ...]]:
        """What one encoder estimated of each eligible study, in the order of `Quantity`.

        Studies of which it estimated nothing are left out. No Filter sees these.
        """
        ...

    def machine_findings(
        self, study: StudyId, encoder_id: EncoderId, *, access: Access
    ) -> list[MachineFinding]:
        """What was written of one study by one encoder, by name and question; no Filter sees it.

        StudyNotFound if there is no such study that `access` may see.
        """
        ...

    def facets(self, where: Filter, *, access: Access) -> list[Counts]:
        """Counts for every facet of Filter that has a finite set of values."""
        ...

    def ledger(self, *, access: Access) -> list[Study]:
        """Every study ever found, in every state, with its series, ordered by id."""
        ...


class Catalog(CatalogReader, Protocol):
    """The writing side, for the indexer and `cineseek classify`. Each method is one transaction."""

    def put_study(self, entry: StudyEntry) -> None:
        """Record a study, its series, clips and files, replacing what was known of it.

        Embeddings of clips that are still there stay; others go.
        """
        ...

    def source_digests(self) -> dict[StudyId, tuple[State, str]]:
        """State and source digest of every study known."""
        ...

    def put_loose_files(self, files: Sequence[FileSeen]) -> None:
        """Record files that belong to no study (not DICOM, empty, ...)."""
        ...

    def file_counts(self) -> tuple[int, int, dict[str, int]]:
        """(used, unused, unused by reason) over the whole archive."""
        ...

    def studies_of(self, accession_key: str) -> list[StudyId]:
        """Studies read under one accession number, by its keyed pseudonym, in order."""
        ...

    def put_report(self, report: Report) -> str:
        """Keep a report: "matched", "unmatched" (no study yet) or "known" (same digest).

        Version and supersedes are set from what is already there.
        """
        ...

    def reports_to_read(self, reader: str) -> list[str]:
        """Digests of the texts that this reader has not read, each once, in order."""
        ...

    def report_texts(self, digests: Sequence[str]) -> dict[str, str]:
        """Texts of reports by digest; at most 1000 at a time."""
        ...

    def put_statements(self, stated: Mapping[str, Statements]) -> None:
        """Replace what reports state, given by the digest of their text; texts stay."""
        ...

    def studies_without(self, encoder_id: EncoderId) -> list[StudyId]:
        """Indexed studies whose clips, as they are now, this encoder has not embedded."""
        ...

    def put_embeddings(
        self, rows: Sequence[StoredEmbedding], estimates: Sequence[StoredEstimate] = ()
    ) -> None:
        """Store vectors beside what they came from; a known key is left as it is.

        All vectors that one encoder makes of one study's clips, as they are
        now, come in one call: the study then counts as done for that encoder.
        Its estimates come with them, and go with the vector of the study as a
        whole; a quantity that is known of a study is left as it is.
        """
        ...

    def put_machine_findings(self, rows: Sequence[StoredMachineFinding]) -> None:
        """Store machine findings in place of all that their encoders wrote under their names.

        A study's go with any change of its set of clips; StudyNotFound if one is not here.
        """
        ...

    def put_unembeddable(self, studies: Sequence[StudyId], encoder_id: EncoderId) -> None:
        """Note studies of which this encoder knows no clip: done, until their clips change."""
        ...

    def embeddings(self, encoder_id: EncoderId) -> Iterator[tuple[Keys, Embeddings]]:
        """Walk the current vectors of one encoder in key order, in batches.

        Vectors of replaced clips, deleted studies and studies not indexed are left out.
        """
        ...

    def clip_ids(self) -> Iterator[ClipId]:
        """Walk every clip that a row names, those of deleted studies too, in order."""
        ...

    def counts(self) -> dict[str, int]:
        """Totals: studies per state (all five), "clips", "embeddings", reports by fate."""
        ...

    def set_deleted(self, studies: Iterable[StudyId], *, deleted: bool) -> None:
        """Take studies out of every answer, or back in."""
        ...

    def digest(self) -> str:
        """SHA-256 over all the catalog says, times and order of arrival left out."""
        ...


class ClipStore(Protocol):
    """Clips on disk, named by content, so that DICOM is read once."""

    def write(self, clip: Clip) -> None:
        """Keep a clip durably; a clip already there is left as it is."""
        ...

    def read(self, clip: ClipId) -> Clip:
        """Return a clip; ClipNotFound or ClipCorrupt if that cannot be done."""
        ...

    def write_preview(self, clip: ClipId, sheet: bytes) -> None:
        """Keep a clip's sprite sheet (see retrieval.clips.preview) durably."""
        ...

    def read_preview(self, clip: ClipId) -> bytes:
        """Return a clip's sprite sheet; ClipNotFound if there is none."""
        ...

    def ids(self) -> Iterator[ClipId]:
        """Walk the clips that have a file."""
        ...

    def remove(self, clip: ClipId) -> None:
        """Drop a clip's files; nothing happens if there are none."""
        ...
