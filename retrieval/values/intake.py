"""What the indexer brings into a catalog."""

from dataclasses import dataclass

from retrieval.values.clip import ClipRecord
from retrieval.values.study import Study, StudyId


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSeen:
    """One file of an archive, by the keyed pseudonym of its path.

    Attributes
    ----------
    used
        True if at least one frame of it is part of an indexed series.
    reason
        Why not, if not: "duplicate SOPInstanceUID", "not DICOM", "empty file", ...
    size, modified_ns
        So that an unchanged file is known again without being opened.
    """

    key: str
    study: StudyId | None
    used: bool
    reason: str = ""
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEntry:
    """All that one study brings into the catalog, in one transaction.

    Attributes
    ----------
    source_digest
        Digest of the study's file keys, sizes and times, so that an unchanged
        study is not read again.
    """

    study: Study
    clips: tuple[ClipRecord, ...]
    files: tuple[FileSeen, ...]
    source_digest: str
    accession_key: str | None = None
    released: bool = True
