"""The one door to training: a configuration, and a folder for the run."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from retrieval.errors import UsageError
from retrieval.ports import CatalogReader, ClipStore
from retrieval.training.recipe import read_recipe, source_of

NEEDED = ("accelerate", "matplotlib")


def default_folder(config: Path, home: Path) -> Path:
    """Where a run of this configuration lives if nobody says so: the same every time."""
    source_of(config)
    digest = hashlib.sha256(config.read_bytes()).hexdigest()[:8]
    return home / "training" / "runs" / f"{config.stem}-{digest}"


def train(
    config: Path,
    folder: Path,
    open_archive: Callable[[], tuple[CatalogReader, ClipStore]],
    *,
    cache: Path,
    device: str = "cpu",
    quiet: bool = False,
) -> Path:
    """Train as a configuration says, or go on with it; returns the checkpoint's folder.

    Parameters
    ----------
    open_archive
        Called if the studies come from an archive.
    cache
        Folder where network inputs are kept, for every run.

    Raises
    ------
    UsageError
        The configuration, the folder or the archive does not allow it.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(f"training needs {' and '.join(missing)}; install cineseek[train]")
    if source_of(config) == "simulated":
        return _simulated(config, folder, quiet=quiet)
    # The learning libraries are large; asking for help or a wrong file must not wait for them.
    from retrieval.training.archive import Archive
    from retrieval.training.archive import train as train_on
    from retrieval.training.folder import RunFolder

    recipe = read_recipe(config)
    catalog, clips = open_archive()
    archive = Archive(catalog=catalog, clips=clips, cache=cache)
    return train_on(recipe, RunFolder(folder, config), archive, device=device, quiet=quiet)


def _simulated(config: Path, folder: Path, *, quiet: bool) -> Path:
    from retrieval.training import phantom
    from retrieval.training.config import read_config
    from retrieval.training.folder import RunFolder

    settings = read_config(config)
    run = RunFolder(folder, config)
    run.begin(asdict(settings))
    checkpoint = phantom.train(settings, run, quiet=quiet)
    run.draw()
    return checkpoint
