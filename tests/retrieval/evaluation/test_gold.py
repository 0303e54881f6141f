"""The gold set: what it promises, and what its truths say of hearts."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.evaluation.gold import Ask, answers, gold, holds, read_gold
from retrieval.phantom.sentences_grammar import QUERIES_HELD_OUT, plain_words
from retrieval.phantom.sentences_hearts import Hearts
from retrieval.values.query import Filter
from retrieval.values.study import Scanner, Sex
from tests.doubles import a_study
from tests.retrieval.phantom.heart_examples import INFARCT, NORMAL

ROOT = Path(__file__).parents[3]
KNOWN = (
    ROOT / "retrieval/language/lexicon.toml",
    ROOT / "retrieval/search/understand/terms.toml",
    ROOT / "tests/bench/gold_queries.toml",
)
"""Wordings that search was made from or tuned on."""


def strings(value: object) -> Iterator[str]:
    """Every piece of text of a TOML table, names of keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def wordings() -> list[str]:
    asked = gold()
    groups = (*asked.paraphrases, *asked.opposites)
    return [*(ask.text for ask in asked.asks), *(text for group in groups for text in group)]


def test_it_asks_enough_of_every_kind():
    asked = gold()
    assert len(asked.asks) >= 120
    kinds = {kind: sum(a.kind == kind for a in asked.asks) for kind in asked.kinds}
    assert set(kinds) == {
        "present", "absent", "severity", "negation", "numeric", "people", "combined",
    }  # fmt: skip
    assert min(kinds.values()) >= 10
    assert len(asked.paraphrases) >= 40
    assert {len(set(group)) for group in asked.paraphrases} == {3}
    assert len(asked.opposites) >= 25
    assert {len(set(pair)) for pair in asked.opposites} == {2}
    texts = [plain_words(ask.text) for ask in asked.asks]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("file", KNOWN, ids=lambda path: path.name)
def test_no_wording_is_one_that_search_was_made_from(file: Path):
    theirs = {plain_words(text) for text in strings(tomllib.loads(file.read_text("utf-8")))}
    assert len(theirs) > 30
    assert not [text for text in wordings() if plain_words(text) in theirs]


def test_no_wording_is_one_that_encoders_were_compared_by():
    assert not {*map(plain_words, wordings())} & {*map(plain_words, QUERIES_HELD_OUT)}


def test_bounds_and_statements_hold_of_hearts():
    hearts = Hearts([NORMAL, INFARCT, replace(NORMAL, lvef_pct=35)])
    held = holds(["lvef<35", "lvef>34", "scar_lad", "ef_reduced", "lvesv>167"], hearts)
    assert held["lvef<35"].tolist() == [False, True, False]
    assert held["lvef>34"].tolist() == [True, False, True]
    assert held["scar_lad"].tolist() == [False, True, False]
    assert held["ef_reduced"].tolist() == [False, True, True]
    assert held["lvesv>167"].tolist() == [False, True, False]
    for stranger in ("lv_huge", "lvef=35", "ef<35", "lvef<"):
        with pytest.raises(ValueError, match="no statement about a simulated heart"):
            holds([stranger], hearts)


def test_all_none_any_and_the_people_must_be_met():
    truths = [NORMAL, INFARCT, replace(INFARCT, sex=Sex.FEMALE, age_years=80)]
    studies = [
        a_study("a", scanner=Scanner(field_strength_t=3.0), year=2020),
        a_study("b", scanner=Scanner(field_strength_t=1.5), year=2015),
        a_study("c"),
    ]

    def told(**given) -> list[bool]:
        ask = Ask(text="q", kind="k", **given)
        return answers(ask, Hearts(truths), studies).tolist()

    assert told(true=("ef_reduced",)) == [False, True, True]
    assert told(untrue=("ef_reduced",)) == [True, False, False]
    assert told(true=("ef_reduced", "ef_normal")) == [False, False, False]
    assert told(either=(("ef_reduced", "ef_normal"),)) == [True, True, True]
    assert told(either=(("lvef>90", "scar_lad"), ("no_scar", "no_wma"))) == [False, False, False]
    assert told(people=Filter(sexes=frozenset({Sex.FEMALE}))) == [True, False, True]
    assert told(people=Filter(age_from=50, age_to=79)) == [True, True, False]
    assert told(people=Filter(field_strengths_t=frozenset({3.0}))) == [True, False, False]
    assert told(people=Filter(year_from=2016)) == [True, False, False]
    assert told(people=Filter(year_to=2016)) == [False, True, False]


def test_a_file_that_says_what_nobody_reads_or_nothing_is_refused():
    form = '[kinds]\nk = [{{text = "q", {}}}]\n[paraphrases]\ngroups = []\n[opposites]\npairs = []'
    assert read_gold(form.format('all = ["lvh"]')).asks[0].true == ("lvh",)
    digest = read_gold(form.format('all = ["lvh"]')).digest
    assert read_gold("# a word\n" + form.format('all = ["lvh"]')).digest == digest
    assert read_gold(form.format('none = ["lvh"]')).digest != digest
    with pytest.raises(ValueError, match="'q' says every: nobody reads it"):
        read_gold(form.format('every = ["lvh"]'))
    with pytest.raises(ValueError, match="has no truth"):
        read_gold(form.format("all = []"))
    with pytest.raises(ValueError, match="'lvx' is no statement"):
        read_gold(form.format('none = ["lvx"]'))
