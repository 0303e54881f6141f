"""What may be kept of a scanner's own free text: listed words, and tokens that look like versions.

Manufacturer, ManufacturerModelName and SoftwareVersions are retained (PS3.15
Annex E keeps the first; the others are cleaned here), but scanners are
labelled by people, and people write names. So nothing passes that is not in
`scanners.toml` or shaped like a version number, and no such number that is a
word of an identifier of the study.
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MODEL_NUMBER = re.compile(r"(?:MR)?\d{3,4}[A-Za-z]{0,2}|\d(?:\.\d{1,2})?T?|[XVRW]{1,3}", re.ASCII)
"""450w, MR750, 1.5T, 3T, XR; anything longer may be a serial number."""

VERSION = re.compile(
    r"(?=[^\s]{1,20}$)(?:[A-Z]{1,3}|v)?\d{1,3}[A-Z]?(?:[._-](?:[A-Za-z]?\d{1,4}[a-z]?|[a-z]))*",
    re.ASCII,
)
"""E11C, VB17A, 5.3.1.0, DV26.0_R01_1725; not a run of five digits, which may be an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    vendors: dict[str, tuple[str, ...]]
    model_words: dict[str, str]
    software_words: dict[str, str]


def vendor(text: str) -> str | None:
    """Return the vendor under one name, or None for one that is not listed."""
    words = f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "
    for name, marks in _table().vendors.items():
        if any(f" {mark} " in words for mark in marks):
            return name
    return None


def model(text: str, identifying: Collection[str]) -> str | None:
    """Return the listed words and model numbers of a model name, or None.

    Parameters
    ----------
    identifying
        Lower-case words of the study's identifiers; no number that is one passes.
    """
    known = _table().model_words
    kept = [
        known.get(token.lower(), token)
        for token in re.split(r"[\s,;]+", text)
        if token.lower() in known
        or (MODEL_NUMBER.fullmatch(token) and token.lower() not in identifying)
    ]
    named = any(token.lower() in known for token in kept)
    return " ".join(kept) if named else None


def software(text: str, identifying: Collection[str]) -> str | None:
    """Return the version-like tokens and listed words of a software version, or None."""
    known = _table().software_words
    kept = [
        known.get(token.lower(), token)
        for token in re.split(r"[\s,;:\\]+", text)
        if token.lower() in known or (VERSION.fullmatch(token) and token.lower() not in identifying)
    ]
    versioned = any(VERSION.fullmatch(token) for token in kept)
    return " ".join(kept) if versioned else None


@cache
def _table() -> _Table:
    text = files("indexer").joinpath("scanners.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return _Table(
        vendors={name: tuple(marks) for name, marks in table["vendors"].items()},
        model_words={word.lower(): word for word in table["models"]["words"]},
        software_words={word.lower(): word for word in table["software"]["words"]},
    )
