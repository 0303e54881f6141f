"""(Clips, words) pairs from a catalog, and which patients are kept for validation."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.language.sections import SectionKind, split_sections
from retrieval.language.sentences import sentences
from retrieval.ports import CatalogReader
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.query import Access, Filter
from retrieval.values.report import Report
from retrieval.values.study import PatientId, StudyId

Said = NDArray[np.int8]
"""(F,) one per FindingName, in its order: 1 stated, -1 denied, 0 open or not mentioned."""

NO_REPORT, NO_WORDS, NO_CLIPS = "no report", "empty impression", "no clip that the encoder knows"

_NAMES = tuple(FindingName)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """Some words of a report, and what they state."""

    words: str
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """One study and its report.

    Attributes
    ----------
    said
        What the whole report states.
    impression
        Its summary.
    sentences
        What it says outside indication and technique, sentence by sentence.
    """

    study: StudyId
    patient: PatientId
    site: str
    clips: tuple[ClipId, ...]
    said: Said
    impression: Text
    sentences: tuple[Text, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The impression, then every sentence."""
        return (self.impression.words, *(text.words for text in self.sentences))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """The pairs of an archive in order of study, and how many studies are none, by reason."""

    pairs: tuple[Pair, ...]
    left_out: Mapping[str, int]


def read_pairs(
    catalog: CatalogReader, sees: Callable[[ClipRecord], bool], *, access: Access
) -> Pairs:
    """Pair every indexed study that has a report with it.

    Parameters
    ----------
    sees
        Whether a clip is of any use to the encoder.
    """
    pairs: list[Pair] = []
    left_out: Counter[str] = Counter()
    for study in catalog.studies(sorted(catalog.eligible(Filter(), access=access)), access=access):
        report = catalog.report(study.id, access=access)
        clips = tuple(c.id for c in catalog.clips(study.id, access=access) if sees(c))
        reason = _reason(report, clips)
        if report is None or reason:
            left_out[reason] += 1
            continue
        pairs.append(
            Pair(
                study=study.id,
                patient=study.patient.id,
                site=study.site,
                clips=clips,
                said=said_in(report.findings),
                impression=_impression(report),
                sentences=tuple(_sentences(report)),
            )
        )
    return Pairs(pairs=tuple(pairs), left_out=dict(left_out))


def said_in(findings: Iterable[Finding]) -> Said:
    """What several statements come to: stated somewhere, else denied if never left open.

    What was not assessed is neither.
    """
    spoken: dict[FindingName, set[Polarity]] = {}
    for finding in findings:
        spoken.setdefault(finding.name, set()).add(finding.polarity)
    said = np.zeros(len(_NAMES), np.int8)
    for name, polarities in spoken.items():
        if Polarity.PRESENT in polarities:
            said[_NAMES.index(name)] = 1
        elif polarities - {Polarity.NOT_ASSESSED} == {Polarity.ABSENT}:
            said[_NAMES.index(name)] = -1
    return said


def for_validation(patient: PatientId, *, key: str, share: float, first: float = 0.0) -> bool:
    """Whether a patient is never trained on.

    It follows from his pseudonym alone (HMAC-SHA-256 under `key`), so he stays
    on his side whoever else is in the archive.

    Parameters
    ----------
    share, first
        Patients have places from 0 to 1; those of so large a part of the
        circle, from `first` on, are held back.
    """
    digest = hmac.digest(key.encode(), patient.encode(), hashlib.sha256)
    place = int.from_bytes(digest[:8], "big") / 2**64
    return (place - first) % 1 < share


def split(
    pairs: Sequence[Pair], *, key: str, share: float, first: float = 0.0
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Part pairs by patient into those to train on and those to ask about."""
    asked = [for_validation(p.patient, key=key, share=share, first=first) for p in pairs]
    return (
        tuple(pair for pair, held in zip(pairs, asked, strict=True) if not held),
        tuple(pair for pair, held in zip(pairs, asked, strict=True) if held),
    )


def _reason(report: Report | None, clips: Sequence[ClipId]) -> str:
    if report is None:
        return NO_REPORT
    if not report.impression.strip():
        return NO_WORDS
    return "" if clips else NO_CLIPS


def _impression(report: Report) -> Text:
    at = report.text.find(report.impression)
    within = [f for f in report.findings if at <= f.start and f.end <= at + len(report.impression)]
    return Text(report.impression, said_in(within if at >= 0 else report.findings))


def _sentences(report: Report) -> Iterable[Text]:
    for section in split_sections(report.text):
        if section.kind is SectionKind.CONTEXT:
            continue
        for start, end in sentences(report.text, section.start, section.end):
            within = [f for f in report.findings if start <= f.start and f.end <= end]
            yield Text(report.text[start:end], said_in(within))
