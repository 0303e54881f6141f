"""What the video channel is asked."""

import pytest

from retrieval.search.understand.lines import read_chip
from retrieval.search.understand.prompts import encoder_text, prompts
from retrieval.search.understand.query import flipped, understand, without


def test_a_positive_finding_has_several_phrasings():
    asked = prompts(read_chip("finding:lv_dilation;at=lv;severity=severe"))
    assert asked[0] == "dilated left ventricle"
    assert len(asked) == len(set(asked)) >= 3
    assert not any("sever" in one for one in asked)


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


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("dilated left ventricle without scar", "dilated left ventricle"),
        ("no late gadolinium enhancement", ""),
        ("bicuspid valve and dilated LV", "dilated left ventricle, bicuspid valve"),
        ("an odd heart", "an odd heart"),
        ("LVEF < 35 %, women over 60", ""),
        ("big LV and LV enlargement", "dilated left ventricle"),
    ],
)
def test_the_one_text_for_the_encoder(text: str, asked: str):
    assert encoder_text(understand(text)) == asked


def test_edits_change_what_is_asked():
    query = understand("scar and oedema")
    assert encoder_text(without(query, 0)) == "myocardial oedema"
    assert encoder_text(flipped(query, 1)) == prompts(query.chips[0])[0]
