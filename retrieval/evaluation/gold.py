"""The gold set: what people ask, and which simulated hearts answer it (`gold.toml`)."""

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation.truths import TRUE_FROM
from retrieval.phantom.sentences_hearts import Hearts
from retrieval.phantom.sentences_rules import RULES
from retrieval.values.query import Filter
from retrieval.values.study import Sex, Study

FILE = "gold.toml"

Held = NDArray[np.bool_]
"""(N,): whether something holds, heart by heart."""

_BOUND = re.compile(r"([a-z0-9_]+)([<>])(\d+(?:\.\d+)?)")
_PEOPLE: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "sex": lambda value: ("sexes", frozenset({Sex(value)})),
        "age_from": lambda value: ("age_from", value),
        "age_to": lambda value: ("age_to", value),
        "field_strengths": lambda value: ("field_strengths_t", frozenset(value)),
        "year_from": lambda value: ("year_from", value),
        "year_to": lambda value: ("year_to", value),
    }
)
"""Conditions of `gold.toml` on patient, scanner and visit: which field of a filter each is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One query, and what is true of the hearts that answer it.

    Attributes
    ----------
    true, untrue
        Statements, or bounds such as "lvef<35", that all or none must hold.
    either
        Of each of these at least one must hold.
    people
        What patient, scanner and visit must meet.
    """

    text: str
    kind: str
    true: tuple[str, ...] = ()
    untrue: tuple[str, ...] = ()
    either: tuple[tuple[str, ...], ...] = ()
    people: Filter = field(default_factory=Filter)

    @property
    def statements(self) -> tuple[str, ...]:
        """All that its truth speaks of."""
        return (*self.true, *self.untrue, *(one for several in self.either for one in several))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """All that is asked.

    Attributes
    ----------
    paraphrases
        Wordings that ask for the same.
    opposites
        What answers the one does not answer the other.
    digest
        12 hexadecimal digits over all that the file says, its comments left out.
    """

    asks: tuple[Ask, ...]
    paraphrases: tuple[tuple[str, ...], ...]
    opposites: tuple[tuple[str, ...], ...]
    digest: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """In the order of the file."""
        return tuple(dict.fromkeys(ask.kind for ask in self.asks))


@cache
def gold() -> Gold:
    """Read the gold set that ships."""
    return read_gold(files("retrieval.evaluation").joinpath(FILE).read_text("utf-8"))


def read_gold(text: str) -> Gold:
    """Read a gold set.

    Raises
    ------
    ValueError
        It speaks of what is not known of a simulated heart, or asks nothing of it.
    """
    table = tomllib.loads(text)
    asks = tuple(_ask(kind, given) for kind, its in table["kinds"].items() for given in its)
    for ask in asks:
        holds(ask.statements, Hearts([]))
        if not ask.statements and ask.people == Filter():
            raise ValueError(f"{ask.text!r} has no truth; say what must hold")
    return Gold(
        asks=asks,
        paraphrases=tuple(map(tuple, table["paraphrases"]["groups"])),
        opposites=tuple(map(tuple, table["opposites"]["pairs"])),
        digest=hashlib.sha256(json.dumps(table).encode()).hexdigest()[:12],
    )


def holds(statements: Sequence[str], hearts: Hearts) -> Mapping[str, Held]:
    """Say of which hearts each statement or bound holds.

    Raises
    ------
    ValueError
        No such statement or quantity is known.
    """
    return {statement: _holds(statement, hearts) for statement in statements}


def answers(ask: Ask, hearts: Hearts, studies: Sequence[Study]) -> Held:
    """(N,) which of N hearts, seen in as many studies, answer a query."""
    held = holds(ask.statements, hearts)
    found = np.array([_passes(ask.people, s, t.sex, t.age_years) for s, t in zip(
        studies, hearts.truths, strict=True)], dtype=bool)  # fmt: skip
    for statement in ask.true:
        found &= held[statement]
    for statement in ask.untrue:
        found &= ~held[statement]
    for several in ask.either:
        found &= np.any([held[one] for one in several], axis=0)
    return found


def _holds(statement: str, hearts: Hearts) -> Held:
    bound = _BOUND.fullmatch(statement)
    if bound is not None and bound[1] in hearts.measured:
        values, limit = hearts.measured[bound[1]], float(bound[3])
        return values < limit if bound[2] == "<" else values > limit
    if statement not in RULES:
        raise ValueError(f"{statement!r} is no statement about a simulated heart, and no bound")
    return np.asarray(RULES[statement](hearts) >= TRUE_FROM, dtype=bool)


def _passes(people: Filter, study: Study, sex: Sex, age_years: int) -> bool:
    """Whether the person, as simulated, and the scanner and year of the headers meet a filter."""
    strength, year = study.scanner.field_strength_t, study.year
    return (
        (not people.sexes or sex in people.sexes)
        and _between(age_years, people.age_from, people.age_to)
        and (not people.field_strengths_t or strength in people.field_strengths_t)
        and (year is None or _between(year, people.year_from, people.year_to))
        and (year is not None or (people.year_from, people.year_to) == (None, None))
    )


def _between(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _ask(kind: str, given: Mapping[str, Any]) -> Ask:
    people = dict(_PEOPLE[name](given[name]) for name in given.keys() & _PEOPLE.keys())
    strangers = given.keys() - _PEOPLE.keys() - {"text", "all", "none", "any"}
    if strangers:
        raise ValueError(f"{given['text']!r} says {', '.join(sorted(strangers))}: nobody reads it")
    return Ask(
        text=given["text"],
        kind=kind,
        true=tuple(given.get("all", ())),
        untrue=tuple(given.get("none", ())),
        either=tuple(map(tuple, given.get("any", ()))),
        people=Filter(**people),
    )
