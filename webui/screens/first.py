"""The first visit: what this is, the query box, and examples from this very archive."""

import streamlit as st

from webui import words
from webui.address import Address
from webui.backend import Coverage, Desk
from webui.screens import frame, search


def show(desk: Desk, coverage: Coverage, address: Address) -> None:
    """Invite a question."""
    with st.container(key="first"):
        st.html(_title(coverage))
        search.query_box(address, coverage)
    frame.bottom((("/", "search"),))


def _title(coverage: Coverage) -> str:
    years = ""
    if coverage.first_year is not None:
        same = coverage.first_year == coverage.last_year
        years = f", {coverage.first_year}" + ("" if same else f" to {coverage.last_year}")
    return (
        '<div class="cs-first"><h1>Find a heart in this archive</h1>'
        "<p>Write what you would say to a colleague. "
        f"{words.studies(coverage.indexed)}{years}, all compared on every search.</p></div>"
    )
