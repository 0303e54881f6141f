"""What an indexing command works with: one home, opened once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.home import locked
from retrieval.ports import Catalog, ClipStore
from retrieval.settings import Settings
from retrieval.vault.keys import Keys, open_keys
from retrieval.vault.pseudonyms import Pseudonyms
from retrieval.vault.store import Vault
from retrieval.wiring import generations_folder, open_catalog, open_clips


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An opened home."""

    settings: Settings
    catalog: Catalog
    clips: ClipStore
    vault: Vault
    keys: Keys

    @property
    def clip_folder(self) -> Path:
        """Where clips lie."""
        return self.settings.home / "clips"

    @property
    def generations(self) -> Path:
        """Where generations lie."""
        return generations_folder(self.settings)

    @property
    def pseudonyms(self) -> Pseudonyms:
        """What names this home's studies."""
        return Pseudonyms(self.keys)


@contextmanager
def at_work(settings: Settings) -> Iterator[Home]:
    """Open a home for writing: locked, migrated, key made on first use."""
    with locked(settings.home):
        yield opened(settings, create=True)


def opened(settings: Settings, *, create: bool) -> Home:
    """Open a home; without `create` its key must be there already."""
    keys = open_keys(settings.key_file, create=create, home=settings.home)
    return Home(
        settings=settings,
        catalog=open_catalog(settings, migrate=create),
        clips=open_clips(settings),
        vault=Vault(settings.home / "vault.db", keys, create=create),
        keys=keys,
    )
