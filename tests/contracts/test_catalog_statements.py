"""What every catalog must do with what reports state: findings and numbers of many studies."""

import json

import pytest
from alembic import command
from sqlalchemy import event, text
from typer.testing import CliRunner

from indexer import reread as rereading
from indexer.cli import app
from retrieval.catalog.catalog import SqlCatalog
from retrieval.catalog.engine import Database
from retrieval.language.reader import read_statements, reader_digest
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.report import Statements
from retrieval.values.study import Sex
from tests.contracts.conftest import DATABASES
from tests.contracts.test_catalog_schema import config_on
from tests.retrieval.catalog_examples import make_entry, make_report, measured, study_id

ANYONE = LOCAL_OPERATOR
SCAR, OEDEMA = FindingName.SCAR, FindingName.OEDEMA
PRESENT, ABSENT, UNCERTAIN = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN

BODY = "Findings:\nThere may\n  be scar. No scar. LVEF 40 %. Septum 17 mm. "
IMPRESSION = "Äußerst normal. Scar. LVEF 42 %."
TEXT = f"{BODY}Impression:\n{IMPRESSION}"


def place(said):
    """The range of a sentence of TEXT, the last if there are several."""
    start = TEXT.rindex(said)
    return {"start": start, "end": start + len(said)}


def finding(polarity, said, name=SCAR):
    return Finding(name=name, polarity=polarity, **place(said))


DOUBT = finding(UNCERTAIN, "There may\n  be scar.")
DENIAL = finding(ABSENT, "No scar.")
CONCLUSION = finding(ABSENT, "Scar.")
"""Not what a reader would make of it: so that only its place can make it win."""

BODY_EF = measured("lvef", 40, 40, **place("LVEF 40 %."))
FINAL_EF = measured("lvef", 42, 42, **place("LVEF 42 %."))
SEPTUM = measured("wall", 17, 17, unit="mm", **place("Septum 17 mm."))


def put(catalog, n, **stated):
    catalog.put_study(make_entry(n))
    catalog.put_report(make_report(TEXT, study=n, impression=IMPRESSION, **stated))


def scars(catalog, where=None):
    return catalog.assertions([SCAR], where or Filter(), access=ANYONE)


def numbers(catalog, *quantities):
    return catalog.measurements(quantities, Filter(), access=ANYONE)


def test_a_report_comes_back_with_its_measurements(catalog):
    given = make_report(
        "LVEF 35 %.",
        study=1,
        measurements=[
            measured("lvef", 35, 35),
            measured("lvef", None, 50, holds=(False, False)),
            measured("wall", 0.1 + 0.2, 1 / 3, unit="mm", start=3, end=9, holds=(False, True)),
            measured("native_t1", 1000, None, unit="ms"),
        ],
        reader="a" * 24,
    )
    catalog.put_study(make_entry(1))
    catalog.put_report(given)
    assert catalog.report(study_id(1), access=ANYONE) == given


def test_the_digest_covers_measurements_and_not_their_reader(catalog):
    digests = []
    for low, reader in ((35, "a"), (36, "a"), (36, "b")):
        catalog.put_study(make_entry(1))
        stated = {"measurements": [measured("lvef", low, 50)], "reader": reader * 24}
        catalog.put_report(make_report("EF.", study=1, **stated))
        one = Statements(findings=(), measurements=(measured("lvef", low, 50),), reader=reader * 24)
        catalog.put_statements({make_report("EF.").digest: one})
        digests.append(catalog.digest())
    assert digests[0] != digests[1] == digests[2]


def test_the_impression_wins_whatever_it_says(catalog):
    put(catalog, 1, findings=[DOUBT, CONCLUSION], measurements=[FINAL_EF])
    assert scars(catalog) == {study_id(1): {SCAR: (ABSENT, "Scar.")}}
    assert numbers(catalog, "lvef") == {study_id(1): {"lvef": (FINAL_EF, "LVEF 42 %.")}}


