"""Training from an archive, tiny, from end to end."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from retrieval import wiring
from retrieval.encoder import phantom
from retrieval.errors import UsageError
from retrieval.settings import Settings
from retrieval.training import door
from tests.beating import stack
from tests.retrieval.training.pairs_archive import fill

TINY = """
source = "archive"
encoder = "phantom"
steps = 24
batch = 4
part = 2
rate = 1e-3
warmup_epochs = 0.5
validate_every = 12
checkpoint_every = 4
ema = 0.5

[split]
validation = 0.3

[phantom.architecture]
trunk = [4, 4, 8, 8]
look = 8
width = 16
heads = 2
depth = 1
text_width = 16
text_depth = 1
dimension = 16

[phantom.inputs]
size_px = 32
spacing_mm = 4.0
"""
SHORT = TINY.replace("steps = 24", "steps = 3")
AT_REST = SHORT.replace("steps", 'frozen = ["video.trunk"]\nsteps')


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    fill(folder)
    return folder


def train(home, folder, text=TINY):
    config = folder.parent / f"{folder.name}.toml"
    config.write_text(text)
    settings = Settings(home=home)
    return door.train(
        config,
        folder,
        lambda: (wiring.open_catalog(settings), wiring.open_clips(settings)),
        cache=home / "training" / "inputs",
        quiet=True,
    )


@pytest.fixture(scope="module")
def finished(home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(home, folder)
    return folder


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def losses(folder):
    return {line["step"]: line["loss"] for line in metrics(folder) if "loss" in line}


def state(folder):
    return torch.load(folder / "state.pt", weights_only=True)


def test_a_run_ends_in_an_encoder_that_every_command_opens(finished):
    encoder = wiring.open_encoder(str(finished / "checkpoint"), Settings(device="cpu"))
    assert encoder.encode_studies([stack(2)])[0].whole is not None
    assert len(encoder.encode_texts(["a heart"])) == 1


def test_a_run_leaves_its_whole_story(finished):
    assert {path.name for path in finished.iterdir()} == {
        "config.toml", "run.json", "split.json", "metrics.jsonl", "curves.png", "state.pt",
        "checkpoint",
    }  # fmt: skip
    assert list(losses(finished)) == list(range(1, 25))
    assert all(math.isfinite(loss) for loss in losses(finished).values())
    assert [line["step"] for line in metrics(finished) if "validation" in line] == [0, 12, 24]
    (session,) = json.loads((finished / "run.json").read_text())["sessions"]
    assert len(session["revision"]) >= 7
    assert session["libraries"]["torch"] == torch.__version__
    assert (finished / "config.toml").read_text() == TINY


def test_the_checkpoint_says_what_it_is(finished):
    card = (finished / "checkpoint" / "README.md").read_text()
    assert str(phantom.load(finished / "checkpoint").encoder_id) in card
    told = json.loads((finished / "checkpoint" / "config.json").read_text())["notes"]
    data = told["data"]
    assert data["training"]["studies"] + data["validation"]["studies"] == 12
    assert told["training"]["loss"]["targets"] == "findings"
    best = max(
        (line["validation"]["score"], -line["step"]) for line in metrics(finished)
        if "validation" in line
    )  # fmt: skip
    assert (told["scores"]["score"], -told["steps"]) == best
    assert f"{told['scores']['score']:.3f}" in card


def test_patients_are_on_one_side_and_written_down(finished):
    told = json.loads((finished / "split.json").read_text())
    sides = [{patient for patient, _ in told[side]} for side in ("training", "validation")]
    assert not sides[0] & sides[1]
    assert min(map(len, sides)) >= 2
    assert len(told["training"]) + len(told["validation"]) == 12


def test_what_was_learnt_shows(finished):
    found = losses(finished)
    assert np.mean([found[n] for n in range(19, 25)]) < np.mean([found[n] for n in range(1, 7)])


def test_killed_and_resumed_is_as_if_never_disturbed(home, finished, tmp_path):
    config, folder = tmp_path / "killed.toml", tmp_path / "killed"
    config.write_text(TINY)
    call = "from retrieval.cli import main; main()"
    words = ["train", config, "--home", home, "--run", folder, "--quiet"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CINESEEK_")}
    process = subprocess.Popen(
        [sys.executable, "-c", call, *map(str, words)],
        env=environment | {"OMP_NUM_THREADS": "1", "CINESEEK_DEVICE": "cpu"},
        cwd=Path(__file__).parents[3],
    )
    lines = folder / "metrics.jsonl"
    while process.poll() is None and not (
        lines.exists() and lines.read_text().count('"loss"') >= 6
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert state(folder)["step"] < 24
    with lines.open("a") as file:
        file.write('{"step": 7, "lo')
    train(home, folder)
    assert losses(folder) == losses(finished)
    ours, theirs = (phantom.load(f / "checkpoint").encoder_id for f in (folder, finished))
    assert ours == theirs
    for name, tensor in state(finished)["network"].items():
        assert torch.equal(tensor, state(folder)["network"][name])
    validations = [
        [line["validation"] for line in metrics(f) if "validation" in line]
        for f in (folder, finished)
    ]
    assert validations[0] == validations[1]


def test_a_finished_run_has_nothing_left_to_do(home, finished):
    before = (finished / "metrics.jsonl").read_text()
    train(home, finished)
    assert (finished / "metrics.jsonl").read_text() == before


def test_neither_parts_nor_workers_change_what_is_learnt(home, tmp_path):
    train(home, tmp_path / "a", AT_REST)
    train(home, tmp_path / "b", AT_REST.replace("part = 2", "part = 1"))
    train(home, tmp_path / "c", AT_REST.replace("part = 2", "part = 4\nworkers = 2"))
    a, b, c = (list(losses(tmp_path / name).values()) for name in "abc")
    np.testing.assert_allclose(b, a, rtol=1e-4)
    np.testing.assert_allclose(c, a, rtol=1e-4)


def test_what_rests_stays_as_it_was_and_the_rest_learns(home, tmp_path):
    train(home, tmp_path / "one", AT_REST.replace("steps = 3", "steps = 1"))
    train(home, tmp_path / "three", AT_REST)
    one, three = (state(tmp_path / name)["network"] for name in ("one", "three"))
    for name in one:
        if name.startswith("video.trunk."):
            assert torch.equal(one[name], three[name])
    assert not torch.equal(one["text.project.weight"], three["text.project.weight"])
    assert not torch.equal(one["video.project.weight"], three["video.project.weight"])


def test_a_run_begins_where_a_checkpoint_ends(home, finished, tmp_path):
    begun = SHORT.replace("steps", f'start = "{finished / "checkpoint"}"\nkeep = "last"\nsteps')
    begun = begun[: begun.index("[phantom.architecture]")]
    checkpoint = train(home, tmp_path / "more", begun)
    told = json.loads((finished / "checkpoint" / "config.json").read_text())["notes"]["scores"]
    first = next(line for line in metrics(tmp_path / "more") if "validation" in line)
    assert first["validation"]["score"] == pytest.approx(told["score"], abs=0.05)
    assert phantom.load(checkpoint).contract.size_px == 32
    assert phantom.load(checkpoint).encoder_id != phantom.load(finished / "checkpoint").encoder_id


def test_another_seed_learns_something_else(home, finished, tmp_path):
    train(home, tmp_path / "other", SHORT.replace("steps", "seed = 2\nsteps"))
    assert losses(tmp_path / "other")[1] != losses(finished)[1]


def test_a_folder_belongs_to_one_configuration(home, finished):
    with pytest.raises(UsageError, match="another configuration"):
        train(home, finished, TINY.replace("rate = 1e-3", "rate = 1e-2"))


def test_an_archive_that_has_changed_is_another_run(finished, tmp_path):
    fill(tmp_path / "home", studies=13)
    with pytest.raises(UsageError, match="archive is not the one"):
        train(tmp_path / "home", finished)


def test_a_rate_that_breaks_the_loss_stops_the_run(home, tmp_path):
    with pytest.raises(UsageError, match="lower rate"):
        train(home, tmp_path / "broken", SHORT.replace("rate = 1e-3", "rate = 1e38"))


def test_simulated_runs_use_the_same_door_and_folder(home, tmp_path, monkeypatch):
    def trains(settings, folder, *, quiet):
        folder.log(1, {"match": settings.rate})
        return folder.path / "checkpoint"

    monkeypatch.setattr("retrieval.training.phantom.train", trains)
    checkpoint = train(home, tmp_path / "simulated", 'source = "simulated"\nrate = 0.5')
    assert checkpoint == tmp_path / "simulated" / "checkpoint"
    told = json.loads((tmp_path / "simulated" / "run.json").read_text())
    assert told["recipe"]["rate"] == 0.5
    assert (tmp_path / "simulated" / "curves.png").stat().st_size > 1000


def test_too_few_studies_are_refused(home, tmp_path):
    with pytest.raises(UsageError, match="a batch of 40"):
        train(home, tmp_path / "few", TINY.replace("batch = 4", "batch = 40"))


def test_a_resting_trunk_glances_once_at_each_variant(home, tmp_path):
    glancing = AT_REST.replace(
        "[phantom.architecture]", "[phantom]\nvariants = 2\n\n[phantom.architecture]"
    )
    train(home, tmp_path / "glances", glancing)
    files = list((home / "training" / "inputs" / "glances").rglob("*.safetensors"))
    assert len(files) == 12 * 3
    before = {file: file.stat().st_mtime_ns for file in files}
    train(home, tmp_path / "again", glancing)
    assert losses(tmp_path / "again") == losses(tmp_path / "glances")
    assert {file: file.stat().st_mtime_ns for file in files} == before
