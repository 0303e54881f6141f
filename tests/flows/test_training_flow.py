"""From an archive to an encoder of its own, and live: the commands as a site would give them."""

import json
from pathlib import Path

import pytest

TINY = """
source = "archive"
start = "phantom"
frozen = ["video.trunk"]
steps = 2
batch = 4
part = 4
validate_every = 2
keep = "last"

[split]
validation = 0.4
"""


@pytest.mark.timeout(1800)
def test_a_site_trains_and_moves_to_its_own_encoder(home, phantoms, tmp_path):
    done = home.index("run", phantoms, "--reports", phantoms / "reports.jsonl", "--quiet")
    assert done.code == 0, done.err
    config = tmp_path / "own.toml"
    config.write_text(TINY)
    trained = home.ask("train", config, "--quiet", "--json")
    assert trained.code == 0, trained.err
    assert trained.json["run"].startswith(str(home.folder / "training" / "runs" / "own-"))
    moved = home.index("reindex", "--encoder", trained.json["checkpoint"], "--quiet", "--json")
    assert moved.code in (0, 4), moved.err
    told = json.loads((Path(trained.json["run"]) / "run.json").read_text())
    assert told["recipe"]["start"] == "phantom"
    split = json.loads((Path(trained.json["checkpoint"]) / "split.json").read_text())
    learned = {patient for patient, _ in split["training"]}
    assessed = home.index("assess", "--json")
    assert assessed.code == 0, assessed.err
    assert assessed.json["left_out_trained_on"] == len(split["training"]) >= len(learned) > 0
    assert assessed.json["studies"] == 12 - len(split["training"])
    found = home.ask("search", "dilated left ventricle", "--json")
    assert found.code == 0, found.err
    assert len(found.json["hits"]) == 12


def test_a_mistake_in_a_configuration_is_one_line(home, tmp_path):
    config = tmp_path / "wrong.toml"
    config.write_text('source = "archive"\nbach = 3')
    done = home.ask("train", config)
    assert done.code == 2
    assert "bach" in done.err
    assert "Traceback" not in done.err
