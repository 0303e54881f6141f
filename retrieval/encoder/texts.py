"""Texts before a tower reads them: asked again, they cost nothing; asked together, they share."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

import numpy as np

from retrieval.values.embedding import Vectors

KEPT = 4096
"""How many texts are remembered: 8 MB at 512 floats each."""

TOKENS_TOGETHER = 4096
"""How many tokens are read in one pass at most, a single longer text apart."""


class RememberedTexts:
    """Vectors of the texts that were asked last; safe to share between threads.

    Parameters
    ----------
    encode
        Embeds N different texts: (N, width) float32.
    width
        Length of a vector.
    keep
        How many are remembered; the one longest unasked goes first.
    """

    def __init__(
        self, encode: Callable[[Sequence[str]], Vectors], *, width: int, keep: int = KEPT
    ) -> None:
        self._encode = encode
        self._width = width
        self._keep = keep
        self._rows: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Embed N texts, each different one at most once: (N, width), row i of texts[i]."""
        rows = self._recalled(texts)
        unknown = [text for text in dict.fromkeys(texts) if text not in rows]
        if unknown:
            rows.update(zip(unknown, self._encode(unknown), strict=True))
            self._remember({text: rows[text] for text in unknown})
        none = np.zeros((0, self._width), np.float32)
        return np.stack([rows[text] for text in texts]) if texts else none

    def _recalled(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._lock:
            found = {text: self._rows[text] for text in texts if text in self._rows}
            for text in found:
                self._rows.move_to_end(text)
        return found

    def _remember(self, rows: dict[str, Vectors]) -> None:
        with self._lock:
            for text, row in rows.items():
                self._rows[text] = row.copy()  # a row of a batch would keep the batch alive
            while len(self._rows) > self._keep:
                self._rows.popitem(last=False)


def by_length(
    lengths: Sequence[int], tokens_together: int = TOKENS_TOGETHER
) -> Iterator[list[int]]:
    """Put texts of one length together, shortest first, so that nothing is padded.

    Parameters
    ----------
    lengths
        Tokens of each text.
    tokens_together
        Most tokens in one group; a group has at least one text.

    Yields
    ------
    list
        Places in `lengths`; each place comes once.
    """
    places: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        places.setdefault(length, []).append(place)
    for length in sorted(places):
        most = max(1, tokens_together // max(1, length))
        alike = places[length]
        for start in range(0, len(alike), most):
            yield alike[start : start + most]