def test_sentences_are_cut_by_character_and_set_on_one_line(catalog):
    put(catalog, 1, findings=[finding(PRESENT, "Äußerst normal.")])
    put(catalog, 2, findings=[DOUBT])
    assert {said for one in scars(catalog).values() for _, said in one.values()} == {
        "Äußerst normal.",
        "There may be scar.",
    }


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_strongest_of_one_part_wins_and_of_equals_the_first(catalog, order):
    stated = [DENIAL, DOUBT, finding(PRESENT, "LVEF 40 %.")]
    put(catalog, 1, findings=[stated[n] for n in order])
    assert scars(catalog)[study_id(1)][SCAR] == (PRESENT, "LVEF 40 %.")
    put(catalog, 2, findings=[DENIAL, finding(ABSENT, "LVEF 40 %."), DOUBT])
    assert scars(catalog)[study_id(2)][SCAR] == (UNCERTAIN, "There may be scar.")
    put(catalog, 3, findings=[DENIAL, finding(ABSENT, "LVEF 40 %.")])
    assert scars(catalog)[study_id(3)][SCAR] == (ABSENT, "No scar.")


def test_of_several_numbers_the_last_counts_but_of_walls_the_thickest(catalog):
    thin = measured("wall", None, 9, unit="mm", **place("LVEF 40 %."))
    again = measured("lvef", 45, 50, **place("Septum 17 mm."))
    put(catalog, 1, measurements=[BODY_EF, SEPTUM, thin, again])
    found = numbers(catalog, "lvef", "wall")[study_id(1)]
    assert found == {"lvef": (again, "Septum 17 mm."), "wall": (SEPTUM, "Septum 17 mm.")}


def test_only_what_is_asked_for_and_said_is_there(catalog):
    put(catalog, 1, findings=[DENIAL, finding(PRESENT, "LVEF 40 %.", OEDEMA)])
    put(catalog, 2, measurements=[BODY_EF])
    catalog.put_study(make_entry(3))
    assert set(scars(catalog)) == {study_id(1)}
    assert set(scars(catalog)[study_id(1)]) == {SCAR}
    assert set(numbers(catalog, "lvef", "wall")) == {study_id(2)}
    assert numbers(catalog, "rvef") == numbers(catalog) == {}
    assert catalog.assertions([], Filter(), access=ANYONE) == {}
    both = catalog.assertions([SCAR, OEDEMA], Filter(), access=ANYONE)
    assert set(both[study_id(1)]) == {SCAR, OEDEMA}


def test_only_the_newest_report_and_eligible_studies_count(catalog):
    put(catalog, 1, findings=[DENIAL], measurements=[BODY_EF])
    catalog.put_report(make_report("Scar after all.", study=1))
    put(catalog, 2, findings=[DENIAL])
    assert set(scars(catalog)) == {study_id(2)}
    assert numbers(catalog, "lvef") == {}
    assert scars(catalog, Filter(sexes=frozenset({Sex.MALE}))) == {}
    catalog.set_deleted([study_id(2)], deleted=True)
    assert scars(catalog) == {}


def test_one_report_of_two_studies_speaks_of_both(catalog):
    for n in (1, 2):
        catalog.put_study(make_entry(n, accession="A"))
    catalog.put_report(make_report(TEXT, accession="A", findings=[DENIAL], measurements=[SEPTUM]))
    assert set(scars(catalog)) == set(numbers(catalog, "wall")) == {study_id(1), study_id(2)}


def test_however_many_studies_there_are_it_is_one_statement(catalog):
    for n in range(20):
        put(catalog, n, findings=[DENIAL, DOUBT], measurements=[BODY_EF, SEPTUM])
    asked = []
    engine = catalog._database._engine
    listen = lambda c, cursor, statement, *more: asked.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", listen)
    assert len(scars(catalog)) == 20
    assert len(numbers(catalog, "lvef", "wall")) == 20
    event.remove(engine, "before_cursor_execute", listen)
    assert len([s for s in asked if s.lstrip().upper().startswith("SELECT")]) == 2


# --- reading again ----------------------------------------------------------------------------

WRITTEN = {
    1: "LVEF 35 %. Dilated left ventricle.",
    2: "Septum 17 mm.\n\nImpression:\nNo scar.",
    3: "LVEF 35 %. Dilated left ventricle.",
    4: "Illegible.",
}


@pytest.fixture
def unread(catalog):
    """Reports that nobody knows what read, two of them of the same words."""
    for n, written in WRITTEN.items():
        catalog.put_study(make_entry(n))
        catalog.put_report(make_report(written, study=n, findings=[DENIAL]))
    return catalog


def told(steps):
    return lambda done, total: steps.append((done, total))


