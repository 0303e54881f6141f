"""Mounting our components: script and style come from the files beside this one."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files

from streamlit.components import v2

SHARED_STYLE = ("base.css",)
Mount = Callable[..., object]
"""Puts a component on the page: `key`, `data`, and `on_NAME_change` for each trigger NAME."""

ASSETS = files("webui.parts") / "assets"


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
    return v2.component(
        f"cineseek_{name}",
        html=f'<div class="cs {root}"></div>',
        css="\n".join(_text(file) for file in (*SHARED_STYLE, *styles)),
        js="\n".join(_text(file) for file in scripts),
    )


def _text(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
