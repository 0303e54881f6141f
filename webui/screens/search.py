"""Search: the query, the filters, what was compared, and the best studies playing."""

from dataclasses import replace
from html import escape

import streamlit as st

from retrieval.errors import UsageError
from retrieval.search.understand.chips import FindingChip
from retrieval.search.understand.labels import chip_label, term_name
from retrieval.search.understand.lines import read_chip
from retrieval.values.query import Filter, Ranking
from webui import nomatch, words
from webui.address import PAGE_SIZE, Address
from webui.backend import READER, Coverage, Desk
from webui.cards import Card, card
from webui.parts import chips, filters, query, results
from webui.screens import frame, navigation
from webui.screens.navigation import CHIPS, FILTERS, QUERY, RESULTS

KEYS = (
    ("/", "search"),
    ("← → ↑ ↓", "move"),
    ("Enter", "open"),
    ("Space", "pause"),
    ("L", "more like this"),
    ("Esc", "leave the card"),
)
UNFOLD = ("U", "repeat scans")


def show(desk: Desk, coverage: Coverage, address: Address, unread: list[str]) -> None:
    """Answer the address's question."""
    asked: Ranking | UsageError
    try:
        asked = desk.reading.searcher.search(address.query(), access=READER)
    except UsageError as error:
        asked = error
    with st.container(key="ask"):
        query_box(address, coverage)
        if isinstance(asked, Ranking) and (asked.chips or asked.free):
            chips.show(
                asked,
                key=CHIPS,
                on_change=navigation.meaning_changed,
                on_edit=navigation.meaning_reworded,
            )
    with st.container(key="body", horizontal=True, gap=None):
        with st.container(key="side", width=232):
            _filters(desk, coverage, address)
        with st.container(key="main", gap=None):
            if isinstance(asked, Ranking):
                _answer(desk, asked, coverage, address, unread)
            else:
                _message("This cannot be asked", str(asked))
    folded = isinstance(asked, Ranking) and asked.folded > 0
    frame.bottom((*KEYS[:-1], UNFOLD, KEYS[-1]) if folded else KEYS)


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


def _answer(
    desk: Desk, ranking: Ranking, coverage: Coverage, address: Address, unread: list[str]
) -> None:
    hits = ranking.hits[(address.page - 1) * PAGE_SIZE : address.page * PAGE_SIZE]
    st.html(status(ranking, len(hits), coverage, address, unread))
    if hits and nomatch.applies(ranking):
        st.html(_no_match(desk, ranking, coverage, address))
    if not hits:
        _nothing(ranking, address)
        return
    catalog = desk.reading.catalog
    cards: list[Card] = [
        card(
            hit,
            catalog.clips(hit.study.id, access=READER),
            replace(address, study=hit.study.id),
            ranking,
        )
        for hit in hits
    ]
    results.show(
        cards,
        desk.sheets,
        key=RESULTS,
        page=address.page,
        pages=pages(ranking.answers),
        selected=navigation.last_study(),
        on={
            "open": lambda: navigation.opened(RESULTS),
            "like": lambda: navigation.liked(RESULTS),
            "page": navigation.page_turned,
        },
    )


def _no_match(desk: Desk, ranking: Ranking, coverage: Coverage, address: Address) -> str:
    catalog = desk.reading.catalog
    looser = [
        (name, where, len(catalog.eligible(where, access=READER)))
        for name, where in nomatch.loosened(address.where)
    ]
    broader = desk.reading.searcher.wider(ranking, access=READER)
    return nomatch.page(ranking, address, coverage, broader=broader, looser=looser)


def pages(studies: int) -> int:
    """Pages that hold so many studies."""
    return -(-studies // PAGE_SIZE)


def status(
    ranking: Ranking, shown: int, coverage: Coverage, address: Address, unread: list[str]
) -> str:
    """The line above the results: what was compared, and what was not."""
    first = (address.page - 1) * PAGE_SIZE + 1
    which = f"{shown:,}" if address.page == 1 else f"{first:,} to {first + shown - 1:,}"
    found = f"<b>{which} of {ranking.eligible:,} eligible</b>"
    parts = [f'{found}<span class="cs-quiet">; {compared(ranking)}</span>']
    if ranking.folded:
        parts.append(
            f'<span class="cs-quiet">{words.studies(ranking.folded)} folded as repeat scans</span>'
        )
    if ranking.set_aside:
        parts.append(
            f'<span class="cs-quiet">{words.studies(ranking.set_aside)} set aside: '
            "the report says otherwise</span>"
        )
    if said := chances(ranking):
        parts.append(f'<span class="cs-quiet">{escape(said)}</span>')
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


def chances(ranking: Ranking) -> str:
    """What the per cent on the cards are of; nothing where no card has any."""
    told = list(dict.fromkeys(one.term for hit in ranking.hits for one in hit.beliefs))
    if not told:
        return ""
    asked = [read_chip(line) for line, _ in ranking.badges]
    untold = [
        chip_label(chip)
        for chip in asked
        if isinstance(chip, FindingChip) and chip.term not in told
    ]
    names = " and ".join(term_name(term) for term in told)
    alone = f"; {', '.join(untold)}: by reports only" if untold else ""
    return f"%: chance, by images, that a reader would call it {names}{alone}"


def compared(ranking: Ranking) -> str:
    """Whether every eligible study took part."""
    if not ranking.eligible:
        return "none to compare"
    if ranking.listed:
        return "all eligible studies are listed, the newest first; nothing was compared"
    if not ranking.missing:
        return "every eligible study was compared"
    return (
        f"{ranking.eligible - ranking.missing:,} compared, {ranking.missing:,} not in index "
        f"{ranking.generation} yet"
    )


def _message(title: str, text: str) -> None:
    st.html(f'<section class="cs-message inline"><h1>{title}</h1><p>{escape(text)}</p></section>')


def _nothing(ranking: Ranking, address: Address) -> None:
    if ranking.eligible and not ranking.channels:
        text = (
            f"None of the {words.studies(ranking.eligible)} has a report that says so. "
            "Images alone cannot show that something is absent, nor measure it."
        )
        button = ("Take the filters away", navigation.filters_reset)
    elif ranking.eligible and address.page > 1:
        text = f"There are {pages(ranking.answers):,} pages of results."
        button = ("First page", lambda: navigation.go(replace(address, page=1)))
    else:
        said = f" and is meant by “{' · '.join(ranking.narrowed)}”"
        text = f"No indexed study passes these filters{said if ranking.narrowed else ''}."
        button = ("Take the filters away", navigation.filters_reset)
    _message("Nothing to show", text)
    if address.where != Filter() or address.page > 1:
        st.button(button[0], on_click=button[1], key="way out")
