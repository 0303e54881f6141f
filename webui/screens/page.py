"""Which screen the address asks for, and what is said when it cannot be shown."""

import logging

import streamlit as st

from retrieval.errors import CineSeekError, NothingPublished
from webui import backend
from webui.screens import first, frame, navigation, search, study, trouble

log = logging.getLogger(__name__)


def show() -> None:
    """Show the screen that the URL names."""
    frame.style()
    with st.container(key="page", gap=None):
        _show()


def _show() -> None:
    address, unread = navigation.here()
    try:
        desk = backend.current().desk()
        coverage = backend.current().coverage()
    except NothingPublished as error:
        frame.top(None, None)
        trouble.nothing_published(error)
        return
    except CineSeekError as error:
        log.exception("the archive cannot be opened")
        frame.top(None, None)
        trouble.failed("The archive cannot be opened", str(error), address)
        return
    frame.top(coverage, desk.reading.generation)
    st.session_state["run"] = st.session_state.get("run", 0) + 1
    try:
        if address.study:
            study.show(desk, address, address.study)
        elif address.asks:
            search.show(desk, coverage, address, unread)
        else:
            first.show(desk, coverage, address)
    except CineSeekError as error:
        log.exception("%s could not be shown", "study" if address.study else "search")
        trouble.failed("This could not be shown", str(error), address)
