"""Rules about the tree itself."""

import subprocess
import sys
from pathlib import Path

import alembic
import pytest

ROOT = Path(__file__).parents[1]
CODE = [p for top in ("retrieval", "indexer", "webui") for p in (ROOT / top).rglob("*.py")]
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "core", "types"}


def test_the_alembic_folder_is_no_package():
    assert not list((ROOT / "alembic").rglob("__init__.py"))
    assert "site-packages" in str(alembic.__file__)


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_named_for_its_job_and_short_enough_to_read(path):
    assert path.stem not in VAGUE
    assert len(path.read_text().splitlines()) <= 400


def test_imports_go_one_way_and_technologies_stay_at_home():
    found = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-4000:]


def test_nothing_is_unpickled():
    words = ("pickle.load", "allow_pickle=True", "weights_only=False", "joblib.load")
    guilty = [f"{p.name}: {w}" for p in CODE for w in words if w in p.read_text()]
    assert not guilty


def test_no_medical_image_is_under_version_control():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    endings = (".dcm", ".nii", ".nii.gz", ".ima", ".mha", ".nrrd", ".pt", ".pth", ".pkl")
    assert not [name for name in listed.stdout.splitlines() if name.lower().endswith(endings)]
