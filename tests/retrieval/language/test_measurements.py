"""Measurements, on sentences as radiologists of different hospitals write them.

`measurements.txt` holds one a line: text | measurements, "\\n" standing for a
line's end. A measurement stands as quantity:value, or as quantity:interval with
[ and ] for an end that is held. All values are in the quantity's one unit.
"""

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.language.measurements import find_measurements
from retrieval.language.quantities import vocabulary
from retrieval.language.sections import split_sections
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Kind
from retrieval.values.measurement import LARGEST, Measurement

TABLE = [
    tuple(part.strip() for part in line.rpartition(" |")[::2])
    for line in Path(__file__).with_name("measurements.txt").read_text("utf-8").splitlines()
]
LINES = [
    text for text, _ in TABLE if not ("\\n" in text or any(s.heading for s in split_sections(text)))
]


def written(one):
    if one.low == one.high:
        return f"{one.quantity}:{one.low:g}"
    low, high = ("" if end is None else f"{end:g}" for end in (one.low, one.high))
    ends = "[" if one.holds_low else "(", "]" if one.holds_high else ")"
    return f"{one.quantity}:{ends[0]}{low},{high}{ends[1]}"


def found_in(text):
    return [written(one) for one in find_measurements(text)]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_a_text_is_read(text, expected):
    assert found_in(text.replace("\\n", "\n")) == expected.split()


def test_precision_and_recall():
    right = found = wanted = 0
    for text, expected in TABLE:
        ours, theirs = Counter(found_in(text.replace("\\n", "\n"))), Counter(expected.split())
        right += (ours & theirs).total()
        found += ours.total()
        wanted += theirs.total()
    precision, recall = right / found, right / wanted
    print(f"{len(TABLE)} texts, {wanted} measurements: {precision=:.3f} {recall=:.3f}")
    assert len(TABLE) >= 120
    assert len({text for text, _ in TABLE}) == len(TABLE)
    assert precision >= 0.97
    assert recall >= 0.97


def test_a_measurement_knows_its_sentence():
    text = "Findings:\nÄltere Dame. LVEF 35 %, septum\n  17 mm. No scar."
    assert {text[m.start : m.end] for m in find_measurements(text)} == {
        "LVEF 35 %, septum\n  17 mm."
    }


# ---- one vocabulary -------------------------------------------------------------------------


def test_quantities_are_those_that_a_search_knows():
    terms = shipped_terms()
    measured = {term.id: term for term in terms.of_kind(Kind.MEASUREMENT)}
    ours = vocabulary().quantities
    assert set(ours) == set(measured)
    for name, quantity in ours.items():
        assert quantity.unit == terms[measured[name].unit].name, name
        assert quantity.plausible == measured[name].plausible, name
    indexed = {term.indexed for term in measured.values()} - {""}
    assert indexed <= {name for name, quantity in ours.items() if quantity.indexed}
    assert set(ours) >= LARGEST


def test_units_are_those_that_a_search_knows():
    terms, units = shipped_terms(), vocabulary().units
    bases = {quantity.unit for quantity in vocabulary().quantities.values()}
    for unit in terms.of_kind(Kind.UNIT):
        base = terms[unit.base] if unit.base else unit
        if base.name in bases:
            known = [units[p.lower()] for p in unit.phrases if p.lower() in units]
            assert {(u.base, u.factor) for u in known} <= {(base.name, unit.factor)}, unit.id
            assert known or unit.id in ("ml_per_m2", "g_per_m2"), unit.id


# ---- properties -----------------------------------------------------------------------------

WORDS = sorted({word for text, _ in TABLE for word in text.replace("\\n", " ").split(" ")})
SOUP = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)


@settings(deadline=None, max_examples=200)
@given(text=st.text(max_size=80) | SOUP | st.text("LVEF RDImlg/2%0159.,()[]-<>≤≥±²³\n:;|x"))
def test_no_text_breaks_it_and_all_it_finds_is_plausible(text):
    for one in find_measurements(text):
        quantity = vocabulary().quantities[one.quantity]
        low, high = quantity.plausible
        assert one.unit == quantity.unit
        assert all(low <= end <= high for end in (one.low, one.high) if end is not None)
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end].strip()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32), count=st.integers(2, 6))
def test_paragraphs_are_read_each_by_itself(seed, count):
    chosen = random.Random(seed).sample(LINES, count)
    assert found_in("\n\n".join(chosen)) == [m for line in chosen for m in found_in(line)]


