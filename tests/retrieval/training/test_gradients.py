"""Gradient caching gives the gradient of the whole batch."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from retrieval.training.contrast import Objective, own_pairs
from retrieval.training.gradients import cached_backward

COUNT = 12


class Towers(nn.Module):
    def __init__(self, dropout=0.0, *, norm=False):
        super().__init__()
        torch.manual_seed(0)
        between = nn.BatchNorm1d(7) if norm else nn.Identity()
        self.video = nn.Sequential(
            nn.Linear(5, 7), between, nn.Dropout(dropout), nn.Tanh(), nn.Linear(7, 4)
        )
        self.text = nn.Sequential(nn.Linear(3, 6), nn.Dropout(dropout), nn.Tanh(), nn.Linear(6, 4))
        self.double()

    def encode(self, part):
        videos, texts = part
        return tuple(
            nn.functional.normalize(tower(given))
            for tower, given in ((self.video, videos), (self.text, texts))
        )


def data():
    generator = torch.Generator().manual_seed(1)
    videos = torch.randn(COUNT, 5, generator=generator, dtype=torch.float64)
    return videos, torch.randn(COUNT, 3, generator=generator, dtype=torch.float64)


def parts_of(size):
    return list(zip(*(side.split(size) for side in data()), strict=True))


def gradients(towers, size, objective):
    loss = cached_backward(
        towers.encode,
        parts_of(size),
        lambda v, t: objective(v, t, own_pairs(len(v))),
        network=towers,
        seed=5,
        everyone=Accelerator(cpu=True),
    )
    return loss, [p.grad for p in (*towers.parameters(), *objective.parameters())]


def plainly(towers, size, objective):
    """The same with every graph kept."""
    found = []
    for number, part in enumerate(parts_of(size)):
        torch.manual_seed(5 + number)
        found.append(towers.encode(part))
    videos, texts = (torch.cat([vectors[side] for vectors in found]) for side in (0, 1))
    loss = objective(videos, texts, own_pairs(COUNT))
    loss.backward()
    return loss.detach(), [p.grad for p in (*towers.parameters(), *objective.parameters())]


def assert_same(found, expected):
    torch.testing.assert_close(found[0], expected[0])
    for a, b in zip(found[1], expected[1], strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", ["norm_softmax", "infonce", "sigmoid"])
@pytest.mark.parametrize("size", [1, 3, 5, COUNT])
def test_parts_of_any_size_give_the_gradient_of_the_whole(kind, size):
    def objective():
        return Objective(kind).double()

    found = gradients(Towers(), size, objective())
    assert_same(found, plainly(Towers(), COUNT, objective()))
    assert float(found[1][0].abs().sum()) > 0


def test_dropout_draws_the_same_masks_twice():
    found = gradients(Towers(0.5), 4, Objective("infonce").double())
    assert_same(found, plainly(Towers(0.5), 4, Objective("infonce").double()))


def test_running_statistics_move_once():
    cached, plain = Towers(norm=True), Towers(norm=True)
    assert_same(
        gradients(cached, 4, Objective("infonce").double()),
        plainly(plain, 4, Objective("infonce").double()),
    )
    for a, b in zip(cached.buffers(), plain.buffers(), strict=True):
        if a.is_floating_point():
            torch.testing.assert_close(a, b)
    assert cached.video[1].momentum == plain.video[1].momentum


class Meeting:
    """Two processes as two threads, who meet to exchange tensors."""

    def __init__(self, count):
        self.barrier = threading.Barrier(count)
        self.brought = [None] * count

    def seat(self, place):
        return Seat(self, place)


class Seat:
    def __init__(self, meeting, place):
        self.meeting = meeting
        self.process_index = place

    def _all(self, tensor):
        self.meeting.brought[self.process_index] = tensor.clone()
        self.meeting.barrier.wait(60)
        everything = list(self.meeting.brought)
        self.meeting.barrier.wait(60)
        return everything

    def gather(self, tensor):
        return torch.cat(self._all(tensor))

    def reduce(self, tensor, reduction="sum"):
        total = torch.stack(self._all(tensor)).sum(0)
        return total / len(self.meeting.brought) if reduction == "mean" else total


@pytest.mark.parametrize("size", [2, 6])
def test_two_processes_give_the_gradient_of_one(size):
    meeting, half = Meeting(2), COUNT // 2
    # Made one after the other: threads share the random numbers of first weights.
    made = [(Towers(), Objective("infonce").double()) for _ in range(2)]

    def work(place):
        towers, objective = made[place]
        own = [side[place * half : (place + 1) * half] for side in data()]
        loss = cached_backward(
            towers.encode,
            list(zip(*(side.split(size) for side in own), strict=True)),
            lambda v, t: objective(v, t, own_pairs(len(v))),
            network=towers,
            seed=5,
            everyone=meeting.seat(place),
        )
        return loss, [p.grad for p in (*towers.parameters(), *objective.parameters())]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(work, range(2)))
    expected = plainly(Towers(), COUNT, Objective("infonce").double())
    assert_same(found[0], expected)
    assert_same(found[1], expected)
