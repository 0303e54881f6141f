"""The player of one study, with its nearest cases below."""

from collections.abc import Callable, Iterable

from retrieval.values.clip import ClipId
from webui.parts.component import component
from webui.sheets import SheetReader


def show(
    content: dict[str, object],
    clips: Iterable[ClipId],
    sheets: SheetReader,
    *,
    key: str,
    on: dict[str, Callable[[], None]],
) -> None:
    """Put the player on the page.

    Parameters
    ----------
    clips
        All that it plays.
    on
        What to call for "back", "open", "like" and "why".
    """
    mount = component(
        "player",
        scripts=("dom.js", "heart.js", "why.js", "player.js"),
        styles=("player.css",),
        root="player",
    )
    message = sheets.pack(content, clips)
    mount(key=key, data=message, **{f"on_{name}_change": act for name, act in on.items()})
