"""The key that pseudonyms, date shifts and the vault all hang on.

One file of 32 random bytes, outside the home folder and readable by its owner
alone. Whoever has it and the home can say whose heart it is; whoever has only
the home cannot.
"""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from retrieval.durable import sync_folder
from retrieval.errors import UsageError, WrongKey

KEY_BYTES = 32
VAULT_FILE = "vault.db"
"""The vault's name inside a home."""

_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The master key, in memory. Can be pickled to worker processes; never shown."""

    file: Path
    master: bytes = field(repr=False)

    def subkey(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose (HKDF-SHA-256, RFC 5869).

        Two purposes give unrelated keys, so what one part leaks says nothing
        of another.
        """
        info = f"cineseek {purpose}".encode()
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self.master)


def open_keys(key_file: Path, *, create: bool, home: Path | None = None) -> Keys:
    """Read the key; with `create`, make it first if there is none.

    Parameters
    ----------
    create
        Whether a missing key may be made (file 0600 in a folder 0700). Even
        then none is made for a `home` that has a vault already: another key
        could never open it.
    home
        The home that the key serves, which it must not lie in.

    Raises
    ------
    WrongKey
        There is no key and none may be made, or the file is not a key.
    UsageError
        The file lies inside the home, or others may read it.
    """
    if home is not None:
        require_apart(key_file, home)
        create = create and not (home / VAULT_FILE).exists()
    if create and not key_file.exists():
        _make(key_file)
    return Keys(file=key_file, master=_read(key_file))


def require_apart(key_file: Path, home: Path) -> None:
    """Raise UsageError if the key lies inside the home that it protects."""
    if key_file.resolve().is_relative_to(home.resolve()):
        raise UsageError(
            f"key file {key_file} lies inside the home folder {home}, so a copy of one is a copy "
            "of both; point CINESEEK_KEY_FILE outside of it"
        )


def _read(key_file: Path) -> bytes:
    try:
        with key_file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            master = stream.read(KEY_BYTES + 1)
    except FileNotFoundError as error:
        raise WrongKey(key_file, "there is no such file") from error
    except (PermissionError, IsADirectoryError) as error:
        raise WrongKey(key_file, f"it cannot be read ({error.strerror})") from error
    if mode & _OTHERS:
        raise UsageError(
            f"key file {key_file} is open to others (mode {mode & 0o777:04o}); "
            f"run: chmod 600 {key_file}"
        )
    if len(master) != KEY_BYTES:
        found = "more" if len(master) > KEY_BYTES else len(master)
        raise WrongKey(key_file, f"it holds {found} bytes where a key has {KEY_BYTES}")
    return master


def _make(key_file: Path) -> None:
    """Write a new key, whole or not at all; if another process was first, keep that one's."""
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = key_file.with_name(f".{key_file.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        _link_first(temporary, key_file)
    finally:
        temporary.unlink()
    sync_folder(key_file.parent)


def _link_first(temporary: Path, key_file: Path) -> None:
    try:
        key_file.hardlink_to(temporary)
    except FileExistsError:
        return
