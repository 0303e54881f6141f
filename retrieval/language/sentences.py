"""Cut text into sentences, with their places."""

import re
from collections.abc import Iterator

_END = re.compile(
    r"""
    (?<!\b[A-Z])(?<!\D[ ][a-z]) # an initial, "e. g."; but "75 g." ends
    (?<!\bapprox)(?<!\bmax)(?<!\bref)(?<!\bDr)(?<!\bProf)(?<!\bvs)(?<!\bca)(?<!\bresp)(?<!\be\.g)(?<!\bi\.e)
    (?<=\S)[.!?](?=\s|$)    # not after an abbreviation, not inside a number, not "? LVH"
    | \n\s*\n               # a paragraph ends
    | \n(?=\s*(?:[-*•]|\(?\d{1,2}[.)]\s|[A-Z0-9ÄÖÜÉ]))  # a line that begins anew
    """,
    re.VERBOSE,
)
_BULLET = re.compile(r"[\s*•-]*(?:\(?\d{1,2}[.)](?=\s)\s*)?[\s*•-]*")


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Walk the sentences of text[start:end] as half-open ranges of `text`.

    A line break ends a sentence only where the next line begins anew; numbers
    and bullets in front are left out.
    """
    end = len(text) if end is None else end
    at = start
    for found in _END.finditer(text, start, end):
        # A list number ("1.") is no sentence of its own.
        if text[at : found.end()].strip(" \t\n.()*-•").isdecimal():
            continue
        yield from _trimmed(text, at, found.end())
        at = found.end()
    yield from _trimmed(text, at, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    bullet = _BULLET.match(text, start, end)
    start = bullet.end() if bullet else start
    while end > start and text[end - 1].isspace():
        end -= 1
    if any(c.isalpha() for c in text[start:end]):
        yield start, end
