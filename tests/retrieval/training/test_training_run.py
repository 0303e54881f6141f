"""A training run from end to end, tiny: it learns, repeats itself, and survives a kill."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from retrieval.encoder import phantom
from retrieval.errors import UnknownSetting
from retrieval.training import phantom as script
from retrieval.training.config import TrainConfig, read_config
from retrieval.training.phantom import schedule, train
from retrieval.training.shards import Pool, ShardQueue, gather, render_shard
from tests.beating import stack

TINY = TrainConfig(
    steps=4,
    batch=4,
    shard=8,
    first_shards=1,
    pool_shards=2,
    steps_per_shard=2,
    render_workers=0,
    singles=6,
    composites=2,
    phrases_per_concept=1,
    composite_count=4,
    validate_every=4,
    validation_studies=0,
    checkpoint_every=2,
    warmup=2,
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(TINY, folder)
    return folder


def test_a_run_ends_in_an_encoder_that_loads(finished):
    encoder = phantom.load(finished / "checkpoint")
    assert encoder.encode_studies([stack(2)])[0].whole is not None
    assert len(encoder.encode_texts(["a heart"])) == 1


def test_an_interrupted_run_goes_on_to_the_same_weights(finished, tmp_path, monkeypatch):
    class Killed(Exception):
        pass

    step = script._step

    def dies(run, pool, bank):
        if run.step == 3:
            raise Killed
        return step(run, pool, bank)

    monkeypatch.setattr(script, "_step", dies)
    with pytest.raises(Killed):
        train(TINY, tmp_path)
    monkeypatch.setattr(script, "_step", step)
    train(TINY, tmp_path)
    whole, resumed = (phantom.load(f / "checkpoint").encoder_id for f in (finished, tmp_path))
    assert whole == resumed


def test_another_seed_gives_other_weights(finished, tmp_path):
    train(replace(TINY, seed=2, steps=1), tmp_path)
    other = phantom.load(tmp_path / "checkpoint").encoder_id
    assert other != phantom.load(finished / "checkpoint").encoder_id


def test_shards_follow_from_their_seed():
    a, b, c = (render_shard(TINY, seed, 3, "training") for seed in (5, 5, 6))
    assert all(torch.equal(value, b.tensors()[name]) for name, value in a.tensors().items())
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


def test_what_a_step_draws_depends_on_the_step_alone(tmp_path):
    def drawn(*steps):
        with ShardQueue(TINY, tmp_path) as queue:
            pool = Pool(TINY, queue)
            for step in steps:
                batch = pool.draw(step, torch.Generator().manual_seed(step))
        return batch

    direct, after_others = drawn(3), drawn(0, 1, 2, 3)
    assert torch.equal(direct.images, after_others.images)


def test_old_shards_leave_the_disk(tmp_path):
    config = replace(TINY, pool_shards=1, steps_per_shard=1)
    with ShardQueue(config, tmp_path) as queue:
        pool = Pool(config, queue)
        for step in range(3):
            pool.draw(step, torch.Generator().manual_seed(step))
    assert [p.name for p in tmp_path.iterdir()] == ["00002.safetensors"]


def test_the_rate_warms_up_and_dies_away():
    config = replace(TINY, steps=1000, warmup=10)
    rates = [schedule(step, config) for step in range(1000)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.03


def test_a_configuration_is_read_and_misspelling_refused(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("steps = 7\n[architecture]\nwidth = 64\ntrunk = [8, 8, 8, 8]\n")
    config = read_config(path)
    assert config.steps == 7
    assert config.architecture.trunk == (8, 8, 8, 8)
    path.write_text("stepz = 7\n")
    with pytest.raises(UnknownSetting, match="stepz"):
        read_config(path)
