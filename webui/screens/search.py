"""Search: the query, the filters, what was compared, and the best studies playing."""

from dataclasses import replace
from html import escape

import streamlit as st

from retrieval.values.query import Filter, Ranking
from webui import words
from webui.address import PAGE_SIZE, Address
from webui.backend import READER, Coverage, Desk
from webui.cards import Card, card
from webui.parts import filters, query, results
from webui.screens import frame, navigation
from webui.screens.navigation import FILTERS, QUERY, RESULTS

KEYS = (
    ("/", "search"),
    ("← → ↑ ↓", "move"),
    ("Enter", "open"),
    ("Space", "pause"),
    ("L", "more like this"),
    ("Esc", "leave the card"),
)


def show(desk: Desk, coverage: Coverage, address: Address, unread: list[str]) -> None:
    """Answer the address's question."""
    with st.container(key="ask"):
        query_box(address, coverage)
    with st.container(key="body", horizontal=True, gap=None):
        with st.container(key="side", width=232):
            _filters(desk, coverage, address)
        with st.container(key="main", gap=None):
            _answer(desk, coverage, address, unread)
    frame.bottom(KEYS)


def query_box(address: Address, coverage: Coverage) -> None:
    """The query box, wherever it stands."""
    query.show(
        address,
        key=QUERY,
        searchable=coverage.indexed,
        run=st.session_state["run"],
        on_search=navigation.searched,
        on_clear=navigation.example_dropped,
    )


def _filters(desk: Desk, coverage: Coverage, address: Address) -> None:
    content = filters.panel(address.where, desk.reading.catalog, coverage, access=READER)
    filters.show(content, key=FILTERS, on_change=navigation.filters_changed)


def _answer(desk: Desk, coverage: Coverage, address: Address, unread: list[str]) -> None:
    ranking = desk.reading.searcher.search(address.query(), access=READER)
    hits = ranking.hits[(address.page - 1) * PAGE_SIZE : address.page * PAGE_SIZE]
    st.html(status(ranking, len(hits), coverage, address, unread))
    if not hits:
        _nothing(ranking, address)
        return
    catalog = desk.reading.catalog
    cards: list[Card] = [
        card(
            hit,
            catalog.clips(hit.study.id, access=READER),
            replace(address, study=hit.study.id),
        )
        for hit in hits
    ]
    results.show(
        cards,
        desk.sheets,
        key=RESULTS,
        page=address.page,
        pages=pages(ranking.eligible),
        selected=navigation.last_study(),
        on={
            "open": lambda: navigation.opened(RESULTS),
            "like": lambda: navigation.liked(RESULTS),
            "page": navigation.page_turned,
        },
    )


def pages(eligible: int) -> int:
    """Pages that hold every eligible study."""
    return -(-eligible // PAGE_SIZE)


def status(
    ranking: Ranking, shown: int, coverage: Coverage, address: Address, unread: list[str]
) -> str:
    """The line above the results: what was compared, and what was not."""
    first = (address.page - 1) * PAGE_SIZE + 1
    which = f"{shown:,}" if address.page == 1 else f"{first:,} to {first + shown - 1:,}"
    found = f"<b>{which} of {ranking.eligible:,} eligible</b>"
    parts = [f'{found}<span class="cs-quiet">; {compared(ranking)}</span>']
    if ranking.narrowed:
        said = escape(" · ".join(ranking.narrowed))
        parts.append(f'<span class="cs-quiet">Taken as filters: <b>{said}</b></span>')
    if coverage.not_indexed:
        reasons = "".join(
            f"<li>{escape(words.joined((state.value, reason)))}<b>{n:,}</b></li>"
            for state, reason, n in coverage.left_out
        )
        parts.append(
            f"<details><summary>{words.studies(coverage.not_indexed)} not indexed</summary>"
            f"<ul>{reasons}</ul></details>"
        )
    if unread:
        parts.append(
            '<span class="cs-warn">Not understood in the address, so without effect: '
            f"{escape(', '.join(unread))}</span>"
        )
    return f'<div class="cs-status">{"".join(f"<span>{part}</span>" for part in parts)}</div>'


def compared(ranking: Ranking) -> str:
    """Whether every eligible study took part."""
    if not ranking.eligible:
        return "none to compare"
    if not ranking.missing:
        return "every eligible study was compared"
    return (
        f"{ranking.eligible - ranking.missing:,} compared, {ranking.missing:,} not in index "
        f"{ranking.generation} yet"
    )


def _nothing(ranking: Ranking, address: Address) -> None:
    if ranking.eligible and address.page > 1:
        text = f"There are {pages(ranking.eligible):,} pages of results."
        button = ("First page", lambda: navigation.go(replace(address, page=1)))
    else:
        words = f" and is meant by “{escape(' · '.join(ranking.narrowed))}”"
        text = f"No indexed study passes these filters{words if ranking.narrowed else ''}."
        button = ("Take the filters away", navigation.filters_reset)
    st.html(f'<section class="cs-message inline"><h1>Nothing to show</h1><p>{text}</p></section>')
    if address.where != Filter() or address.page > 1:
        st.button(button[0], on_click=button[1], key="way out")
