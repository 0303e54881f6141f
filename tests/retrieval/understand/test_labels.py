"""Chips in words, as a reader would say them."""

import pytest

from retrieval.search.understand.labels import chip_label
from retrieval.search.understand.lines import read_chip
from retrieval.search.understand.query import understand


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("finding:lv_dilation;at=lv;severity=severe", "severe LV dilation"),
        ("-finding:scar", "no scar"),
        ("finding:scar;at=septum;pattern=mid_wall", "mid-wall scar in septum"),
        ("finding:lv_hypertrophy;at=lv;severity=mild+moderate", "mild to moderate LV hypertrophy"),
        ("finding:amyloid;certainty=possible", "possible cardiac amyloidosis"),
        ("measurement:lvef:(,35)", "LVEF < 35 %"),
        ("measurement:wall:[15,)", "wall thickness ≥ 15 mm"),
        ("measurement:lvef:[40,50]", "LVEF 40 to 50 %"),
        ("sex:F", "women"),
        ("-sex:M", "not men"),
        ("age:(60,)", "age > 60"),
        ("field:[3,3]", "3 T"),
        ("vendor:Philips", "Philips"),
        ("date:2019-01-01..", "since 2019"),
        ("date:..2015-12-31", "until 2015"),
        ("date:2018-01-01..2018-12-31", "in 2018"),
        ("date:2015-01-01..2020-12-31", "2015 to 2020"),
        ("view:2CH+4CH", "2CH or 4CH"),
        ("technique:LGE", "LGE"),
        ("like:this", "like this study"),
        ("like:0123456789abcdef01234567", "like 0123456789"),
    ],
)
def test_a_chip_in_words(line: str, label: str) -> None:
    assert chip_label(read_chip(line)) == label


def test_a_number_that_no_heart_has_says_so() -> None:
    (chip,) = understand("EF under 350 %").chips
    assert chip_label(chip) == "LVEF < 350 % (impossible, so without effect)"
