"""A training run from end to end, tiny: it learns, repeats itself, and survives a kill."""

from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import pytest
import torch
from safetensors.torch import load_file

from retrieval.encoder import phantom
from retrieval.encoder.checkpoint import read_checkpoint
from retrieval.encoder.phantom.encoder import NAME, build
from retrieval.encoder.phantom.geometry import ED, REGIONS
from retrieval.encoder.phantom.inputs import TECHNIQUES
from retrieval.encoder.phantom.network import CINE
from retrieval.errors import CheckpointInvalid, UnknownSetting, UsageError
from retrieval.training import phantom as script
from retrieval.training.augment import centre_crop
from retrieval.training.config import TrainConfig, read_config
from retrieval.training.folder import RunFolder
from retrieval.training.phantom import schedule, train
from retrieval.training.pool import (
    Pool,
    Queue,
    RenderShard,
    pool_at,
    shard_seed,
    with_rare_lesions,
)
from retrieval.training.seen import SeenPool, SeeShard
from retrieval.training.shards import SeenShard, arrange, gather
from retrieval.training.simulated import render_shard
from retrieval.training.validation import prepare_validation
from retrieval.values.study import Technique
from tests.beating import stack

TINY = TrainConfig(
    steps=4,
    batch=4,
    read_steps=4,
    read_batch=6,
    read_shards=2,
    read_variants=1,
    shard=8,
    first_shards=1,
    pool_shards=2,
    steps_per_shard=2,
    render_workers=0,
    singles=6,
    composites=2,
    reports=1,
    phrases_per_concept=1,
    composite_count=4,
    twin_count=2,
    report_count=3,
    validate_every=4,
    validation_studies=0,
    checkpoint_every=3,
    warmup=2,
)


def begun(folder):
    return RunFolder(folder, folder / "config.toml")


def curve(folder):
    """Losses of every step; how long one took is no part of them."""
    told = [dict(record) for record in begun(folder).records()]
    for record in told:
        record.pop("seconds")
    return told


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(TINY, begun(folder), quiet=True)
    return folder


def test_a_run_ends_in_an_encoder_that_loads(finished):
    encoder = phantom.load(finished / "checkpoint")
    assert encoder.encode_studies([stack(2)])[0].whole is not None
    assert len(encoder.encode_texts(["a heart"])) == 1


@pytest.mark.parametrize("at", [3, 4, 6])
def test_an_interrupted_run_goes_on_to_the_same_weights(finished, tmp_path, monkeypatch, at):
    """Killed in the first stage, at the seam, and in the second."""

    class Killed(Exception):
        pass

    update = script.Run.update

    def dies(run, loss):
        if run.step == at:
            raise Killed
        update(run, loss)

    monkeypatch.setattr(script.Run, "update", dies)
    with pytest.raises(Killed):
        train(TINY, begun(tmp_path), quiet=True)
    monkeypatch.setattr(script.Run, "update", update)
    train(TINY, begun(tmp_path), quiet=True)
    whole, resumed = (phantom.load(f / "checkpoint").encoder_id for f in (finished, tmp_path))
    assert whole == resumed
    assert curve(tmp_path) == curve(finished)
    assert [record["step"] for record in curve(finished)] == list(range(1, 9))


def test_the_trunk_rests_in_the_second_stage(finished):
    state = torch.load(finished / "state.pt", weights_only=True)
    kept = load_file(finished / "trunk.safetensors")
    for name, tensor in kept.items():
        assert torch.equal(state["average"][f"video.trunk.{name}"], tensor)


