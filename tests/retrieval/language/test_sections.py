import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.language.findings import find_findings
from retrieval.language.sections import SectionKind, impression_of, split_sections
from retrieval.language.sentences import sentences
from retrieval.values.finding import FindingName, Polarity

LAST = "Dilated LV. No scar."


@pytest.mark.parametrize(
    "text",
    [
        f"Findings: normal RV.\nImpression: {LAST}",
        f"FINDINGS\nNormal RV.\n\nIMPRESSION\n{LAST}",
        f"Findings:\nNormal RV.\n\n2. Conclusions:\n{LAST}",
        f"**Findings**\nNormal RV.\n**Summary**\n{LAST}",
        f"Findings: normal RV. IMPRESSION: {LAST}",
        f"Befund: RV normal.\nBeurteilung: {LAST}",
        f"Résultats :\nVD normal.\nConclusion :\n{LAST}",
        f"Findings - normal RV.\nOpinion - {LAST}",
        f"Impression: something early.\nFindings: x.\nFinal impression: {LAST}",
        f"Impression: {LAST}\nRecommendation: echo in one year.",
        f"Impression: {LAST}\n\nImpression:\n",
        f"Findings: normal RV.\r\nImpression:\r\n{LAST}\r\n",
    ],
)
def test_the_impression_is_found_under_its_usual_headings(text: str) -> None:
    assert impression_of(text) == LAST


def test_an_impression_may_be_a_list_with_places_as_labels() -> None:
    text = "Findings: x.\n\nIMPRESSION:\n1. LV: dilated.\n2. RV: normal.\nLV EF 30 %"
    assert impression_of(text) == "1. LV: dilated.\n2. RV: normal.\nLV EF 30 %"


def test_a_report_without_an_impression_is_taken_whole() -> None:
    assert impression_of("  The LV is dilated.\nNo scar. ") == "The LV is dilated.\nNo scar."


def test_the_word_in_a_sentence_is_no_heading() -> None:
    text = "The overall impression of a dilated LV.\nsummary of volumes below"
    assert [s.kind for s in split_sections(text)] == [SectionKind.OTHER]


@settings(deadline=None)
@given(st.text(alphabet="ab:.\n IMPRESSIONindgs1", max_size=80))
def test_sections_are_in_order_and_end_inside_the_text(text: str) -> None:
    at = 0
    for section in split_sections(text):
        assert at <= section.start <= section.end <= len(text)
        at = section.end


def test_what_was_asked_is_no_finding() -> None:
    text = "Indication: LV dilated? Scar?\nTechnique: LGE imaging.\nFindings: LV not dilated."
    (finding,) = find_findings(text)
    assert (finding.name, finding.polarity) == (FindingName.LV_DILATION, Polarity.ABSENT)
    assert text[finding.start : finding.end] == "LV not dilated."


def test_a_sentence_is_cut_at_its_end_and_not_at_numbers_or_wrapped_lines() -> None:
    text = "1. LVEF 35.5 %, wall\n   thickness 9 mm.\n2) No scar; approx. 3.5 cm\n- RV normal"
    assert [text[a:b] for a, b in sentences(text)] == [
        "LVEF 35.5 %, wall\n   thickness 9 mm.",
        "No scar; approx. 3.5 cm",
        "RV normal",
    ]


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read_and_findings_lie_inside_it(text: str) -> None:
    for finding in find_findings(text):
        assert 0 <= finding.start < finding.end <= len(text)
