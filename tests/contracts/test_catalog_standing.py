"""Bitmaps in memory say what the SQL says, after every write, by whatever hand."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from retrieval import ports
from retrieval.catalog.catalog import SqlCatalog
from retrieval.catalog.tables import Base, CatalogHistoryRow
from retrieval.search.roster import Roster
from retrieval.values.query import LOCAL_OPERATOR, Access, Filter
from retrieval.values.study import Patient, PatientId, State, Technique, View
from tests.contracts.conftest import DATABASES
from tests.retrieval.catalog_examples import (
    ACCESSES,
    ENCODER,
    OTHER_ENCODER,
    archives,
    entries,
    filters,
    make_clip,
    make_entry,
    make_estimates,
    make_machine_finding,
    make_report,
    make_rows,
    name,
    study_id,
)

EVERYTHING = Filter()


def revision(catalog):
    return catalog.standing(ENCODER, since=None, access=LOCAL_OPERATOR).revision


def read(catalog, roster):
    """The roster as it is now."""
    news = catalog.standing(ENCODER, since=roster.revision, access=LOCAL_OPERATOR)
    return roster if news is None else roster.after(news)


def whole(catalog, keys):
    return read(catalog, Roster.unread(np.array(sorted(keys), dtype=np.int64)))


def said(roster, where, access):
    """Eligible studies, and whose each row is, by a roster."""
    chosen = roster.eligible(where, access)
    rows = np.flatnonzero(roster.rows(where, chosen)).tolist()
    owners = {
        int(roster.keys[row]): (roster.ids[roster.owners[row]], roster.clips[row].decode() or None)
        for row in rows
    }
    return {roster.ids[n] for n in np.flatnonzero(chosen)}, owners


def assert_equal(roster, catalog, where, access):
    """The roster says what the SQL says, of the keys that its generation holds."""
    held = set(roster.keys.tolist())
    keys = catalog.keys(where, ENCODER, access=access)
    expected = {key: owner for key, owner in keys.items() if key in held}
    assert said(roster, where, access) == (catalog.eligible(where, access=access), expected)


def put(catalog, entry):
    catalog.put_study(entry)
    catalog.put_embeddings(make_rows(entry))


def taken(catalog):
    """Every row of every table, by table, in an order in which they can be put back."""
    with catalog._database.connecting(write=False) as connection:
        return {
            table: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in Base.metadata.sorted_tables
        }


def restore(catalog, backup):
    """Put a backup in place of what is there, as a tool does: without a trigger."""
    with catalog._database.connecting(write=True) as connection:
        triggers = disarm(connection)
        for table in reversed(backup):
            connection.execute(table.delete())
        for table, rows in backup.items():
            if rows:
                connection.execute(table.insert(), rows)
        for trigger in triggers:
            connection.exec_driver_sql(trigger)


def disarm(connection):
    """Take triggers away until the end of a transaction; what makes them anew."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        return []
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_revision_%'"
    )
    found = connection.exec_driver_sql(query).all()
    for trigger, _ in found:
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    return [sql for _, sql in found]


# --- the same answers -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DATABASES)
def test_a_roster_says_what_the_sql_says_under_any_filter_and_access(opened, kind):
    @settings(deadline=None, max_examples=60 if kind == "sqlite" else 15)
    @given(
        archive=archives(),
        asked=st.lists(st.tuples(filters(), ACCESSES), min_size=8, max_size=8),
        late=st.integers(0, 3),
    )
    def check(archive, asked, late):
        catalog = opened(kind)
        for entry in archive:
            put(catalog, entry)
        keys = [row.key for entry in archive[late:] for row in make_rows(entry)]
        roster = whole(catalog, keys)
        for where, access in [*asked, (EVERYTHING, LOCAL_OPERATOR)]:
            assert_equal(roster, catalog, where, access)

    check()


