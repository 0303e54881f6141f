"""One chip, in other words."""

import pytest

from retrieval.errors import UsageError
from retrieval.search.understand.edits import reworded

LINES = ("finding:lv_dilation;at=lv", "-finding:scar", "~sex:F")


@pytest.mark.parametrize(
    ("at", "text", "chips"),
    [
        (0, "severe RV dilation", ("finding:rv_dilation;at=rv;severity=severe", *LINES[1:])),
        (0, "LVEF < 35 %", ("measurement:lvef:(,35)", *LINES[1:])),
        (
            0,
            "scar, pericardial effusion",
            ("finding:scar", "finding:pericardial_effusion", *LINES[1:]),
        ),
        (1, "septal scar", (LINES[0], "-finding:scar;at=septum", LINES[2])),
        (1, "no pericardial effusion", (LINES[0], "-finding:pericardial_effusion", LINES[2])),
        (2, "men", (*LINES[:2], "~sex:M")),
        (1, "dilated LV", (LINES[0], "-finding:lv_dilation;at=lv", LINES[2])),
        (2, "no scar", (*LINES[:2], "~-finding:scar")),
    ],
)
def test_what_the_words_mean_takes_the_place_of_the_chip(at, text, chips):
    assert reworded(LINES, at, text) == chips


def test_words_that_mean_nothing_known_change_nothing():
    with pytest.raises(UsageError, match="purple elephant"):
        reworded(LINES, 0, "purple elephant")
    with pytest.raises(UsageError, match="no chip 4; there are 3"):
        reworded(LINES, 3, "scar")
