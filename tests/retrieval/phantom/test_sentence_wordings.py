"""In which words statements are made, and in which they never are."""

import re
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import evaluation
from retrieval.language.reference_ranges import reference_ranges
from retrieval.phantom.sentences import (
    CONCEPTS,
    DOUBT_CONCEPTS,
    QUERIES_HELD_OUT,
    degree,
    degrees,
    families,
    holds_held_out_query,
    margins,
    phrases,
    sample_phrases,
    slip,
    twins,
)
from retrieval.phantom.sentences_grammar import plain_words
from retrieval.phantom.sentences_twins import DENIALS, EXTREMES, OPPOSED, PLACES, SIDES
from retrieval.phantom.sentences_twins import _pairs as twin_pairs
from retrieval.phantom.sentences_twins import _table as twin_table
from retrieval.phantom.truth import HeartTruth
from tests.retrieval.phantom.heart_examples import (
    ALL,
    EXAMPLES,
    INFARCT,
    NORMAL,
    hearts,
)

PROMPTS = Path(evaluation.__file__).with_name("prompts_acdc.toml")


def test_training_wordings_hold_none_of_the_queries_of_tests() -> None:
    for name in ALL:
        for phrase in phrases(name, "train"):
            assert not holds_held_out_query(phrase), phrase
    assert all(holds_held_out_query(f"There is a {q.upper()}, today.") for q in QUERIES_HELD_OUT)
    assert not holds_held_out_query("left ventricle appears dilated")


def test_what_real_patients_are_asked_is_held_out() -> None:
    table = tomllib.loads(PROMPTS.read_text("utf-8"))
    asked = [s for group in table["groups"].values() for s in group["sentences"]]
    assert len(asked) == len(set(asked)) == 3 * 5
    assert {*asked, *(size["query"] for size in table["sizes"])} <= set(QUERIES_HELD_OUT)


def test_no_wording_belongs_to_two_statements_or_to_both_splits() -> None:
    owner: dict[str, tuple[str, str]] = {}
    for name in ALL:
        for split in ("train", "held out"):
            for phrase in phrases(name, split):
                assert owner.setdefault(phrase.lower(), (name, split)) == (name, split), phrase


@pytest.mark.parametrize("name", [*CONCEPTS, *DOUBT_CONCEPTS, "lvef=40", "lvef<40", "wall>15"])
def test_a_fifth_of_the_families_of_every_statement_is_held_out(name: str) -> None:
    train, held = (len(families(name, split)) for split in ("train", "held out"))
    assert train >= 4
    assert 0.2 <= held / (train + held) <= 0.34


def test_a_wording_belongs_to_one_side() -> None:
    for left, right in (("lv_dilated", "rv_dilated"), ("ef_reduced", "rvef_reduced")):
        for split in ("train", "held out"):
            assert not set(phrases(left, split)) & set(phrases(right, split))
    swapped = {p.replace("left", "right").replace("LV", "RV").replace("Left", "Right")
               for p in phrases("lv_severely_dilated", "train")}  # fmt: skip
    assert len(swapped & set(phrases("rv_severely_dilated", "train"))) > 0.9 * len(swapped)


def test_a_sample_takes_from_every_family_alike() -> None:
    groups = families("rv_dilated", "train")
    chosen = sample_phrases("rv_dilated", "train", 2 * len(groups), Random(1))
    assert len(set(chosen)) == len(chosen) == 2 * len(groups)
    for group in groups:
        assert min(len(group), 1) <= sum(p in group for p in chosen)
    assert set(sample_phrases("lvh", "held out", 10**6, Random(1))) == set(
        phrases("lvh", "held out")
    )
    assert chosen == sample_phrases("rv_dilated", "train", 2 * len(groups), Random(1))


@pytest.mark.parametrize("split", ["train", "held out"])
@pytest.mark.parametrize("kind", ["side", "place", "degree", "denial", "contrast"])
def test_twins_share_their_words_and_not_their_meaning(kind: str, split: str) -> None:
    drawn = twins(kind, split, Random(5), 80)
    assert len({(t.this, t.other) for t in drawn}) > 20
    for this, other in drawn:
        words, others = (
            Counter(plain_words(this.text).split()),
            Counter(plain_words(other.text).split()),
        )
        changed = sum((words - others).values()), sum((others - words).values())
        assert max(changed) <= (8 if kind in ("contrast", "place") else 4), (this, other)
        assert this.statements != other.statements
        for sentence in (this, other):
            if len(sentence.statements) == 1:
                assert sentence.text in phrases(sentence.statements[0], split)
            assert split == "held out" or not holds_held_out_query(sentence.text)


@pytest.mark.parametrize("kind", ["side", "place", "degree", "denial"])
def test_every_pair_of_the_tables_has_twins(kind: str) -> None:
    for pair in twin_table(kind):
        assert twin_pairs(kind, "train", pair), pair


def test_twins_are_never_both_true() -> None:
    made = [*EXAMPLES.values(), NORMAL, INFARCT]
    pairs = [*EXTREMES.items(), *DENIALS.items()]
    table = {name: degrees((name,), made)[:, 0] for pair in pairs for name in pair}
    for this, other in pairs:
        assert (np.minimum(table[this], table[other]) <= 0.5).all(), (this, other)


@settings(deadline=None, max_examples=40)
@given(hearts())
def test_a_heart_mirrored_makes_the_other_twin_true(truth: HeartTruth) -> None:
    """Sizes of the chambers exchanged, in units of their own limits."""
    far = margins(("lv_dilated", "rv_dilated"), [truth])[0]
    limit = reference_ranges().limits
    sizes = {"lv_dilated": "lvedv_ml", "rv_dilated": "rvedv_ml"}
    swapped = {
        sizes[name]: truth.bsa_m2 * (limit[name].value(truth.sex) + limit[name].width * x)
        for name, x in zip(sizes, far[::-1], strict=True)
    }
    mirrored = replace(truth, **swapped)
    assert degree("lv_dilated", mirrored) == pytest.approx(degree("rv_dilated", truth))
    assert degree("rv_dilated", mirrored) == pytest.approx(degree("lv_dilated", truth))


def test_tables_of_twins_name_concepts() -> None:
    named = {n for table in (SIDES, EXTREMES, DENIALS) for pair in table.items() for n in pair}
    named |= {n for pair in (*PLACES, *OPPOSED) for n in pair}
    assert named <= set(CONCEPTS)
    assert all(right in SIDES.values() and left in SIDES for left, right in OPPOSED)


TELLING = re.compile(
    r"\b(?:no|not|none|without|nothing|negative|free|lack\w*|yes|left|right|[lr][va]\w*|normal|abnormal|"
    r"\w*septal|\w*lateral|\w*anterior|\w*inferior|lad|rca|lcx|\d+)\b"
)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(ALL), st.integers(0, 2**32))
def test_slips_keep_the_words_that_tell(name: str, seed: int) -> None:
    rng = Random(seed)
    text = rng.choice(phrases(name, "train"))
    typed = slip(text, rng)
    assert TELLING.findall(typed.lower()) == TELLING.findall(text.lower())
    assert not holds_held_out_query(typed)
    assert abs(len(typed) - len(text)) <= 16


def test_most_texts_can_slip() -> None:
    texts = [phrases(name, "train")[0] for name in CONCEPTS]
    assert sum(slip(t, Random(i)) != t for i, t in enumerate(texts)) > 0.5 * len(texts)
