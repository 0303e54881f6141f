"""What every catalog must do, on SQLite and on PostgreSQL alike."""

import threading
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from retrieval.catalog import catalog as catalog_module
from retrieval.errors import ClipNotFound, StudyNotFound
from retrieval.values.clip import ClipId
from retrieval.values.finding import FindingName
from retrieval.values.intake import FileSeen
from retrieval.values.query import LOCAL_OPERATOR, Access, Filter
from retrieval.values.study import (
    Patient,
    PatientId,
    Scanner,
    SeriesId,
    Sex,
    State,
    Study,
    StudyId,
    Technique,
    View,
)
from tests.contracts.conftest import DATABASES, empty
from tests.retrieval.catalog_examples import (
    ACCESSES,
    ENCODER,
    FILTERS,
    OTHER_ENCODER,
    archives,
    make_clip,
    make_entry,
    make_estimates,
    make_machine_finding,
    make_report,
    make_rows,
    measured,
    name,
    scar,
    study_id,
)

ANYONE = LOCAL_OPERATOR
EVERYTHING = Filter()

many = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

words = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@many
@given(
    patient=st.builds(
        Patient,
        id=st.just(PatientId(name("p"))),
        sex=st.none() | st.sampled_from(list(Sex)),
        age_years=st.none() | st.integers(0, 90),
        height_cm=numbers,
        weight_kg=numbers,
        bsa_m2=numbers,
    ),
    scanner=st.builds(Scanner, vendor=words, model=words, software=words, field_strength_t=numbers),
    year=st.none() | st.integers(1, 9999),
    acquired_on=st.none() | st.dates(),
    contrast=st.none() | st.booleans(),
    heart_rate_bpm=numbers,
)
def test_a_study_comes_back_as_it_was_put(catalog, **values):
    entry = make_entry(1, **values)
    catalog.put_study(entry)
    assert catalog.study(study_id(1), access=ANYONE) == entry.study


def test_studies_come_in_the_order_asked_for_and_the_ledger_by_id(catalog):
    entries = [make_entry(n, state=state) for n, state in enumerate(State)]
    for entry in reversed(entries):
        catalog.put_study(entry)
    asked = [study_id(n) for n in (3, 0, 3, 4)]
    assert [s.id for s in catalog.studies(asked, access=ANYONE)] == asked
    ledger = catalog.ledger(access=ANYONE)
    assert ledger == sorted((e.study for e in entries), key=lambda s: s.id)
    with pytest.raises(StudyNotFound, match=study_id(9)):
        catalog.studies([study_id(0), study_id(9)], access=ANYONE)


def test_clips_come_by_technique_view_series_and_slice(catalog):
    clips = [
        make_clip(1, technique=Technique.LGE),
        make_clip(1, view=View.FOUR_CHAMBER),
        *(make_clip(1, index=i) for i in (10, 2, 0)),
        make_clip(1, index=2, variant="stress", ti_ms=1e-300, monochrome1=True),
    ]
    catalog.put_study(make_entry(1, clips))
    order = [clips[i] for i in (4, 3, 5, 2, 1, 0)]
    assert catalog.clips(study_id(1), access=ANYONE) == order
    asked = [clips[1], clips[0], clips[1]]
    assert catalog.clips_named([c.id for c in asked], access=ANYONE) == asked
    assert list(catalog.clip_ids()) == sorted(c.id for c in clips)
    with pytest.raises(ClipNotFound, match=name("none")):
        catalog.clips_named([clips[0].id, ClipId(name("none"))], access=ANYONE)


def test_putting_the_same_again_changes_nothing(catalog):
    entry = make_entry(1, [make_clip(1), make_clip(1, index=1)], accession="A")
    for _ in range(2):
        catalog.put_study(entry)
        catalog.put_report(make_report("Scar.", accession="A", findings=[scar()]))
        catalog.put_embeddings(make_rows(entry), make_estimates(entry))
        catalog.put_loose_files([FileSeen(key=name("l"), study=None, used=False, size=0,
                                          modified_ns=5, reason="empty file")])  # fmt: skip
    once = catalog.digest()
    counts = catalog.counts()
    assert counts["clips"] == 2
    assert counts["embeddings"] == 3
    assert counts["reports_seen"] == 1
    assert catalog.file_counts() == (1, 2, {"empty file": 1, "secondary capture": 1})
    catalog.put_study(entry)
    assert catalog.digest() == once


