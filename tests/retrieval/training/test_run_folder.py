"""A run's folder tells the truth about it, after a kill too."""

import json

import pytest
from PIL import Image

from retrieval.errors import UsageError
from retrieval.training.folder import RunFolder, revision, trained, validated


@pytest.fixture
def run(tmp_path):
    config = tmp_path / "asked.toml"
    config.write_text("seed = 1")
    return RunFolder(tmp_path / "run", config)


def test_every_session_is_noted_and_the_recipe_kept(run):
    run.begin({"seed": 1, "sizes": (1, 2)})
    run.begin({"seed": 1, "sizes": (1, 2)})
    told = json.loads((run.path / "run.json").read_text())
    assert told["recipe"] == {"seed": 1, "sizes": [1, 2]}
    assert len(told["sessions"]) == 2
    assert {"began", "revision", "cores", "gpus", "libraries"} <= told["sessions"][0].keys()
    assert (run.path / "config.toml").read_text() == "seed = 1"


def test_another_recipe_is_refused_and_changes_nothing(run):
    run.begin({"seed": 1})
    before = (run.path / "run.json").read_bytes()
    with pytest.raises(UsageError, match="another configuration"):
        run.begin({"seed": 2})
    assert (run.path / "run.json").read_bytes() == before


def test_lines_after_a_step_and_lines_cut_short_are_forgotten(run):
    run.begin({})
    for step in (1, 2, 3):
        run.log(step, {"loss": float(step)})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "valid')
    run.rewind(2)
    assert [line["step"] for line in run.records()] == [1, 2]
    run.log(3, {"loss": 0.5})
    assert [line["loss"] for line in run.records()] == [1.0, 2.0, 0.5]


def test_curves_are_drawn_of_all_that_was_measured(run):
    run.begin({})
    for step in range(1, 6):
        run.log(step, {"loss": 1 / step, "scale": 10.0, "rate": 0.1, "seconds": 2.0})
    run.log(5, {"validation": {"recall@1": 0.5, "median rank": 7.0}})
    assert set(trained(run.records())) == {"loss", "scale"}
    assert validated(run.records()) == {"recall@1": ([5], [0.5])}
    run.draw()
    with Image.open(run.path / "curves.png") as picture:
        assert min(picture.size) > 400
        assert len(picture.convert("RGB").getcolors(1_000_000)) > 20


def test_the_revision_is_a_commit_or_a_version():
    told = revision()
    assert told.startswith(("version ", "a copy")) or len(told.partition("+")[0]) == 40
