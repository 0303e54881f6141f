"""Inputs are made once, by content; a bad study is left out and named."""

from collections import Counter

import pytest
import torch

from retrieval.errors import UnusableSeries
from retrieval.training.inputs import Inputs
from retrieval.values.clip import ClipId
from tests.doubles import hexname
from tests.retrieval.training.test_draws import pair


class Store:
    def read(self, clip):
        return clip


class Counting:
    """A learner that counts; texts of n letters become n numbers."""

    def __init__(self, sees_as="a"):
        self.sees_as, self.reads_as, self.glances_as, self.variants = sees_as, "b", "c", 0
        self.looked, self.read_ = Counter(), Counter()

    def look(self, clips):
        if ClipId(hexname("c13")) in clips:
            raise UnusableSeries("no heart in it")
        self.looked[tuple(clips)] += 1
        return {"images": torch.full((2, 3), float(len(self.looked)))}

    def read(self, texts):
        self.read_[tuple(texts)] += 1
        return [{"states": torch.full((len(text), 2), float(n))} for n, text in enumerate(texts)]


@pytest.fixture
def learner():
    return Counting()


def test_what_is_there_is_not_made_again(tmp_path, learner):
    one = pair(1, "a", "bcd")
    for _ in range(3):
        inputs = Inputs(tmp_path, learner, Store())
        assert inputs.study(one)["images"].tolist() == [[1.0] * 3] * 2
        assert [len(t["states"]) for t in inputs.texts(one)] == [len(w) for w in one.words]
        assert [float(t["states"][0, 0]) for t in inputs.texts(one)] == [0, 1, 2]
    assert set(learner.looked.values()) == set(learner.read_.values()) == {1}


def test_another_way_of_looking_is_another_file(tmp_path, learner):
    Inputs(tmp_path, learner, Store()).study(pair(1))
    other = Counting("another")
    Inputs(tmp_path, other, Store()).study(pair(1))
    assert sum(other.looked.values()) == 1
    Inputs(tmp_path, learner, Store()).study(pair(2))
    assert len(learner.looked) == 2


def test_half_a_file_is_no_file(tmp_path, learner, monkeypatch):
    inputs = Inputs(tmp_path, learner, Store())

    def killed(arrays, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("retrieval.training.inputs.save_file", killed)
        with pytest.raises(KeyboardInterrupt):
            inputs.study(pair(1))
    assert inputs.study(pair(1))["images"].shape == (2, 3)


def test_bad_studies_are_left_out_by_name_and_the_rest_is_used(tmp_path, learner):
    told = []
    good, bad = Inputs(tmp_path, learner, Store()).usable(
        [pair(12), pair(13), pair(14)], lambda done, total: told.append((done, total))
    )
    assert [p.study for p in good] == [pair(12).study, pair(14).study]
    assert bad == ["no heart in it"]
    assert told == [(1, 3), (2, 3), (3, 3)]