SPELLINGS = {
    "lvef": ("LVEF", {"%": 1, " percent": 1, "": 1}),
    "lvedv": ("LVEDV", {" ml": 1, "mL": 1, " cc": 1, " l": 1000}),
    "lvedv_index": ("LVEDVi", {" ml/m2": 1, " mL/m²": 1, " ml/m^2": 1, "": 1}),
    "lv_mass": ("LV mass", {" g": 1, " grams": 1}),
    "wall": ("wall thickness", {" mm": 1, " cm": 10}),
    "native_t1": ("native T1", {" ms": 1, " msec": 1, " s": 1000}),
    "heart_rate": ("heart rate", {" bpm": 1, "/min": 1}),
}


@st.composite
def values(draw):
    """A quantity, a plausible value of it, and how to write both."""
    name = draw(st.sampled_from(sorted(SPELLINGS)))
    low, high = vocabulary().quantities[name].plausible
    tenths = draw(st.integers(int(low * 10), int(high * 10)))
    said, units = SPELLINGS[name]
    unit = draw(st.sampled_from(sorted(units)))
    number = f"{tenths / 10 / units[unit]:.12g}"
    comma = draw(st.booleans()) and len(number.partition(".")[2]) != len("050")
    return name, tenths / 10, said, number.replace(".", ",") if comma else number, unit


@settings(deadline=None, max_examples=200)
@given(
    value=values(), joint=st.sampled_from([" ", ": ", " = ", " of ", " is ", " was measured at "])
)
def test_a_value_is_the_same_in_every_unit(value, joint):
    name, expected, said, number, unit = value
    (one,) = find_measurements(f"{said}{joint}{number}{unit}.")
    assert (one.quantity, one.low, one.high) == (name, expected, expected)


@settings(deadline=None, max_examples=100)
@given(value=values(), other=values())
def test_ends_of_a_range_may_stand_in_either_order(value, other):
    name, _, said, number, unit = value
    if other[0] != name or other[4] != unit:
        other = value
    both = sorted([value[1], other[1]])
    for first, second in ((number, other[3]), (other[3], number)):
        (one,) = find_measurements(f"{said} {first} - {second}{unit}.")
        assert [one.low, one.high] == both


# ---- comparisons ----------------------------------------------------------------------------

ENDS = st.none() | st.integers(0, 4).map(float)


@st.composite
def intervals(draw):
    """(low, high, holds_low, holds_high), not empty, the ends whole numbers from 0 to 4."""
    low, high = draw(ENDS), draw(ENDS)
    if low is not None and high is not None and low >= high:
        low = high
        return low, high, True, True
    return (
        low,
        high,
        low is not None and draw(st.booleans()),
        high is not None and draw(st.booleans()),
    )


def holds(interval, x):
    low, high, holds_low, holds_high = interval
    above = low is None or x > low or (holds_low and x == low)
    return above and (high is None or x < high or (holds_high and x == high))


@given(stated=intervals().filter(lambda i: i[:2] != (None, None)), asked=intervals())
def test_a_comparison_is_decided_only_if_every_value_agrees(stated, asked):
    low, high, holds_low, holds_high = stated
    one = Measurement(
        quantity="lvef",
        low=low,
        high=high,
        holds_low=holds_low,
        holds_high=holds_high,
        unit="%",
        start=0,
        end=1,
    )
    possible = [n / 2 for n in range(-2, 12) if holds(stated, n / 2)]
    answers = {holds(asked, x) for x in possible}
    expected = answers.pop() if len(answers) == 1 else None
    assert one.within(*asked[:2], holds_low=asked[2], holds_high=asked[3]) is expected


@pytest.mark.parametrize(
    ("low", "high", "held", "said"),
    [
        (None, None, (False, False), "at least one"),
        (float("nan"), 3.0, (True, True), "finite"),
        (3.0, float("inf"), (True, True), "finite"),
        (4.0, 3.0, (True, True), "wrong|below"),
        (3.0, 3.0, (True, False), "nothing is"),
        (None, 3.0, (True, True), "does not have"),
    ],
)
def test_what_is_no_measurement_is_refused(low, high, held, said):
    with pytest.raises(ValueError, match=said):
        Measurement(
            quantity="lvef",
            low=low,
            high=high,
            holds_low=held[0],
            holds_high=held[1],
            unit="%",
            start=0,
            end=1,
        )
