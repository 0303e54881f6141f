"""Machine estimates on screen: places in the archive, no numbers with units."""

import re
from html import unescape

from retrieval.search.estimates import Places, Standing
from retrieval.values.embedding import EncoderId
from retrieval.values.estimate import Quantity
from webui.researchview import panel


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
