"""Captions say only what they are said to say, and never what tests will ask."""

import random

import numpy as np
import pytest
import torch

from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.physiology import sample_hearts
from retrieval.phantom.sentences import QUERIES_HELD_OUT, holds_held_out_query, phrases
from retrieval.training.captions import (
    STATEMENTS,
    Caption,
    composite_captions,
    make_bank,
    report_captions,
    single_captions,
    twin_captions,
)
from retrieval.training.trial import FINDINGS, questions

NONE = [[] for _ in STATEMENTS]


class LetterStates:
    """Stands in for MiniLM: one token per letter."""

    read = 0

    def digest(self):
        return "letters"

    def states(self, texts):
        self.read += len(texts)
        longest = max(map(len, texts))
        states = torch.zeros(len(texts), longest, 4)
        present = torch.zeros(len(texts), longest, dtype=torch.bool)
        for i, text in enumerate(texts):
            states[i, : len(text), 0] = torch.tensor([float(ord(c)) for c in text])
            present[i, : len(text)] = True
        return states, present


@pytest.fixture(scope="module")
def singles():
    return single_captions("train", 8, random.Random(0))


@pytest.fixture(scope="module")
def composites(singles):
    degrees = np.random.default_rng(0).uniform(0, 1, (300, len(STATEMENTS))).astype(np.float32)
    return composite_captions(singles, degrees, 200, random.Random(0)), degrees


@pytest.fixture(scope="module")
def reports():
    hearts = sample_hearts(20, torch.Generator().manual_seed(0), mix="training")
    return report_captions(Anatomy(hearts).truths(), 30, random.Random(0))


def test_reports_state_what_they_say(reports):
    assert len(reports) == 30
    assert max(len(c.concepts) for c in reports) >= 4
    assert not [c for c in reports if holds_held_out_query(c.text)]


def test_every_statement_has_wordings_and_at_most_so_many(singles):
    assert len(singles) == len(STATEMENTS)
    assert all(1 <= len(group) <= 8 for group in singles)
    for i, group in enumerate(singles):
        assert {c.concepts for c in group} == {(i,)}
        known = set(phrases(STATEMENTS[i], "train"))
        assert sum(c.text in known for c in group) >= 0.4 * len(group)


def test_twins_come_in_pairs_that_state_other_things():
    captions = twin_captions(40, random.Random(0))
    assert len(captions) >= 80
    for this, other in zip(captions[::2], captions[1::2], strict=True):
        assert this.text != other.text
        assert this.concepts != other.concepts
    assert not [c for c in captions if holds_held_out_query(c.text)]


def test_no_caption_holds_a_query_of_the_tests(singles, composites):
    texts = [c.text for group in singles for c in group] + [c.text for c in composites[0]]
    assert not [t for t in texts if holds_held_out_query(t)]
    asked = {text.lower() for _, text in questions()}
    assert not asked & {t.lower() for t in texts}


def test_the_plain_queries_are_held_out():
    plain = {q for queries in FINDINGS.values() for q in queries}
    assert plain <= set(QUERIES_HELD_OUT)


def test_composites_join_wordings_of_what_they_state(singles, composites):
    for caption in composites[0]:
        assert 2 <= len(caption.concepts) <= 4
        assert len(set(caption.concepts)) == len(caption.concepts)
        for concept in caption.concepts:
            assert any(c.text.rstrip(".") in caption.text for c in singles[concept])


def test_composites_are_true_of_some_heart(composites):
    captions, degrees = composites
    assert all((degrees[:, list(c.concepts)] > 0.6).all(axis=1).any() for c in captions)


def test_the_bank_keeps_texts_states_and_members_together(singles, composites, reports):
    bank = make_bank(singles, composites[0][:20], reports, LetterStates())
    for i in (0, 5, len(bank.captions) - 1):
        caption = bank.captions[i]
        letters = "".join(chr(int(c)) for c in bank.states[i][:, 0])
        assert letters == caption.text
        assert tuple(m for m in bank.members[i].tolist() if m >= 0) == caption.concepts
    index = torch.tensor([3, 0, len(bank.captions) - 1])
    states, present = bank.padded(index)
    for row, i in enumerate(index.tolist()):
        assert int(present[row].sum()) == len(bank.captions[i].text)
        assert not states[row][~present[row]].any()


def test_captions_are_read_once_and_again_only_if_they_differ(composites, reports, tmp_path):
    minilm, keep = LetterStates(), tmp_path / "captions.safetensors"
    first = make_bank(NONE, composites[0][:5], reports[:3], minilm, keep=keep)
    again = make_bank(NONE, composites[0][:5], reports[:3], minilm, keep=keep)
    assert minilm.read == 8
    assert all(torch.equal(a, b) for a, b in zip(first.states, again.states, strict=True))
    make_bank(NONE, composites[0][:5], reports[1:4], minilm, keep=keep)
    assert minilm.read == 16


def test_draws_are_of_the_asked_kinds(singles, composites, reports):
    bank = make_bank(singles, composites[0][:20], reports, LetterStates())
    index = bank.draw(50, 10, 0, torch.Generator().manual_seed(0))
    sizes = [len(bank.captions[int(i)].concepts) for i in index]
    assert sizes[:50] == [1] * 50
    assert min(sizes[50:]) >= 2


def test_what_is_asked_most_is_drawn_most():
    singles = [[Caption(f"s{i}", (i,))] for i in range(len(STATEMENTS))]
    bank = make_bank(
        singles, [Caption("both", (0, 1))], [Caption("all", (0, 1, 2))], LetterStates()
    )
    drawn = bank.draw(20_000, 1, 1, torch.Generator().manual_seed(0))
    counts = {
        name: int((bank.members[drawn[:-2], 0] == STATEMENTS.index(name)).sum())
        for name in ("scar", "amyloid", "lvef=35")
    }
    assert counts["scar"] > 2 * counts["amyloid"] > 4 * counts["lvef=35"] > 0
