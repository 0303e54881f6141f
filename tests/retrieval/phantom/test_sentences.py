"""How true statements are of hearts, and by how much."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.phantom.sentences import (
    CONCEPTS,
    NUMBER_CONCEPTS,
    degree,
    degrees,
    margins,
    phrases,
)
from retrieval.phantom.sentences_truth import DOUBT_LEAST, DOUBT_MOST
from retrieval.phantom.truth import HeartTruth
from retrieval.values.study import Sex
from tests.retrieval.phantom.heart_examples import ALL, EXAMPLES, HEAD, INFARCT, NORMAL, hearts


def test_a_normal_heart_is_normal_and_nothing_else() -> None:
    for name in ("normal_study", "lv_normal_size", "ef_normal", "wall_normal", "no_scar"):
        assert degree(name, NORMAL) > 0.7, name
    for name in HEAD:
        assert degree(name, NORMAL) < 0.1, name


def test_an_infarct_is_found_where_it_is() -> None:
    for name in ("scar", "scar_lad", "scar_transmural", "wma", "wma_anterior", "ef_reduced",
                 "ischaemic_cardiomyopathy", "lv_dilated"):  # fmt: skip
        assert degree(name, INFARCT) > 0.9, name
    for name in ("scar_rca", "scar_midwall", "wma_inferior", "dilated_cardiomyopathy", "no_wma"):
        assert degree(name, INFARCT) < 0.1, name


@pytest.mark.parametrize("name", CONCEPTS)
def test_every_concept_is_true_of_some_heart_and_false_of_another(name: str) -> None:
    made = [*EXAMPLES.values(), NORMAL, INFARCT]
    values = degrees([name], made)[:, 0]
    assert values.max() > 0.7
    assert values.min() < 0.3


@settings(deadline=None, max_examples=25)
@given(st.lists(hearts(), min_size=1, max_size=5))
def test_many_at_once_are_what_each_is_alone(truths: list[HeartTruth]) -> None:
    names = (*CONCEPTS, *NUMBER_CONCEPTS[::9])
    table = degrees(names, truths)
    assert table.shape == (len(truths), len(names))
    assert np.all((table >= 0) & (table <= 1))
    last = [degree(name, truths[-1]) for name in names]
    np.testing.assert_allclose(table[-1], last)


@settings(deadline=None, max_examples=60)
@given(hearts(), st.floats(1, 60))
def test_a_larger_ventricle_is_never_less_dilated(truth: HeartTruth, more: float) -> None:
    larger = replace(truth, lvedv_ml=truth.lvedv_ml + more)
    assert degree("lv_dilated", larger) >= degree("lv_dilated", truth)
    assert degree("lv_not_dilated", larger) <= degree("lv_not_dilated", truth)
    assert degree("rv_dilated", larger) == degree("rv_dilated", truth)


def test_limits_depend_on_sex_and_body_size() -> None:
    woman = replace(NORMAL, lvedv_ml=101 * NORMAL.bsa_m2)
    assert degree("lv_dilated", woman) > 0.7
    assert degree("lv_dilated", replace(woman, sex=Sex.MALE)) < 0.3
    assert degree("lv_dilated", replace(woman, bsa_m2=2.1)) < 0.1


def test_a_number_is_true_near_its_value() -> None:
    assert degree("lvef=60", NORMAL) > 0.75 > 0.1 > degree("lvef=35", NORMAL)
    assert degree("lvedv_index=70", NORMAL) > 0.8


def test_an_unknown_concept_is_refused() -> None:
    for name in ("lv_purple", "colour=3"):
        with pytest.raises(KeyError):
            degree(name, NORMAL)
        with pytest.raises(KeyError):
            phrases(name, "train")


def test_a_statement_left_open_follows_what_is_so_only_weakly() -> None:
    large = EXAMPLES["large"]
    assert degree("lv_dilated?", large) == pytest.approx(DOUBT_MOST, abs=0.01)
    assert degree("lv_dilated?", NORMAL) == pytest.approx(DOUBT_LEAST, abs=0.01)


def test_bounds_divide_hearts() -> None:
    assert degree("lvef<40", INFARCT) > 0.95 > 0.05 > degree("lvef<40", NORMAL)
    assert degree("lvef>50", NORMAL) > 0.95 > 0.05 > degree("lvef>50", INFARCT)
    assert degree("wall>15", replace(NORMAL, wall_max_mm=15)) == pytest.approx(0.5)


@settings(deadline=None, max_examples=25)
@given(st.lists(hearts(), min_size=1, max_size=4))
def test_margins_are_positive_where_statements_are_true(truths: list[HeartTruth]) -> None:
    far, true = margins(ALL, truths), degrees(ALL, truths)
    decided = ~np.isnan(far)
    assert (decided.all(axis=0) | (~decided).all(axis=0)).all()
    assert (far[decided & (true > 0.5)] > 0).all()
    assert (true[decided & (far < 0)] < 0.5).all()


def test_which_statements_have_a_margin() -> None:
    far = dict(zip(ALL, margins(ALL, [NORMAL])[0], strict=True))
    for name in ("lv_dilated", "lv_not_dilated", "ef_low_normal", "wma", "no_scar", "lvef<40"):
        assert not np.isnan(far[name]), name
    for name in ("dilated_cardiomyopathy", "lvef=60", "lv_dilated?", "scar_lad"):
        assert np.isnan(far[name]), name


def test_margins_count_in_widths_of_the_limit_and_in_segments() -> None:
    man = replace(NORMAL, sex=Sex.MALE, bsa_m2=2.0, lvedv_ml=2 * (105 + 6))
    table = margins(("lv_dilated", "lv_not_dilated", "scar", "scar"), [man, INFARCT])
    np.testing.assert_allclose(table[0], [2, -2, -0.5, -0.5])
    assert table[1, 2] == 1.5


@settings(deadline=None, max_examples=40)
@given(hearts(), st.floats(0.1, 30))
def test_margins_rank_what_degrees_no_longer_tell_apart(truth: HeartTruth, more: float) -> None:
    larger = replace(truth, lvedv_ml=truth.lvedv_ml + more)
    far = margins(("lv_dilated",), [truth, larger])[:, 0]
    assert far[1] > far[0]