def test_a_run_can_begin_with_the_weights_of_another(finished, tmp_path):
    config = replace(TINY, start=str(finished / "checkpoint"), steps=0, read_steps=0)
    train(config, begun(tmp_path), quiet=True)
    ours = load_file(tmp_path / "checkpoint" / "weights.safetensors")
    theirs = load_file(finished / "checkpoint" / "weights.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_start_that_fits_nowhere_is_refused(finished, tmp_path):
    other = tmp_path / "other"
    checkpoint = read_checkpoint(finished / "checkpoint", name=NAME)
    strange = {f"strange.{name}": tensor for name, tensor in checkpoint.tensors.items()}
    replace(checkpoint, tensors=strange).save(other)
    with pytest.raises(CheckpointInvalid, match="none of its weights"):
        train(replace(TINY, start=str(other)), begun(tmp_path / "run"), quiet=True)


def test_what_does_not_fit_begins_anew_and_is_named(finished, tmp_path, caplog):
    checkpoint = read_checkpoint(finished / "checkpoint", name=NAME)
    fewer = {k: v for k, v in checkpoint.tensors.items() if k != "log_scale"}
    replace(checkpoint, tensors=fewer).save(tmp_path / "fewer")
    config = replace(TINY, start=str(tmp_path / "fewer"), steps=0, read_steps=0)
    (tmp_path / "run").mkdir()
    train(config, begun(tmp_path / "run"), quiet=True)
    assert "begin anew: log_scale" in caplog.text


def test_a_rate_that_breaks_the_loss_stops_the_run(tmp_path):
    with pytest.raises(UsageError, match="lower rate"):
        train(replace(TINY, rate=1e38), begun(tmp_path), quiet=True)


def test_another_seed_gives_other_weights(finished, tmp_path):
    train(replace(TINY, seed=2, steps=1, read_steps=0), begun(tmp_path), quiet=True)
    other = phantom.load(tmp_path / "checkpoint").encoder_id
    assert other != phantom.load(finished / "checkpoint").encoder_id


def test_shards_follow_from_their_seed():
    a, b, c = (render_shard(TINY, seed, 3, "training") for seed in (5, 5, 6))
    for name, value in a.tensors().items():
        torch.testing.assert_close(value, b.tensors()[name], rtol=0, atol=0, equal_nan=True)
    assert not torch.equal(a.images, c.images)
    assert a.images.any()
    assert a.regions[:, :, :3].any()


def test_gathering_keeps_each_clip_with_its_study():
    shard = render_shard(TINY, 1, 4, "training")
    stay = torch.zeros(2, shard.technique.shape[1], dtype=torch.bool)
    stay[0, [0, 9]] = True
    stay[1, [3]] = True
    batch = gather([(shard, 2), (shard, 1)], stay)
    assert batch.study.tolist() == [0, 0, 1]
    assert torch.equal(batch.degrees, shard.degrees[[2, 1]])
    assert torch.equal(batch.technique, shard.technique[[2, 2, 1], [0, 9, 3]])
    for row, (study, clip) in enumerate([(2, 0), (2, 9), (1, 3)]):
        torch.testing.assert_close(batch.images[row] * 150, shard.images[study, clip].float())


def test_arranging_puts_each_clip_in_its_study():
    shard = render_shard(TINY, 1, 4, "training")
    stay = torch.rand(4, shard.technique.shape[1]) < 0.4
    stay[:, 0] = True
    batch = centre_crop(gather([(shard, i) for i in range(4)], stay), TINY.inputs)
    video = build(TINY.architecture, TINY.inputs).video.eval()
    clips, regions = arrange(video, batch)
    assert len(regions) == int(stay.sum())
    for study in range(4):
        there = clips.present[study]
        assert int(there.sum()) == int(stay[study].sum())
        assert torch.equal(clips.technique[study][there], shard.technique[study][stay[study]])
        own = batch.study == study
        alone = video.see(batch.images[own], batch.technique[own], batch.view[own])
        torch.testing.assert_close(
            clips.geometry[study][there], alone.geometry, rtol=1e-3, atol=1e-4
        )


def test_what_is_seen_is_what_the_trunk_sees(finished, tmp_path):
    make = SeeShard(TINY, finished)
    with Queue(tmp_path, make, workers=0) as queue:
        clips, truth = SeenPool(TINY, queue).draw(0, torch.Generator().manual_seed(0))
    assert clips.geometry.isfinite().all()
    assert clips.present.any(1).all()
    assert len(truth.degrees) == TINY.read_batch
    whole = torch.cat([SeenShard.read(p).degrees for p in tmp_path.iterdir()])
    assert all((row == whole).all(1).any() for row in truth.degrees)


def test_the_second_stage_begins_with_the_hearts_the_first_had_last(finished):
    last = pool_at(TINY, TINY.steps - 1)
    assert list(last) == [0, 1]
    shard = render_shard(TINY, shard_seed(TINY, last.start), TINY.shard, "training")
    seen = SeenShard.read(finished / "seen" / "00000.safetensors")
    assert torch.equal(seen.degrees, shard.degrees)
    assert not list((finished / "shards").iterdir()), "what was seen is not kept"


def test_overlaps_are_full_for_the_truth_and_none_for_nothing(tmp_path):
    config = replace(TINY, validation_studies=3)
    validation = prepare_validation(config, tmp_path)
    video = build(TINY.architecture, TINY.inputs).video
    batch = next(iter(validation._batches()))
    with patch.object(
        video.trunk, "forward", lambda images, technique: (None, batch.regions * 40 - 20)
    ):
        scores = validation.overlaps(video)
    assert scores["LV cavity ED.dice"] > 0.85
    assert scores["scar ED.dice"] > 0.5 or not batch.regions[:, REGIONS.index((ED, "scar"))].any()
    with patch.object(
        video.trunk, "forward", lambda images, technique: (None, batch.regions * 0 - 20)
    ):
        assert validation.overlaps(video)["LV wall ES.dice"] < 0.01


def test_what_a_step_draws_depends_on_the_step_alone(tmp_path):
    def drawn(*steps):
        with Queue(tmp_path, RenderShard(TINY), workers=0) as queue:
            pool = Pool(TINY, queue)
            for step in steps:
                batch = pool.draw(step, torch.Generator().manual_seed(step))
        return batch

    direct, after_others = drawn(3), drawn(0, 1, 2, 3)
    assert torch.equal(direct.images, after_others.images)


def test_studies_with_rare_lesions_are_drawn_more_often(tmp_path):
    shard = render_shard(TINY, 1, 8, "training")
    regions = torch.zeros_like(shard.regions)
    t2 = TECHNIQUES.index(Technique.T2_MAP)
    technique = torch.full_like(shard.technique, CINE)
    technique[[2, 5], 4] = t2
    regions[[2, 3], 4, REGIONS.index((ED, "oedema"))] = 255  # no cine shows that of 3
    regions[6, 0, REGIONS.index((ED, "scar"))] = 255  # nor is a scar rare
    marked = replace(shard, regions=regions, technique=technique)
    assert with_rare_lesions(marked).tolist() == [2]

    def share(rare):
        config = replace(TINY, rare=rare, batch=64, steps_per_shard=100)
        with Queue(tmp_path, RenderShard(config), workers=0) as queue:
            pool = Pool(config, queue)
            pool.shard(0)
            pool._shards[0], pool._rare[0] = marked, with_rare_lesions(marked)
            batch = pool.draw(0, torch.Generator().manual_seed(0))
        return float((batch.degrees == marked.degrees[2]).all(1).float().mean())

    assert share(0.0) < 0.3
    assert 0.4 < share(0.5) < 0.75
    assert share(1.0) == 1.0


def test_old_shards_leave_the_disk(tmp_path):
    config = replace(TINY, pool_shards=1, steps_per_shard=1)
    with Queue(tmp_path, RenderShard(config), workers=0) as queue:
        pool = Pool(config, queue)
        for step in range(3):
            pool.draw(step, torch.Generator().manual_seed(step))
    assert [p.name for p in tmp_path.iterdir()] == ["00002.safetensors"]


def test_the_rate_warms_up_and_dies_away():
    config = replace(TINY, steps=1000, read_steps=500, warmup=10)
    rates = [schedule(step, config) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.03
    again = [schedule(1000 + step, config) for step in range(500)]
    assert again[0] == pytest.approx(0.1)
    assert again[-1] < 0.03


def test_a_configuration_is_read_and_misspelling_refused(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("steps = 7\n[architecture]\nwidth = 64\ntrunk = [8, 8, 8, 8]\n")
    config = read_config(path)
    assert config.steps == 7
    assert config.architecture.trunk == (8, 8, 8, 8)
    path.write_text("stepz = 7\n")
    with pytest.raises(UnknownSetting, match="stepz"):
        read_config(path)