HANDS = [
    "UPDATE study SET site = 'south' WHERE id = :study",
    "UPDATE study SET released = NOT released WHERE id = :study",
    "UPDATE study SET deleted_at = CURRENT_TIMESTAMP WHERE id = :study",
    "UPDATE study SET deleted_at = NULL WHERE id = :study",
    "UPDATE study SET state = 'failed' WHERE id = :study",
    "UPDATE study SET state = 'indexed' WHERE id = :study",
    "UPDATE study SET sex = 'M', age_years = NULL, year = 2012 WHERE id = :study",
    "UPDATE study SET sex = NULL, age_years = 60, vendor = 'Bolt' WHERE id = :study",
    "UPDATE study SET vendor = NULL, field_strength_t = 3.0, year = NULL WHERE id = :study",
    "UPDATE clip SET view = '4CH' WHERE study = :study",
    "UPDATE clip SET technique = 'LGE' WHERE study = :study",
    "DELETE FROM clip WHERE study = :study",
    "DELETE FROM embedding WHERE study = :study AND clip IS NOT NULL",
    "DELETE FROM embedding WHERE study = :study AND clip IS NULL",
    "DELETE FROM study WHERE id = :study",
    "UPDATE embedding SET encoder_id = 'another' WHERE study = :study AND clip IS NULL",
    "UPDATE embedding SET encoder_id = 'fake@000000000001' WHERE study = :study AND clip IS NULL",
    """UPDATE embedding SET study = s.id FROM study AS s
       WHERE s.id = :other AND embedding.study = :study AND clip IS NOT NULL""",
]
"""What somebody might do to the database behind the catalog's back."""

STUDIES = st.integers(0, 3)