def test_a_study_that_breaks_off_leaves_the_old_one_whole(catalog):
    catalog.put_study(make_entry(1))
    before = catalog.digest()
    stray = replace(make_clip(1, index=7), series=SeriesId(name("no such series")))
    broken = make_entry(1, [make_clip(1, view=View.LVOT), stray])
    broken = replace(broken, study=replace(broken.study, series=broken.study.series[:1]))
    with pytest.raises(IntegrityError):
        catalog.put_study(broken)
    assert catalog.digest() == before


def test_files_are_counted_once_wherever_they_turn_up(catalog):
    entry = make_entry(1)
    moved = replace(entry.files[0], study=None, used=False, reason="not DICOM")
    catalog.put_loose_files([moved, moved])
    assert catalog.file_counts() == (0, 1, {"not DICOM": 1})
    catalog.put_study(entry)
    assert catalog.file_counts() == (1, 1, {"secondary capture": 1})
    catalog.put_study(replace(entry, files=entry.files[:1]))
    assert catalog.file_counts() == (1, 0, {})


def test_source_digests_tell_state_and_digest_also_of_the_deleted(catalog):
    for n, state in enumerate(State):
        catalog.put_study(make_entry(n, state=state))
    catalog.set_deleted([study_id(0)], deleted=True)
    assert catalog.source_digests() == {
        study_id(n): (state, name("source", n, 1)) for n, state in enumerate(State)
    }
    assert [catalog.counts()[state] for state in State] == [1] * 5


# --- embeddings -------------------------------------------------------------------------------


def walked(catalog, encoder=ENCODER):
    found = {}
    for keys, embeddings in catalog.embeddings(encoder):
        assert embeddings.encoder_id == encoder
        found.update(zip(keys.tolist(), embeddings.vectors, strict=True))
    return found


def same(found, rows):
    assert list(found) == sorted(int(r.key) for r in rows)
    for row in rows:
        assert found[int(row.key)].tobytes() == row.vector.tobytes()


def test_vectors_come_back_bit_for_bit_in_key_order_in_batches(catalog, monkeypatch):
    monkeypatch.setattr(catalog_module, "_BATCH", 3)
    rows, others = [], []
    for n in range(4):
        entry = make_entry(n, [make_clip(n), make_clip(n, index=1)])
        catalog.put_study(entry)
        rows += make_rows(entry)
        others += make_rows(entry, OTHER_ENCODER)
    catalog.put_embeddings(rows + others)
    assert [len(keys) for keys, _ in catalog.embeddings(ENCODER)] == [3, 3, 3, 3]
    same(walked(catalog), rows)
    same(walked(catalog, OTHER_ENCODER), others)


def test_a_walk_sees_one_moment(catalog, monkeypatch):
    monkeypatch.setattr(catalog_module, "_BATCH", 1)
    entries = [make_entry(n) for n in range(3)]
    for entry in entries:
        catalog.put_study(entry)
        catalog.put_embeddings(make_rows(entry))
    walk = catalog.embeddings(ENCODER)
    seen = 1 + len(next(walk)[0]) - 1
    catalog.set_deleted([e.study.id for e in entries], deleted=True)
    seen += sum(len(keys) for keys, _ in walk)
    assert seen == 6
    assert not walked(catalog)


def test_a_known_key_is_left_as_it_is(catalog):
    entry = make_entry(1)
    catalog.put_study(entry)
    rows = make_rows(entry)
    catalog.put_embeddings(rows)
    catalog.put_embeddings([replace(r, vector=np.roll(r.vector, 1)) for r in rows])
    same(walked(catalog), rows)


def test_vectors_without_their_source_are_refused(catalog):
    entry = make_entry(1)
    with pytest.raises(StudyNotFound):
        catalog.put_embeddings(make_rows(entry))
    catalog.put_study(entry)
    larger = make_entry(1, [make_clip(1), make_clip(1, index=5)])
    with pytest.raises(ClipNotFound):
        catalog.put_embeddings(make_rows(larger))
    assert not walked(catalog)
    assert catalog.studies_without(ENCODER) == [study_id(1)]


