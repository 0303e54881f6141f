"""Vendors and field strengths are the archive's own."""

import pytest

from retrieval.errors import UsageError
from retrieval.search.choices import settle
from retrieval.values.query import LOCAL_OPERATOR, Access, Filter
from retrieval.values.study import Scanner
from tests.doubles import DictCatalog, a_clip, a_study


@pytest.fixture
def catalog() -> DictCatalog:
    catalog = DictCatalog()
    for name, site, vendor, tesla in [
        ("a", "A", "SIEMENS", 1.5),
        ("b", "B", "Philips", 3.0),
        ("c", "B", "Siemens", 3.0),
    ]:
        study = a_study(name, site=site, scanner=Scanner(vendor=vendor, field_strength_t=tesla))
        catalog.add(study, [a_clip(study)])
    return catalog


def test_vendors_are_found_in_any_case_and_every_spelling(catalog: DictCatalog):
    asked = Filter(vendors=frozenset(["siemens", "PHILIPS"]), field_strengths_t=frozenset([3.0]))
    found = settle(asked, catalog, access=LOCAL_OPERATOR)
    assert found.vendors == {"SIEMENS", "Siemens", "Philips"}
    assert found.field_strengths_t == {3.0}


def test_nothing_asked_changes_nothing(catalog: DictCatalog):
    where = Filter(age_from=3)
    assert settle(where, catalog, access=LOCAL_OPERATOR) is where


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            Filter(vendors=frozenset(["GE"])),
            "no study has vendor GE; there are Philips, SIEMENS, Siemens",
        ),
        (
            Filter(field_strengths_t=frozenset([7.0])),
            r"no study has field strength 7; there are 1\.5, 3$",
        ),
    ],
)
def test_what_no_study_has_is_an_error_that_lists_what_there_is(catalog, asked, message):
    with pytest.raises(UsageError, match=message):
        settle(asked, catalog, access=LOCAL_OPERATOR)


def test_only_what_may_be_seen_is_listed(catalog: DictCatalog):
    with pytest.raises(UsageError, match=r"there are SIEMENS$"):
        settle(
            Filter(vendors=frozenset(["philips"])), catalog, access=Access(sites=frozenset(["A"]))
        )
