"""What a generation says of itself, and the digests that hold it to its word."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from retrieval.durable import replace_file
from retrieval.errors import GenerationCorrupt
from retrieval.values.embedding import EncoderId

FORMAT = 1
"""Version of the layout of a generation's folder."""

FILE = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The contents of one generation.

    Attributes
    ----------
    name
        From the content: the same keys and vectors of the same encoder give the same name.
    encoder_id
        The encoder that made the vectors.
    encoder
        What to open it by: a name ("phantom", "cmrclip") or the path of a checkpoint.
    count, dim
        Shape of the vectors; (0, 0) for an empty generation.
    created
        UTC, ISO 8601, to the second.
    sha256
        Digest of each data file, by its name in the folder.
    """

    name: str
    encoder_id: EncoderId
    encoder: str
    count: int
    dim: int
    created: str
    sha256: dict[str, str]
    format: int = FORMAT


def write(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` into a generation's folder, durably and in one step."""
    text = json.dumps(asdict(manifest), indent=2) + "\n"
    replace_file(folder / FILE, lambda fresh: fresh.write_text(text))


def read(folder: Path) -> Manifest:
    """Read the manifest of the generation in `folder`.

    Raises
    ------
    GenerationCorrupt
        There is none, or it cannot be understood.
    """
    path = folder / FILE
    try:
        manifest = Manifest(**json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise GenerationCorrupt(folder.name, f"it has no {FILE}") from error
    except (ValueError, TypeError) as error:
        raise GenerationCorrupt(folder.name, f"{FILE} cannot be understood") from error
    if manifest.format != FORMAT:
        raise GenerationCorrupt(
            folder.name, f"{FILE} has format {manifest.format}; this version reads {FORMAT}"
        )
    return manifest


def check_files(folder: Path, manifest: Manifest) -> None:
    """Hold every data file against its sha256; nothing of it is interpreted before.

    Raises
    ------
    GenerationCorrupt
        A file is missing or is not the one that was built.
    """
    for name, expected in manifest.sha256.items():
        path = folder / name
        if not path.is_file():
            raise GenerationCorrupt(manifest.name, f"{name} is missing")
        if sha256(path) != expected:
            raise GenerationCorrupt(manifest.name, f"{name} is not the file that was built")


def sha256(path: Path) -> str:
    """SHA-256 of a file's contents, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