def test_a_study_counts_as_done_until_its_clips_change(catalog):
    one, two = make_clip(1), make_clip(1, index=1)
    entry = make_entry(1, [one])
    catalog.put_study(entry)
    assert catalog.studies_without(ENCODER) == [study_id(1)]
    catalog.put_embeddings(make_rows(entry))
    assert catalog.studies_without(ENCODER) == []
    assert catalog.studies_without(OTHER_ENCODER) == [study_id(1)]
    catalog.put_study(replace(entry, source_digest="touched"))
    assert catalog.studies_without(ENCODER) == []

    larger = make_entry(1, [one, two])
    catalog.put_study(larger)
    assert catalog.studies_without(ENCODER) == [study_id(1)]
    same(walked(catalog), [r for r in make_rows(entry) if r.clip])  # the clip's own stays
    catalog.put_embeddings(make_rows(larger))
    same(walked(catalog), make_rows(larger))

    catalog.put_study(make_entry(1, [two]))
    assert catalog.studies_without(ENCODER) == [study_id(1)]
    same(walked(catalog), [r for r in make_rows(larger) if r.clip == two.id])


def test_an_encoder_may_leave_clips_out_or_a_whole_study(catalog):
    entry = make_entry(1, [make_clip(1), make_clip(1, technique=Technique.T1_MAP)])
    maps = make_entry(2, [make_clip(2, technique=Technique.T1_MAP)])
    catalog.put_study(entry)
    catalog.put_study(maps)
    catalog.put_embeddings(make_rows(entry, sees=lambda c: c.technique is Technique.CINE))
    assert catalog.studies_without(ENCODER) == [study_id(2)]
    catalog.put_unembeddable([study_id(2)], ENCODER)
    assert catalog.studies_without(ENCODER) == []
    assert catalog.studies_without(OTHER_ENCODER) == sorted([study_id(1), study_id(2)])
    catalog.put_study(make_entry(2, [make_clip(2)]))
    assert catalog.studies_without(ENCODER) == [study_id(2)]
    with pytest.raises(StudyNotFound):
        catalog.put_unembeddable([study_id(3)], ENCODER)


@pytest.mark.parametrize("state", [s for s in State if s is not State.INDEXED])
def test_only_indexed_studies_are_searched(catalog, state):
    entry = make_entry(1)
    catalog.put_study(entry)
    catalog.put_embeddings(make_rows(entry), make_estimates(entry))
    catalog.put_report(make_report("Scar.", study=1))
    catalog.put_study(make_entry(1, state=state))
    assert not walked(catalog)
    assert catalog.keys(EVERYTHING, ENCODER, access=ANYONE) == {}
    assert catalog.estimates(ENCODER, access=ANYONE) == {}
    assert catalog.eligible(EVERYTHING, access=ANYONE) == frozenset()
    assert catalog.search_reports("scar", EVERYTHING, limit=None, access=ANYONE) == []
    assert catalog.studies_without(OTHER_ENCODER) == []
    assert all(not c.counts for c in catalog.facets(EVERYTHING, access=ANYONE))
    assert catalog.study(study_id(1), access=ANYONE).state == state


# --- who may see what -------------------------------------------------------------------------

READS_ONE = {
    "study": lambda c, access: c.study(study_id(1), access=access),
    "studies": lambda c, access: c.studies([study_id(2), study_id(1)], access=access),
    "clips": lambda c, access: c.clips(study_id(1), access=access),
    "clips_named": lambda c, access: c.clips_named([make_clip(1).id], access=access),
    "report": lambda c, access: c.report(study_id(1), access=access),
    "impressions": lambda c, access: c.impressions([study_id(2), study_id(1)], access=access),
    "machine_findings": lambda c, access: c.machine_findings(study_id(1), ENCODER, access=access),
}
READS_MANY = {
    "eligible": lambda c, access: c.eligible(EVERYTHING, access=access),
    "reported": lambda c, access: c.reported(EVERYTHING, access=access),
    "keys": lambda c, access: {s for s, _ in c.keys(EVERYTHING, ENCODER, access=access).values()},
    "standing": lambda c, access: {
        s.id for s in c.standing(ENCODER, since=None, access=access).studies
    },
    "assertions": lambda c, access: set(
        c.assertions([FindingName.SCAR], EVERYTHING, access=access)
    ),
    "measurements": lambda c, access: set(c.measurements(["lvef"], EVERYTHING, access=access)),
    "estimates": lambda c, access: set(c.estimates(ENCODER, access=access)),
    "search_reports": lambda c, access: {
        s for s, _, _ in c.search_reports("scar", EVERYTHING, limit=None, access=access)
    },
    "ledger": lambda c, access: {s.id for s in c.ledger(access=access)},
}
NORTH = Access(sites=frozenset({"north"}))


