"""Untrained controls: the same shape, other weights, and nothing else disturbed."""

import torch

from retrieval.encoder import phantom
from retrieval.encoder.phantom.untrained import untrained


def test_a_seed_names_an_untrained_encoder_of_the_same_shape():
    trained = phantom.load()
    first, again, other = (untrained(None, seed) for seed in (0, 0, 1))
    assert first.contract == trained.contract
    assert first.encoder_id == again.encoder_id
    assert len({trained.encoder_id, first.encoder_id, other.encoder_id}) == 3


def test_the_random_numbers_of_others_stay_as_they_were():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    untrained(None, 0)
    assert torch.equal(torch.rand(3), expected)
