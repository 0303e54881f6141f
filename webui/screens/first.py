"""The first visit: what this is, the query box, and examples from this very archive."""

import streamlit as st

from retrieval.values.query import Filter, Hit, Query
from webui import words
from webui.address import Address
from webui.backend import READER, Coverage, Desk
from webui.examples import Example, answerable, where
from webui.parts import examples
from webui.screens import frame, navigation, search
from webui.screens.navigation import EXAMPLES


def show(desk: Desk, coverage: Coverage, address: Address) -> None:
    """Invite a question."""
    with st.container(key="first", gap=None):
        st.html(_title(coverage))
        search.query_box(address, coverage)
        found = _answered(desk)
        if found:
            examples.show(found, desk.sheets, key=EXAMPLES, on_ask=navigation.example_asked)
    frame.bottom((("/", "search"),))


def _answered(desk: Desk) -> list[tuple[Example, Hit]]:
    catalog, searcher = desk.reading.catalog, desk.reading.searcher
    facets = {c.facet: c.counts for c in catalog.facets(Filter(), access=READER)}
    found = []
    for example in answerable(facets["techniques"]):
        query = Query(text=example.text, limit=1, where=where(example))
        found += [(example, hit) for hit in searcher.search(query, access=READER).hits]
    return found


def _title(coverage: Coverage) -> str:
    years = ""
    if coverage.years:
        first, last = min(coverage.years.values()), max(coverage.years.values())
        years = f", {first}" + ("" if first == last else f" to {last}")
    return (
        '<div class="cs-first"><h1>Find a heart in this archive</h1>'
        "<p>Write what you would say to a colleague. "
        f"{words.studies(coverage.indexed)}{years}, all compared on every search.</p></div>"
    )