def two_studies(catalog, *, hide):
    """Study 2 can be seen by NORTH; study 1 is hidden in one way."""
    first = make_entry(
        1, released=hide != "unreleased", site="south" if hide == "site" else "north"
    )
    for n, entry in ((1, first), (2, make_entry(2))):
        catalog.put_study(entry)
        catalog.put_embeddings(make_rows(entry), make_estimates(entry))
        said = {"findings": [scar()], "measurements": [measured("lvef", 35, 35)]}
        catalog.put_report(make_report(f"Scar in {n}.", study=n, **said))
    catalog.put_machine_findings([make_machine_finding(n) for n in (1, 2)])
    if hide == "deleted":
        catalog.set_deleted([study_id(1)], deleted=True)


@pytest.mark.parametrize("hide", ["site", "unreleased", "deleted"])
def test_what_access_hides_is_in_no_answer(catalog, hide):
    two_studies(catalog, hide=hide)
    for method, read in READS_ONE.items():
        with pytest.raises((StudyNotFound, ClipNotFound)) as caught:
            read(catalog, NORTH)
        assert (caught.type is ClipNotFound) == (method == "clips_named"), method
    for method, read in READS_MANY.items():
        assert read(catalog, NORTH) == {study_id(2)}, method
    for facet in catalog.facets(EVERYTHING, access=NORTH):
        assert list(facet.counts.values()) == [1], facet.facet


@pytest.mark.parametrize("hide", ["", "site", "unreleased"])
def test_what_access_allows_is_in_every_answer(catalog, hide):
    two_studies(catalog, hide=hide)
    both = {study_id(1), study_id(2)}
    for read in READS_ONE.values():
        assert read(catalog, LOCAL_OPERATOR)
    for method, read in READS_MANY.items():
        assert read(catalog, LOCAL_OPERATOR) == both, method
        assert read(catalog, Access(sites=frozenset())) == set(), method
    for facet in catalog.facets(EVERYTHING, access=LOCAL_OPERATOR):
        assert list(facet.counts.values()) == [2], facet.facet


def test_every_reading_method_is_checked():
    reading = set(READS_ONE) | set(READS_MANY) | {"facets"}
    from retrieval.ports import CatalogReader

    assert reading == {m for m in vars(CatalogReader) if not m.startswith("_")}


def test_deletion_is_undone_and_survives_reading_again(catalog):
    two_studies(catalog, hide="deleted")
    catalog.put_study(make_entry(1))
    assert catalog.eligible(EVERYTHING, access=ANYONE) == {study_id(2)}
    assert study_id(1) not in catalog.studies_without(OTHER_ENCODER)
    assert make_clip(1).id in set(catalog.clip_ids())
    catalog.set_deleted([study_id(1)], deleted=True)
    catalog.set_deleted([study_id(1)], deleted=False)
    assert catalog.eligible(EVERYTHING, access=ANYONE) == {study_id(1), study_id(2)}
    assert len(walked(catalog)) == 4
    with pytest.raises(StudyNotFound):
        catalog.set_deleted([study_id(2), study_id(3)], deleted=True)
    assert study_id(2) in catalog.eligible(EVERYTHING, access=ANYONE)


# --- filters, judged by plain Python ----------------------------------------------------------


def visible(entry, access):
    site = access.sites is None or entry.study.site in access.sites
    return site and (entry.released or access.unreleased)


def clip_passes(clip, where):
    view = not where.views or clip.view in where.views
    return view and (not where.techniques or clip.technique in where.techniques)


def between(value, low, high):
    if low is None and high is None:
        return True
    return value is not None and (low is None or low <= value) and (high is None or value <= high)


def passes(entry, where, access):
    study, scanner = entry.study, entry.study.scanner
    return (
        study.state is State.INDEXED
        and visible(entry, access)
        and (not where.sexes or study.patient.sex in where.sexes)
        and (not where.vendors or scanner.vendor in where.vendors)
        and (not where.field_strengths_t or scanner.field_strength_t in where.field_strengths_t)
        and between(study.patient.age_years, where.age_from, where.age_to)
        and between(study.year, where.year_from, where.year_to)
        and (
            not (where.views or where.techniques) or any(clip_passes(c, where) for c in entry.clips)
        )
    )


