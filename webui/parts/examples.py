"""The cards of the first visit."""

from collections.abc import Callable, Sequence

from retrieval.values.query import Hit
from webui.examples import Example, content
from webui.parts.component import component
from webui.sheets import SheetReader


def show(
    found: Sequence[tuple[Example, Hit]],
    sheets: SheetReader,
    *,
    key: str,
    on_ask: Callable[[], None],
) -> None:
    """Put examples, each with its best answer, on the page."""
    mount = component(
        "examples",
        scripts=("dom.js", "heart.js", "examples.js"),
        styles=("examples.css",),
        root="examples",
    )
    message = sheets.pack(
        {"examples": [content(example, hit) for example, hit in found]},
        [hit.evidence.clip.id for _, hit in found],
    )
    mount(key=key, data=message, on_ask_change=on_ask)