class History(RuleBasedStateMachine):
    """Random writes, and a roster that is only ever told what has changed."""

    open_catalog = None

    def __init__(self):
        super().__init__()
        self.catalog = type(self).open_catalog()
        self.roster = whole(self.catalog, [])

    @rule(data=st.data(), n=STUDIES, embedded=st.booleans())
    def put_study(self, data, n, embedded):
        entry = data.draw(entries(n))
        self.catalog.put_study(entry)
        if embedded:
            self.catalog.put_embeddings(make_rows(entry))

    @rule(n=STUDIES, other=STUDIES, statement=st.sampled_from(HANDS))
    def by_hand(self, n, other, statement):
        given = {"study": study_id(n), "other": study_id(other)}
        with self.catalog._database.connecting(write=True) as connection:
            named = {name: value for name, value in given.items() if f":{name}" in statement}
            connection.execute(text(statement), named)

    @rule(published=st.floats(0, 1))
    def publish(self, published):
        """Keys of another generation: some of those there are, and some of nothing."""
        keys = list(self.catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
        keys = keys[: round(published * len(keys))]
        self.roster = whole(self.catalog, {*keys, 1, 2**62})

    @rule(where=filters(), access=ACCESSES)
    def asked(self, where, access):
        assert_equal(self.roster, self.catalog, where, access)

    @invariant()
    def current(self):
        self.roster = read(self.catalog, self.roster)
        assert_equal(self.roster, self.catalog, EVERYTHING, LOCAL_OPERATOR)
        views = Filter(views=frozenset([View.FOUR_CHAMBER]))
        assert_equal(self.roster, self.catalog, views, Access(sites=frozenset(["south"])))


@pytest.mark.parametrize("kind", DATABASES)
def test_a_roster_that_is_told_of_changes_stays_equal_to_the_sql(opened, kind):
    class OnThis(History):
        @staticmethod
        def open_catalog():
            return opened(kind)

    examples = 50 if kind == "sqlite" else 12
    run_state_machine_as_test(
        OnThis, settings=settings(deadline=None, max_examples=examples, stateful_step_count=15)
    )


@pytest.mark.parametrize("low", [None, 18, 19])
@pytest.mark.parametrize("high", [None, 19, 20])
def test_bounds_are_inclusive(opened, low, high):
    catalog = opened("sqlite")
    for n in (17, 18, 19, 20, 21):
        person = Patient(id=PatientId(name("patient", n)), age_years=n)
        put(catalog, make_entry(n, patient=person, year=2000 + n))
    keys = list(catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    roster = whole(catalog, keys)
    assert_equal(roster, catalog, Filter(age_from=low, age_to=high), LOCAL_OPERATOR)
    years = [None if n is None else 2000 + n for n in (low, high)]
    assert_equal(roster, catalog, Filter(year_from=years[0], year_to=years[1]), LOCAL_OPERATOR)


MOVE = text("UPDATE embedding SET study = :other WHERE study = :study AND clip IS NOT NULL")


def test_a_vector_whose_clip_is_of_another_study_meets_no_filter(catalog):
    for n in (0, 1, 2):
        put(catalog, make_entry(n))
    keys = list(catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    roster = whole(catalog, keys)
    with catalog._database.connecting(write=True) as connection:
        connection.execute(MOVE, {"study": study_id(1), "other": study_id(2)})
    roster = read(catalog, roster)
    for where, count in ((EVERYTHING, 6), (Filter(views=frozenset([View.SHORT_AXIS])), 5)):
        assert_equal(roster, catalog, where, LOCAL_OPERATOR)
        assert len(said(roster, where, LOCAL_OPERATOR)[1]) == count


def test_a_vector_that_moves_to_who_is_not_eligible_is_gone(catalog):
    put(catalog, make_entry(1))
    put(catalog, make_entry(2, state=State.EXCLUDED))
    keys = list(catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    roster = whole(catalog, keys)
    with catalog._database.connecting(write=True) as connection:
        connection.execute(MOVE, {"study": study_id(1), "other": study_id(2)})
    roster = read(catalog, roster)
    assert_equal(roster, catalog, EVERYTHING, LOCAL_OPERATOR)
    assert len(said(roster, EVERYTHING, LOCAL_OPERATOR)[1]) == 1


def test_shares_from_nobody_to_everybody_are_met(opened):
    """Guards the tests above: their filters must not all leave nobody."""
    catalog = opened("sqlite")
    for n in range(10):
        put(catalog, make_entry(n, year=2000 + n))
    keys = list(catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    roster = whole(catalog, keys)
    for n in range(11):
        where = Filter(year_from=2000 + n)
        assert_equal(roster, catalog, where, LOCAL_OPERATOR)
        assert roster.eligible(where, LOCAL_OPERATOR).sum() == 10 - n


# --- the revision -----------------------------------------------------------------------------

WRITES = {
    "put_study": lambda c: c.put_study(make_entry(1, site="south")),
    "put_embeddings": lambda c: c.put_embeddings(make_rows(make_entry(1), OTHER_ENCODER)),
    "set_deleted": lambda c: c.set_deleted([study_id(1)], deleted=True),
}
HARMLESS = {
    "put_loose_files": lambda c: c.put_loose_files([]),
    "put_report": lambda c: c.put_report(make_report("Scar.", study=1)),
    "put_statements": lambda c: c.put_statements({}),
    "put_machine_findings": lambda c: c.put_machine_findings([make_machine_finding(1)]),
    "put_unembeddable": lambda c: c.put_unembeddable([study_id(1)], OTHER_ENCODER),
}


def test_every_method_that_writes_is_accounted_for():
    own = set(vars(ports.Catalog)) - set(vars(ports.CatalogReader))
    assert {n for n in own if n.startswith(("put_", "set_"))} == {*WRITES, *HARMLESS}


@pytest.mark.parametrize("method", WRITES)
def test_every_write_that_matters_raises_the_revision(catalog, method):
    put(catalog, make_entry(1))
    before = revision(catalog)
    WRITES[method](catalog)
    assert revision(catalog) > before


@pytest.mark.parametrize("method", HARMLESS)
def test_nothing_is_read_again_after_writes_that_change_no_mask(catalog, method):
    put(catalog, make_entry(1))
    before = revision(catalog)
    HARMLESS[method](catalog)
    assert catalog.standing(ENCODER, since=before, access=LOCAL_OPERATOR) is None


def test_every_study_clip_and_embedding_is_watched_in_every_column(catalog):
    """Any column: a filter that is made tomorrow needs no trigger of its own."""
    entry = make_entry(1)
    put(catalog, entry)
    catalog.put_embeddings([], make_estimates(entry))
    with catalog._database.connecting(write=True) as connection:
        for table in ("study", "clip", "embedding"):
            columns = connection.execute(text(f"SELECT * FROM {table}")).keys()
            for column in columns:
                before = connection.scalar(text("SELECT number FROM catalog_revision"))
                connection.execute(text(f"UPDATE {table} SET {column} = {column}"))
                assert connection.scalar(text("SELECT number FROM catalog_revision")) > before


def test_what_is_not_committed_raises_nothing(catalog):
    put(catalog, make_entry(1))
    before = revision(catalog)
    with catalog._database.writing() as session:
        session.execute(text("DELETE FROM study"))
        session.rollback()
    assert catalog.standing(ENCODER, since=before, access=LOCAL_OPERATOR) is None


def test_only_what_has_changed_is_read_again(catalog):
    for n in range(5):
        put(catalog, make_entry(n))
    before = revision(catalog)
    catalog.set_deleted([study_id(3)], deleted=True)
    catalog.put_study(make_entry(1, [make_clip(1), make_clip(1, technique=Technique.LGE)]))
    news = catalog.standing(ENCODER, since=before, access=LOCAL_OPERATOR)
    assert news.changed == {study_id(1), study_id(3)}
    assert [study.id for study in news.studies] == [study_id(1)]
    assert len(news.keys) == 1  # the clip that stayed; the vector of the whole is gone


def test_a_revision_that_is_yet_to_come_is_another_catalog_s(catalog):
    put(catalog, make_entry(1))
    news = catalog.standing(ENCODER, since=revision(catalog) + 1, access=LOCAL_OPERATOR)
    assert news.changed is None
    assert len(news.studies) == 1


def test_a_catalog_is_not_taken_for_another_that_was_written_as_often(opened, fresh_url):
    ours = opened("sqlite")
    other = SqlCatalog.open(fresh_url("sqlite"), migrate=True)
    put(ours, make_entry(1))
    put(other, make_entry(2))
    news = other.standing(ENCODER, since=revision(ours), access=LOCAL_OPERATOR)
    assert news.changed is None
    assert [study.id for study in news.studies] == [study_id(2)]
    other.close()


def test_what_access_hides_is_not_said(catalog):
    put(catalog, make_entry(1, site="south"))
    put(catalog, make_entry(2))
    put(catalog, make_entry(3, released=False))
    put(catalog, make_entry(4, state=State.EXCLUDED))
    north = Access(sites=frozenset(["north"]))
    news = catalog.standing(ENCODER, since=None, access=north)
    assert [study.id for study in news.studies] == [study_id(2)]
    assert set(news.keys.tolist()) == {row.key for row in make_rows(make_entry(2))}


@pytest.mark.postgres
def test_a_table_that_is_emptied_at_once_is_noticed(opened):
    catalog = opened("postgresql")
    for n in range(3):
        put(catalog, make_entry(n))
    keys = list(catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    for table in ("embedding", "clip", "study"):
        roster = whole(catalog, keys)
        with catalog._database.connecting(write=True) as connection:
            connection.execute(text(f"TRUNCATE {table} CASCADE"))
        assert_equal(read(catalog, roster), catalog, EVERYTHING, LOCAL_OPERATOR)


@pytest.mark.postgres
def test_writers_of_postgresql_cannot_take_the_same_number(opened):
    """The second waits for the first, whatever lock it forgot to take."""
    catalog = opened("postgresql")
    for n in (1, 2):
        put(catalog, make_entry(n))
    engine = catalog._database._engine
    touch = text("UPDATE study SET site = 'south' WHERE id = :study")
    number = text("SELECT number FROM catalog_revision")
    with engine.begin() as first:
        first.execute(touch, {"study": study_id(1)})
        with engine.begin() as second:
            second.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                second.execute(touch, {"study": study_id(2)})
            second.rollback()
        taken = first.scalar(number)
    with engine.begin() as second:
        second.execute(touch, {"study": study_id(2)})
        assert second.scalar(number) > taken


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("UPDATE study SET released = FALSE WHERE id = ?", (sys.argv[2],))
connection.commit()
"""


def test_another_process_is_noticed(fresh_url):
    url = fresh_url("sqlite")
    catalog = SqlCatalog.open(url, migrate=True)
    for n in (1, 2):
        put(catalog, make_entry(n))
    roster = whole(catalog, catalog.keys(EVERYTHING, ENCODER, access=LOCAL_OPERATOR))
    path = url.removeprefix("sqlite:///")
    subprocess.run([sys.executable, "-c", WRITER, path, study_id(1)], check=True)
    roster = read(catalog, roster)
    reader = Access(sites=None)
    assert_equal(roster, catalog, EVERYTHING, reader)
    assert said(roster, EVERYTHING, reader)[0] == {study_id(2)}
    catalog.close()


def test_revisions_of_long_ago_are_not_kept(catalog):
    old = -(2**60)
    with catalog._database.connecting(write=True) as connection:
        connection.execute(CatalogHistoryRow.__table__.insert(), {"number": old})
    assert catalog.standing(ENCODER, since=old, access=LOCAL_OPERATOR).changed is not None
    put(catalog, make_entry(1))
    assert catalog.standing(ENCODER, since=old, access=LOCAL_OPERATOR).changed is None


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("after", [0, 1, 5, 40])
def test_a_backup_that_is_restored_under_a_reader_is_read_whole(fresh_url, kind, after):
    """Even where it is then written until it stands where the reader last saw it."""
    url = fresh_url(kind)
    catalog = SqlCatalog.open(url, migrate=True)
    for n in (1, 2):
        put(catalog, make_entry(n))
    backup = taken(catalog)
    put(catalog, make_entry(3))
    catalog.set_deleted([study_id(1)], deleted=True)
    keys = [row.key for n in (1, 2, 3) for row in make_rows(make_entry(n))]
    roster = whole(catalog, keys)
    restore(catalog, backup)
    for n in range(after):
        catalog.put_study(make_entry(2, site=f"site {n}"))
    roster = read(catalog, roster)
    assert_equal(roster, catalog, EVERYTHING, LOCAL_OPERATOR)
    assert said(roster, EVERYTHING, LOCAL_OPERATOR)[0] == {study_id(1), study_id(2)}
    catalog.close()