def facet_counts(entries, where, access):
    """Each choice tried by itself."""
    values = {
        "views": {v.value: v for v in View},
        "techniques": {t.value: t for t in Technique},
        "sexes": {s.value: s for s in Sex},
        "field_strengths_t": {"1.494": 1.494, "1.5": 1.5, "3": 3.0},
        "vendors": {v: v for v in ("Acme", "Bolt", "acme")},
    }
    tried = {
        facet: {
            text: sum(passes(e, replace(where, **{facet: frozenset([v])}), access) for e in entries)
            for text, v in choices.items()
        }
        for facet, choices in values.items()
    }
    return {facet: {t: n for t, n in counts.items() if n} for facet, counts in tried.items()}


@many
@given(entries=archives(), where=FILTERS, access=ACCESSES, bare=st.booleans())
def test_filters_and_facets_agree_with_plain_python(catalog, entries, where, access, bare):
    empty(catalog)
    where = Filter() if bare else where
    rows = {}
    for entry in entries:
        catalog.put_study(entry)
        rows |= {int(r.key): r for r in make_rows(entry)}
        catalog.put_embeddings(make_rows(entry))
    allowed = {e.study.id for e in entries if passes(e, where, access)}
    assert catalog.eligible(where, access=access) == allowed
    clips = {c.id for e in entries for c in e.clips if clip_passes(c, where)}
    assert catalog.keys(where, ENCODER, access=access) == {
        key: (r.study, r.clip)
        for key, r in rows.items()
        if r.study in allowed and (r.clip is None or r.clip in clips)
    }
    found = {c.facet: c.counts for c in catalog.facets(where, access=access)}
    expected = facet_counts(entries, where, access)
    assert found == expected
    assert {f: list(c) for f, c in found.items() if f in ("views", "techniques", "sexes")} == {
        f: list(c) for f, c in expected.items() if f in ("views", "techniques", "sexes")
    }


def test_bounds_are_inclusive_and_the_unknown_never_passes(catalog):
    for n, (age, year) in enumerate([(49, 2011), (50, 2012), (51, 2013), (None, None)]):
        patient = Patient(id=PatientId(name("p")), age_years=age)
        catalog.put_study(make_entry(n, patient=patient, year=year))

    def found(**where):
        return catalog.eligible(Filter(**where), access=ANYONE)

    for bounds in ({"age_from": 50, "age_to": 50}, {"year_from": 2012, "year_to": 2012}):
        assert found(**bounds) == {study_id(1)}
    assert found(age_from=0) == found(age_to=99) == found(year_from=0) == found(year_to=3000)
    assert found(age_from=50) == found(year_from=2012) == {study_id(1), study_id(2)}
    assert found(age_to=50) == found(year_to=2012) == {study_id(0), study_id(1)}


def test_a_facet_ignores_its_own_choice_and_obeys_the_others(catalog):
    sax, lge = make_clip(0), make_clip(0, technique=Technique.LGE)
    catalog.put_study(make_entry(0, [sax, make_clip(0, index=1), lge]))
    catalog.put_study(make_entry(1, [make_clip(1, view=View.FOUR_CHAMBER)]))
    catalog.put_study(make_entry(2, scanner=Scanner(vendor="Bolt", field_strength_t=3.0)))

    def counts(**where):
        found = catalog.facets(Filter(**where), access=ANYONE)
        return {c.facet: c.counts for c in found}

    of_sax = counts(views=frozenset({View.SHORT_AXIS}))
    assert of_sax["views"] == {"SAX": 2, "4CH": 1}
    assert of_sax["techniques"] == {"cine": 2, "LGE": 1}
    assert of_sax["vendors"] == {"Acme": 1, "Bolt": 1}
    of_lge = counts(techniques=frozenset({Technique.LGE}))
    assert of_lge["techniques"] == {"cine": 3, "LGE": 1}
    assert of_lge["views"] == {"SAX": 1}
    of_three = counts(field_strengths_t=frozenset({3.0}))
    assert of_three["field_strengths_t"] == {"1.5": 2, "3": 1}
    assert of_three["views"] == {"SAX": 1}


# --- digest -----------------------------------------------------------------------------------


def filled(catalog, order=(0, 1, 2)):
    for n in order:
        entry = make_entry(n, [make_clip(n), make_clip(n, index=1)], accession=n)
        catalog.put_report(make_report(f"Scar {n}.", accession=n, findings=[scar()]))
        catalog.put_study(entry)
        catalog.put_embeddings(make_rows(entry), make_estimates(entry))
    return catalog.digest()


