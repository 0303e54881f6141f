"""Machine findings in every catalog: kept with their studies, seen by no filter and no report."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.errors import StudyNotFound
from retrieval.values.finding import FindingName
from retrieval.values.machine_finding import MachineFinding, Method
from retrieval.values.query import LOCAL_OPERATOR, Filter
from tests.contracts.conftest import empty
from tests.retrieval.catalog_examples import (
    ACCESSES,
    ENCODER,
    FILTERS,
    OTHER_ENCODER,
    archives,
    make_clip,
    make_entry,
    make_machine_finding,
    make_report,
    make_rows,
    study_id,
)

many = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)
percents = st.floats(0, 100).map(lambda v: v + 0.0)
zones = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@st.composite
def machine_findings(draw):
    low, percentile, high = sorted(draw(st.tuples(percents, percents, percents)))
    known = draw(st.booleans())
    return MachineFinding(
        name=draw(words),
        question=draw(words),
        method=draw(st.sampled_from(Method)),
        asked=tuple(draw(st.lists(words, max_size=3))),
        score=draw(st.floats(-1e6, 1e6)),
        percentile=percentile,
        low=low if known else None,
        high=high if known else None,
        studies=draw(st.integers(1, 2**31 - 1)),
        made_at=draw(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=zones)),  # noqa: DTZ001 - the zones are drawn
        made_by=draw(words),
    )


@pytest.fixture
def entry(catalog):
    """A study of two clips that the catalog has."""
    made = make_entry(1, [make_clip(1), make_clip(1, index=1)])
    catalog.put_study(made)
    return made


def of_study(catalog, encoder=ENCODER, n=1):
    return catalog.machine_findings(study_id(n), encoder, access=LOCAL_OPERATOR)


@many
@given(st.lists(machine_findings(), unique_by=lambda f: (f.name, f.question), max_size=4))
def test_findings_come_back_as_they_were_put_by_name_and_question(catalog, findings):
    empty(catalog)
    catalog.put_study(make_entry(1))
    stored = make_machine_finding(1)
    catalog.put_machine_findings([replace(stored, finding=f) for f in findings])
    found = of_study(catalog)
    assert found == sorted(findings, key=lambda f: (f.name, f.question))
    assert all(f.made_at.utcoffset() == timedelta(0) for f in found)


def test_what_an_encoder_wrote_under_a_name_is_replaced_and_nothing_else(catalog, entry):
    catalog.put_study(make_entry(2))
    first = [
        make_machine_finding(1),
        make_machine_finding(2),
        make_machine_finding(1, question="scar"),
        make_machine_finding(1, name="other"),
        make_machine_finding(1, OTHER_ENCODER),
    ]
    catalog.put_machine_findings(first)
    again = make_machine_finding(1, score=9.0)
    catalog.put_machine_findings([again])
    assert of_study(catalog) == [first[3].finding, again.finding]
    assert of_study(catalog, n=2) == []
    assert of_study(catalog, OTHER_ENCODER) == [first[4].finding]
    catalog.put_machine_findings([])
    assert of_study(catalog) == [first[3].finding, again.finding]


def test_findings_go_when_the_set_of_clips_changes_and_only_then(catalog, entry):
    catalog.put_machine_findings([make_machine_finding(1)])
    catalog.put_study(replace(entry, source_digest="touched"))
    assert len(of_study(catalog)) == 1
    catalog.put_study(make_entry(1, list(entry.clips[:1])))
    assert of_study(catalog) == []


def test_a_batch_with_a_stranger_changes_nothing(catalog, entry):
    catalog.put_machine_findings([make_machine_finding(1)])
    before = catalog.digest()
    with pytest.raises(StudyNotFound, match=study_id(2)):
        catalog.put_machine_findings([make_machine_finding(1, score=9.0), make_machine_finding(2)])
    assert catalog.digest() == before


def test_the_digest_knows_what_was_found_and_neither_when_nor_by_which_version(catalog, entry):
    digests = []
    changes = [{}, {"made_by": "cineseek 9", "made_at": datetime.now(UTC)}, {"percentile": 70.0}]
    for given_ in changes:
        catalog.put_machine_findings([make_machine_finding(1, **given_)])
        digests.append(catalog.digest())
    assert digests[0] == digests[1] != digests[2]


@many
@given(entries=archives(5), where=FILTERS, access=ACCESSES)
def test_no_filter_facet_or_report_sees_a_finding_and_no_stranger_either(
    catalog, entries, where, access
):
    empty(catalog)
    for entry in entries:
        catalog.put_study(entry)
        catalog.put_embeddings(make_rows(entry))
    catalog.put_report(make_report("Scar.", study=0))

    def answers():
        facets = {c.facet: c.counts for c in catalog.facets(where, access=access)}
        keys = catalog.keys(where, ENCODER, access=access)
        said = catalog.assertions(list(FindingName), where, access=access)
        words_ = catalog.search_reports("dilated scar", where, limit=None, access=access)
        return catalog.eligible(where, access=access), keys, facets, said, words_

    before = answers()
    catalog.put_machine_findings(
        [make_machine_finding(n, name="scar", question="scar") for n in range(len(entries))]
    )
    assert answers() == before
    seen = {study.id for study in catalog.ledger(access=access)}
    for n in range(len(entries)):
        if study_id(n) in seen:
            assert len(catalog.machine_findings(study_id(n), ENCODER, access=access)) == 1
        else:
            with pytest.raises(StudyNotFound):
                catalog.machine_findings(study_id(n), ENCODER, access=access)
    assert seen >= catalog.eligible(Filter(), access=access)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"score": math.nan}, "is nan; it must be a finite number"),
        ({"percentile": 101.0, "high": 101.0}, "interval of 0 to 100"),
        ({"percentile": 10.0}, "10.0 within 12.5 to 100.0"),
        ({"high": None}, "within 12.5 to None"),
        ({"percentile": math.nan}, "is nan within"),
        ({"made_at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001 - what is refused
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_finding_is_a_place_in_an_interval_at_a_time(given_, said):
    with pytest.raises(ValueError, match=said):
        make_machine_finding(1, **given_)
