"""What every catalog must do with reports: versions, matching, full text."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.catalog.fulltext import MOST_WORDS, best_sentence, words_of
from retrieval.values.query import LOCAL_OPERATOR, Access, Filter
from retrieval.values.study import Sex
from tests.contracts.conftest import empty
from tests.retrieval.catalog_examples import (
    make_entry,
    make_report,
    scar,
    study_id,
)

ANYONE = LOCAL_OPERATOR


def search(catalog, text, where=None, limit=None):
    return catalog.search_reports(text, where or Filter(), limit=limit, access=ANYONE)


def newest(catalog, n):
    return catalog.report(study_id(n), access=ANYONE)


def totals(catalog):
    counts = catalog.counts()
    return tuple(counts[f"reports_{k}"] for k in ("seen", "matched", "unmatched", "superseded"))


def test_a_report_comes_back_with_its_findings(catalog):
    catalog.put_study(make_entry(1))
    catalog.put_study(make_entry(2))
    given_ = make_report("Scar. No effusion.\n\tÜnïcode", study=1, accession="A", findings=[
        scar(), scar(6, 18)])  # fmt: skip
    assert catalog.put_report(given_) == "matched"
    assert newest(catalog, 1) == given_
    assert newest(catalog, 2) is None
    assert catalog.impressions([study_id(2), study_id(1)], access=ANYONE) == {study_id(1): "Scar"}


def test_who_has_a_report_obeys_filter_and_access(catalog):
    for n in (1, 2, 3):
        catalog.put_study(make_entry(n))
    catalog.put_report(make_report("First.", study=1))
    catalog.put_report(make_report("Second.", study=1))
    catalog.put_report(make_report("Other.", study=2))
    assert catalog.reported(Filter(), access=ANYONE) == {study_id(1), study_id(2)}
    nobody = Filter(age_from=200)
    assert catalog.reported(nobody, access=ANYONE) == frozenset()
    elsewhere = Access(sites=frozenset(["nowhere"]))
    assert catalog.reported(Filter(), access=elsewhere) == frozenset()
    catalog.set_deleted([study_id(1)], deleted=True)
    assert catalog.reported(Filter(), access=ANYONE) == {study_id(2)}


def test_versions_follow_the_order_of_arrival(catalog):
    catalog.put_study(make_entry(1))
    texts = ["First.", "Second.", "Third."]
    for text in texts:
        assert catalog.put_report(make_report(text, study=1)) == "matched"
    report = newest(catalog, 1)
    assert (report.text, report.version) == ("Third.", 3)
    assert report.supersedes == make_report("Second.", study=1).digest
    assert catalog.impressions([study_id(1)], access=ANYONE) == {study_id(1): "Third"}
    assert totals(catalog) == (3, 3, 0, 2)
    before = catalog.digest()
    for text in texts:
        assert catalog.put_report(make_report(text, study=1)) == "known"
    assert catalog.digest() == before


def test_the_same_words_about_two_studies_are_two_reports(catalog):
    for n in (1, 2):
        catalog.put_study(make_entry(n))
        assert catalog.put_report(make_report("Normal.", study=n)) == "matched"
    assert totals(catalog) == (2, 2, 0, 0)


def test_reports_may_come_before_their_study(catalog):
    assert catalog.put_report(make_report("By number.", accession="A")) == "unmatched"
    assert catalog.put_report(make_report("By study.", study=1)) == "unmatched"
    assert totals(catalog) == (2, 0, 2, 0)
    assert search(catalog, "number study") == []
    catalog.put_study(make_entry(1, accession="A"))
    assert totals(catalog) == (2, 2, 0, 1)
    assert (newest(catalog, 1).text, newest(catalog, 1).version) == ("By study.", 2)
    assert catalog.put_report(make_report("By study.", accession="A")) == "known"
    assert catalog.put_report(make_report("By number.", study=1)) == "known"
    assert catalog.put_report(make_report("Later.", accession="A")) == "matched"
    assert newest(catalog, 1).version == 3


ARRIVALS = [
    make_report("One.", accession="A"),
    make_report("Two.", study=1),
    make_report("One.", study=1),
    make_report("Three.", study=1, accession="other"),
]


def test_when_the_study_comes_does_not_matter(catalog):
    seen = set()
    for place in range(len(ARRIVALS) + 1):
        empty(catalog)
        for report in ARRIVALS[:place]:
            catalog.put_report(report)
        catalog.put_study(make_entry(1, accession="A"))
        for report in ARRIVALS[place:]:
            catalog.put_report(report)
        seen.add((catalog.digest(), newest(catalog, 1).version, totals(catalog)))
    assert seen == {(catalog.digest(), 3, (4, 4, 0, 2))}


def test_a_text_known_of_one_study_is_not_lost_to_another(catalog):
    catalog.put_study(make_entry(2, accession="A"))
    catalog.put_report(make_report("Scar.", study=2))
    assert catalog.put_report(make_report("Scar.", accession="A")) == "known"
    catalog.put_report(make_report("No scar.", accession="A"))
    assert totals(catalog) == (3, 3, 0, 1)
    catalog.put_study(make_entry(1, accession="A"))
    for n in (1, 2):
        assert (newest(catalog, n).text, newest(catalog, n).version) == ("No scar.", 2)


def test_a_text_that_its_number_had_first_stays_when_the_number_changes(catalog):
    catalog.put_study(make_entry(1, accession="A"))
    catalog.put_report(make_report("Scar.", accession="A"))
    assert catalog.put_report(make_report("Scar.", study=1)) == "known"
    catalog.put_study(make_entry(1, accession="B"))
    assert newest(catalog, 1).text == "Scar."


def test_one_number_for_two_studies_belongs_to_both(catalog):
    catalog.put_study(make_entry(1, accession="A"))
    catalog.put_report(make_report("Both.", accession="A"))
    catalog.put_report(make_report("Only one.", study=1))
    catalog.put_study(make_entry(2, accession="A"))
    assert newest(catalog, 1).text == "Only one."
    assert (newest(catalog, 2).text, newest(catalog, 2).version) == ("Both.", 1)
    assert totals(catalog) == (2, 2, 0, 0)
    assert {s for s, _, _ in search(catalog, "both")} == {study_id(2)}


def test_a_study_that_changes_its_number_changes_its_reports(catalog):
    catalog.put_study(make_entry(1, accession="A"))
    catalog.put_report(make_report("For A.", accession="A"))
    catalog.put_report(make_report("For B.", accession="B"))
    catalog.put_study(make_entry(1, accession="B"))
    assert newest(catalog, 1).text == "For B."
    assert totals(catalog) == (2, 1, 1, 0)
    catalog.put_study(make_entry(1))
    assert newest(catalog, 1) is None
    assert totals(catalog) == (2, 0, 2, 0)


def test_a_report_must_name_something(catalog):
    with pytest.raises(ValueError, match="neither"):
        catalog.put_report(make_report("Lost."))


# --- full text --------------------------------------------------------------------------------

TEXTS = {
    1: "The left ventricle is dilated. There is a septal scar; it is transmural. No effusion.",
    2: "Normal left ventricle.\nDilation of the left atrium is mild.",
    3: "Pericardial effusion, large, with no tamponade.",
}


@pytest.fixture
def written(catalog):
    for n, text in TEXTS.items():
        catalog.put_study(make_entry(n, accession=n))
        catalog.put_report(make_report(text, study=n))
    return catalog


def test_the_best_match_comes_first_with_its_best_sentence(written):
    found = search(written, "dilated septal ventricle")
    assert [s for s, _, _ in found] == [study_id(1), study_id(2)]
    assert [t for _, _, t in found] == ["The left ventricle is dilated.", "Normal left ventricle."]
    scores = [score for _, score, _ in found]
    assert scores[0] > scores[1] > 0
    assert search(written, "dilated septal ventricle", limit=1) == found[:1]


def test_words_match_in_any_form_and_case(written):
    assert {s for s, _, _ in search(written, "DILATING")} == {study_id(1), study_id(2)}
    (hit,) = search(written, "Transmurality scars")
    assert hit[2] == "There is a septal scar;"


def test_small_words_count_only_alone(written):
    assert search(written, "is there any of the") != []
    assert {s for s, _, _ in search(written, "the tamponade")} == {study_id(3)}
    assert len(search(written, "no")) == 2  # "no" is no small word in a report


@pytest.mark.parametrize(
    "text",
    [
        'tamponade AND "',
        "tamponade NOT effusion",
        "tamponade -effusion",
        "tamponade*",
        "text:tamponade",
        "NEAR(tamponade effusion)",
        "(tamponade | !effusion) & <->",
        "tamponade' OR 1=1; --",
        "tamponade:*A",
        "^tamponade",
        "\\tamponade",
    ],
)
def test_words_are_never_operators(written, text):
    assert study_id(3) in {s for s, _, _ in search(written, text)}


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=40) | st.text("\"'*():^-+&|!<>\\ AND OR NOT NEAR tamponade"))
def test_no_question_breaks_the_search(written, text):
    found = search(written, text)
    assert [s for _, s, _ in found] == sorted((s for _, s, _ in found), reverse=True)
    if words_of(text) == []:
        assert found == []


def test_a_pasted_page_is_cut(written):
    page = "tamponade " + " ".join(f"word{n}" for n in range(5000))
    assert len(words_of(page)) == MOST_WORDS
    assert len(search(written, page)) == 1


def test_superseded_and_unmatched_texts_are_not_found(written):
    written.put_report(make_report("Nothing of note.", study=3))
    written.put_report(make_report("Tamponade.", study=9))
    assert search(written, "tamponade") == []
    written.put_study(make_entry(9))
    assert [s for s, _, _ in search(written, "tamponade")] == [study_id(9)]


def test_search_obeys_the_filter(written):
    assert len(search(written, "effusion", Filter(sexes=frozenset({Sex.FEMALE})))) == 2
    assert search(written, "effusion", Filter(sexes=frozenset({Sex.MALE}))) == []


def test_equal_scores_order_by_study(catalog):
    for n in range(6):
        catalog.put_study(make_entry(n))
        catalog.put_report(make_report("Septal scar.", study=n))
    found = search(catalog, "scar")
    assert len({score for _, score, _ in found}) == 1
    assert [s for s, _, _ in found] == sorted(study_id(n) for n in range(6))
    assert search(catalog, "scar", limit=2) == found[:2]


def test_best_sentence_counts_different_words():
    marked = "\ue000Scar\ue001 \ue000scar\ue001. The \ue000septal\ue001\n\t\ue000scar\ue001! End."
    assert best_sentence(marked) == "Scar scar."
    assert best_sentence("A. " + marked.replace("\n", "")) == "The septal scar!"
    assert best_sentence("") == ""
