"""The published network, layout and pixels, against what the published code computed."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from retrieval.encoder.cmrclip import frames
from retrieval.encoder.cmrclip.attention import ClassQuery
from retrieval.encoder.cmrclip.network import Architecture, CmrClip, norm_softmax_loss, similarity
from retrieval.encoder.cmrclip.published import UNUSED, assemble

FIXTURE = Path(__file__).parents[4] / "shared/data/cmrclip_parity"
pytestmark = pytest.mark.skipif(not FIXTURE.exists(), reason="../shared/data is not there")
F32, F64 = 2e-5, 1e-10


@pytest.fixture(scope="module")
def io():
    return np.load(FIXTURE / "tiny_io.npz")


@pytest.fixture(scope="module")
def weights():
    tensors = load_file(FIXTURE / "tiny_state_dict.safetensors")
    return {k: v for k, v in tensors.items() if not k.startswith(UNUSED)}


@pytest.fixture(scope="module")
def network(weights):
    architecture = Architecture.of_weights(weights, video_heads=4, text_heads=4)
    return assemble(weights, where="tiny", architecture=architecture)[0]


@pytest.fixture(scope="module")
def network64(weights):
    architecture = Architecture.of_weights(weights, video_heads=4, text_heads=4)
    doubled = {k: v.double() for k, v in weights.items()}
    return CmrClip(architecture).double().eval().requires_grad_(False), doubled


def close(found, wanted, tolerance=F32):
    assert np.abs(found.detach().numpy() - wanted).max() <= tolerance


def attended(attention, cls, lines):
    """(B, 1, D) and (B, lines, tokens, D) -> what both get, in the same shapes."""
    query = ClassQuery(attention, cls)
    query.see(lines)
    return query.answer(), attention(cls, lines)


def joined(cls, patches):
    """As the published code lays tokens out: CLS, then frame by frame."""
    return torch.cat([cls, patches.flatten(1, 2)], dim=1)


def across(cls, patches):
    return cls, patches.transpose(1, 2)


def test_every_intermediate_of_the_video_tower(network, io):
    video = torch.from_numpy(io["video"])
    tower = network.video_model
    x = tower.tokens(video)
    close(joined(*x), io["video_tokens_in"])
    for number, block in enumerate(tower.blocks):
        time = across(*attended(block.timeattn, *map(block.norm3, across(*x))))
        close(joined(*time), io[f"video_timeattn{number}"])
        mixed = [block.norm1(a + b) for a, b in zip(x, time, strict=True)]
        close(joined(*attended(block.attn, *mixed)), io[f"video_spaceattn{number}"])
        alone = block.class_token(*x, at_once=20)
        x = block(*x, at_once=20)
        close(joined(*x), io[f"video_block{number}"])
        close(alone[:, 0], io[f"video_block{number}"][:, 0])
    close(tower(video), io["video_features"])
    close(network.video_embeddings(video), io["video_embeds"])


def test_fewer_frames_and_a_single_video(network, io):
    video = torch.from_numpy(io["video"])
    close(network.video_model(video[:, :4]), io["video_features_4frames"])
    close(network.video_embeddings(video[:, :4]), io["video_embeds_4frames"])
    close(network.video_model(video[1:2]), io["video_features_1video"])


def test_more_frames_than_embeddings_are_refused(network):
    with pytest.raises(ValueError, match="7 frames; at most 6"):
        network.video_model(torch.zeros(1, 7, 3, 48, 48))


def test_the_text_tower(network, io):
    ids, mask = torch.from_numpy(io["input_ids"]), torch.from_numpy(io["attention_mask"])
    hidden = network.text_model(input_ids=ids, attention_mask=mask).last_hidden_state
    real = io["attention_mask"].astype(bool)
    assert np.abs(hidden.numpy() - io["text_last_hidden"])[real].max() <= F32
    close(network.text_features(ids, mask), io["text_features"])
    close(network.text_embeddings(ids, mask), io["text_embeds"])


def test_similarity_and_loss(network, io):
    video = network.video_embeddings(torch.from_numpy(io["video"]))
    text = network.text_embeddings(
        torch.from_numpy(io["input_ids"]), torch.from_numpy(io["attention_mask"])
    )
    sims = similarity(text, video)
    close(sims, io["sim_text_x_video"])
    close(norm_softmax_loss(sims), io["loss_normsoftmax_t0.05"])


def test_double_precision_agrees_to_ten_digits(network64, io):
    model, doubled = network64
    model.load_state_dict(doubled)
    video = torch.from_numpy(io["video"]).double()
    ids, mask = torch.from_numpy(io["input_ids"]), torch.from_numpy(io["attention_mask"])
    close(model.video_model(video), io["f64_video_features"], F64)
    close(model.video_model(video[:, :4]), io["f64_video_features_4frames"], F64)
    close(model.video_embeddings(video), io["f64_video_embeds"], F64)
    close(model.text_features(ids, mask), io["f64_text_features"], F64)
    close(model.text_embeddings(ids, mask), io["f64_text_embeds"], F64)
    sims = similarity(model.text_embeddings(ids, mask), model.video_embeddings(video))
    close(sims, io["f64_sim_text_x_video"], F64)


def _eps(network):
    for module in network.video_model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5


def _no_relu(network):
    network.vid_proj[0] = nn.Identity()


def _swapped(network):
    for block in network.video_model.blocks:
        block.attn, block.timeattn = block.timeattn, block.attn


def _heads(network):
    for block in network.video_model.blocks:
        block.attn.heads = 2


@pytest.mark.parametrize("mistake", [_eps, _no_relu, _swapped, _heads])
def test_the_fixture_notices_mistakes(network64, io, mistake):
    model, doubled = network64
    wrong = copy.deepcopy(model)
    wrong.load_state_dict(doubled)
    mistake(wrong)
    found = wrong.video_embeddings(torch.from_numpy(io["video"]).double()).numpy()
    assert np.abs(found - io["f64_video_embeds"]).max() > F64


def test_the_published_sizes_give_exactly_the_published_names_and_shapes():
    listed = json.loads((FIXTURE / "published_state_dict_shapes.json").read_text())["keys"]
    kept = {k: tuple(v) for k, v in listed.items() if not k.startswith(UNUSED)}
    with torch.device("meta"):
        empty = {k: torch.empty(v) for k, v in kept.items()}
        network = CmrClip(Architecture.of_weights(empty))
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == kept
    assert sum(p.numel() for p in network.parameters()) == 223_312_384 - 768 * 768 - 768


def test_the_study_layout_is_the_published_one():
    data = np.load(FIXTURE / "preproc_io.npz")
    views = {k.removeprefix("arr_"): data[k] for k in data.files if k.startswith("arr_")}
    laid = frames.study_frames(views)
    assert np.array_equal(np.repeat(laid[..., None], 3, axis=-1), data["video_frames"])


def test_sampling_takes_the_published_frames():
    listed = json.loads((FIXTURE / "sample_frames_uniform.json").read_text())
    assert len(listed) == 171
    for name, wanted in listed.items():
        count, length = map(int, name.split("/"))
        assert frames.sampled(length, count) == wanted


@pytest.mark.parametrize("name", ["smooth224", "noise224", "noise180x240"])
def test_pixels_are_the_published_ones(name):
    data = np.load(FIXTURE / "preproc_io.npz")
    close(frames.pixels(data[f"in_{name}"][None])[0], data[f"out_{name}"])
