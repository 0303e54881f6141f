import pytest

from retrieval.language.lexicon import parse_lexicon
from retrieval.language.reference_ranges import reference_ranges
from retrieval.values.study import Sex


def test_every_limit_names_its_source_and_a_width() -> None:
    table = reference_ranges()
    assert table.version
    assert all(limit.source and limit.width > 0 for limit in table.limits.values())


def test_healthy_values_name_source_and_convention_and_lie_within_the_limits() -> None:
    table = reference_ranges()
    indexed = {"lvedv_index", "rvedv_index", "la_volume_index", "ra_volume_index"}
    assert indexed < set(table.healthy)
    for name, healthy in table.healthy.items():
        assert healthy.source
        assert all(spread > 0 for spread in healthy.spread)
        assert healthy.papillary == ("" if name[:2] in {"la", "ra", "ao", "na"} else "cavity")
    for name in indexed | {"lvef", "rvef", "aortic_root"}:
        for mean, sex in zip(table.healthy[name].mean, (Sex.FEMALE, Sex.MALE), strict=True):
            limits = [x for x in table.limits.values() if x.quantity == name]
            assert limits
            assert not any(x.beyond(mean, sex) for x in limits)


def test_severe_lies_beyond_mild() -> None:
    limits = reference_ranges().limits
    for mild, severe in (
        ("lv_dilated", "lv_severely_dilated"),
        ("rv_dilated", "rv_severely_dilated"),
        ("lv_hypertrophy", "severe_hypertrophy"),
        ("lv_dysfunction", "lv_severe_dysfunction"),
        ("rv_dysfunction", "rv_severe_dysfunction"),
    ):
        for sex in (Sex.FEMALE, Sex.MALE):
            assert limits[mild].beyond(limits[severe].value(sex), sex)


def test_a_limit_depends_on_sex_and_on_its_direction() -> None:
    size = reference_ranges().limits["lv_dilated"]
    assert size.beyond(100, Sex.FEMALE)
    assert not size.beyond(100, Sex.MALE)
    assert size.value(None) == (size.female + size.male) / 2
    assert not size.beyond(104, None)
    assert size.beyond(106, None)
    function = reference_ranges().limits["lv_dysfunction"]
    assert function.beyond(49, None)
    assert not function.beyond(50, None)


def test_a_phrase_stands_for_one_thing() -> None:
    groups = ("anatomy", "abnormal", "measured", "value", "negation", "uncertainty", "boundary")
    table = {group: {} for group in (*groups, "ignored", "statement")}
    table |= {"compound": {"lv": ["anatomy LV"]}, "findings": {}, "default": {}}
    assert parse_lexicon(table).marks("LV-lv")[1].what == "LV"
    table["anatomy"] = {"RV": ["LV"]}
    with pytest.raises(ValueError, match="twice"):
        parse_lexicon(table)
