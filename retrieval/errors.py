"""Every error that CineSeek raises on purpose.

CineSeekError
├── InputError              one study's data is at fault: record it, go on
│   ├── UnreadableFile
│   ├── MissingCodec
│   ├── UnusableSeries
│   └── MalformedReport
├── StoreError              our own stores disagree: stop (exit 1)
│   ├── StudyNotFound
│   ├── ClipNotFound
│   ├── ClipCorrupt
│   ├── EncoderMismatch
│   ├── GenerationCorrupt
│   ├── MaskIgnored
│   ├── EngineInexact
│   ├── NothingPublished
│   ├── SchemaOutOfDate
│   ├── CatalogUnusable
│   └── VaultUnusable
├── UsageError              the caller must change something: stop (exit 2)
│   ├── UnknownSetting
│   ├── ArchiveNotFound
│   ├── WrongKey
│   ├── CheckpointInvalid
│   ├── AnotherEncoderPublished
│   └── HomeLocked
└── GateRefused             a new generation did not pass: nothing changed (exit 4)

Wording: what is wrong, with the value; what was needed; what to do. Lower case, no full stop.
"""

from pathlib import Path


class CineSeekError(Exception):
    """Base of every error raised on purpose."""


class InputError(CineSeekError):
    """One study's data is at fault. Jobs record it and go on."""


class StoreError(CineSeekError):
    """Our own stores disagree. Jobs stop."""


class UsageError(CineSeekError):
    """The caller or operator must change something before we can go on."""


class GateRefused(CineSeekError):
    """A new generation did not pass its gate; nothing was published."""


class UnreadableFile(InputError):
    """A file cannot be read as what it claims to be."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"unreadable: {reason}")
        self.reason = reason


class MissingCodec(InputError):
    """No decoder is installed for a transfer syntax."""

    def __init__(self, transfer_syntax: str, *, install: str) -> None:
        super().__init__(
            f"no decoder for transfer syntax {transfer_syntax}; install {install}, then retry"
        )
        self.transfer_syntax = transfer_syntax
        self.install = install


class UnusableSeries(InputError):
    """A series holds nothing that can become a clip."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MalformedReport(InputError):
    """A report record cannot be read."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"report at {where}: {reason}")
        self.where = where
        self.reason = reason


class StudyNotFound(StoreError):
    """No such study, or none that this reader may see."""

    def __init__(self, study: str) -> None:
        super().__init__(f"no study {study} in the catalog; list them with: cineseek-index ledger")
        self.study = study


class ClipNotFound(StoreError):
    """A clip whose file is not there; or, without a path, one that the catalog does not show."""

    def __init__(self, clip: str, path: Path | None = None) -> None:
        super().__init__(
            f"no clip {clip} in the catalog; see a study's clips with: cineseek show STUDY"
            if path is None
            else f"clip {clip} has no file {path.name}; restore the clips folder or ingest again"
        )
        self.clip = clip


class ClipCorrupt(StoreError):
    """A clip's file does not hold what its name promises."""

    def __init__(self, clip: str, reason: str) -> None:
        super().__init__(f"clip {clip} is damaged: {reason}; delete its file and ingest again")
        self.clip = clip
        self.reason = reason


class EncoderMismatch(StoreError):
    """Vectors of two encoders were about to meet."""

    def __init__(self, *, index: str, query: str) -> None:
        super().__init__(
            f"the index was built with encoder {index} but the query uses {query}; "
            f"publish an index for {query} with: cineseek-index reindex"
        )
        self.index = index
        self.query = query


class GenerationCorrupt(StoreError):
    """A generation's files do not match its manifest, or fail their own check."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"generation {name} is damaged: {reason}; build it again with: cineseek-index publish"
        )
        self.name = name
        self.reason = reason


class MaskIgnored(StoreError):
    """An index returned a key that its mask forbids, so it must not serve."""

    def __init__(self, engine: str) -> None:
        super().__init__(
            f"{engine} returned a result that the mask forbids, so it cannot enforce filters "
            "or permissions; use the exact engine"
        )
        self.engine = engine


class EngineInexact(StoreError):
    """An engine broke the error bound that its completeness rests on."""

    def __init__(self, engine: str, reason: str) -> None:
        super().__init__(f"{engine} cannot be trusted: {reason}; use the exact engine")
        self.engine = engine
        self.reason = reason


class NothingPublished(StoreError):
    """There is no live generation to search."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"nothing is published under {home}; run: cineseek-index run ARCHIVE --home {home}"
        )
        self.home = home


class SchemaOutOfDate(StoreError):
    """The database schema is not the one this code was written for."""

    def __init__(self, found: str | None, needed: str) -> None:
        super().__init__(
            f"the catalog has schema {found or 'none'} but {needed} is needed; "
            "run a cineseek-index command to migrate it"
        )
        self.found = found
        self.needed = needed


class CatalogUnusable(StoreError):
    """The catalog's database cannot be opened, reached, locked or read."""

    def __init__(self, database: str, reason: str) -> None:
        super().__init__(
            f"the catalog {database} cannot be used: {reason}; "
            "see that it is there, whole, and not held by another program"
        )
        self.database = database
        self.reason = reason


class VaultUnusable(StoreError):
    """The vault cannot be opened, or an entry of it was altered."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the vault {path} cannot be used: {reason}; "
            "restore it, or ingest again into a new home"
        )
        self.path = path
        self.reason = reason


class UnknownSetting(UsageError):
    """A setting has a name that means nothing."""

    def __init__(self, names: list[str], *, known: list[str]) -> None:
        super().__init__(f"unknown settings {', '.join(names)}; known are {', '.join(known)}")
        self.names = names


class ArchiveNotFound(UsageError):
    """A folder or file that was to be indexed does not exist."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no {path}; name a folder or file that exists")
        self.path = path


class WrongKey(UsageError):
    """The key file does not open this home's vault."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"key file {path} does not fit this home: {reason}; "
            "point CINESEEK_KEY_FILE at the key that the home was made with"
        )
        self.path = path


class CheckpointInvalid(UsageError):
    """A checkpoint cannot be loaded."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"checkpoint {path} cannot be loaded: {reason}")
        self.path = path
        self.reason = reason


class AnotherEncoderPublished(UsageError):
    """A home that serves one encoder was asked to index with another."""

    def __init__(self, *, live: str, asked: str, name: str) -> None:
        super().__init__(
            f"this home serves encoder {live}, but {name} is {asked}; "
            f"use: cineseek-index reindex --encoder {name}"
        )
        self.live = live
        self.asked = asked


class HomeLocked(UsageError):
    """Another indexer works on this home."""

    def __init__(self, home: Path, holder: str) -> None:
        super().__init__(f"{home} is being indexed by {holder}; wait for it, or end it")
        self.home = home
        self.holder = holder
