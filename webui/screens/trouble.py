"""What is said when something cannot be shown: what happened, what still works, what to do."""

from dataclasses import replace
from html import escape

import streamlit as st

from retrieval.errors import NothingPublished
from webui.address import Address, link
from webui.screens import frame


def nothing_published(error: NothingPublished) -> None:
    """The first page of an empty archive: which command fills it."""
    command = f"cineseek-index run ARCHIVE --home {error.home}"
    st.html(
        '<section class="cs-message"><h1>No archive to search yet</h1>'
        "<p>CineSeek reads a folder of DICOM once, then finds its hearts by what you would say "
        "of them. Nothing has been indexed in this home so far.</p>"
        f"<p>Index a folder:</p><pre>{escape(command)}</pre>"
        "<p>This page shows the archive as soon as it is published; reload it then.</p></section>"
    )
    frame.bottom(())


def failed(what: str, why: str, address: Address) -> None:
    """One error: the question stays in the URL and on the page."""
    asked = f"<p>Your query is kept: “{escape(address.text)}”</p>" if address.text else ""
    links = [link("Try again", address)]
    if address.study:
        links.append(link("Back to the results", replace(address, study=None)))
    links.append(link("Start anew", Address()))
    st.html(
        f'<section class="cs-message"><h1>{escape(what)}</h1><p>{escape(why)}</p>{asked}'
        f"<p>{' · '.join(links)}</p></section>"
    )
    frame.bottom(())