def test_reading_again_replaces_what_is_stated_and_nothing_else(unread):
    before = {n: unread.report(study_id(n), access=ANYONE) for n in WRITTEN}
    steps = []
    done = rereading.reread(unread, progress=told(steps))
    stated = [read_statements(written) for written in set(WRITTEN.values())]
    assert done == {
        "read": 3,
        "findings": sum(len(one.findings) for one in stated),
        "measurements": 2,
        "reader": reader_digest(),
    }
    assert steps == [(0, 3), (3, 3)]
    for n, written in WRITTEN.items():
        report, stated = unread.report(study_id(n), access=ANYONE), read_statements(written)
        assert report.findings == stated.findings
        assert report.measurements == stated.measurements
        assert report.reader == reader_digest()
        kept = ("digest", "study", "version", "text", "impression")
        assert [getattr(report, k) for k in kept] == [getattr(before[n], k) for k in kept]
    assert set(numbers(unread, "lvef", "wall")) == {study_id(1), study_id(2), study_id(3)}
    assert unread.search_reports("septum", Filter(), limit=None, access=ANYONE)
    digest = unread.digest()
    assert rereading.reread(unread, progress=told([]))["read"] == 0
    assert unread.digest() == digest


def test_a_stop_costs_one_batch_and_the_rest_is_read_later(unread, monkeypatch):
    monkeypatch.setattr(rereading, "BATCH", 1)
    put_statements = unread.put_statements
    calls = []

    def power_cut(stated):
        calls.append(stated)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        put_statements(stated)

    with monkeypatch.context() as patch:
        patch.setattr(unread, "put_statements", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            rereading.reread(unread, progress=told([]))
    assert len(unread.reports_to_read(reader_digest())) == 2
    assert rereading.reread(unread, progress=told([]))["read"] == 2
    assert unread.reports_to_read(reader_digest()) == []
    assert len(unread.reports_to_read("another")) == 3


def test_a_batch_is_replaced_whole_or_not_at_all(unread, monkeypatch):
    def power_cut(report, measurements):
        raise RuntimeError("power cut")

    before = unread.digest()
    with monkeypatch.context() as patch:
        patch.setattr("retrieval.catalog.rereading.measurement_rows", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            rereading.reread(unread, progress=told([]))
    assert unread.digest() == before
    assert len(unread.reports_to_read(reader_digest())) == 3


@pytest.mark.parametrize("kind", DATABASES)
def test_a_catalog_from_before_learns_measurements(kind, fresh_url):
    url = fresh_url(kind)
    database = Database(url)
    with database.connecting(write=True) as connection:
        command.upgrade(config_on(connection), "0002")
        connection.execute(
            text("INSERT INTO report (digest, study, text, impression) VALUES ('d', :s, :t, :t)"),
            {"s": study_id(1), "t": "LVEF 35 %."},
        )
    database.close()
    catalog = SqlCatalog.open(url, migrate=True)
    catalog.put_study(make_entry(1))
    report = catalog.report(study_id(1), access=ANYONE)
    assert (report.measurements, report.reader) == ((), None)
    assert rereading.reread(catalog, progress=told([]))["measurements"] == 1
    (found,) = catalog.report(study_id(1), access=ANYONE).measurements
    assert (found.quantity, found.low, found.high) == ("lvef", 35, 35)
    with catalog._database.connecting(write=True) as connection:
        command.downgrade(config_on(connection), "0002")
        assert connection.scalar(text("SELECT text FROM report")) == "LVEF 35 %."
        command.upgrade(config_on(connection), "head")
    assert catalog.reports_to_read(reader_digest()) == ["d"]
    catalog.close()


def test_the_command_says_what_it_did(tmp_path, monkeypatch):
    monkeypatch.setenv("CINESEEK_KEY_FILE", str(tmp_path / "secret" / "key"))
    home = tmp_path / "home"

    def reread():
        done = CliRunner().invoke(app, ["reread", "--home", str(home), "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    assert reread()["read"] == 0
    catalog = SqlCatalog.open(f"sqlite:///{home / 'catalog.db'}", migrate=False)
    catalog.put_study(make_entry(1))
    catalog.put_report(make_report("EF 35 %, LVEDV 210 ml.", study=1))
    assert reread() | {"findings": 0} == {
        "read": 1,
        "findings": 0,
        "measurements": 2,
        "reader": reader_digest(),
    }
    assert len(catalog.report(study_id(1), access=ANYONE).measurements) == 2
    catalog.close()
