"""Migrations, opening, and what becomes of a database's own failures."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from retrieval.catalog import engine as engine_module
from retrieval.catalog import migrate
from retrieval.catalog.catalog import SqlCatalog
from retrieval.catalog.engine import Database
from retrieval.catalog.tables import Base
from retrieval.errors import CatalogUnusable, SchemaOutOfDate, StoreError, UsageError
from retrieval.values.estimate import Quantity
from retrieval.values.query import LOCAL_OPERATOR, Filter
from tests.contracts.conftest import DATABASES
from tests.retrieval.catalog_examples import (
    ENCODER,
    make_entry,
    make_estimates,
    make_report,
    make_rows,
    study_id,
    vector_of,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=DATABASES)
def url(request, fresh_url):
    return fresh_url(request.param)


def config_on(connection):
    config = migrate._config()
    config.attributes["connection"] = connection
    return config


def test_there_is_one_line_of_migrations_and_no_package():
    assert len(ScriptDirectory.from_config(migrate._config()).get_heads()) == 1
    assert not (ROOT / "alembic" / "__init__.py").exists()
    assert migrate.scripts() == ROOT / "alembic"


def test_tables_and_migrations_agree(url):
    database = Database(url)
    migrate.upgrade(database)
    migrate.check(database)
    with database.connecting(write=True) as connection:
        connection.execute(text("ALTER TABLE study ADD COLUMN stray INTEGER"))
    with pytest.raises(Exception, match="stray"):
        migrate.check(database)
    database.close()


def test_migrations_run_down_to_nothing_and_up_again(url):
    database = Database(url)
    for _ in range(2):
        migrate.upgrade(database)
        with database.connecting(write=False) as connection:
            assert set(Base.metadata.tables) <= set(inspect(connection).get_table_names())
        with database.connecting(write=True) as connection:
            command.downgrade(config_on(connection), "base")
        with database.connecting(write=False) as connection:
            assert inspect(connection).get_table_names() == ["alembic_version"]
    database.close()


FIRST_DATA = (
    """INSERT INTO study (id, patient, site, state, reason, source_digest, released)
       VALUES (:study, :patient, 'north', 'indexed', '', 'd', TRUE)""",
    """INSERT INTO embedding (key, study, input_digest, encoder_id, vector)
       VALUES (7, :study, 'i', :encoder, :vector)""",
    """INSERT INTO embedded (study, encoder_id) VALUES (:study, :encoder)""",
)
"""One study that an encoder has been through, as the first schema keeps it."""


def test_a_first_catalog_keeps_what_it_holds_and_learns_estimates(url):
    entry, vector = make_entry(1, []), vector_of("first")
    given = {
        "study": study_id(1),
        "patient": "p",
        "encoder": ENCODER,
        "vector": vector.astype("<f4").tobytes(),
    }
    database = Database(url)
    with database.connecting(write=True) as connection:
        command.upgrade(config_on(connection), "0001")
        for statement in FIRST_DATA:
            connection.execute(text(statement), given)
    database.close()

    catalog = SqlCatalog.open(url, migrate=True)
    assert catalog.study(study_id(1), access=LOCAL_OPERATOR).site == "north"
    ((keys, vectors),) = catalog.embeddings(ENCODER)
    assert keys.tolist() == [7]
    assert vectors.vectors.tobytes() == vector.tobytes()
    assert catalog.studies_without(ENCODER) == []
    assert catalog.estimates(ENCODER, access=LOCAL_OPERATOR) == {}
    news = catalog.standing(ENCODER, since=None, access=LOCAL_OPERATOR)
    assert ([study.id for study in news.studies], news.keys.tolist()) == ([study_id(1)], [7])
    before = catalog.digest()
    catalog.put_embeddings([], make_estimates(entry))
    assert len(catalog.estimates(ENCODER, access=LOCAL_OPERATOR)[study_id(1)]) == len(Quantity)

    with catalog._database.connecting(write=True) as connection:
        command.downgrade(config_on(connection), "0001")
        tables = inspect(connection).get_table_names()
        assert "machine_estimate" not in tables
        command.upgrade(config_on(connection), "head")
    assert catalog.digest() == before
    catalog.close()


def test_estimates_go_with_the_row_of_their_study(opened):
    catalog = opened("sqlite")
    entry = make_entry(1)
    catalog.put_study(entry)
    catalog.put_embeddings(make_rows(entry), make_estimates(entry))
    with catalog._database.connecting(write=True) as connection:
        connection.execute(text("DELETE FROM study"))
        assert connection.scalar(text("SELECT count(*) FROM machine_estimate")) == 0


def test_a_migration_that_fails_leaves_nothing(url, monkeypatch):
    database = Database(url)

    def fail(*_args, **_more):
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.runtime.migration.HeadMaintainer.update_to_step", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            migrate.upgrade(database)
    with database.connecting(write=False) as connection:
        assert "study" not in inspect(connection).get_table_names()
    migrate.upgrade(database)
    migrate.require_current(database)
    database.close()


def test_opening_without_migration_never_creates(url):
    with pytest.raises(SchemaOutOfDate, match="has schema none") as caught:
        SqlCatalog.open(url, migrate=False)
    assert isinstance(caught.value, StoreError)
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).exists()
    SqlCatalog.open(url, migrate=True).close()
    SqlCatalog.open(url, migrate=False).close()
    SqlCatalog.open(url, migrate=True).close()


@pytest.mark.parametrize("may_migrate", [True, False])
def test_an_unknown_schema_is_refused(url, may_migrate):
    catalog = SqlCatalog.open(url, migrate=True)
    with catalog._database.connecting(write=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    catalog.close()
    with pytest.raises(SchemaOutOfDate, match=f"9999 but {migrate.head()} is needed"):
        SqlCatalog.open(url, migrate=may_migrate)


def test_every_column_from_dicom_says_its_tag_in_the_database(fresh_url):
    said = {c.name: c.comment for t in Base.metadata.tables.values() for c in t.columns}
    for column in ("sex", "acquired_on", "field_strength_t", "spacing_mm", "ti_ms"):
        assert "(00" in said[column], column


@pytest.mark.postgres
def test_comments_reach_postgresql(fresh_url):
    catalog = SqlCatalog.open(fresh_url("postgresql"), migrate=True)
    with catalog._database.connecting(write=False) as connection:
        comments = {c["name"]: c["comment"] for c in inspect(connection).get_columns("study")}
    catalog.close()
    assert comments["sex"] == "PatientSex (0010,0040) CS"


@pytest.mark.postgres
def test_postgresql_can_search_reports_by_its_index(fresh_url):
    catalog = SqlCatalog.open(fresh_url("postgresql"), migrate=True)
    query = (
        "EXPLAIN SELECT 1 FROM report WHERE to_tsvector('cineseek'::regconfig, report.text) "
        "@@ plainto_tsquery('cineseek'::regconfig, 'scar')"
    )
    with catalog._database.connecting(write=True) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.scalars(text(query)))
    catalog.close()
    assert "report_fts" in plan


def test_sqlite_is_durable_and_keeps_its_references(fresh_url):
    catalog = SqlCatalog.open(fresh_url("sqlite"), migrate=True)
    with catalog._database.connecting(write=False) as connection:

        def pragma(name):
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar()

        found = [pragma(n) for n in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")]
    catalog.close()
    assert found == ["wal", 2, 1, 1000 * engine_module.WAIT_S]


def test_a_missing_folder_is_made_only_by_those_who_migrate(tmp_path):
    url = f"sqlite:///{tmp_path / 'home' / 'catalog.db'}"
    with pytest.raises(SchemaOutOfDate):
        SqlCatalog.open(url, migrate=False)
    assert not (tmp_path / "home").exists()
    SqlCatalog.open(url, migrate=True).close()


@pytest.mark.parametrize(
    "url", ["", "catalog.db", "mysql://host/x", "sqlite://", "sqlite:///:memory:", "oracle://x"]
)
def test_other_urls_are_refused(url):
    with pytest.raises(UsageError, match="sqlite:////path"):
        SqlCatalog.open(url, migrate=True)


# --- failures of the database itself ----------------------------------------------------------


def test_a_file_that_is_no_database_is_unusable(tmp_path):
    path = tmp_path / "catalog.db"
    path.write_bytes(b"not a database at all" * 100)
    for may_migrate in (True, False):
        with pytest.raises(CatalogUnusable, match=r"catalog\.db.*not a database"):
            SqlCatalog.open(f"sqlite:///{path}", migrate=may_migrate)


def test_a_folder_in_the_file_s_place_is_unusable(tmp_path):
    with pytest.raises(CatalogUnusable, match="unable to open"):
        SqlCatalog.open(f"sqlite:///{tmp_path}", migrate=True)


def test_a_lock_that_is_never_let_go_is_unusable(fresh_url, monkeypatch):
    monkeypatch.setattr(engine_module, "WAIT_S", 0.05)
    url = fresh_url("sqlite")
    catalog = SqlCatalog.open(url, migrate=True)
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CatalogUnusable, match="locked"):
        catalog.put_study(make_entry(1))
    assert catalog.ledger(access=LOCAL_OPERATOR) == []  # readers need not wait
    holder.close()
    catalog.put_study(make_entry(1))
    catalog.close()


def test_a_damaged_file_is_unusable(fresh_url):
    url = fresh_url("sqlite")
    catalog = SqlCatalog.open(url, migrate=True)
    for n in range(50):
        catalog.put_study(make_entry(n))
        catalog.put_report(make_report("Scar " * 500, study=n))
    with catalog._database._engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    catalog.close()
    path = Path(url.removeprefix("sqlite:///"))
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    with pytest.raises(CatalogUnusable, match="malformed"):
        SqlCatalog.open(url, migrate=False).report(study_id(1), access=LOCAL_OPERATOR)


def test_a_file_that_another_replaces_answers_no_more(fresh_url):
    url, later = fresh_url("sqlite"), fresh_url("sqlite")
    for n, one in enumerate((url, later)):
        catalog = SqlCatalog.open(one, migrate=True)
        catalog.put_study(make_entry(n))
        catalog.close()
    catalog = SqlCatalog.open(url, migrate=False)
    with catalog._database.reading() as session:
        session.execute(text("SELECT 1"))
        assert catalog.eligible(Filter(), access=LOCAL_OPERATOR) == {study_id(0)}
    path = Path(url.removeprefix("sqlite:///"))
    for left in path.parent.glob("catalog.db-*"):
        left.unlink()
    Path(later.removeprefix("sqlite:///")).replace(path)
    for _ in range(3):
        assert catalog.eligible(Filter(), access=LOCAL_OPERATOR) == {study_id(1)}
    catalog.put_study(make_entry(2))
    assert catalog.eligible(Filter(), access=LOCAL_OPERATOR) == {study_id(1), study_id(2)}
    catalog.close()


def test_a_file_that_is_gone_is_unusable_and_is_not_made_anew(fresh_url):
    url = fresh_url("sqlite")
    catalog = SqlCatalog.open(url, migrate=True)
    path = Path(url.removeprefix("sqlite:///"))
    path.unlink()
    with pytest.raises(CatalogUnusable, match=r"catalog\.db.*gone"):
        catalog.eligible(Filter(), access=LOCAL_OPERATOR)
    with pytest.raises(CatalogUnusable, match="gone"):
        catalog.put_study(make_entry(1))
    assert not path.exists()
    catalog.close()


@pytest.mark.postgres
def test_a_server_out_of_reach_is_unusable_and_its_password_unsaid():
    with pytest.raises(CatalogUnusable) as caught:
        SqlCatalog.open("postgresql://cineseek:s3cret@127.0.0.1:9/none", migrate=False)
    assert "127.0.0.1" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_our_own_mistakes_stay_what_they_are_and_show_no_values(opened):
    catalog = opened("sqlite")
    insert = text("INSERT INTO study (id, patient) VALUES (:canary, NULL)")
    with catalog._database.writing() as session, pytest.raises(IntegrityError) as caught:
        session.execute(insert, {"canary": "canary"})
    assert "canary" not in str(caught.value)


@pytest.mark.postgres
def test_a_missing_column_is_our_mistake(opened):
    with (
        pytest.raises(ProgrammingError),
        opened("postgresql")._database.reading() as session,
    ):
        session.execute(text("SELECT nonsense FROM study"))
