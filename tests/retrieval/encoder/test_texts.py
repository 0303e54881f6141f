"""Texts are embedded once each, remembered within bounds, and grouped without padding."""

import threading

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from retrieval.encoder.texts import RememberedTexts, by_length


class Counting:
    """Embeds a text as (its length, its first letter) and counts how often."""

    def __init__(self):
        self.asked = []

    def __call__(self, texts):
        self.asked.extend(texts)
        return np.array([[len(t), ord(t[0])] for t in texts], np.float32)


def test_rows_follow_the_texts_and_each_text_is_embedded_once():
    counting = Counting()
    remembered = RememberedTexts(counting, width=2)
    rows = remembered.vectors(["bb", "a", "bb"])
    assert rows.tolist() == [[2, 98], [1, 97], [2, 98]]
    assert remembered.vectors(["ccc", "a"]).tolist() == [[3, 99], [1, 97]]
    assert counting.asked == ["bb", "a", "ccc"]


def test_no_texts_make_no_rows():
    remembered = RememberedTexts(Counting(), width=2)
    assert remembered.vectors([]).shape == (0, 2)
    assert remembered.vectors([]).dtype == np.float32


def test_the_longest_unasked_is_forgotten_first():
    counting = Counting()
    remembered = RememberedTexts(counting, width=2, keep=2)
    for text in ("a", "b", "a", "c"):
        remembered.vectors([text])
    counting.asked.clear()
    remembered.vectors(["a", "c"])
    assert counting.asked == []
    remembered.vectors(["b"])
    assert counting.asked == ["b"]


def test_more_texts_than_are_kept_still_get_their_rows():
    remembered = RememberedTexts(Counting(), width=2, keep=2)
    assert remembered.vectors(["a", "b", "c"])[:, 1].tolist() == [97, 98, 99]


def test_what_a_caller_does_to_its_rows_changes_no_answer():
    remembered = RememberedTexts(Counting(), width=2)
    remembered.vectors(["a"])[:] = 0
    assert remembered.vectors(["a"]).tolist() == [[1, 97]]


def test_threads_share_it():
    remembered = RememberedTexts(Counting(), width=2, keep=3)
    wrong = []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(300):
            text = "abcdef"[rng.integers(6)]
            if remembered.vectors([text]).tolist() != [[1, ord(text)]]:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(deadline=None)
@given(lengths=st.lists(st.integers(0, 9), max_size=40), together=st.integers(1, 30))
def test_groups_are_of_one_length_within_the_bound_and_hold_each_place_once(lengths, together):
    groups = list(by_length(lengths, together))
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        (length,) = {lengths[place] for place in group}
        assert len(group) == 1 or len(group) * length <= together or length == 0


def test_texts_of_one_length_go_together():
    assert list(by_length([3, 5, 3, 5, 4])) == [[0, 2], [4], [1, 3]]
