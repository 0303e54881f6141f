"""The grid of result cards."""

from collections.abc import Callable, Sequence

from webui.cards import Card, clips_of
from webui.parts.component import component
from webui.sheets import SheetReader


def show(
    cards: Sequence[Card],
    sheets: SheetReader,
    *,
    key: str,
    page: int,
    pages: int,
    selected: str | None,
    on: dict[str, Callable[[], None]],
) -> None:
    """Put the cards on the page.

    Parameters
    ----------
    selected
        The study whose card takes the focus.
    on
        What to call for "open", "like" and "page".
    """
    mount = component(
        "results",
        scripts=("dom.js", "heart.js", "grid.js"),
        styles=("grid.css",),
        root="results",
    )
    content: dict[str, object] = {
        "cards": [card.content for card in cards],
        "page": page,
        "pages": pages,
        "selected": selected,
    }
    message = sheets.pack(content, clips_of(cards))
    mount(key=key, data=message, **{f"on_{name}_change": act for name, act in on.items()})
