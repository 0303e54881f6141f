"""One stack, however many series it came in."""

from dataclasses import replace

from retrieval.geometry.stacks import tallest_stack
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.study import SeriesId, StudyId, Technique, View


def slices(count, *, series=None, **changes):
    made = [
        ClipRecord(
            id=ClipId(f"{series}{i}"),
            study=StudyId("s"),
            series=SeriesId(series or f"one{i:02d}"),
            view=View.SHORT_AXIS,
            technique=Technique.CINE,
            slice_index=i,
            slice_count=count,
            phases=20,
            rows=9,
            columns=9,
            spacing_mm=(1.0, 1.0),
        )
        for i in range(count)
    ]
    return [replace(r, **changes) for r in made]


def test_one_series_a_slice_is_one_stack_in_order():
    stack = slices(9)
    assert tallest_stack(stack[::-1]) == stack


def test_other_variants_orientations_and_counts_stay_apart():
    stack = slices(6, series="a")
    before = slices(5, series="b", variant="before contrast")
    turned = slices(4, series="c", row_direction=(0.0, 1.0, 0.0), column_direction=(0.0, 0.0, 1.0))
    fewer = slices(3, series="d")
    assert tallest_stack([*before, *turned, *fewer, *stack]) == stack


def test_a_slice_acquired_again_is_there_once():
    stack, again = slices(6, series="a"), slices(6, series="b")
    assert tallest_stack([*again, *stack]) == stack
    assert tallest_stack([*again, *stack[:2]]) == again


def test_nothing_is_no_stack():
    assert tallest_stack([]) == []
