"""The frame around every screen: style, top bar, bottom bar."""

from html import escape
from importlib.resources import files

import streamlit as st

from webui import words
from webui.backend import Coverage

PURPOSE = "For reference and teaching. Not for diagnosis."

SHORT = 8
"""Digits of a generation's name that tell it apart; its full name is under a study's provenance."""

Keys = tuple[tuple[str, str], ...]


def style() -> None:
    """Lay the page out; the measures that Streamlit's theme has no option for."""
    st.html(f"<style>{(files('webui.screens') / 'frame.css').read_text(encoding='utf-8')}</style>")


def top(coverage: Coverage | None, generation: str | None) -> None:
    """The bar above: name, screens, and what can be searched."""
    said = ""
    if coverage is not None:
        share = f"{coverage.indexed:,} of {words.studies(coverage.found)} searchable"
        said = words.joined((share, f"index {(generation or '')[:SHORT]}"))
    st.html(
        '<header class="cs-top"><a class="cs-logo" href="?" target="_self">CineSeek</a>'
        '<nav aria-label="Screens"><a href="?" target="_self" aria-current="page">Search</a></nav>'
        f'<span class="cs-gap"></span><span class="cs-quiet">{escape(said)}</span></header>'
    )


def bottom(keys: Keys) -> None:
    """The bar below: the keys that work here, and what the tool is for."""
    shown = "".join(
        "<span>"
        + "".join(f"<kbd>{escape(k)}</kbd>" for k in key.split())
        + f" {escape(what)}</span>"
        for key, what in keys
    )
    st.html(
        f'<footer class="cs-bottom"><span class="cs-keys">{shown}</span>'
        f'<span class="cs-gap"></span><span class="cs-purpose">{PURPOSE}</span></footer>'
    )
