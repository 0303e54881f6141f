"""Read the table of terms, `terms.toml`, and a site's own file on top of it; check both."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from retrieval.errors import UsageError
from retrieval.language.reference_ranges import reference_ranges
from retrieval.search.understand.terms import Kind, Term, Terms
from retrieval.search.understand.tokens import keys_of
from retrieval.values.finding import FindingName


@cache
def shipped_terms() -> Terms:
    """Read the table that ships with the package."""
    return make_terms(_shipped())


def load_terms(site: Path) -> Terms:
    """Read the shipped table and a site's own file on top of it.

    The file has the same form. Terms that the shipped table has gain its lists
    (synonyms, prompts, ...); what is one value there stays as it is.

    Raises
    ------
    UsageError
        The file is not there, is no TOML, or is no table of terms; or the two
        together contradict each other.
    """
    try:
        text = site.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the terms of {site} cannot be read: {error}; name a text file in UTF-8"
        ) from error
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{site.name} is no TOML: {error}; correct that line") from error
    return make_terms(_shipped(), own)


def make_terms(*tables: Mapping[str, object]) -> Terms:
    """Make one table of several, later ones adding to earlier ones; see `load_terms`."""
    raw: dict[str, dict[str, object]] = {}
    spellings: dict[str, str] = {}
    for table in tables:
        for kind, entries in table.items():
            if kind == "spellings":
                spellings.update(_spellings(entries))
            else:
                _gather(raw, kind, entries)
    terms = {name: _term(name, entry) for name, entry in raw.items()}
    _check_relations(terms)
    compositions = _compositions(terms)
    phrases = _phrases(terms, spellings)
    return Terms(
        terms=terms,
        phrases={
            keys: said for keys, said in phrases.items() if not _by_parts(keys, phrases, terms)
        },
        vocabulary=frozenset(word for phrase in phrases for word in phrase),
        spellings=spellings,
        longest=max((len(phrase) for phrase in phrases), default=0),
        compositions=compositions,
    )


def _shipped() -> Mapping[str, object]:
    text = files("retrieval.search.understand").joinpath("terms.toml").read_text("utf-8")
    return tomllib.loads(text)


def _spellings(table: object) -> dict[str, str]:
    if not isinstance(table, dict) or not all(
        isinstance(x, str) and x == x.lower() for pair in table.items() for x in pair
    ):
        raise UsageError(
            '[spellings] must hold lines such as edema = "oedema", in lower case; correct it'
        )
    return {str(other): str(ours) for other, ours in table.items()}


def _gather(raw: dict[str, dict[str, object]], kind: str, entries: object) -> None:
    if kind not in Kind.__members__.values():
        raise UsageError(
            f"unknown kind of term [{kind}]; known are {', '.join(Kind)}; "
            "head each term as [kind.identifier]"
        )
    if not isinstance(entries, dict):
        raise UsageError(f"[{kind}] holds no terms; head each term as [{kind}.identifier]")
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            raise UsageError(f"[{kind}] has a bare {name}; head each term as [{kind}.identifier]")
        _merge(raw.setdefault(str(name), {"kind": kind}), str(name), {**entry, "kind": kind})


def _merge(old: dict[str, object], name: str, new: Mapping[str, object]) -> None:
    for key, value in new.items():
        known = old.get(key)
        if known is None or known == value:
            old[key] = value
        elif isinstance(known, list) and isinstance(value, list):
            old[key] = [*known, *(v for v in value if v not in known)]
        else:
            raise UsageError(
                f"term {name} has {key} {known!r} and cannot become {value!r}; "
                "add to its lists only, or choose another identifier"
            )


def _sets(value: object) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split()) for one in _strings(value))


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise TypeError("a list of texts")
    return tuple(value)


def _numbers(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(isinstance(v, int | float) for v in value):
        raise TypeError("a list of numbers")
    return tuple(value)


def _limits(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise TypeError("a table of severities")
    return {str(severity): _strings(limits) for severity, limits in value.items()}


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("a text")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError("a number")
    return float(value)


def _finding(value: object) -> FindingName:
    if value not in FindingName.__members__.values():
        raise TypeError(f"one of {', '.join(FindingName)}")
    return FindingName(value)


_FIELDS: Mapping[str, Callable[[object], object]] = {
    "kind": lambda value: Kind(str(value)),
    "name": _text,
    "synonyms": _strings,
    "adjectives": _strings,
    "narrower_than": _strings,
    "suggests": _strings,
    "finding": _finding,
    "anatomy": _text,
    "composed": _sets,
    "denied": _sets,
    "limits": _limits,
    "prompts": _strings,
    "code": _text,
    "reads_as": _text,
    "finds": _text,
    "measures": _text,
    "about": _number,
    "unit": _text,
    "plausible": _numbers,
    "indexed": _text,
    "base": _text,
    "factor": _number,
    "values": _numbers,
    "outside": bool,
    "snomed_ct": _text,
    "radlex": _text,
}


def _term(name: str, entry: Mapping[str, object]) -> Term:
    # An identifier stands inside a chip's line, where signs and spaces divide.
    if not name.replace("_", "").isalnum() or name != name.lower():
        raise UsageError(
            f"term identifier {name!r} has other signs; use lower-case letters, digits and _"
        )
    read: dict[str, object] = {"id": name, "name": name.replace("_", " ")}
    for key, value in entry.items():
        if key not in _FIELDS:
            raise UsageError(
                f"term {name} has an unknown field {key}; known are {', '.join(_FIELDS)}"
            )
        try:
            read[key] = _FIELDS[key](value)
        except TypeError as error:
            raise UsageError(f"term {name} has {key} = {value!r}; it must be {error}") from error
    return Term(**read)  # pyright: ignore[reportArgumentType]  checked field by field above


def _check_relations(terms: Mapping[str, Term]) -> None:
    for term in terms.values():
        named = {*term.narrower_than, *term.suggests}.union(*term.composed, *term.denied)
        named |= {n for n in (term.anatomy, term.unit, term.indexed, term.base) if n}
        named |= {n for n in (term.reads_as, term.finds, term.measures) if n}
        missing = sorted(named - terms.keys())
        if missing:
            raise UsageError(
                f"term {term.id} names {', '.join(missing)}, which no file defines; "
                "define it or correct its spelling"
            )
    for term in terms.values():
        _check_no_cycle(terms, term.id)
        _check_limits(terms, term)


def _check_no_cycle(terms: Mapping[str, Term], start: str) -> None:
    paths = [(start, other) for other in terms[start].narrower_than]
    for path in paths:
        if path[-1] == start:
            raise UsageError(
                f"narrower_than runs in a circle: {' -> '.join(path)}; "
                "a term cannot be a kind of itself, so remove one of these"
            )
        if path[-1] not in path[:-1]:
            paths += [(*path, other) for other in terms[path[-1]].narrower_than]


def _check_limits(terms: Mapping[str, Term], term: Term) -> None:
    severities = {"stated"} | {
        t.id for t in terms.values() if t.kind in (Kind.SEVERITY, Kind.SIZE, Kind.VALUE)
    }
    known = reference_ranges().limits
    for severity, names in term.limits.items():
        if severity not in severities:
            raise UsageError(
                f"term {term.id} has limits for {severity}, which is no severity; "
                f"known are {', '.join(sorted(severities))}"
            )
        strange = [name for name in names if name not in known]
        if strange or not 1 <= len(names) <= len(("begins", "ends")):
            raise UsageError(
                f"term {term.id} has limits {list(names)} for {severity}; name one or two of "
                f"{', '.join(sorted(known))}"
            )
    quantities = sorted({known[name].quantity for names in term.limits.values() for name in names})
    if len(quantities) > 1:
        raise UsageError(
            f"term {term.id} has limits of {', '.join(quantities)}; "
            "its severities must be of one quantity"
        )


def _phrases(
    terms: Mapping[str, Term], spellings: Mapping[str, str]
) -> dict[tuple[str, ...], tuple[str, bool]]:
    found: dict[tuple[str, ...], tuple[str, bool]] = {}
    for term in terms.values():
        for phrase in term.phrases:
            keys = tuple(spellings.get(key, key) for key in keys_of(phrase))
            owner = found.setdefault(keys, (term.id, phrase in term.adjectives))[0]
            if owner != term.id:
                raise UsageError(
                    f"the phrase {phrase!r} is claimed by {owner} and by {term.id}; "
                    "a phrase has one meaning, so remove it from one of them"
                )
    return found


def _by_parts(
    keys: tuple[str, ...],
    phrases: Mapping[tuple[str, ...], tuple[str, bool]],
    terms: Mapping[str, Term],
) -> bool:
    """Whether a finding's phrase says no more than its parts: "RV dilation".

    It must not be one word of the grammar, or "LV and RV dilation" would lose its list.
    """
    term = terms[phrases[keys][0]]
    if term.kind is not Kind.FINDING:
        return False
    splits = ((phrases.get(keys[:i]), phrases.get(keys[i:])) for i in range(1, len(keys)))
    return any(
        left is not None and right is not None and {left[0], right[0]} in term.composed
        for left, right in splits
    )


def _compositions(terms: Mapping[str, Term]) -> dict[frozenset[str], dict[str, bool]]:
    found: dict[frozenset[str], dict[str, bool]] = {}
    for term in terms.values():
        for stated, sets in ((True, term.composed), (False, term.denied)):
            for ids in sets:
                if found.setdefault(ids, {}).setdefault(term.id, stated) is not stated:
                    raise UsageError(
                        f"{' + '.join(sorted(ids))} both states and denies {term.id}; "
                        "remove it from composed or from denied"
                    )
    return found
