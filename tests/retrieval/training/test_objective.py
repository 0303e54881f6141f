"""The losses say what the docstrings promise."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.training.objective import (
    conjunction,
    match_loss,
    measure_loss,
    rank_loss,
    segmentation_loss,
    single_margins,
)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_conjunction_is_the_product_of_the_members(seed):
    rng = np.random.default_rng(seed)
    degrees = torch.tensor(rng.uniform(0, 1, (4, 5)))
    members = [list(rng.choice(5, size=rng.integers(1, 4), replace=False)) for _ in range(6)]
    padded = torch.tensor([m + [-1] * (3 - len(m)) for m in members])
    wanted = [[float(np.prod([degrees[b, c] for c in m])) for m in members] for b in range(4)]
    torch.testing.assert_close(conjunction(degrees, padded), torch.tensor(wanted).double())


def test_right_answers_cost_less_than_wrong_ones():
    truth = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    sure = 6 * (2 * truth - 1)
    assert match_loss(sure, truth) < match_loss(torch.zeros(3, 2), truth)
    assert match_loss(torch.zeros(3, 2), truth) < match_loss(-sure, truth)


def test_rare_truth_weighs_as_much_as_common_falsehood():
    rare = torch.zeros(100, 1)
    rare[:2] = 1
    logits = torch.zeros(100, 1, requires_grad=True)
    match_loss(logits, rare).backward()
    push = logits.grad[:, 0]
    assert float(push[:2].sum()) == pytest.approx(-float(push[2:].sum()))


def test_soft_truth_is_met_exactly_where_the_loss_is_least():
    truth = torch.full((8, 1), 0.3)
    costs = {
        p: float(match_loss(torch.logit(torch.full((8, 1), p)), truth)) for p in (0.1, 0.3, 0.6)
    }
    assert costs[0.3] < min(costs[0.1], costs[0.6])


def test_segmentation_counts_known_regions_only():
    torch.manual_seed(0)
    shares = torch.rand(3, 2, 4, 4)
    known = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    logits = torch.logit(shares.clamp(0.01, 0.99))
    spoiled = logits.clone()
    spoiled[1:, 1] = -spoiled[1:, 1] * 5
    assert torch.equal(
        segmentation_loss(logits, shares, known), segmentation_loss(spoiled, shares, known)
    )
    spoiled[0, 1] = -spoiled[0, 1] * 5
    assert segmentation_loss(spoiled, shares, known) > segmentation_loss(logits, shares, known)


def test_only_single_statements_have_margins():
    margins = torch.tensor([[2.0, float("nan")], [-1.0, float("nan")]])
    members = torch.tensor([[0, -1], [1, -1], [0, 1]])
    told = single_margins(margins, members)
    torch.testing.assert_close(told[:, 0], margins[:, 0])
    assert told[:, 1:].isnan().all()


def test_ranking_wants_the_order_of_the_margins_even_where_truth_is_sure():
    margins = torch.tensor([[30.0], [20.0], [-20.0], [-30.0]])
    logits = torch.zeros(4, 1, requires_grad=True)
    for _ in range(200):
        (push,) = torch.autograd.grad(rank_loss(logits, margins), logits)
        logits = (logits - 5 * push).detach().requires_grad_()
    assert logits[:, 0].diff().max() < 0


def test_ranking_ignores_sentences_without_a_limit():
    margins = torch.tensor([[1.0, float("nan")], [0.0, float("nan")]])
    logits = torch.randn(2, 2, requires_grad=True)
    rank_loss(logits, margins).backward()
    assert not logits.grad[:, 1].any()
    assert float(rank_loss(torch.randn(2, 1), margins[:, 1:])) == 0


def test_an_estimate_is_best_at_the_truth_with_the_spread_of_its_errors():
    truth = torch.distributions.Laplace(0.0, 0.5).sample((4000, 1))

    def cost(at, spread):
        return float(measure_loss(torch.full((4000, 1), at), torch.full((4000, 1), spread), truth))

    assert cost(0.0, 0.5) < min(cost(0.0, 0.3), cost(0.0, 0.9), cost(0.3, 0.5))
