"""Studies, clips and reports to put into a catalog, real enough and short to write."""

import hashlib
from dataclasses import fields
from datetime import UTC, date, datetime

import numpy as np
from hypothesis import strategies as st

from retrieval.values.clip import ClipRecord, identify
from retrieval.values.embedding import EncoderId, StudyEmbedding, estimate_rows_of, rows_of
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.intake import FileSeen, StudyEntry
from retrieval.values.machine_finding import MachineFinding, Method, StoredMachineFinding
from retrieval.values.measurement import Measurement
from retrieval.values.query import Access, Filter
from retrieval.values.report import Report
from retrieval.values.study import (
    Patient,
    PatientId,
    Scanner,
    Series,
    SeriesId,
    Sex,
    State,
    Study,
    StudyId,
    Technique,
    View,
)

ENCODER = EncoderId("fake@000000000001")
OTHER_ENCODER = EncoderId("fake@000000000002")
DIM = 8


def name(*parts):
    """24 hexadecimal digits that mean `parts`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def study_id(n):
    return StudyId(name("study", n))


def make_clip(n, *, view=View.SHORT_AXIS, technique=Technique.CINE, index=0, **more):
    record = ClipRecord(
        study=study_id(n),
        series=SeriesId(name("series", n, view, technique)),
        view=view,
        technique=technique,
        phases=2,
        rows=2,
        columns=3,
        spacing_mm=(1.25, 1.0 / 3.0),
        slice_index=index,
        slice_count=12,
        position_mm=(-101.7, 0.1 + 0.2, 5.0),
        frame_times_ms=(0.0, 1000 / 30),
        rr_ms=875.5,
        **more,
    )
    return identify(record, np.full((2, 2, 3), index, np.int16)).record


def make_entry(n, clips=None, *, state=State.INDEXED, released=True, accession=None, **more):
    """One study with a series for each view and technique of its clips, and a file per series."""
    clips = [make_clip(n)] if clips is None else clips
    kinds = list(dict.fromkeys((c.view, c.technique) for c in clips))
    series = [
        Series(
            id=SeriesId(name("series", n, view, technique)),
            view=view,
            technique=technique,
            state=State.INDEXED,
            slices=12,
            phases=2,
            clips=sum((c.view, c.technique) == (view, technique) for c in clips),
            spacing_mm=(1.25, 1.0 / 3.0),
            slice_spacing_mm=8.0,
        )
        for view, technique in kinds
    ]
    refused = Series(
        id=SeriesId(name("series", n, "refused")),
        view=View.OTHER,
        technique=Technique.UNKNOWN,
        state=State.QUARANTINED,
        reason="secondary capture",
    )
    values = {
        "patient": Patient(id=PatientId(name("patient", n)), sex=Sex.FEMALE, age_years=51),
        "site": "north",
        "scanner": Scanner(vendor="Acme", model="M1", software="1.0", field_strength_t=1.5),
        "year": 2019,
        "acquired_on": date(2019, 5, 17),
    } | more
    return StudyEntry(
        study=Study(
            id=study_id(n),
            state=state,
            reason="" if state is State.INDEXED else f"made {state}",
            series=(*series, refused),
            **values,
        ),
        clips=tuple(clips),
        files=(
            *(
                FileSeen(
                    key=name("file", n, s.id), study=study_id(n), used=True, size=9, modified_ns=n
                )
                for s in series
            ),
            FileSeen(
                key=name("file", n, refused.id),
                study=study_id(n),
                used=False,
                reason="secondary capture",
                size=9,
                modified_ns=n,
            ),
        ),
        source_digest=name("source", n, len(clips)),
        accession_key=None if accession is None else name("accession", accession),
        released=released,
    )


def make_report(text, *, study=None, accession=None, findings=(), measurements=(), **more):
    return Report(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        study=None if study is None else study_id(study),
        accession_key=None if accession is None else name("accession", accession),
        text=text,
        findings=tuple(findings),
        measurements=tuple(measurements),
        **{"impression": text.split(".")[0]} | more,
    )


def scar(start=0, end=5):
    return Finding(name=FindingName.SCAR, polarity=Polarity.PRESENT, start=start, end=end)


def measured(quantity, low, high, *, start=0, end=5, holds=(True, True), unit="%"):
    return Measurement(
        quantity=quantity,
        low=low,
        high=high,
        holds_low=low is not None and holds[0],
        holds_high=high is not None and holds[1],
        unit=unit,
        start=start,
        end=end,
    )


def vector_of(*parts):
    rng = np.random.default_rng(int(name(*parts), 16) % 2**32)
    vector = rng.standard_normal(DIM).astype(np.float32)
    return vector / np.linalg.norm(vector)


def make_rows(entry, encoder=ENCODER, *, sees=lambda _clip: True, whole=True):
    """What a fake encoder says of a study: every clip it sees, and all of them together."""
    seen = [c.id for c in entry.clips if sees(c)]
    return rows_of(
        StudyEmbedding(
            study=entry.study.id,
            encoder_id=encoder,
            whole=vector_of(entry.study.id, tuple(sorted(seen)), encoder) if whole else None,
            clips={clip: vector_of(clip, encoder) for clip in seen},
            inputs=tuple(seen),
        )
    )


def estimates_of(*parts, among=Quantity):
    """What a fake encoder estimates; the same parts give the same numbers, awkward ones too."""
    rng = np.random.default_rng(int(name("estimate", *parts), 16) % 2**32)
    return tuple(
        Estimate(
            quantity=q, value=float(rng.normal(100, 1e3)), spread=float(rng.exponential(1 / 3))
        )
        for q in among
    )


def make_estimates(entry, encoder=ENCODER, *, estimates=None):
    """Rows of what a fake encoder estimates of a study, read from all of its clips."""
    inputs = tuple(sorted(c.id for c in entry.clips))
    said = estimates_of(entry.study.id, inputs, encoder) if estimates is None else estimates
    return estimate_rows_of(
        StudyEmbedding(
            study=entry.study.id,
            encoder_id=encoder,
            whole=None,
            clips={},
            inputs=inputs,
            estimates=tuple(said),
        )
    )


def make_machine_finding(n, encoder=ENCODER, **given):
    """What a fake encoder might have written of study `n`."""
    told = {
        "name": "size",
        "question": "dilated left ventricle",
        "method": Method.PROMPTS,
        "asked": ("dilated left ventricle", "großes Herz"),
        "score": 1 / 3,
        "percentile": 66.0 + 1 / 3,
        "low": 12.5,
        "high": 100.0,
        "studies": 24,
        "made_at": datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC),
        "made_by": "cineseek 0",
    }
    finding = MachineFinding(**{**told, **given})
    return StoredMachineFinding(study=study_id(n), encoder_id=encoder, finding=finding)


_AGES = st.none() | st.integers(0, 90)
_YEARS = st.none() | st.integers(2010, 2013)
_STRENGTHS = st.sampled_from([1.5, 3.0, 1.494])
_VENDORS = st.sampled_from(["Acme", "Bolt", "acme"])
_KINDS = st.tuples(st.sampled_from(list(View)[:4]), st.sampled_from(list(Technique)[:3]))


@st.composite
def entries(draw, n):
    """Any study that a filter or an access might tell from another."""
    kinds = draw(st.lists(_KINDS, max_size=3, unique=True))
    state = draw(st.sampled_from([State.INDEXED, State.INDEXED, State.INDEXED, *State]))
    return make_entry(
        n,
        [make_clip(n, view=v, technique=t) for v, t in kinds],
        state=state,
        released=draw(st.booleans()),
        site=draw(st.sampled_from(["north", "south"])),
        patient=Patient(
            id=PatientId(name("patient", n)),
            sex=draw(st.none() | st.sampled_from(list(Sex))),
            age_years=draw(_AGES),
        ),
        year=draw(_YEARS),
        scanner=Scanner(
            vendor=draw(st.none() | _VENDORS), field_strength_t=draw(st.none() | _STRENGTHS)
        ),
    )


def archives(most=8):
    """Lists of entries of different studies."""
    return st.integers(0, most).flatmap(lambda k: st.tuples(*(entries(n) for n in range(k))))


def _some(values):
    return st.just(frozenset()) | st.frozensets(values, max_size=2)


FILTERS = st.builds(
    Filter,
    views=_some(st.sampled_from(list(View)[:4])),
    techniques=_some(st.sampled_from(list(Technique)[:3])),
    sexes=_some(st.sampled_from(list(Sex))),
    age_from=st.none() | st.integers(0, 90),
    age_to=st.none() | st.integers(0, 90),
    field_strengths_t=_some(_STRENGTHS),
    vendors=_some(_VENDORS),
    year_from=_YEARS,
    year_to=_YEARS,
)

ACCESSES = st.builds(
    Access,
    sites=st.none() | st.frozensets(st.sampled_from(["north", "south", "west"])),
    unreleased=st.booleans(),
)


@st.composite
def filters(draw):
    """Filters of one or two constraints, which leave somebody, or of any number."""
    whole = draw(FILTERS)
    names = draw(st.sets(st.sampled_from([f.name for f in fields(Filter)]), max_size=2))
    few = Filter(**{name: getattr(whole, name) for name in names})
    return draw(st.sampled_from([few, few, few, whole]))
