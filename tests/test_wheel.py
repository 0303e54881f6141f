"""The wheel works by itself: migrations and weights travel in it, no checkout is needed."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

for module in ("build", "hatchling"):
    pytest.importorskip(module, reason=f"{module}, which makes the wheel, is not installed")

ROOT = Path(__file__).parents[1]

PROBE = """
import json, sqlite3, sys
from pathlib import Path

sys.path[:] = [sys.argv[1]] + [p for p in sys.path if p != sys.argv[2]]
import alembic, indexer, retrieval, webui
from safetensors import safe_open
from retrieval.catalog import migrate
from retrieval.catalog.catalog import SqlCatalog

catalog = SqlCatalog.open(sys.argv[3], migrate=True)
again = SqlCatalog.open(sys.argv[3], migrate=False)
weights = sorted(Path(retrieval.__file__).parent.glob("encoder/phantom/weights/*.safetensors"))
tensors = [len(safe_open(w, "numpy").keys()) for w in weights]
json.dump(
    {
        "homes": [str(Path(m.__file__).parent) for m in (retrieval, indexer, webui)],
        "alembic": str(Path(alembic.__file__).parent),
        "scripts": str(migrate.scripts()),
        "studies": catalog.counts()["indexed"],
        "same": catalog.digest() == again.digest(),
        "weights": [w.name for w in weights],
        "readable": all(tensors),
    },
    sys.stdout,
)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel, made by the backend that is installed here."""
    folder = tmp_path_factory.mktemp("dist")
    _run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT], folder)
    (path,) = folder.glob("cineseek-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with nothing but the wheel in it."""
    folder = tmp_path_factory.mktemp("site")
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--target", folder]
    _run([sys.executable, "-m", "pip", "install", *options, wheel], folder)
    return folder


def _run(command, cwd):
    """Run elsewhere than in the checkout, and without its settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CINESEEK_", "PYTHON"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_wheel_holds_the_three_packages_and_no_other(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.partition("/")[0] for n in names if ".dist-info/" not in n}
    assert tops == {"retrieval", "indexer", "webui"}
    assert "retrieval/catalog/migrations/env.py" in names
    assert not [n for n in names if n.startswith("retrieval/catalog/migrations/__init__")]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel):
    tracked = _run(["git", "-C", ROOT, "ls-files", "retrieval", "indexer", "webui"], ROOT)
    names = set(zipfile.ZipFile(wheel).namelist())
    present = [n for n in tracked.splitlines() if (ROOT / n).exists()]
    assert [n for n in present if n not in names] == []


def test_an_installed_wheel_makes_a_catalog_and_finds_its_weights(installed, tmp_path):
    url = f"sqlite:///{tmp_path / 'home' / 'catalog.db'}"
    said = json.loads(_run([sys.executable, "-c", PROBE, installed, ROOT, url], tmp_path))
    assert [Path(h).parent for h in said["homes"]] == [installed] * 3
    assert Path(said["scripts"]) == installed / "retrieval" / "catalog" / "migrations"
    assert not Path(said["alembic"]).is_relative_to(installed)
    assert said["studies"] == 0
    assert said["same"]
    here = ROOT / "retrieval" / "encoder" / "phantom" / "weights"
    assert said["weights"] == sorted(w.name for w in here.glob("*.safetensors"))
    assert said["readable"]
