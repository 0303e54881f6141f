"""Connections: one writer at a time, readers see one moment, failures become ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InvalidatePoolError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from retrieval.errors import CatalogUnusable, UsageError

WAIT_S = 30
"""How long a connection waits for another one's lock before it gives up."""

_WRITING = "cineseek_writing"
_WRITER_LOCK = 0x63696E657365656B
"""PostgreSQL advisory lock that every writing transaction takes ("cineseek" in ASCII)."""


class Database:
    """One catalog database, SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        engine = _engine(self.url)
        self.dialect = engine.dialect.name
        self._engine = engine
        self._writes = engine.execution_options(**{_WRITING: True})
        self._reads = (
            engine
            if self.dialect == "sqlite"
            else engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one moment of the catalog and writes nothing."""
        with self._translated(), Session(self._reads) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session that is committed whole at the end, or not at all."""
        with self._translated(), Session(self._writes) as session, session.begin():
            yield session

    @contextmanager
    def connecting(self, *, write: bool) -> Iterator[Connection]:
        """Open a bare connection in a transaction, for migrations."""
        engine = self._writes if write else self._reads
        with self._translated(), engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what says that the database itself fails into CatalogUnusable.

        Breaking a constraint or naming a missing column is our own bug and
        stays what it is.
        """
        where = self.url.render_as_string(hide_password=True)
        try:
            yield
        except (IntegrityError, ProgrammingError, DataError):
            raise
        except DBAPIError as error:
            raise CatalogUnusable(where, str(error.orig).strip()) from error
        except PoolTimeout as error:
            raise CatalogUnusable(where, "no connection became free") from error


def parse_url(text: str) -> URL:
    """Read a database URL; plain postgresql:// means psycopg 3.

    Raises
    ------
    UsageError
        It is no URL, or names a database that CineSeek does not speak to.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(
            "the database URL cannot be read; give sqlite:////path/to/catalog.db or "
            "postgresql://user@host/name"
        ) from error
    backend = url.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return url
    raise UsageError(
        f"the database URL names {url.drivername}; give sqlite:////path/to/catalog.db or "
        "postgresql://user@host/name"
    )


def _engine(url: URL) -> Engine:
    # Parameters stay out of error messages: they may be a report's text.
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        file = _File(str(url.database))
        event.listen(engine, "do_connect", file.connecting)
        event.listen(engine, "connect", file.connected)
        event.listen(engine, "checkout", file.taken)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise UsageError(
            "PostgreSQL needs psycopg, which is not installed; install cineseek[postgres]"
        ) from error
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    # The driver would begin transactions itself, late and never before a SELECT or DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _File:
    """The file of one SQLite catalog; no connection answers from another that lay in its place."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._was_here = False

    def connecting(self, *_args: object) -> None:
        """Refuse to connect to what is gone: SQLite would make an empty file."""
        if self._was_here:
            self._identity()

    def connected(self, _connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        """Remember which file a new connection has opened."""
        record.info["file"] = self._identity()
        self._was_here = True

    def taken(
        self, _connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: object
    ) -> None:
        """Let go of every kept connection if another file lies there now."""
        if record.info["file"] != self._identity():
            raise InvalidatePoolError

    def _identity(self) -> tuple[int, int]:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - the name goes to SQLite as it is
        except FileNotFoundError as error:
            raise CatalogUnusable(self._path, "the file is gone") from error
        return found.st_dev, found.st_ino


def _begin_sqlite(connection: Connection) -> None:
    # A reader that turns writer half-way cannot wait for its turn; IMMEDIATE queues at once.
    writing = connection.get_execution_options().get(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITING):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
