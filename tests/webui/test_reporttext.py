"""A report on screen says exactly what the report says, with its findings marked."""

import re
from dataclasses import replace
from html import unescape

import fake_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.finding import Finding, FindingName, Polarity
from webui.reporttext import columns, marked, panel

REPORT = fake_archive.report("a" * 24, 30)


def plain(html):
    return unescape(re.sub(r"<[^>]*>", "", html))


spans = st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from(Polarity))


@settings(deadline=None)
@given(st.text(max_size=60), st.lists(spans), st.integers(0, 20))
def test_marking_changes_no_character_and_lets_no_markup_in(text, found, offset):
    findings = [
        Finding(name=FindingName.SCAR, polarity=p, start=start, end=start + length)
        for start, length, p in found
    ]
    html = marked(text, findings, offset)
    assert plain(html) == text
    assert set(re.findall(r"<[^>]*>", html)) <= {
        '<mark class="cs-present">',
        '<mark class="cs-absent">',
        '<mark class="cs-uncertain">',
        "</mark>",
    }


def test_sentences_are_marked_by_polarity_in_the_impression():
    html = panel(REPORT)
    assert '<mark class="cs-present">The left ventricle is severely dilated.</mark>' in html
    assert '<mark class="cs-absent">No pericardial effusion.</mark>' in html
    assert '<mark class="cs-uncertain">RV function possibly mildly reduced.</mark>' in html


def test_findings_are_listed_under_their_polarity_with_its_sign():
    present, absent, uncertain = columns(REPORT.findings).split("</div>")[:3]
    assert plain(present) == "Present+LV dilation"
    assert plain(absent) == "Absent\N{MINUS SIGN}Pericardial effusion"
    assert plain(uncertain) == "Uncertain?RV dysfunction"
    assert plain(columns(())) == "PresentnoneAbsentnoneUncertainnone"


def test_the_version_and_the_whole_text_are_there():
    html = panel(REPORT)
    assert "version 2, replaces version 1" in html
    assert "FINDINGS:" in html
    assert "Full text" not in panel(replace(REPORT, impression=REPORT.text))


def test_an_impression_that_is_not_in_the_text_is_shown_without_marks():
    assert "<mark" not in panel(replace(REPORT, impression="Edited.")).split("<details>")[0]


def test_a_missing_report_says_so():
    assert "No report was given for this study." in panel(None)
