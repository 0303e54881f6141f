"""Training from an archive, tiny, from end to end."""

import json
import math

import pytest
import torch

from retrieval.encoder import phantom
from retrieval.training import door
from tests.beating import stack
from tests.retrieval.training.pairs_archive import fill

TINY = """
source = "archive"
encoder = "phantom"
steps = 6
batch = 4
part = 2
rate = 1e-3
warmup_epochs = 0.5
validate_every = 3
checkpoint_every = 2
ema = 0.5

[split]
validation = 0.3

[phantom.architecture]
trunk = [4, 4, 8, 8]
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


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("home"))


def train(archive, folder, text=TINY):
    folder.mkdir(parents=True, exist_ok=True)
    config = folder.parent / f"{folder.name}.toml"
    config.write_text(text)
    return door.train(config, folder, lambda: archive, cache=folder.parent / "inputs", quiet=True)


@pytest.fixture(scope="module")
def finished(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train(archive, folder)
    return folder


def losses(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def test_a_run_ends_in_an_encoder_that_loads(finished):
    encoder = phantom.load(finished / "checkpoint")
    assert encoder.encode_studies([stack(2)])[0].whole is not None
    assert len(encoder.encode_texts(["a heart"])) == 1


def test_a_run_leaves_its_whole_story(finished):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        "config.toml", "run.json", "split.json", "metrics.jsonl", "curves.png", "state.pt",
        "checkpoint",
    }  # fmt: skip
    assert [step for step, _ in losses(finished)] == [1, 2, 3, 4, 5, 6]
    assert all(math.isfinite(loss) for _, loss in losses(finished))
