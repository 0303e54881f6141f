"""Tiny exact stand-ins for what lies below the seams. They pass the same contracts."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TypeVar

import numpy as np

from retrieval.errors import ClipNotFound, EncoderMismatch, StudyNotFound
from retrieval.ports import Counts
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.embedding import (
    Embeddings,
    EncoderId,
    Keys,
    Mask,
    Neighbours,
    StoredEmbedding,
    StoredEstimate,
    unit_rows,
)
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.machine_finding import MachineFinding, StoredMachineFinding
from retrieval.values.measurement import LARGEST, Measurement
from retrieval.values.query import Access, Filter
from retrieval.values.report import Report
from retrieval.values.standing import KINDS, STRAY, WHOLE, Standing, StudyFacts
from retrieval.values.study import PatientId, SeriesId, State, Study, StudyId, Technique, View

ENCODER = EncoderId("fake@000000000001")


def exact_score(a: np.ndarray, b: np.ndarray) -> float:
    """Dot product in rational numbers, rounded once to float64 and then to 1e-6."""
    total = sum(
        (Fraction(float(x)) * Fraction(float(y)) for x, y in zip(a, b, strict=True)), Fraction()
    )
    return round(float(total) * 1e6) / 1e6 + 0.0


class DictIndex:
    """A VectorIndex that is a dictionary, slow enough to be obviously right."""

    engine = "dict"

    def __init__(
        self,
        vectors: dict[int, np.ndarray],
        encoder_id: EncoderId = ENCODER,
        generation: str = "g1",
    ) -> None:
        self.encoder_id = encoder_id
        self.generation = generation
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def keys(self) -> Keys:
        return np.array(sorted(self._vectors), dtype=np.int64)

    def search(
        self, queries: Embeddings, *, k: int | None, allowed: Mask | None = None
    ) -> list[Neighbours]:
        if queries.encoder_id != self.encoder_id:
            raise EncoderMismatch(index=self.encoder_id, query=queries.encoder_id)
        if k is not None and k < 1:
            raise ValueError(f"k is {k}")
        if allowed is not None and (len(allowed) != len(self) or allowed.dtype != bool):
            raise ValueError(f"a mask of {allowed.shape} {allowed.dtype}")
        keys = set((self.keys if allowed is None else self.keys[allowed]).tolist())
        return [self._best(query, keys, k) for query in queries.vectors]

    def vectors(self, keys: Keys) -> Embeddings:
        rows = [self._vectors[int(key)] for key in keys]
        return Embeddings(self.encoder_id, np.array(rows, dtype=np.float32))

    def _best(self, query: np.ndarray, keys: set[int], k: int | None) -> Neighbours:
        scored = sorted((-exact_score(self._vectors[key], query), key) for key in keys)[:k]
        return Neighbours(
            keys=np.array([key for _, key in scored], dtype=np.int64),
            scores=np.array([0.0 - s for s, _ in scored]),
        )


class WordEncoder:
    """A TextEncoder: a fixed direction per text, or one that the test chose."""

    def __init__(
        self,
        known: dict[str, Sequence[float]] | None = None,
        encoder_id: EncoderId = ENCODER,
        dim: int = 4,
    ) -> None:
        self.encoder_id = encoder_id
        self._known = known or {}
        self._dim = dim

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        rows = [self._known.get(text, self._hashed(text)) for text in texts]
        return Embeddings(self.encoder_id, unit_rows(np.array(rows, dtype=np.float64)))

    def _hashed(self, text: str) -> list[float]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return list(np.random.default_rng(seed).normal(size=self._dim))


def hexname(text: str) -> str:
    """A name in the form of a pseudonym."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def a_study(name: str, *, patient: str = "", state: State = State.INDEXED, **given) -> Study:
    """A study whose id, site and patient are readable in a failing test."""
    from retrieval.values.study import Patient

    person = given.pop("person", Patient(id=PatientId(hexname(patient or f"patient of {name}"))))
    return Study(
        id=StudyId(hexname(name)),
        patient=person,
        site=given.pop("site", "local"),
        state=state,
        **given,
    )


