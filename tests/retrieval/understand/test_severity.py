"""Severities in numbers, from the one table of reference ranges."""

import pytest

from retrieval.language.reference_ranges import reference_ranges
from retrieval.search.understand.chips import SeverityRange
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.query import understand
from retrieval.values.study import Sex


def told(text: str, sex: Sex | None) -> str:
    (chip,) = understand(text).chips
    return "none" if chip.range is None else f"{chip.range.quantity} {chip.range.of(sex)}"


@pytest.mark.parametrize(
    ("text", "female", "male", "unknown"),
    [
        ("dilated LV", "(96,)", "(105,)", "(105,)"),
        ("mildly dilated LV", "(96,112]", "(105,122]", "(105,112]"),
        ("moderately dilated LV", "(112,128]", "(122,140]", "(122,128]"),
        ("severely dilated LV", "(128,)", "(140,)", "(140,)"),
        ("mild to severe LV dilation", "(96,)", "(105,)", "(105,)"),
        ("mild to moderate LV dilation", "(96,128]", "(105,140]", "(105,128]"),
    ],
)
def test_sizes(text: str, female: str, male: str, unknown: str):
    found = [told(text, sex) for sex in (Sex.FEMALE, Sex.MALE, None)]
    assert found == [f"lvedv_index {one}" for one in (female, male, unknown)]
    assert told(text, Sex.OTHER) == told(text, None)


@pytest.mark.parametrize(
    ("text", "ejection"),
    [
        ("reduced EF", "(,50)"),
        ("mildly reduced EF", "[40,50)"),
        ("moderate LV dysfunction", "[32,40)"),
        ("severely impaired LV", "(,32)"),
        ("moderately to severely reduced EF", "(,40)"),
        ("mild to moderate LV dysfunction", "[32,50)"),
        ("low-normal EF", "[50,55)"),
    ],
)
def test_function(text: str, ejection: str):
    assert told(text, None) == f"lvef {ejection}"


def test_where_the_table_has_no_limit_none_is_claimed():
    assert told("extensive scar", Sex.MALE) == "none"
    assert told("mildly dilated left atrium", Sex.MALE) == "none"
    assert told("dilated left atrium", Sex.MALE) == "la_volume_index (53,)"
    assert told("mild to extensive pericardial effusion", None) == "none"


def test_a_severity_that_the_sexes_do_not_share_is_claimed_for_none_unknown():
    apart = SeverityRange(
        quantity="lvedv_index", unit="mL/m2", female=Interval(0, 1), male=Interval(2, 3)
    )
    assert apart.of(None) is None
    assert apart.of(Sex.MALE) == Interval(2, 3)


def test_a_range_has_the_unit_of_the_table():
    (chip,) = understand("mildly dilated LV").chips
    assert chip.range.unit == reference_ranges().limits["lv_dilated"].unit


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("(1,5)", "[2,9]", "[2,5)"),
        ("[1,5]", "[5,9]", "[5,5]"),
        ("[1,5)", "[5,9]", None),
        ("(,5)", "(,5]", "(,5)"),
        ("(5,)", "[5,)", "(5,)"),
        ("(,)", "[1,2]", "[1,2]"),
    ],
)
def test_what_two_ranges_share(one: str, other: str, both: str | None):
    shared = Interval.parse(one).within(Interval.parse(other))
    assert (str(shared) if shared else None) == both
    again = Interval.parse(other).within(Interval.parse(one))
    assert again == shared


def test_ends_lie_in_or_out():
    half = Interval.parse("[40,50)")
    assert [x in half for x in (39.9, 40, 45, 50)] == [False, True, True, False]
    assert 50.1 in Interval.compared(">", 50)
    assert 50 not in Interval.compared(">", 50)
    assert 50 in Interval.compared("<=", 50)


def test_an_infinite_end_is_refused():
    with pytest.raises(ValueError, match="no finite number"):
        Interval(float("inf"), None)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("women over 60", (61, None)),
        ("women at least 60 years old", (60, None)),
        ("men under 40", (None, 39)),
        ("men aged 40 to 49", (40, 49)),
        ("men under 40.5 years", (None, 40)),
    ],
)
def test_ages_in_whole_years(text: str, years: tuple[int | None, int | None]):
    assert understand(text).chips[1].years == years


def test_dates_in_the_years_that_the_catalog_has():
    (chip,) = understand("before March 2021").chips
    assert chip.years == (None, 2021)
    (chip,) = understand("since 2019").chips
    assert chip.years == (2019, None)
