"""Going from one address to another. Each step is one entry in the browser's history."""

from dataclasses import replace

import streamlit as st

from retrieval.errors import UsageError
from retrieval.search.understand.edits import reworded
from retrieval.values.clip import ClipId
from retrieval.values.query import Filter
from retrieval.values.study import StudyId
from webui.address import Address, filtered, from_params, meaning, more_like, search_for, to_params

QUERY, CHIPS, FILTERS, RESULTS = "query", "chips", "filters", "results"
PLAYER, EXAMPLES = "player", "examples"
"""Keys of the components on the page."""

_LAST = "last study"
"""The study that was open last, so that its card has the focus when its page is left."""


def here() -> tuple[Address, list[str]]:
    """The address in the URL, and the parts of it that mean nothing."""
    params = st.query_params
    return from_params({name: params.get_all(name) for name in params})


def go(address: Address) -> None:
    """Write an address into the URL; the page that follows shows it."""
    if address.study:
        st.session_state[_LAST] = address.study
    st.query_params.from_dict(to_params(address))


def last_study() -> str | None:
    """The study whose page this session had open last."""
    return st.session_state.get(_LAST)


def searched() -> None:
    """Follow the query box."""
    text = _value(QUERY, "search")
    if isinstance(text, str) and text.strip():
        go(search_for(text, here()[0]))


def meaning_changed() -> None:
    """Follow the row of chips."""
    chips = _value(CHIPS, "change")
    if isinstance(chips, list):
        go(meaning([str(line) for line in chips], here()[0]))


def meaning_reworded() -> None:
    """Put what some words mean in the place of one chip; say so if they mean nothing known."""
    told = _value(CHIPS, "edit")
    if not isinstance(told, dict):
        return
    lines = [str(line) for line in told["lines"]]
    try:
        go(meaning(list(reworded(lines, int(told["at"]), str(told["text"]))), here()[0]))
    except UsageError as error:
        st.toast(str(error))


def example_asked() -> None:
    """Ask one of the first visit's questions."""
    text = _value(EXAMPLES, "ask")
    if isinstance(text, str):
        go(search_for(text, here()[0]))


def example_dropped() -> None:
    """Drop the study that more were wanted like; words and filters stay."""
    go(replace(here()[0], like=None, page=1))


def filters_changed() -> None:
    """Follow the filter panel."""
    chosen = _value(FILTERS, "change")
    if isinstance(chosen, dict):
        go(filtered(from_params(chosen)[0].where, here()[0]))


def filters_reset() -> None:
    """Take all filters away."""
    go(filtered(Filter(), here()[0]))


def page_turned() -> None:
    """Follow the page buttons."""
    page = _value(RESULTS, "page")
    if isinstance(page, int):
        go(replace(here()[0], page=max(1, page)))


def opened(source: str) -> None:
    """Open the study chosen in `source`."""
    study = _value(source, "open")
    if isinstance(study, str):
        go(replace(here()[0], study=StudyId(study), why=None))


def liked(source: str) -> None:
    """Look for more like the study chosen in `source`."""
    study = _value(source, "like")
    if isinstance(study, str):
        like_this(StudyId(study))


def like_this(study: StudyId) -> None:
    """Look for more like one study, under the same filters."""
    go(more_like(study, here()[0]))


def closed() -> None:
    """Leave the study page for the results it was opened from."""
    go(replace(here()[0], study=None, why=None))


def why_asked(source: str) -> None:
    """Look into the clip chosen in `source`, or no more into any."""
    clip = _value(source, "why")
    if isinstance(clip, str):
        look_into(ClipId(clip) if clip else None)


def look_into(clip: ClipId | None) -> None:
    """Say of a clip why it matches, on its study's page; None to say it no more."""
    go(replace(here()[0], why=clip))


def _value(source: str, name: str) -> object:
    state = st.session_state.get(source)
    return None if state is None else getattr(state, name, None)
