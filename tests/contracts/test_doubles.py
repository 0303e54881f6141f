"""The doubles answer as the real ones do, or the tests that lean on them prove nothing."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog.catalog import SqlCatalog
from retrieval.errors import ClipNotFound, StudyNotFound
from retrieval.search.members import Studies
from retrieval.search.roster import Roster
from retrieval.values.finding import FindingName
from retrieval.values.query import LOCAL_OPERATOR, Access, Filter
from retrieval.values.report import Report
from retrieval.values.study import StudyId
from tests.doubles import ENCODER, DictCatalog, WordEncoder
from tests.retrieval.catalog_examples import (
    ACCESSES,
    FILTERS,
    archives,
    make_entry,
    make_estimates,
    make_machine_finding,
    make_report,
    make_rows,
    measured,
    scar,
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: migrations take longer than everything else here."""
    path = tmp_path_factory.mktemp("empty") / "catalog.db"
    SqlCatalog.open(f"sqlite:///{path}", migrate=True).close()
    return path


def same(ours, theirs, *, error: type[Exception]) -> None:
    """Both answer the same, or both refuse."""
    try:
        expected = theirs()
    except error:
        with pytest.raises(error):
            ours()
        return
    assert ours() == expected


@settings(deadline=None, max_examples=40)
@given(entries=archives(), where=FILTERS, access=ACCESSES, reported=st.sets(st.integers(0, 7)))
def test_a_dictionary_answers_as_the_catalog_does(empty, entries, where, access, reported):
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(empty, folder)
        real, double = SqlCatalog.open(f"sqlite:///{path}", migrate=False), DictCatalog()
        for n, entry in enumerate(entries):
            real.put_study(entry)
            estimates = make_estimates(entry)[n % 3 :]
            real.put_embeddings(make_rows(entry), estimates)
            double.add(entry.study, entry.clips, make_rows(entry))
            double.estimated += reversed(estimates)
            if not entry.released:
                double.unreleased.add(entry.study.id)
            if n in reported:
                said = {
                    "findings": [scar(), scar(8, 26)][n % 2 :],
                    "measurements": [measured("lvef", 30 + n, None), measured("wall", n, n)],
                }
                report = make_report(f"Scar {n}. Dilated ventricle.", study=n, **said)
                real.put_report(report)
                double.reports[entry.study.id] = report
        for names in (range(len(entries)), range(0, len(entries), 2)):
            found = [make_machine_finding(n, name=name) for n in names for name in "ba"][1:]
            real.put_machine_findings(found)
            double.put_machine_findings(found)
        compare(real, double, where, access)
        real.close()


def compare(real: SqlCatalog, double: DictCatalog, where, access: Access) -> None:
    assert double.eligible(where, access=access) == real.eligible(where, access=access)
    assert double.reported(where, access=access) == real.reported(where, access=access)
    keys = real.keys(where, ENCODER, access=access)
    assert double.keys(where, ENCODER, access=access) == keys
    everybody = np.array(sorted(real.keys(Filter(), ENCODER, access=LOCAL_OPERATOR)), np.int64)
    for one in (double, real):
        roster = Roster.unread(everybody)
        roster = roster.after(one.standing(ENCODER, since=None, access=LOCAL_OPERATOR))
        eligible = roster.eligible(where, access)
        assert set(Studies(roster, eligible)) == real.eligible(where, access=access)
        assert set(everybody[roster.rows(where, eligible)].tolist()) == set(keys)
        assert one.standing(ENCODER, since=roster.revision, access=LOCAL_OPERATOR) is None
    estimates = real.estimates(ENCODER, access=access)
    assert double.estimates(ENCODER, access=access) == estimates
    scars = real.assertions([FindingName.SCAR], where, access=access)
    assert double.assertions([FindingName.SCAR], where, access=access) == scars
    numbers = real.measurements(["wall", "lvef", "rvef"], where, access=access)
    assert double.measurements(["wall", "lvef", "rvef"], where, access=access) == numbers
    facets = {c.facet: c.counts for c in real.facets(where, access=access)}
    assert {c.facet: c.counts for c in double.facets(where, access=access)} == facets
    assert double.ledger(access=access) == real.ledger(access=access)
    found = {study for study, _, _ in real.search_reports("scar", where, limit=None, access=access)}
    ours = double.search_reports("scar", where, limit=None, access=access)
    assert {study for study, _, _ in ours} == found
    for study in double.held:
        same(
            lambda study=study: double.machine_findings(study, ENCODER, access=access),
            lambda study=study: real.machine_findings(study, ENCODER, access=access),
            error=StudyNotFound,
        )
        for name in ("study", "clips", "report"):
            same(
                lambda name=name, study=study: getattr(double, name)(study, access=access),
                lambda name=name, study=study: getattr(real, name)(study, access=access),
                error=StudyNotFound,
            )
    for clip in double.clip_records:
        same(
            lambda clip=clip: double.clips_named([clip], access=access),
            lambda clip=clip: real.clips_named([clip], access=access),
            error=ClipNotFound,
        )


def test_impressions_are_those_of_the_newest_reports(empty: Path, tmp_path: Path):
    real = SqlCatalog.open(f"sqlite:///{shutil.copy(empty, tmp_path)}", migrate=False)
    entry, silent = make_entry(0), make_entry(1)
    double = DictCatalog()
    for one in (entry, silent):
        real.put_study(one)
        double.add(one.study, one.clips)
    report: Report = make_report("Large heart. Nothing else.", study=0)
    real.put_report(report)
    double.reports[entry.study.id] = report
    access = Access(sites=None, unreleased=True)
    ids = [entry.study.id, silent.study.id, StudyId("nobody")]
    expected = real.impressions(ids[:2], access=access)
    assert expected == {entry.study.id: "Large heart"}
    assert double.impressions(ids[:2], access=access) == expected
    real.close()


def test_the_word_encoder_embeds_each_text_by_itself():
    encoder = WordEncoder({"known": [3.0, 0.0, 4.0, 0.0]})
    found = encoder.encode_texts(["a", "known", "a"])
    assert found.encoder_id == ENCODER
    np.testing.assert_array_equal(found.vectors[0], found.vectors[2])
    np.testing.assert_array_equal(found.vectors[:1], encoder.encode_texts(["a"]).vectors)
    np.testing.assert_allclose(found.vectors[1], [0.6, 0, 0.8, 0], atol=1e-7)
    assert not np.allclose(found.vectors[0], encoder.encode_texts(["b"]).vectors[0])