def a_clip(
    study: Study,
    view: View = View.SHORT_AXIS,
    technique: Technique = Technique.CINE,
    slice_index: int = 0,
    slice_count: int = 1,
) -> ClipRecord:
    """A clip's record; the same arguments give the same id."""
    name = f"{study.id} {view} {technique} {slice_index} of {slice_count}"
    return ClipRecord(
        id=ClipId(hexname(name)),
        study=study.id,
        series=SeriesId(hexname(f"{study.id} {view} {technique}")),
        view=view,
        technique=technique,
        slice_index=slice_index,
        slice_count=slice_count,
        phases=1,
        rows=2,
        columns=2,
        spacing_mm=(1.0, 1.0),
    )


Said = TypeVar("Said", Finding, Measurement)
FACETS = ("views", "techniques", "sexes", "field_strengths_t", "vendors")


@dataclass
class DictCatalog:
    """A CatalogReader over plain lists."""

    held: dict[StudyId, Study] = field(default_factory=dict)
    clip_records: dict[ClipId, ClipRecord] = field(default_factory=dict)
    rows: list[StoredEmbedding] = field(default_factory=list)
    estimated: list[StoredEstimate] = field(default_factory=list)
    machine_found: list[StoredMachineFinding] = field(default_factory=list)
    reports: dict[StudyId, Report] = field(default_factory=dict)
    unreleased: set[StudyId] = field(default_factory=set)
    told: list[object] = field(default_factory=list)

    def add(
        self, study: Study, clips: Iterable[ClipRecord] = (), rows: Iterable[StoredEmbedding] = ()
    ) -> Study:
        self.held[study.id] = study
        self.clip_records |= {clip.id: clip for clip in clips}
        self.rows += rows
        return study

    def study(self, study: StudyId, *, access: Access) -> Study:
        if study not in self.held or not self._seen(self.held[study], access):
            raise StudyNotFound(study)
        return self.held[study]

    def studies(self, ids: Sequence[StudyId], *, access: Access) -> list[Study]:
        return [self.study(i, access=access) for i in ids]

    def eligible(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        return frozenset(
            s.id
            for s in self.held.values()
            if s.state is State.INDEXED and self._seen(s, access) and self._meets(s, where)
        )

    def reported(self, where: Filter, *, access: Access) -> frozenset[StudyId]:
        return self.eligible(where, access=access) & self.reports.keys()

    def keys(
        self, where: Filter, encoder_id: EncoderId, *, access: Access
    ) -> dict[int, tuple[StudyId, ClipId | None]]:
        eligible = self.eligible(where, access=access)
        return {
            row.key: (row.study, row.clip)
            for row in self.rows
            if row.encoder_id == encoder_id
            and row.study in eligible
            and (row.clip is None or _fits(self.clip_records[row.clip], where))
        }

    def standing(
        self, encoder_id: EncoderId, *, since: int | None, access: Access
    ) -> Standing | None:
        """The revision is how often something else was found here than the time before."""
        seen = (dict(self.held), dict(self.clip_records), list(self.rows), set(self.unreleased))
        if self.told[-1:] != [seen]:
            self.told.append(seen)
        if since == len(self.told):
            return None
        ids = sorted(self.eligible(Filter(), access=access))
        rows = [row for row in self.rows if row.encoder_id == encoder_id and row.study in ids]
        kinds = {(c.study, c.view, c.technique) for c in self.clip_records.values()}
        return Standing(
            revision=len(self.told),
            changed=None,
            studies=tuple(self._facts(self.held[study]) for study in ids),
            shows=np.array([[(i, *kind) in kinds for i in ids] for kind in KINDS], dtype=bool),
            keys=np.array([row.key for row in rows], dtype=np.int64),
            owners=np.array([ids.index(row.study) for row in rows], dtype=np.int32),
            kinds=np.array([self._kind(row) for row in rows], dtype=np.int16),
            clips=np.array([row.clip or "" for row in rows], dtype=np.bytes_),
        )

    def _facts(self, study: Study) -> StudyFacts:
        person, scanner = study.patient, study.scanner
        return StudyFacts(
            id=study.id,
            patient=person.id,
            site=study.site,
            released=study.id not in self.unreleased,
            sex=person.sex,
            age_years=person.age_years,
            year=study.year,
            vendor=scanner.vendor,
            field_strength_t=scanner.field_strength_t,
        )

    def _kind(self, row: StoredEmbedding) -> int:
        if row.clip is None:
            return WHOLE
        clip = self.clip_records[row.clip]
        return KINDS.index((clip.view, clip.technique)) if clip.study == row.study else STRAY

    def clips(self, study: StudyId, *, access: Access) -> list[ClipRecord]:
        self.study(study, access=access)
        own = [c for c in self.clip_records.values() if c.study == study]
        techniques, views = list(Technique), list(View)
        return sorted(
            own,
            key=lambda c: (
                techniques.index(c.technique),
                views.index(c.view),
                c.series,
                c.slice_index,
            ),
        )

    def clips_named(self, ids: Sequence[ClipId], *, access: Access) -> list[ClipRecord]:
        for i in ids:
            if i not in self.clip_records or not self._seen(
                self.held[self.clip_records[i].study], access
            ):
                raise ClipNotFound(i)
        return [self.clip_records[i] for i in ids]

    def report(self, study: StudyId, *, access: Access) -> Report | None:
        self.study(study, access=access)
        return self.reports.get(study)

    def impressions(self, ids: Sequence[StudyId], *, access: Access) -> dict[StudyId, str]:
        return {i: self.reports[i].impression for i in ids if i in self.reports}

    def search_reports(
        self, text: str, where: Filter, *, limit: int | None, access: Access
    ) -> list[tuple[StudyId, float, str]]:
        words = set(re.findall(r"\w+", text.lower()))
        found = []
        for study in self.eligible(where, access=access) & set(self.reports):
            sentences = re.split(r"(?<=\.)\s+", self.reports[study].text)
            overlap = [len(words & set(re.findall(r"\w+", s.lower()))) for s in sentences]
            if max(overlap):
                found.append((study, float(sum(overlap)), sentences[int(np.argmax(overlap))]))
        return sorted(found, key=lambda f: (-f[1], f[0]))[:limit]

    def assertions(
        self, names: Collection[FindingName], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[FindingName, tuple[Polarity, str]]]:
        strength = [
            Polarity.NOT_ASSESSED,
            Polarity.ABSENT,
            Polarity.UNCERTAIN,
            Polarity.PRESENT,
        ]

        def best(said: Sequence[Finding]) -> Finding:
            return max(said, key=lambda f: strength.index(f.polarity))

        return {
            study: {
                name: (one.polarity, sentence)
                for name in names
                for one, sentence in self._said(
                    report, [f for f in report.findings if f.name == name], best
                )
            }
            for study, report in self._reported(where, access)
            if {f.name for f in report.findings} & set(names)
        }

    def measurements(
        self, quantities: Collection[str], where: Filter, *, access: Access
    ) -> dict[StudyId, dict[str, tuple[Measurement, str]]]:
        def best(said: Sequence[Measurement]) -> Measurement:
            if said[0].quantity not in LARGEST:
                return said[-1]
            return max(
                reversed(said), key=lambda m: max(x for x in (m.low, m.high) if x is not None)
            )

        return {
            study: {
                name: found
                for name in quantities
                for found in self._said(
                    report, [m for m in report.measurements if m.quantity == name], best
                )
            }
            for study, report in self._reported(where, access)
            if {m.quantity for m in report.measurements} & set(quantities)
        }

    def _reported(self, where: Filter, access: Access) -> list[tuple[StudyId, Report]]:
        eligible = self.eligible(where, access=access)
        return [(study, report) for study, report in self.reports.items() if study in eligible]

    def _said(
        self, report: Report, said: Sequence[Said], best: Callable[[Sequence[Said]], Said]
    ) -> list[tuple[Said, str]]:
        """The statement that counts, if there is any, with its sentence."""
        if not said:
            return []
        begin = report.text.find(report.impression)
        end = begin + len(report.impression)
        one = best([s for s in said if begin <= s.start < end] or said)
        return [(one, " ".join(report.text[one.start : one.end].split()))]

    def estimates(
        self, encoder_id: EncoderId, *, access: Access
    ) -> dict[StudyId, tuple[Estimate, ...]]:
        found = {
            study: tuple(
                row.estimate
                for quantity in Quantity
                for row in self.estimated
                if (row.study, row.encoder_id, row.estimate.quantity)
                == (study, encoder_id, quantity)
            )
            for study in self.eligible(Filter(), access=access)
        }
        return {study: estimates for study, estimates in found.items() if estimates}

    def machine_findings(
        self, study: StudyId, encoder_id: EncoderId, *, access: Access
    ) -> list[MachineFinding]:
        self.study(study, access=access)
        found = [
            row.finding
            for row in self.machine_found
            if (row.study, row.encoder_id) == (study, encoder_id)
        ]
        return sorted(found, key=lambda f: (f.name, f.question))

    def put_machine_findings(self, rows: Sequence[StoredMachineFinding]) -> None:
        new = {(row.encoder_id, row.finding.name) for row in rows}
        kept = [r for r in self.machine_found if (r.encoder_id, r.finding.name) not in new]
        self.machine_found = [*kept, *rows]

    def facets(self, where: Filter, *, access: Access) -> list[Counts]:
        return [self._count(facet, where, access) for facet in FACETS]

    def ledger(self, *, access: Access) -> list[Study]:
        return sorted((s for s in self.held.values() if self._seen(s, access)), key=lambda s: s.id)

    def _count(self, facet: str, where: Filter, access: Access) -> Counts:
        where = replace(where, **{facet: frozenset()})
        counts: Counter[str] = Counter()
        for i in self.eligible(where, access=access):
            study = self.held[i]
            clips = [c for c in self.clip_records.values() if c.study == i and _fits(c, where)]
            strength = study.scanner.field_strength_t
            counts.update(
                {
                    "views": {str(c.view) for c in clips},
                    "techniques": {str(c.technique) for c in clips},
                    "sexes": {study.patient.sex} - {None},
                    "field_strengths_t": set() if strength is None else {f"{strength:g}"},
                    "vendors": {study.scanner.vendor} - {None},
                }[facet]
            )
        return Counts(facet=facet, counts=dict(sorted(counts.items())))

    def _seen(self, study: Study, access: Access) -> bool:
        at_site = access.sites is None or study.site in access.sites
        return at_site and (access.unreleased or study.id not in self.unreleased)

    def _meets(self, study: Study, where: Filter) -> bool:
        clips = [c for c in self.clip_records.values() if c.study == study.id]
        if (where.views or where.techniques) and not any(_fits(c, where) for c in clips):
            return False
        person, scanner = study.patient, study.scanner
        return all(
            (
                not where.sexes or person.sex in where.sexes,
                _between(person.age_years, where.age_from, where.age_to),
                _between(study.year, where.year_from, where.year_to),
                not where.field_strengths_t or scanner.field_strength_t in where.field_strengths_t,
                not where.vendors or scanner.vendor in where.vendors,
            )
        )


def _fits(clip: ClipRecord, where: Filter) -> bool:
    right_view = not where.views or clip.view in where.views
    return right_view and (not where.techniques or clip.technique in where.techniques)


def _between(value: int | None, low: int | None, high: int | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)
