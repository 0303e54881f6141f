"""The three doors as their users open them: one process a command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared/data"
DOORS = {"cineseek": "retrieval.cli", "cineseek-index": "indexer.cli"}


@dataclass(frozen=True)
class Done:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.out, self.err
        return json.loads(self.out)


class Home:
    """A home folder, its key, and the commands run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self.key = folder / "secret" / "key"

    def environment(self) -> dict[str, str]:
        mine = {k: v for k, v in os.environ.items() if not k.startswith("CINESEEK_")}
        return mine | {
            "CINESEEK_HOME": str(self.folder),
            "CINESEEK_KEY_FILE": str(self.key),
            "OMP_NUM_THREADS": "1",
        }

    def command(self, door: str, *words: object) -> list[str]:
        call = f"from {DOORS[door]} import main; main()"
        return [sys.executable, "-c", call, *map(str, words)]

    def run(self, door: str, *words: object, timeout: float = 600) -> Done:
        done = subprocess.run(
            self.command(door, *words),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=self.folder.parent,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def index(self, *words: object) -> Done:
        return self.run("cineseek-index", *words)

    def ask(self, *words: object) -> Done:
        return self.run("cineseek", *words)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture(scope="session")
def make_home(tmp_path_factory):
    """Homes that outlive a test."""
    return lambda name: Home(tmp_path_factory.mktemp(name))


@pytest.fixture(scope="session")
def sunnybrook():
    if not (SHARED / "sunnybrook").exists():
        pytest.skip("../shared/data/sunnybrook is not there")
    return SHARED / "sunnybrook"


@pytest.fixture(scope="session")
def acdc():
    if not (SHARED / "acdc_train").exists():
        pytest.skip("../shared/data/acdc_train is not there")
    return SHARED / "acdc_train"


@pytest.fixture(scope="session")
def phantoms(make_home, tmp_path_factory):
    """A simulated archive of 12 studies with reports, made once."""
    folder = tmp_path_factory.mktemp("phantoms") / "archive"
    done = make_home("phantoms").index("phantoms", folder, "--studies", 12, "--seed", 3, "--quiet")
    assert done.code == 0, done.err
    return folder
