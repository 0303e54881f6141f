"""What the video channel is asked."""

import pytest

from retrieval.search.understand.lines import read_chip
from retrieval.search.understand.prompts import prompts


def test_a_positive_finding_has_several_phrasings():
    asked = prompts(read_chip("finding:lv_dilation;at=lv"))
    assert asked[0] == "dilated left ventricle"
    assert len(asked) == len(set(asked)) >= 3


def test_every_phrasing_says_how_severe_it_is():
    severe = prompts(read_chip("finding:lv_dilation;at=lv;severity=severe"))
    assert severe[0] == "severe dilated left ventricle"
    assert all(one.startswith("severe ") for one in severe)
    several = prompts(read_chip("finding:lv_dilation;at=lv;severity=mild+moderate"))
    assert all(one.startswith("mild to moderate ") for one in several)
    normal = prompts(read_chip("finding:lv_dysfunction;at=lv;severity=low_normal"))
    assert not any("low" in one for one in normal)


def test_narrower_terms_are_asked_and_suggestions_are_not():
    asked = prompts(read_chip("finding:hcm"))
    assert "hypertrophic obstructive cardiomyopathy" in asked
    assert "asymmetric septal hypertrophy" not in asked


def test_abbreviations_are_no_phrasing():
    asked = prompts(read_chip("finding:sarcoid"))
    assert asked == ("cardiac sarcoidosis", "sarcoid", "sarcoidosis", "cardiac sarcoid")
    assert "icm" not in prompts(read_chip("finding:arvc"))


def test_place_and_pattern_are_told_once():
    chip = read_chip("finding:scar;at=basal+septum;pattern=mid_wall")
    assert prompts(chip)[1] == "mid-wall scarred myocardium in the basal septum"
    assert prompts(read_chip("finding:scar;at=segment_8"))[1].endswith("in the segment 8")
    assert prompts(read_chip("finding:septal_hypertrophy;at=septum"))[0] == (
        "asymmetric septal hypertrophy"
    )


@pytest.mark.parametrize(
    "line", ["-finding:scar", "~finding:scar", "measurement:lvef:(,35)", "sex:F", "view:SAX"]
)
def test_what_the_encoder_cannot_answer_is_not_asked(line: str):
    assert prompts(read_chip(line)) == ()
