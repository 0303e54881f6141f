"""Broader words for a query that found nothing."""

from retrieval.values.query import LOCAL_OPERATOR, Query
from tests.wing import Wing


def wider(wing: Wing, text: str) -> list[tuple[str, int]]:
    searcher = wing.searcher(None)
    ranking = searcher.search(Query(text=text), access=LOCAL_OPERATOR)
    return searcher.wider(ranking, access=LOCAL_OPERATOR)


def test_a_finding_widens_to_what_it_is_a_kind_of_and_a_detail_to_the_finding():
    wing = Wing()
    wing.add("one", 0.5, "The left ventricle is dilated.")
    wing.add("two", 0.5, "The left ventricle is mildly dilated.")
    wing.add("three", 0.5, "The left ventricle is not dilated.")
    assert dict(wider(wing, "severely dilated left ventricle"))["LV dilation"] == 2
    plain = [name for name, _ in wider(wing, "dilated left ventricle")]
    assert "LV dilation" not in plain
    assert "chamber dilation" in plain


def test_what_is_denied_or_off_or_unknown_widens_to_nothing():
    wing = Wing(asked=["purple elephant"])
    wing.add("one", 0.5, "No myocardial scar.")
    assert wider(wing, "no scar") == []
    assert wider(wing, "purple elephant") == []
