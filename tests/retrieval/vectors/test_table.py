"""Which rows a mask means."""

import numpy as np
import pytest

from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.vectors.table import Table
from tests.doubles import ENCODER


def table() -> Table:
    return Table(np.array([9, 2, 7, 4]), Embeddings(ENCODER, unit_rows(np.eye(4))), generation="g1")


def test_a_mask_is_one_of_rows_in_the_order_of_keys():
    held = table()
    assert held.keys.tolist() == [2, 4, 7, 9]
    assert held.rows(np.array([True, False, False, True])).tolist() == [0, 3]
    assert held.rows(np.zeros(4, dtype=bool)).tolist() == []


def test_where_all_compete_there_is_no_mask():
    assert table().rows(None) is None
    assert table().rows(np.ones(4, dtype=bool)) is None


@pytest.mark.parametrize("mask", [np.ones(3, bool), np.ones((4, 1), bool), np.arange(4)])
def test_what_is_no_mask_of_these_rows_is_refused(mask: np.ndarray):
    with pytest.raises(ValueError, match=r"a mask must be \(4,\) bool"):
        table().rows(mask)


def test_nobody_can_change_the_keys():
    with pytest.raises(ValueError, match="read-only"):
        table().keys[0] = 3
