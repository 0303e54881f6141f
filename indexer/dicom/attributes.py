"""Looking header values up, wherever an object keeps them and however broken they are."""

import math
import re
from collections.abc import Iterable, Sequence
from functools import cache

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from indexer.dicom.parsing import PARSE_ERRORS

_CLOCK = re.compile(r"^(\d{2}):?([0-5]\d):?([0-5]\d|60)(\.\d{1,6})?$")
_ZONE = re.compile(r"[+-]\d{4}$")


@cache
def tag_of(keyword: str) -> int:
    """Return the tag of a DICOM keyword; a misspelt one is a bug."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


class Attributes:
    """Attributes of one frame or file, looked up by keyword or tag in several data sets.

    Nothing here raises on what a header holds: an absent, empty, unparsable or
    non-finite value is None (or empty).
    """

    def __init__(self, *places: Dataset) -> None:
        """Look in `places`; where two hold an attribute, the later one wins."""
        self._owners: dict[int, Dataset] = {}
        self._put(places)

    def _put(self, places: Iterable[Dataset]) -> None:
        for place in places:
            # plain integers: pydicom's tags compare in Python, ten times slower
            self._owners.update(dict.fromkeys(map(int, place.keys()), place))

    def under(self, *places: Dataset) -> "Attributes":
        """Return these attributes, overlaid with those of `places`."""
        overlaid = Attributes()
        overlaid._owners = dict(self._owners)
        overlaid._put(places)
        return overlaid

    def value(self, keyword: str | int) -> object | None:
        """Return an element's value as pydicom converts it, or None."""
        tag = tag_of(keyword) if isinstance(keyword, str) else keyword
        owner = self._owners.get(tag)
        if owner is None:
            return None
        try:
            return owner[tag].value
        except PARSE_ERRORS:
            return None

    def values(self, keyword: str | int) -> tuple[object, ...]:
        """Return every value of an element that may have several."""
        value = self.value(keyword)
        if value is None:
            return ()
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return tuple(value)
        return (value,)

    def texts(self, keyword: str | int) -> tuple[str, ...]:
        """Return the values that are not blank, stripped."""
        stripped = (str(v).strip(" \0\t\r\n") for v in self.values(keyword) if v is not None)
        return tuple(s for s in stripped if s)

    def text(self, *keywords: str) -> str:
        """Return the first of `keywords` that says something; several values joined by a comma."""
        return next((", ".join(t) for k in keywords if (t := self.texts(k))), "")

    def numbers(self, keyword: str, count: int) -> tuple[float, ...] | None:
        """Return exactly `count` finite numbers, or None."""
        values = self.values(keyword)
        if len(values) != count:
            return None
        numbers = tuple(_number(v) for v in values)
        return tuple(n for n in numbers if n is not None) if None not in numbers else None

    def number(self, *keywords: str, low: float = -1e9, high: float = 1e9) -> float | None:
        """Return the first of `keywords` whose (first) value is a number in [low, high]."""
        for keyword in keywords:
            values = self.values(keyword)
            number = _number(values[0]) if values else None
            if number is not None and low <= number <= high:
                return number
        return None

    def integer(self, *keywords: str, low: int = 0, high: int = 2**31 - 1) -> int | None:
        """Return the first of `keywords` that is a whole number in [low, high]."""
        number = self.number(*keywords, low=low, high=high)
        return int(number) if number is not None and number == int(number) else None

    def items(self, keyword: str | int) -> tuple[Dataset, ...]:
        """Return the items of a sequence."""
        return tuple(item for item in self.values(keyword) if isinstance(item, Dataset))

    def clock_ms(self, *keywords: str) -> float | None:
        """Return the first time of day (TM or DT), in milliseconds since midnight."""
        times = (_clock_ms(self.text(k)) for k in keywords)
        return next((t for t in times if t is not None), None)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _clock_ms(text: str) -> float | None:
    """Read TM ("HHMMSS.FFFFFF", the old "HH:MM:SS") or DT (a date before, a zone behind)."""
    bare = _ZONE.sub("", text.strip())
    if len(bare) >= 14 and bare[:14].isdigit():
        bare = bare[8:]
    match = _CLOCK.match(bare)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return 1000.0 * (whole + float(fraction or 0)) if int(hours) < 24 else None
