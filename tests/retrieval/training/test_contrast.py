"""The losses agree with plain NumPy; the targets say what reports say."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoder.cmrclip.network import norm_softmax_loss
from retrieval.training.contrast import (
    Objective,
    Targets,
    alike,
    from_findings,
    from_words,
    own_pairs,
    sigmoid_loss,
    softmax_loss,
)

SEEDS = st.integers(0, 10_000)


def case(seed, count=6):
    """Random logits with random partial knowledge."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, count)) * 5
    truth = rng.uniform(0, 1, (count, count)) * (rng.uniform(size=(count, count)) < 0.4)
    known = rng.uniform(size=(count, count)) < 0.7
    np.fill_diagonal(truth, 1)
    np.fill_diagonal(known, val=True)
    return logits, truth, known


def as_targets(truth, known):
    return Targets(truth=torch.tensor(truth), known=torch.tensor(known))


def plain_softmax(logits, truth, known):
    """Mean over rows of the cross-entropy, entry by entry."""
    total = 0.0
    for row, wanted, counts in zip(logits, truth, known, strict=True):
        entries = [(x, t) for x, t, k in zip(row, wanted, counts, strict=True) if k]
        log_sum = np.log(sum(np.exp(x) for x, _ in entries))
        share = sum(t for _, t in entries)
        total -= sum(t / share * (x - log_sum) for x, t in entries)
    return total / len(logits)


@settings(deadline=None)
@given(SEEDS)
def test_softmax_loss_is_the_cross_entropy_of_both_directions(seed):
    logits, truth, known = case(seed)
    of_studies, of_texts = softmax_loss(torch.tensor(logits), as_targets(truth, known))
    assert float(of_studies) == pytest.approx(plain_softmax(logits, truth, known))
    assert float(of_texts) == pytest.approx(plain_softmax(logits.T, truth.T, known.T))


@settings(deadline=None)
@given(SEEDS)
def test_sigmoid_loss_is_the_cross_entropy_of_every_known_pair(seed):
    logits, truth, known = case(seed)
    likely = 1 / (1 + np.exp(-logits))
    each = -(truth * np.log(likely) + (1 - truth) * np.log(1 - likely))
    expected = (each * known).sum() / len(logits)
    assert float(sigmoid_loss(torch.tensor(logits), as_targets(truth, known))) == pytest.approx(
        expected
    )


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_norm_softmax_is_the_published_loss(seed):
    generator = torch.Generator().manual_seed(seed)
    videos, texts = (
        torch.nn.functional.normalize(torch.randn(5, 8, generator=generator)) for _ in range(2)
    )
    ours = Objective("norm_softmax")(videos, texts, own_pairs(5))
    assert float(ours) == pytest.approx(float(norm_softmax_loss(texts @ videos.T)), rel=1e-5)


def test_what_is_not_known_pushes_nothing():
    logits, truth, known = case(3)
    known[0, 1], truth[0, 1] = False, 0.0
    for loss in (lambda x, t: sum(softmax_loss(x, t)), sigmoid_loss):
        given = torch.tensor(logits, requires_grad=True)
        loss(given, as_targets(truth, known)).backward()
        assert given.grad[0, 1] == 0
        assert given.grad[0, 0] != 0


def test_only_learnt_temperatures_learn():
    videos = torch.nn.functional.normalize(torch.randn(4, 3, generator=torch.manual_seed(0)))
    for kind, learns in (("norm_softmax", set()), ("infonce", {"log_scale"}),
                         ("sigmoid", {"log_scale", "bias"})):  # fmt: skip
        objective = Objective(kind)
        value = objective(videos.clone().requires_grad_(), videos.flip(0), own_pairs(4))
        value.backward()
        assert {n for n, p in objective.named_parameters() if p.grad is not None} == learns


def test_infonce_starts_at_its_temperature_and_the_scale_has_an_end():
    objective = Objective("infonce", 0.07)
    assert objective.scale.item() == pytest.approx(1 / 0.07)
    torch.nn.init.constant_(objective.log_scale, 20.0)
    assert objective.scale.item() == pytest.approx(100)


def test_two_normal_hearts_are_not_opposites():
    normal, dilated, silent = [-1, -1, 0], [1, -1, 0], [0, -1, 0]
    said = torch.tensor([normal, normal, dilated, silent])
    targets = from_findings(said, said, torch.eye(4, dtype=torch.bool))
    assert targets.truth.tolist() == [
        [1, 1, 0, 1],  # a normal heart: the same report, its opposite, a part of what it says
        [1, 1, 0, 1],
        [0, 0, 1, 1],
        [0, 0, 0, 1],
    ]
    assert targets.known.tolist() == [
        [True, True, True, True],
        [True, True, True, True],
        [True, True, True, True],
        [False, False, False, True],  # a silent report says nothing of the others' texts
    ]


def test_a_text_without_a_finding_is_its_own_studys_and_its_twins():
    said = torch.tensor([[1], [1], [0]])
    meant = torch.zeros(3, 1, dtype=torch.int8)
    twins = alike(["See above.", "Further review.", "see ABOVE"])
    targets = from_findings(said, meant, twins)
    assert targets.truth.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert targets.known.all()


@settings(deadline=None)
@given(SEEDS)
def test_findings_are_judged_one_by_one(seed):
    rng = np.random.default_rng(seed)
    said, meant = rng.integers(-1, 2, (5, 4)), rng.integers(-1, 2, (5, 4))
    targets = from_findings(
        torch.tensor(said), torch.tensor(meant), torch.zeros(5, 5, dtype=torch.bool)
    )
    for i in range(5):
        for j in range(5):
            stated = [(s, m) for s, m in zip(said[i], meant[j], strict=True) if m]
            all_said = bool(stated) and all(s == m for s, m in stated)
            opposed = any(s == -m for s, m in stated)
            assert bool(targets.truth[i, j]) == (i == j or all_said)
            assert bool(targets.known[i, j]) == (i == j or all_said or opposed or not stated)


def test_words_in_common_make_texts_alike():
    targets = from_words(["Mild LV dilation", "mild LV dilation.", "LV dilation", "no scar"])
    overlap = (2 / 3 - 0.5) / 0.5
    np.testing.assert_allclose(targets.truth[0], [1, 1, overlap, 0], atol=1e-6)
    assert targets.known.all()
    assert torch.equal(targets.truth, targets.truth.T)
