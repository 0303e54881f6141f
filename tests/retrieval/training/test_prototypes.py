"""Prototypes: hearts move them, sentences follow and leave them where they are."""

import torch
from torch.nn.functional import normalize

from retrieval.training.objective import match_loss
from retrieval.training.prototypes import Prototypes

MEMBERS = torch.tensor([[0, -1], [2, -1], [1, 2]])


def made(count: int = 3, dimension: int = 8) -> Prototypes:
    torch.manual_seed(0)
    return Prototypes(count, dimension)


def test_sentences_at_their_prototypes_are_no_distance_away() -> None:
    prototypes = made()
    at = normalize(prototypes.directions.detach(), dim=-1)
    texts = torch.stack([at[0], at[2], -at[0]])  # the last makes two statements, and does not count
    assert float(prototypes.distance(texts, MEMBERS).detach()) < 1e-6
    away = torch.stack([-at[0], at[2], at[0]])
    torch.testing.assert_close(prototypes.distance(away, MEMBERS).detach(), torch.tensor(1.0))


def test_sentences_do_not_move_prototypes() -> None:
    prototypes = made()
    texts = normalize(torch.randn(3, 8), dim=-1).requires_grad_()
    prototypes.distance(texts, MEMBERS).backward()
    assert texts.grad is not None
    assert texts.grad[:2].any()
    assert not texts.grad[2].any()
    assert prototypes.directions.grad is None


def test_hearts_pull_prototypes_towards_those_that_have_the_statement() -> None:
    prototypes = made(count=2)
    hearts = normalize(torch.randn(16, 8), dim=-1)
    truth = torch.zeros(16, 2)
    truth[:8, 0] = truth[4:12, 1] = 1
    optimiser = torch.optim.Adam(prototypes.parameters(), 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        match_loss(prototypes.logits(hearts), truth).backward()
        optimiser.step()
    logits = prototypes.logits(hearts).detach()
    assert logits.shape == (16, 2)
    for statement in range(2):
        true = truth[:, statement] > 0.5
        assert logits[true, statement].min() > logits[~true, statement].max()
