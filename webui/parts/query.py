"""The query box."""

from collections.abc import Callable

from webui import words
from webui.address import Address
from webui.parts.component import component

PLACEHOLDER = "Describe the heart you are looking for"


def show(
    address: Address,
    *,
    key: str,
    searchable: int,
    run: int,
    on_search: Callable[[], None],
    on_clear: Callable[[], None],
) -> None:
    """Put the query box on the page.

    Parameters
    ----------
    searchable
        Studies that a search compares, for the line shown while it does.
    run
        Changes with every run of the page, so that the box knows it was answered.
    """
    mount = component("query", scripts=("dom.js", "query.js"), styles=("query.css",), root="query")
    content = {
        "text": address.text,
        "like": words.study_name(address.like) if address.like else None,
        "placeholder": "" if address.like else PLACEHOLDER,
        "busy": f"Comparing {words.studies(searchable)}",
        "focus": not address.asks,
        "run": run,
    }
    mount(key=key, data=content, on_search_change=on_search, on_clear_change=on_clear)
