"""Checkpoints: named by what they compute, refused when they cannot be trusted."""

import json
from dataclasses import replace

import pytest
import torch

from retrieval.encoder.checkpoint import CONFIG, WEIGHTS, Checkpoint, fill, read_checkpoint
from retrieval.errors import CheckpointInvalid

TENSORS = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}
SAMPLE = Checkpoint(name="sample", contract={"size": 3}, notes={"steps": 1}, tensors=TENSORS)


def test_what_is_read_is_what_was_saved(tmp_path):
    SAMPLE.save(tmp_path / "c")
    again = read_checkpoint(tmp_path / "c", name="sample")
    assert again.encoder_id == SAMPLE.encoder_id
    assert again.notes == SAMPLE.notes
    assert all(torch.equal(again.tensors[k], v) for k, v in TENSORS.items())


def test_the_id_follows_what_the_weights_compute_and_nothing_else(monkeypatch):
    assert replace(SAMPLE, notes={"steps": 2}).encoder_id == SAMPLE.encoder_id
    assert SAMPLE.encoder_id.startswith("sample@")
    reordered = dict(reversed(TENSORS.items()))
    assert replace(SAMPLE, tensors=reordered).encoder_id == SAMPLE.encoder_id
    other = TENSORS | {"bias": torch.tensor([1.0, 1.0000001])}
    assert replace(SAMPLE, tensors=other).encoder_id != SAMPLE.encoder_id
    assert replace(SAMPLE, contract={"size": 4}).encoder_id != SAMPLE.encoder_id
    before = SAMPLE.encoder_id
    monkeypatch.setattr("retrieval.encoder.checkpoint.PREPROCESSING", "another")
    assert SAMPLE.encoder_id != before


def test_missing_damaged_and_foreign_checkpoints_are_refused(tmp_path):
    with pytest.raises(CheckpointInvalid, match=CONFIG):
        read_checkpoint(tmp_path, name="sample")
    SAMPLE.save(tmp_path)
    with pytest.raises(CheckpointInvalid, match="another"):
        read_checkpoint(tmp_path, name="another")
    (tmp_path / WEIGHTS).write_bytes(b"\xff" * 40)
    with pytest.raises(CheckpointInvalid, match="damaged"):
        read_checkpoint(tmp_path, name="sample")
    SAMPLE.save(tmp_path)
    (tmp_path / CONFIG).write_text(json.dumps({"format": 99, "name": "sample"}))
    with pytest.raises(CheckpointInvalid, match="99"):
        read_checkpoint(tmp_path, name="sample")


def test_weights_must_fit_the_network():
    network = torch.nn.Linear(3, 2)
    fill(network, SAMPLE, where="here")
    assert torch.equal(network.weight, TENSORS["weight"])
    for wrong in ({"bias": torch.ones(2)}, TENSORS | {"extra": torch.ones(1)}):
        with pytest.raises(CheckpointInvalid, match="disagree"):
            fill(network, replace(SAMPLE, tensors=wrong), where="here")
    transposed = TENSORS | {"weight": TENSORS["weight"].T.contiguous()}
    with pytest.raises(CheckpointInvalid, match="shape"):
        fill(network, replace(SAMPLE, tensors=transposed), where="here")
