"""Machine estimates in every catalog: kept with their vectors, seen by no filter."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.errors import StudyNotFound
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.query import LOCAL_OPERATOR, Filter
from tests.contracts.conftest import empty
from tests.retrieval.catalog_examples import (
    ACCESSES,
    ENCODER,
    FILTERS,
    OTHER_ENCODER,
    archives,
    estimates_of,
    make_clip,
    make_entry,
    make_estimates,
    make_rows,
    study_id,
)

ANYONE = LOCAL_OPERATOR

many = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def entry(catalog):
    """A study of two clips that the catalog has."""
    made = make_entry(1, [make_clip(1), make_clip(1, index=1)])
    catalog.put_study(made)
    return made


def of_study(catalog, encoder=ENCODER, n=1):
    return catalog.estimates(encoder, access=ANYONE).get(study_id(n))


@many
@given(said=st.dictionaries(st.sampled_from(Quantity), st.tuples(numbers, numbers.map(abs))))
def test_estimates_come_back_as_they_were_put_in_the_order_of_quantities(catalog, said):
    empty(catalog)
    entry = make_entry(1)
    catalog.put_study(entry)
    estimates = [Estimate(quantity=q, value=v, spread=s) for q, (v, s) in said.items()]
    catalog.put_embeddings(make_rows(entry), make_estimates(entry, estimates=estimates))
    expected = tuple(sorted(estimates, key=lambda e: list(Quantity).index(e.quantity)))
    assert of_study(catalog) == (expected or None)


def test_each_encoder_has_its_own(catalog, entry):
    for encoder in (ENCODER, OTHER_ENCODER):
        catalog.put_embeddings(make_rows(entry, encoder), make_estimates(entry, encoder))
    inputs = tuple(sorted(c.id for c in entry.clips))
    assert of_study(catalog) == estimates_of(study_id(1), inputs, ENCODER)
    assert of_study(catalog, OTHER_ENCODER) == estimates_of(study_id(1), inputs, OTHER_ENCODER)


def test_what_is_known_is_left_as_it_is_and_what_is_missing_is_added(catalog, entry):
    rows = make_estimates(entry)
    catalog.put_embeddings(make_rows(entry), rows[:2])
    again = [replace(r, estimate=replace(r.estimate, value=-1.0)) for r in rows]
    catalog.put_embeddings(make_rows(entry), again)
    first, second, *others = of_study(catalog)
    assert (first, second) == (rows[0].estimate, rows[1].estimate)
    assert [e.value for e in others] == [-1.0] * 6


def test_estimates_go_when_the_set_of_clips_changes_and_only_then(catalog, entry):
    catalog.put_embeddings(make_rows(entry), make_estimates(entry))
    catalog.put_study(replace(entry, source_digest="touched"))
    assert len(of_study(catalog)) == len(Quantity)
    catalog.put_study(make_entry(1, list(entry.clips[:1])))
    assert of_study(catalog) is None
    assert catalog.studies_without(ENCODER) == [study_id(1)]


def test_a_batch_is_stored_with_its_vectors_or_not_at_all(catalog, entry, monkeypatch):
    def power_cut(session, pairs):
        raise RuntimeError("power cut")

    before = catalog.digest()
    with monkeypatch.context() as patch:
        patch.setattr("retrieval.catalog.catalog.mark_done", power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            catalog.put_embeddings(make_rows(entry), make_estimates(entry))
    assert catalog.digest() == before
    stranger = make_entry(2)
    with pytest.raises(StudyNotFound, match=study_id(2)):
        catalog.put_embeddings(make_rows(entry), make_estimates(stranger))
    assert catalog.digest() == before


def test_estimates_alone_do_not_make_a_study_done(catalog, entry):
    catalog.put_embeddings([], make_estimates(entry))
    assert catalog.studies_without(ENCODER) == [study_id(1)]


@many
@given(entries=archives(5), where=FILTERS, access=ACCESSES)
def test_no_filter_and_no_facet_sees_an_estimate(catalog, entries, where, access):
    empty(catalog)
    for entry in entries:
        catalog.put_study(entry)
        catalog.put_embeddings(make_rows(entry))

    def answers():
        facets = {c.facet: c.counts for c in catalog.facets(where, access=access)}
        keys = catalog.keys(where, ENCODER, access=access)
        return catalog.eligible(where, access=access), keys, facets

    before = answers()
    for entry in entries:
        catalog.put_embeddings([], make_estimates(entry))
    assert answers() == before
    shown = set(catalog.estimates(ENCODER, access=access))
    assert shown == catalog.eligible(Filter(), access=access)


def test_a_filter_has_no_field_for_an_estimate():
    names = {field.name for field in fields(Filter)}
    assert not [n for n in names for quantity in Quantity if quantity.value in n.lower()]


@pytest.mark.parametrize(
    ("value", "spread", "said"),
    [(math.nan, 1.0, "is nan"), (math.inf, 1.0, "is inf"), (1.0, -0.1, "spread -0.1"),
     (1.0, math.nan, "spread nan"), (1.0, math.inf, "spread inf")],
)  # fmt: skip
def test_an_estimate_is_a_finite_number_with_a_spread(value, spread, said):
    with pytest.raises(ValueError, match=f"lvef .*{said}"):
        Estimate(quantity=Quantity.LVEF, value=value, spread=spread)
