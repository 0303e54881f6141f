"""What pseudonyms stand for, each entry encrypted, in a database of its own."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from retrieval.errors import VaultUnusable, WrongKey
from retrieval.vault.keys import Keys, require_apart

WAIT_S = 30.0
"""How long to wait for another process's lock on the vault."""

Secret = tuple[str, str, dict[str, str]]
"""(pseudonym, kind, payload)"""

_NONCE_BYTES = 12
_PROOF = b"this vault opens with this key"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS proof (one INTEGER PRIMARY KEY CHECK (one = 1), box BLOB NOT NULL)",
    """
    CREATE TABLE IF NOT EXISTS secret (
        pseudonym TEXT PRIMARY KEY, kind TEXT NOT NULL, box BLOB NOT NULL
    ) WITHOUT ROWID
    """,
)


class Vault:
    """Entries by pseudonym, encrypted with AES-256-GCM.

    Each entry has a random 96-bit nonce, and is bound to its kind and
    pseudonym, so that one cannot be passed off as another. It holds no open
    connection: threads may share it and worker processes may receive it.
    """

    def __init__(self, path: Path, keys: Keys, *, create: bool = True) -> None:
        """Open the vault at `path`, made on first use if `create`.

        Raises
        ------
        WrongKey
            It was made with another key.
        UsageError
            The key lies in the vault's own folder.
        VaultUnusable
            It cannot be read, or is missing and may not be made.
        """
        require_apart(keys.file, path.parent)
        self._path = path
        self._keys = keys
        if not path.exists():
            if not create:
                raise VaultUnusable(path, "there is no such file")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._prove()

    def put(self, pseudonym: str, kind: str, payload: dict[str, str]) -> None:
        """Keep what a pseudonym stands for, replacing what was kept before."""
        self.put_many([(pseudonym, kind, payload)])

    def put_many(self, secrets: Iterable[Secret]) -> None:
        """Keep many, all or none."""
        rows = [
            (name, kind, self._shut(_plain(payload), _label(kind, name)))
            for name, kind, payload in secrets
        ]
        with self._transaction("IMMEDIATE") as connection:
            connection.executemany("INSERT OR REPLACE INTO secret VALUES (?, ?, ?)", rows)

    def get(self, pseudonym: str) -> dict[str, str] | None:
        """Return what a pseudonym stands for, or None if that was never kept.

        Raises
        ------
        VaultUnusable
            The entry was tampered with.
        """
        with self._transaction("DEFERRED") as connection:
            row = connection.execute(
                "SELECT kind, box FROM secret WHERE pseudonym = ?", (pseudonym,)
            ).fetchone()
        return None if row is None else self._payload(pseudonym, *row)

    def items(self, kind: str) -> list[tuple[str, dict[str, str]]]:
        """Every (pseudonym, payload) of one kind, ordered by pseudonym.

        Raises
        ------
        VaultUnusable
            An entry was tampered with.
        """
        with self._transaction("DEFERRED") as connection:
            rows = connection.execute(
                "SELECT pseudonym, box FROM secret WHERE kind = ? ORDER BY pseudonym", (kind,)
            ).fetchall()
        return [(name, self._payload(name, kind, box)) for name, box in rows]

    def count(self, kind: str) -> int:
        """How many entries of one kind there are."""
        with self._transaction("DEFERRED") as connection:
            return connection.execute(
                "SELECT count(*) FROM secret WHERE kind = ?", (kind,)
            ).fetchone()[0]

    def remove(self, pseudonyms: Iterable[str]) -> None:
        """Forget entries; unknown ones are passed over."""
        with self._transaction("IMMEDIATE") as connection:
            connection.executemany(
                "DELETE FROM secret WHERE pseudonym = ?", [(name,) for name in pseudonyms]
            )

    def _payload(self, pseudonym: str, kind: str, box: bytes) -> dict[str, str]:
        try:
            return json.loads(self._open(box, _label(kind, pseudonym)))
        except InvalidTag as error:
            raise VaultUnusable(self._path, f"the entry of {pseudonym} was altered") from error

    def _prove(self) -> None:
        """Make the tables if need be, and check that the key is the one they were made with."""
        with self._transaction("IMMEDIATE") as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
            row = connection.execute("SELECT box FROM proof").fetchone()
            if row is None:
                box = self._shut(_PROOF, b"proof")
                connection.execute("INSERT INTO proof VALUES (1, ?)", (box,))
                return
        try:
            self._open(row[0], b"proof")
        except InvalidTag as error:
            reason = f"it does not open {self._path.name}"
            raise WrongKey(self._keys.file, reason) from error

    def _shut(self, plain: bytes, label: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, plain, label)

    def _open(self, box: bytes, label: bytes) -> bytes:
        return self._cipher().decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], label)

    def _cipher(self) -> AESGCM:
        return AESGCM(self._keys.subkey("vault"))

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        """One transaction on a connection of its own, committed durably."""
        try:
            with closing(
                sqlite3.connect(self._path, timeout=WAIT_S, isolation_level=None)
            ) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute(f"BEGIN {kind}")
                with connection:  # commits, or rolls back on an exception
                    yield connection
        except sqlite3.DatabaseError as error:
            raise VaultUnusable(self._path, str(error)) from error


def _label(kind: str, pseudonym: str) -> bytes:
    return f"{kind}\0{pseudonym}".encode()


def _plain(payload: dict[str, str]) -> bytes:
    return json.dumps(payload, sort_keys=True).encode()
