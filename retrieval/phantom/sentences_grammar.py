"""Wordings: templates with slots, expanded to phrases.

The wordings stand in `sentences_wordings.toml`. A family is the set of phrases
of one template; "train" and "held out" share no family, and no phrase of
"train" holds one of the queries that CineSeek is measured by.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from string import Formatter
from typing import Literal

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
    "dilated left ventricle with reduced ejection fraction",
    "dilated left ventricle with severely reduced ejection fraction",
    "normal heart with normal volumes and function",
    "myocardial infarction with regional wall motion abnormality",
)
"""Queries that tests ask; no training text may hold one of them, whole or inside."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """The table as read: slot words, and for each concept its slots and its templates."""

    families: dict[tuple[str, Split], tuple[Family, ...]]
    number_templates: dict[tuple[str, Split], tuple[str, ...]]


def plain_words(text: str) -> str:
    """Lower case, words only, one space between, one around: so that phrases compare."""
    return f" {' '.join(re.findall(r'[a-z0-9%]+', text.lower()))} "


def holds_held_out_query(text: str) -> bool:
    """Whether one of `QUERIES_HELD_OUT` occurs in a text, word by word."""
    words = plain_words(text)
    return any(plain_words(query) in words for query in QUERIES_HELD_OUT)


def families(concept: str, split: Split) -> tuple[Family, ...]:
    """All wordings of a concept, grouped by template.

    Parameters
    ----------
    concept
        A concept, or "quantity=value" ("lvef=35").

    Raises
    ------
    KeyError
        There is no such concept.
    """
    quantity, equals, value = concept.partition("=")
    if equals:
        templates = wordings().number_templates[quantity, split]
        return tuple((_sentence(t.format(value=value)),) for t in templates)
    return wordings().families[concept, split]


def phrases(concept: str, split: Split) -> tuple[str, ...]:
    """All wordings of a concept, each once, without a full stop; see `families`."""
    return tuple(dict.fromkeys(p for family in families(concept, split) for p in family))


@cache
def wordings() -> Wordings:
    """Read and expand the table that ships with the package."""
    text = files("retrieval.phantom").joinpath("sentences_wordings.toml").read_text("utf-8")
    table = tomllib.loads(text)
    found: dict[tuple[str, Split], tuple[Family, ...]] = {}
    for concept, entry in table["concepts"].items():
        own = {k: v for k, v in entry.items() if k not in ("side", "patterns")}
        slots = table["words"] | table["sides"][entry["side"]] | own
        for split, key in _SPLITS:
            templates = [t for p in entry["patterns"] for t in table["patterns"][p][key]]
            found[concept, split] = tuple(
                family for t in templates if (family := _expand(t, slots, split))
            )
    numbers: dict[tuple[str, Split], tuple[str, ...]] = {
        (quantity, split): tuple(entry[key])
        for quantity, entry in table["numbers"].items()
        for split, key in _SPLITS
    }
    return Wordings(found, numbers)


_SPLITS: tuple[tuple[Split, str], ...] = (("train", "train"), ("held out", "held_out"))


def _expand(template: str, slots: dict[str, list[str]], split: Split) -> Family:
    names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    choices = product(*(slots[name] for name in names))
    made = (_sentence(template.format(**dict(zip(names, c, strict=True)))) for c in choices)
    return tuple(
        dict.fromkeys(p for p in made if split == "held out" or not holds_held_out_query(p))
    )


def _sentence(text: str) -> str:
    """One space between words, and a capital first."""
    words = " ".join(text.split())
    return words[0].upper() + words[1:]
