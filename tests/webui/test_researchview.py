"""Machine estimates on screen: places in the archive, no numbers with units."""

import re
from datetime import UTC, datetime
from html import unescape

from retrieval.search.estimates import Places, Standing
from retrieval.values.embedding import EncoderId
from retrieval.values.estimate import Quantity
from retrieval.values.machine_finding import MachineFinding, Method
from webui.researchview import findings_panel, panel


def standing(quantity, percentile, low, high, studies=24):
    return Standing(quantity=quantity, percentile=percentile, low=low, high=high, studies=studies)


def shown(*standings, encoder="phantom@0123456789ab"):
    return panel(Places(encoder_id=EncoderId(encoder), standings=standings))


def plain(html):
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)))


def test_every_quantity_has_a_name_a_percentile_and_an_interval():
    every = [standing(q, 10.4 + n, 5.0 + n, 80.6 + n) for n, q in enumerate(Quantity)]
    text = plain(shown(*every))
    for n, _ in enumerate(Quantity):
        assert f" {10 + n} {5 + n} to {81 + n} " in text
    assert "LV end-diastolic volume 10 5 to 81" in text
    assert "90 % interval" in text
    assert "percentiles of 24 studies" in text
    assert "not a measurement" in text


def test_no_unit_is_ever_shown():
    text = plain(shown(*(standing(q, 50, 40, 60) for q in Quantity)))
    assert not re.search(r"\d\s*(mL|ml|g|mm|%(?! interval))", text)


def test_the_bar_spans_the_interval_and_the_tick_stands_at_the_percentile():
    html = shown(standing(Quantity.LVEF, 62.5, 41.0, 90.0))
    assert '<i style="left:41.0%;width:49.0%"></i><b style="left:62.5%"></b>' in html


def test_quantities_of_different_numbers_of_studies_are_not_passed_off_as_one():
    html = shown(standing(Quantity.LVEF, 50, 0, 100, 7), standing(Quantity.RVEF, 50, 0, 100, 1203))
    assert "percentiles of 7 to 1,203 studies" in html


def test_nothing_estimated_is_said_and_no_markup_gets_in():
    html = shown(encoder="<b>@1")
    assert "estimates nothing of this study" in html
    assert "<b>@1" not in html
    assert "<table" not in html


def found(**given):
    told = {
        "name": "screen",
        "question": "dilated left ventricle",
        "method": Method.PROMPTS,
        "asked": ("dilated left ventricle", "large left ventricle"),
        "score": 0.2851,
        "percentile": 97.9,
        "low": 60.4,
        "high": 99.0,
        "studies": 24,
        "made_at": datetime(2026, 3, 4, tzinfo=UTC),
        "made_by": "cineseek 0",
    }
    return MachineFinding(**{**told, **given})


def test_a_machine_finding_is_marked_as_one_and_shown_as_a_place():
    html = findings_panel([found()])
    text = plain(html)
    assert "Research: machine findings" in text
    assert "Dilated left ventricle (screen) 98 60 to 99" in text
    assert "No report says this and no reader has confirmed it" in text
    assert "By words among 24 studies on 4 Mar 2026" in text
    assert '<i style="left:60.4%;width:38.6%"></i><b style="left:97.9%"></b>' in html
    assert "0.285" not in text


def test_one_example_has_a_tick_and_no_interval_and_names_no_study():
    one = found(
        name="amyloid", question="amyloid", method=Method.LOGISTIC,
        asked=("like 0123456789abcdef01234567",), low=None, high=None,
    )  # fmt: skip
    html = findings_panel([one, found()])
    text = plain(html)
    assert "Amyloid 98 not known" in text
    assert html.count("<i ") == 1
    assert html.count("<b style") == 2
    assert "0123456789ab" not in html
    assert "By logistic regression on examples among 24 studies on 4 Mar 2026; by words" in text


def test_no_markup_gets_in_from_a_question_or_a_name():
    html = findings_panel([found(name="<b>x", question="<i>y")])
    assert "<b>x" not in html
    assert "<i>y" not in html
