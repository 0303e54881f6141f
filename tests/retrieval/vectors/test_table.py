"""Which rows a mask means."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from retrieval.values.embedding import Embeddings, unit_rows
from retrieval.vectors.table import Table
from tests.doubles import ENCODER


@given(
    held=st.sets(st.integers(0, 40), min_size=1),
    asked=st.lists(st.integers(-3, 45), max_size=60),
    ordered=st.booleans(),
)
def test_rows_and_known_keys_are_those_of_the_sets(held: set[int], asked: list[int], ordered: bool):
    rows = unit_rows(np.random.default_rng(0).normal(size=(len(held), 3)))
    keys = np.array(sorted(held), dtype=np.int64)
    table = Table(keys, Embeddings(ENCODER, rows), generation="g1")
    wanted = np.array(sorted(asked) if ordered else asked, dtype=np.int64)
    common = sorted(held & set(asked))
    assert table.known(wanted).tolist() == common
    found = table.rows(wanted)
    assert found is None if len(common) == len(held) else keys[found].tolist() == common


def test_the_keys_of_a_table_mean_all_of_it():
    rows = unit_rows(np.eye(4))
    table = Table(np.array([9, 2, 7, 4]), Embeddings(ENCODER, rows), generation="g1")
    assert table.rows(table.keys.copy()) is None
    assert table.rows(None) is None
    assert table.rows(np.array([9, 9, 2, 7, 4])) is None
    assert table.rows(np.array([9, 9, 2])).tolist() == [0, 3]