def test_the_digest_does_not_depend_on_the_order_of_arrival(catalog):
    first = filled(catalog)
    empty(catalog)
    assert filled(catalog, order=(2, 0, 1)) == first
    empty(catalog)
    for n in (1, 2, 0):  # studies before their reports
        entry = make_entry(n, [make_clip(n, index=1), make_clip(n)], accession=n)
        catalog.put_study(entry)
        estimates = make_estimates(entry)
        catalog.put_embeddings(list(reversed(make_rows(entry))), list(reversed(estimates)))
    for n in (2, 1, 0):
        catalog.put_report(make_report(f"Scar {n}.", accession=n, findings=[scar()]))
    assert catalog.digest() == first


CHANGES = {
    "a value": lambda c: c.put_study(make_entry(0, accession=0, year=2020)),
    "a float's last bit": lambda c: c.put_study(
        make_entry(0, accession=0, heart_rate_bpm=np.nextafter(60.0, 61))
    ),
    "a clip less": lambda c: c.put_study(make_entry(0, accession=0)),
    "release": lambda c: c.put_study(make_entry(0, accession=0, released=False)),
    "deletion": lambda c: c.set_deleted([study_id(0)], deleted=True),
    "a report": lambda c: c.put_report(make_report("Scar 0!", accession=0)),
    "an embedding": lambda c: c.put_embeddings(make_rows(make_entry(0), OTHER_ENCODER)),
    "an estimate": lambda c: c.put_embeddings([], make_estimates(make_entry(0))[:1]),
    "done": lambda c: c.put_unembeddable([study_id(0)], OTHER_ENCODER),
    "a file": lambda c: c.put_loose_files(
        [FileSeen(key=name("x"), study=None, used=False, size=1, modified_ns=1)]
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_sees_every_change(catalog, change):
    two_clips = make_entry(0, [make_clip(0), make_clip(0, index=1)], accession=0)
    catalog.put_study(two_clips)
    catalog.put_report(make_report("Scar 0.", accession=0))
    if change != "a clip less":
        catalog.put_study(make_entry(0, accession=0, heart_rate_bpm=60.0))
    before = catalog.digest()
    CHANGES[change](catalog)
    assert catalog.digest() != before


def test_the_digest_leaves_times_out(catalog):
    entry = make_entry(0)
    catalog.put_study(entry)
    before = catalog.digest()
    files = tuple(replace(f, modified_ns=f.modified_ns + 1) for f in entry.files)
    catalog.put_study(replace(entry, files=files, source_digest="other times"))
    assert catalog.digest() == before


@pytest.mark.postgres
def test_both_databases_have_the_same_digest(opened):
    awkward = make_entry(
        7,
        [make_clip(7, te_ms=1e-17, slope=-0.0)],
        acquired_on=date(1, 1, 1),
        patient=Patient(id=PatientId(name("p")), height_cm=180, bsa_m2=2 / 3, weight_kg=1e300),
        scanner=Scanner(vendor="Ünïcode 心"),
    )
    digests = set()
    for kind in ("sqlite", "postgresql"):
        catalog = opened(kind)
        filled(catalog)
        catalog.put_study(awkward)
        digests.add(catalog.digest())
    assert len(digests) == 1


# --- many at once -----------------------------------------------------------------------------


def test_readers_never_see_half_a_study(catalog):
    small = make_entry(1, [make_clip(1)])
    large = make_entry(1, [make_clip(1, view=View.LVOT, index=i) for i in range(6)])
    whole = {frozenset(c.id for c in e.clips) for e in (small, large)}
    catalog.put_study(small)
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            clips = catalog.clips(study_id(1), access=ANYONE)
            if frozenset(c.id for c in clips) not in whole:
                wrong.append(clips)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        catalog.put_study(large)
        catalog.put_study(small)
    stop.set()
    reader.join(30)
    assert not reader.is_alive()
    assert not wrong


def test_writers_wait_for_each_other(catalog):
    def write(n):
        for i in range(5):
            catalog.put_study(make_entry(100 * n + i))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(catalog.ledger(access=ANYONE)) == 15


@pytest.mark.parametrize("kind", DATABASES)
def test_more_names_than_one_statement_takes(opened, kind, monkeypatch):
    catalog = opened(kind)
    catalog.put_study(make_entry(1))
    ids = [StudyId(name("unknown", n)) for n in range(40_000)]
    with pytest.raises(StudyNotFound):
        catalog.studies([study_id(1), *ids], access=ANYONE)
    assert isinstance(catalog.studies([study_id(1)] * 40_000, access=ANYONE)[-1], Study)
