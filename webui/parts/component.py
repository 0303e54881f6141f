"""Mounting our components: script and style come from the files beside this one."""

from functools import cache
from importlib.resources import files
from typing import Protocol

import streamlit as st

SHARED_STYLE = ("base.css",)
ASSETS = files("webui.parts") / "assets"


class Mount(Protocol):
    """Puts a component on the page."""

    def __call__(self, *, key: str, data: object, **on: object) -> object:
        """Show `data`; each `on_NAME_change` is called back when the page triggers NAME."""
        ...


@cache
def component(name: str, *, scripts: tuple[str, ...], styles: tuple[str, ...], root: str) -> Mount:
    """Register a component once per process.

    Parameters
    ----------
    scripts
        Files joined into one module, in this order; the last exports the component.
    styles
        Files joined after the shared style.
    root
        CSS class of the element that the script fills.
    """
    return st.components.v2.component(
        f"cineseek_{name}",
        html=f'<div class="cs {root}"></div>',
        css="\n".join(_text(file) for file in (*SHARED_STYLE, *styles)),
        js="\n".join(_text(file) for file in scripts),
    )


def _text(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
