"""Databases for the catalog's contract: SQLite always, PostgreSQL where there is a server."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from retrieval.catalog.catalog import SqlCatalog

GIVEN_SERVER = os.environ.pop("CINESEEK_TEST_POSTGRES", "")
"""URL of a PostgreSQL that may be filled and emptied; taken out, since it is no setting."""

DATABASES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
]


class Server:
    """A PostgreSQL server: the one given, or a throwaway one started when first asked for."""

    def __init__(self):
        self._folder = None
        self._process = None
        self._url = GIVEN_SERVER

    @property
    def url(self):
        """URL of a database to connect to first; skips the test if there can be none."""
        psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
        if not self._url:
            programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
            if not programs:
                pytest.skip("no PostgreSQL in /usr/lib/postgresql and no CINESEEK_TEST_POSTGRES")
            self._start(psycopg, programs[-1])
        return self._url

    def administer(self, statement):
        engine = create_engine(self.url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        engine.dispose()

    def stop(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # does not wait for clients
            self._process.wait(30)
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def _start(self, psycopg, program):
        root = os.geteuid() == 0  # as which PostgreSQL refuses to run
        self._folder = folder = Path(tempfile.mkdtemp(prefix="cineseek-postgres-"))
        who = {"cwd": folder} | ({"user": "postgres"} if root else {})
        if root:
            shutil.chown(folder, "postgres")
        options = ["--auth=trust", "--username=cineseek", "--encoding=UTF8"]
        options += ["--locale=C.UTF-8", "--no-sync", "--pgdata=data"]
        subprocess.run(
            [program.with_name("initdb"), *options], check=True, capture_output=True, **who
        )
        port = _free_port()
        options = f"-D data -p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, *options.split()], stdout=log, stderr=log, **who
            )
        url = f"postgresql://cineseek@127.0.0.1:{port}/postgres"
        _wait_for(psycopg, url, self._process, folder / "log")
        self._url = url


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(psycopg, url, process, log):
    for _ in range(300):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(log.read_text())


@pytest.fixture(scope="session")
def postgres_server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def fresh_url(postgres_server, tmp_path_factory):
    """Function of a kind of database that gives the URL of a new, empty one."""
    made = []

    def make(kind):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('catalog') / 'catalog.db'}"
        database = f"cineseek_{uuid.uuid4().hex[:12]}"
        postgres_server.administer(f"CREATE DATABASE {database}")
        made.append(database)
        return postgres_server.url.rpartition("/")[0] + f"/{database}"

    yield make
    for database in made:
        postgres_server.administer(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture(scope="session")
def opened(fresh_url):
    """Function of a kind that gives one catalog of it, emptied at every call."""
    catalogs = {}

    def open_(kind):
        if kind not in catalogs:
            catalogs[kind] = SqlCatalog.open(fresh_url(kind), migrate=True)
        empty(catalogs[kind])
        return catalogs[kind]

    yield open_
    for catalog in catalogs.values():
        catalog.close()


def empty(catalog):
    """Forget everything, behind the catalog's back."""
    with catalog._database.connecting(write=True) as connection:
        for table in ("report", "file", "study"):
            connection.execute(text(f"DELETE FROM {table}"))


@pytest.fixture(params=DATABASES)
def catalog(request, opened):
    """An empty catalog of either kind."""
    return opened(request.param)
