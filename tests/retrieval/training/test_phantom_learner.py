"""Studies are varied as scanners vary them: never zoomed, never mirrored, never emptied."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval.encoder.minilm import MiniLM
from retrieval.encoder.phantom import encoder as phantom
from retrieval.encoder.phantom.inputs import InputContract, prepare
from retrieval.encoder.phantom.network import Architecture
from retrieval.errors import UsageError
from retrieval.training.phantom_learner import PhantomLearner
from retrieval.training.recipe import PhantomSettings
from retrieval.values.study import Technique, View
from tests.beating import disc, stack

SETTINGS = PhantomSettings(
    architecture=Architecture(
        trunk=(4, 4, 8, 8), look=8, width=16, heads=2, depth=1, text_width=16, text_depth=1,
        dimension=16,
    ),
    inputs=InputContract(size_px=64, spacing_mm=2.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def learner():
    return PhantomLearner(SETTINGS, start="scratch", device="cpu", seed=0)


@pytest.fixture(scope="module")
def clips():
    late = disc(technique=Technique.LGE)
    return [*stack(4), disc(View.FOUR_CHAMBER), disc(View.TWO_CHAMBER), late]


def variants(learner, clips, count=30):
    study = learner.look(clips)
    return [learner.vary(study, np.random.default_rng(n)) for n in range(count)]


def test_validation_sees_what_an_index_would(learner, clips):
    settled = learner.settle(learner.look(clips))
    given = prepare(clips, SETTINGS.inputs)
    assert torch.equal(settled["view"], torch.from_numpy(given.view))
    difference = (settled["images"] - torch.from_numpy(given.images)).abs()
    assert float(difference.mean()) < 0.01


def test_a_study_reads_as_the_encoder_reads_it(learner, clips):
    study = learner.settle(learner.look(clips))
    learner.network.eval()
    with torch.inference_mode():
        vectors, _ = learner.encode(learner.network, [study, study], [])
        seen = phantom.look(learner.network.video, [prepare(clips, SETTINGS.inputs)], "cpu")
        whole = learner.network.video(seen).vectors
    torch.testing.assert_close(vectors[0], vectors[1])
    assert float(vectors[0] @ whole[0]) > 0.999


def test_size_in_millimetres_survives(learner, clips):
    """The bright disc covers as many pixels as before, wherever it was moved to."""
    study = learner.settle(learner.look(clips[:1]))
    before = float((study["images"][0, 0] > 0.5).sum())
    for varied in variants(learner, clips[:1]):
        assert float((varied["images"][0, 0] > 0.5).sum()) == pytest.approx(before, rel=0.05)


def test_left_stays_left(learner):
    """Three marks keep their sense of rotation, which a mirror would turn round."""
    marks = torch.zeros(1, 3, 80, 80)
    for channel, (row, column) in enumerate([(25, 25), (30, 55), (50, 35)]):
        marks[0, channel, row - 3 : row + 4, column - 3 : column + 4] = 1
    view = torch.tensor([1])

    def sense(images):
        axis = torch.arange(images.shape[-1]).float()
        y, x = ((images.sum(d) * axis).sum(-1) / images.sum((1, 2)) for d in (2, 1))
        return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])

    before = sense(marks[0])
    for n in range(40):
        moved = learner._moved(marks, view, np.random.default_rng(n))[0]
        assert float(sense(moved)) == pytest.approx(float(before), rel=0.1)


def test_slices_of_a_stack_move_together_and_planes_alone(learner):
    study = {
        "images": torch.zeros(4, 2, 80, 80), "view": torch.tensor([0, 0, 1, 1]),
    }  # fmt: skip
    study["images"][:, :, 38:42, 38:42] = 1
    moved = learner._moved(study["images"], study["view"], np.random.default_rng(0))
    torch.testing.assert_close(moved[0], moved[1])
    assert not torch.allclose(moved[2], moved[3])


def test_something_of_every_study_stays_and_often_a_group_goes(learner, clips):
    kinds = [
        {(int(t), int(v)) for t, v in zip(one["technique"], one["view"], strict=True)}
        for one in variants(learner, clips, 80)
    ]
    assert all(kinds)
    assert len({frozenset(kind) for kind in kinds}) > 4
    sizes = [len(one["view"]) for one in variants(learner, clips, 80)]
    assert min(sizes) >= 1
    assert np.mean(sizes) < len(clips) - 1


def test_chance_follows_from_its_seed(learner, clips):
    study = learner.look(clips)
    a, b, c = (learner.vary(study, np.random.default_rng(n)) for n in (1, 1, 2))
    assert torch.equal(a["images"], b["images"])
    assert a["images"].shape != c["images"].shape or not torch.equal(a["images"], c["images"])


def test_maps_keep_their_milliseconds(learner):
    native = disc(technique=Technique.T1_MAP, unit="ms", gain=1.5)
    study = learner.look([native])
    for varied in variants(learner, [native], 5):
        middle = slice(24, 40)
        was = study["images"][0, 1, 32:48, 32:48].float().median()
        assert float(varied["images"][0, 1, middle, middle].median()) == pytest.approx(
            float(was), rel=0.03
        )


def test_words_are_read_by_the_frozen_encoder(learner):
    texts = ["dilated left ventricle", "normal"]
    for text, read in zip(texts, learner.read(texts), strict=True):
        states, present = MiniLM().states([text])
        torch.testing.assert_close(read["states"].float(), states[0][present[0]], atol=0.02, rtol=0)


def test_another_scale_is_another_input(learner):
    other = PhantomLearner(
        PhantomSettings(
            architecture=SETTINGS.architecture, inputs=InputContract(size_px=64, spacing_mm=1.5)
        ),
        start="scratch",
        device="cpu",
        seed=0,
    )
    assert other.sees_as != learner.sees_as
    assert other.reads_as == learner.reads_as


@pytest.fixture(scope="module")
def resting():
    return PhantomLearner(
        replace(SETTINGS, variants=2), start="scratch", device="cpu", seed=0, frozen=["video.trunk"]
    )


def test_a_glance_reads_as_the_study_itself(resting, clips):
    study = resting.look(clips)
    glanced = resting.glance(study, None)
    network = resting.network.eval()
    with torch.inference_mode():
        whole, _ = resting.encode(network, [resting.settle(study)] * 2, [])
        again, _ = resting.encode(network, [glanced, resting.settle(glanced)], [])
    torch.testing.assert_close(again, whole)


def test_glances_at_variants_differ_and_lose_clips_anew(resting, clips):
    study = resting.look(clips)
    one, two = (resting.glance(study, np.random.default_rng(n)) for n in (1, 2))
    assert not torch.allclose(one["geometry"], two["geometry"])
    kept = [resting.vary(one, np.random.default_rng(n)) for n in range(20)]
    assert len({len(k["features"]) for k in kept}) > 1
    assert all(len(k["features"]) == len(k["view"]) >= 1 for k in kept)


def test_a_trunk_that_learns_cannot_be_glanced_with():
    with pytest.raises(UsageError, match=r"video\.trunk"):
        PhantomLearner(replace(SETTINGS, variants=2), start="scratch", device="cpu", seed=0)
