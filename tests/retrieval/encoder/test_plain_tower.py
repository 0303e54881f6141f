"""The tower written out plainly is the published one, and ours is the same as it."""

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from safetensors.torch import load_file

from retrieval.encoder.cmrclip import attention
from retrieval.encoder.cmrclip.attention import Product
from retrieval.encoder.cmrclip.tower import TowerShape, VideoTower
from tests.bench import plain_tower

FIXTURE = Path(__file__).parents[4] / "shared/data/cmrclip_parity"
TINY = TowerShape(dim=48, depth=3, heads=4, mlp=192, patch=16, patches=9, frames=6)


def tower(seed=0):
    """Random everywhere: what starts at zero would hide mistakes."""
    made = VideoTower(TINY).eval().requires_grad_(False)
    source = torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=source) * 0.2)
    return made


def videos(count=2, frames=6):
    return torch.randn(count, frames, 3, 48, 48, generator=torch.Generator().manual_seed(1))


@pytest.mark.skipif(not FIXTURE.exists(), reason="../shared/data is not there")
def test_the_plain_tower_is_the_published_one():
    io = np.load(FIXTURE / "tiny_io.npz")
    named = load_file(FIXTURE / "tiny_state_dict.safetensors")
    held = {k.removeprefix("video_model."): v.double() for k, v in named.items()}
    video = torch.from_numpy(io["video"]).double()
    mlp = held["blocks.0.mlp.fc1.weight"].shape[0]
    shape = TowerShape(dim=48, depth=3, heads=4, mlp=mlp, patch=16, patches=9, frames=6)
    for name, given_ in [("", video), ("_4frames", video[:, :4])]:
        found = plain_tower.features(held, shape, given_).numpy()
        assert np.abs(found - io[f"f64_video_features{name}"]).max() < 1e-10


@settings(deadline=None, max_examples=20)
@given(count=st.integers(1, 3), frames=st.integers(1, 6), seed=st.integers(0, 5))
def test_ours_agrees_with_the_plain_tower(count, frames, seed):
    ours, video = tower(seed).double(), videos(count, frames).double()
    plain = plain_tower.features(ours.state_dict(), TINY, video)
    assert (ours(video) - plain).abs().max() < 1e-10


@pytest.mark.parametrize("at_once", [1, 13, 60, 10_000])
def test_how_many_tokens_go_together_changes_nothing(at_once):
    ours = tower().double()
    cls, patches = ours.tokens(videos().double())
    block = ours.blocks[0]
    wanted = block(cls, patches, at_once=54)
    found = block(cls, patches, at_once=at_once)
    for a, b in zip(found, wanted, strict=True):
        assert (a - b).abs().max() < 1e-10
    alone = block.class_token(cls, patches, at_once=at_once)
    assert (alone - wanted[0]).abs().max() < 1e-10


def test_gradients_are_those_of_the_plain_tower():
    ours, video = tower().double().requires_grad_(), videos(1).double()
    held = {name: p.detach().clone().requires_grad_() for name, p in ours.named_parameters()}
    ours(video).square().sum().backward()
    plain_tower.features(held, TINY, video).square().sum().backward()
    for name, parameter in ours.named_parameters():
        assert torch.allclose(parameter.grad, held[name].grad, rtol=1e-6, atol=1e-8), name


def test_onednn_takes_plain_inference_and_gives_what_torch_gives(monkeypatch):
    layer = Product(48, 20).requires_grad_(False)
    x = torch.randn(2, 5, 48)
    found = layer(x)
    monkeypatch.setattr(attention, "ONEDNN", False)
    assert torch.allclose(found, layer(x), atol=1e-6)
    assert found.shape == (2, 5, 20)


@pytest.mark.skipif(not attention.ONEDNN, reason="this torch has no oneDNN")
def test_what_learns_does_not_go_through_onednn():
    layer, x = Product(8, 8), torch.randn(3, 8)
    assert layer(x).requires_grad
    with torch.no_grad():
        assert not layer(x).requires_grad


def test_bf16_stays_within_a_hundredth_in_cosine():
    ours, video = tower(), videos(3)
    exact = ours(video)
    coarse = ours.to(torch.bfloat16)(video)
    assert coarse.dtype == torch.bfloat16
    assert (1 - torch.cosine_similarity(exact, coarse.float())).max() < 1e-2
