"""Wordings: templates with slots, expanded to phrases.

The wordings stand in the `sentences_*.toml` files. A family is the set of
phrases of one template; "train" and "held out" share no family, and no phrase
of "train" holds one of the queries that CineSeek is measured by.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from random import Random
from string import Formatter
from typing import Any, Literal

from retrieval.phantom.sentences_truth import measurement

Split = Literal["train", "held out"]
Family = tuple[str, ...]
"""The phrases of one template."""

QUERIES_HELD_OUT: tuple[str, ...] = (
    "enlarged left ventricle",
    "dilated left ventricle",
    "left ventricle is dilated",
    "left ventricular hypertrophy",
    "reduced ejection fraction",
    "right ventricle is dilated",
    "scar on LGE",
    "thickened wall",
    "dilated left ventricle with reduced ejection fraction",
    "dilated left ventricle with severely reduced ejection fraction",
    "dilated cardiomyopathy with a large left ventricle and poor systolic function",
    "left ventricular enlargement with global systolic dysfunction and walls of normal thickness",
    "hypertrophic cardiomyopathy with walls thicker than 15 mm",
    "left ventricular hypertrophy with preserved ejection fraction",
    "marked thickening of the left ventricular wall in a ventricle that contracts normally",
    "myocardial infarction with regional wall motion abnormality",
    "previous infarct with several akinetic segments and an ejection fraction below 40 %",
    "reduced left ventricular function with akinesia in one coronary territory",
    "normal heart with normal volumes and function",
    "both ventricles have a normal size and contract normally",
    "normal ventricular volumes, normal ejection fraction and normal wall thickness",
    "dilated right ventricle with a left ventricle of normal size",
    "the right ventricle is too large in proportion to a normal left ventricle",
    "right ventricular enlargement or dysfunction with normal left ventricular function",
)
"""Queries that tests ask; no training text may hold one of them, whole or inside."""

_FILES = ("words", "chambers", "muscle", "tissue", "diseases")
_SPLITS: tuple[tuple[Split, str], ...] = (("train", "train"), ("held out", "held_out"))
_NO_SLOTS = frozenset({"side", "patterns", "train", "held_out"})
_NUMBER_FORMS = {"=": "exact", ">": "above", "<": "below"}


@dataclass(frozen=True, slots=True)
class Wordings:
    """The tables as read.

    Attributes
    ----------
    families
        By concept ("lv_dilated", or "lv_dilated?" where it can be left open) and split.
    searches
        More of them, which ask for hearts and are no sentences of a report.
    numbers
        Quantity to the names it goes by and, by form and split, its templates.
    """

    families: Mapping[tuple[str, Split], tuple[Family, ...]]
    searches: Mapping[tuple[str, Split], tuple[Family, ...]]
    numbers: Mapping[str, Any]


def plain_words(text: str) -> str:
    """Lower case, words only, one space between, one around: so that phrases compare."""
    return f" {' '.join(re.findall(r'[a-z0-9%]+', text.lower()))} "


@cache
def _plain_queries() -> tuple[str, ...]:
    return tuple(plain_words(query) for query in QUERIES_HELD_OUT)


def holds_held_out_query(text: str) -> bool:
    """Whether one of `QUERIES_HELD_OUT` occurs in a text, word by word."""
    words = plain_words(text)
    return any(query in words for query in _plain_queries())


def families(concept: str, split: Split) -> tuple[Family, ...]:
    """All wordings of a concept, grouped by template; see `report_families`."""
    return report_families(concept, split) + wordings().searches.get((concept, split), ())


@cache
def report_families(concept: str, split: Split) -> tuple[Family, ...]:
    """Wordings of a concept that a report may use, grouped by template.

    Parameters
    ----------
    concept
        A concept, one that is left open ("lv_dilated?"), or a measurement
        ("lvef=35", "lvef<40").

    Raises
    ------
    KeyError
        There is no such concept.
    """
    asked = measurement(concept)
    if asked is None:
        return wordings().families[concept, split]
    entry = wordings().numbers[asked.quantity]
    slots = {
        "name": entry["names"],
        "value": [f"{asked.value:g}"],
        "tenth": [f"{asked.value / 10:.1f}"],
        "share": [f"{asked.value / 100:.2f}"],
    }
    templates = entry[_NUMBER_FORMS[asked.sign]][dict(_SPLITS)[split]]
    return _families(templates, slots, split)


def phrases(concept: str, split: Split) -> tuple[str, ...]:
    """All wordings of a concept, each once, without a full stop; see `families`."""
    return tuple(dict.fromkeys(p for family in families(concept, split) for p in family))


def sample_phrases(concept: str, split: Split, limit: int, rng: Random) -> list[str]:
    """At most `limit` different wordings, the same number of each family as far as it has them.

    Families differ in size by a factor of fifty; taken as they come, a few
    templates with many slots would be nearly all that is read.
    """
    piles = [rng.sample(family, len(family)) for family in families(concept, split)]
    rng.shuffle(piles)
    chosen: dict[str, None] = {}
    while piles and len(chosen) < limit:
        for pile in piles:
            if len(chosen) < limit:
                chosen[pile.pop()] = None
        piles = [pile for pile in piles if pile]
    return list(chosen)


@cache
def wordings() -> Wordings:
    """Read and expand the tables that ship with the package."""
    table: dict[str, dict[str, Any]] = {}
    for name in _FILES:
        for section, entries in read_table(name).items():
            _merge(table.setdefault(section, {}), entries)
    found: dict[tuple[str, Split], tuple[Family, ...]] = {}
    searches: dict[tuple[str, Split], tuple[Family, ...]] = {}
    for concept, entry in table["concepts"].items():
        slots = _slots(table, entry)
        for split, key in _SPLITS:
            found[concept, split] = _families(_templates(table, entry, key), slots, split)
            kind = "searches" if "np" in entry else "searches_without"
            if slots["np"]:
                searches[concept, split] = _families(table["patterns"][kind][key], slots, split)
            if "np" in entry:
                doubts = table["patterns"]["doubts"][key]
                found[f"{concept}?", split] = _families(doubts, slots, split)
    return Wordings(found, searches, read_table("numbers"))


def read_table(name: str) -> dict[str, Any]:
    """Read sentences_NAME.toml."""
    text = files("retrieval.phantom").joinpath(f"sentences_{name}.toml").read_text("utf-8")
    return tomllib.loads(text)


def _merge(into: dict[str, Any], entries: Mapping[str, Any]) -> None:
    twice = into.keys() & entries.keys()
    if twice:
        raise ValueError(f"wordings stand in two files: {', '.join(sorted(twice))}; keep one")
    into.update(entries)


def _slots(table: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The words that a concept's templates may use; its noun phrases are expanded."""
    own = {k: v for k, v in entry.items() if k not in _NO_SLOTS}
    slots = table["words"] | table["sides"][entry["side"]] | own
    named = own.get("np", own.get("denied", ()))
    return slots | {"np": [p for phrase in named for p in _fill(phrase, slots)]}


def _templates(table: Mapping[str, Any], entry: Mapping[str, Any], key: str) -> list[str]:
    patterns = list(entry.get("patterns", ()))
    patterns += ["states"] if "np" in entry else []
    patterns += ["denies"] if "denied" in entry else []
    shared = [t for p in patterns for t in table["patterns"][p][key]]
    return [*entry.get(key, ()), *shared]


def _families(
    templates: Iterable[str], slots: Mapping[str, Sequence[str]], split: Split
) -> tuple[Family, ...]:
    return tuple(family for t in templates if (family := _expand(t, slots, split)))


def _expand(template: str, slots: Mapping[str, Sequence[str]], split: Split) -> Family:
    made = (_sentence(p) for p in _fill(template, slots))
    return tuple(
        dict.fromkeys(p for p in made if split == "held out" or not holds_held_out_query(p))
    )


def _fill(template: str, slots: Mapping[str, Sequence[str]]) -> Iterable[str]:
    """Every way to fill the slots of a template."""
    names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    for choice in product(*(slots[name] for name in names)):
        yield template.format(**dict(zip(names, choice, strict=True)))


def _sentence(text: str) -> str:
    """One space between words, and a capital first."""
    words = " ".join(text.split())
    return words[0].upper() + words[1:]
