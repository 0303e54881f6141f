"""The terms of cardiac MRI that a query may hold: their words, kinds and relations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from retrieval.values.finding import FindingName


class Kind(StrEnum):
    """What a term is; the value is the first part of its heading in the table."""

    FINDING = "finding"
    QUALITY = "quality"
    """Says what is wrong and needs to know of what: dilation, dysfunction."""

    VALUE = "value"
    """How much there is of an aspect or a measurement: normal, reduced."""

    SIZE = "size"
    """A value of a chamber's size, but a severity of an effusion: large, small."""

    ASPECT = "aspect"
    MEASUREMENT = "measurement"
    ANATOMY = "anatomy"
    PATTERN = "pattern"
    SEVERITY = "severity"
    CERTAINTY = "certainty"
    TECHNIQUE = "technique"
    VIEW = "view"
    SEX = "sex"
    AGE_BAND = "age_band"
    VENDOR = "vendor"
    UNIT = "unit"
    COMPARISON = "comparison"
    BOUND = "bound"
    """A comparison behind its number: "or more"."""

    MONTH = "month"
    DECADE = "decade"
    NUMBER = "number"
    WORD = "word"
    """A word of the language, by its role: negation, "and", "between"."""

    ORDINARY = "ordinary"
    """Words that mean nothing here and are never taken for a misspelt term."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term.

    Attributes
    ----------
    id
        Unique in the table.
    name
        Preferred name; one of its phrases too.
    synonyms
        Other phrases that mean the same.
    adjectives
        Phrases that need something to belong to ("dilated"): alone before a
        word that nobody knows they mean nothing.
    narrower_than
        Terms that this one is a kind of. A query for those finds this one too.
    suggests
        Terms that often go with it. They never expand a query.
    finding
        What the project's report reader calls it; None where it does not read it.
    anatomy
        The place that a finding has where none is said.
    composed, denied
        Sets of term ids that together state the finding, or deny it.
    limits
        Severity ("stated" for none said) to the limit of the reference ranges
        beyond which it begins and, but for the worst, the one where it ends.
    prompts
        Phrasings for the encoder; empty stands for name and synonyms.
    code
        Value in the project's vocabulary: a View, a Technique, a Sex, an operator.
    reads_as
        Finding that a technique's name stands for where it is denied, placed or
        graded; measurement that a place or a finding stands for before a number
        ("septum over 15 mm").
    unit, plausible, indexed
        Of a measurement: its one unit, the range that a value may lie in, and
        the measurement meant where the unit is one per body surface area.
    finds
        Finding that a technique's positive result is ("perfusion positive").
    measures
        Measurement that a technique makes before a number ("T1 mapping over 1100 ms").
    about
        Of a measurement: how far from a number "about" reaches, in its unit.
    base, factor
        Of a unit: the unit it is a multiple of, and how much of that it is.
    values
        Numbers of an age band (first and last year), decade, number word or month.
    outside
        An anatomy that no finding of the heart belongs to.
    snomed_ct, radlex
        Codes, empty where none is known for certain.
    """

    id: str
    kind: Kind
    name: str
    synonyms: tuple[str, ...] = ()
    adjectives: tuple[str, ...] = ()
    narrower_than: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    finding: FindingName | None = None
    anatomy: str = ""
    composed: tuple[frozenset[str], ...] = ()
    denied: tuple[frozenset[str], ...] = ()
    limits: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    prompts: tuple[str, ...] = ()
    code: str = ""
    reads_as: str = ""
    finds: str = ""
    measures: str = ""
    about: float = 0.0
    unit: str = ""
    plausible: tuple[float, ...] = ()
    indexed: str = ""
    base: str = ""
    factor: float = 1.0
    values: tuple[int, ...] = ()
    outside: bool = False
    snomed_ct: str = ""
    radlex: str = ""

    @property
    def phrases(self) -> tuple[str, ...]:
        """Everything that a text may call it; roles of words have no name in texts."""
        own = () if self.kind in (Kind.WORD, Kind.ORDINARY) else (self.name,)
        return tuple(dict.fromkeys((*own, *self.synonyms, *self.adjectives)))


@dataclass(frozen=True, slots=True)
class Terms:
    """A checked table of terms, ready to look up.

    Attributes
    ----------
    terms
        By id, in the order of the table.
    phrases
        Keys of a phrase's words to (term id, whether it is an adjective).
    vocabulary
        Keys of all words of all phrases.
    spellings
        A spelling to the one that stands for it ("edema" to "oedema").
    longest
        Words of the longest phrase.
    compositions
        Sets of term ids to what they state (True) or deny (False) together.
    """

    terms: Mapping[str, Term]
    phrases: Mapping[tuple[str, ...], tuple[str, bool]]
    vocabulary: frozenset[str]
    spellings: Mapping[str, str]
    longest: int
    compositions: Mapping[frozenset[str], Mapping[str, bool]]

    def __getitem__(self, name: str) -> Term:
        return self.terms[name]

    def of_kind(self, kind: Kind) -> list[Term]:
        """All terms of a kind, in the order of the table."""
        return [term for term in self.terms.values() if term.kind is kind]

    def compose(self, ids: Iterable[str], kind: Kind) -> Mapping[str, bool]:
        """What terms state together, of one kind: True where they state it, False where deny."""
        found = self.compositions.get(frozenset(ids), {})
        return {name: stated for name, stated in found.items() if self[name].kind is kind}

    def expansion(self, term: str) -> tuple[str, ...]:
        """The term and everything narrower, nearest first; what it suggests is left out."""
        found = [term]
        for one in found:
            found += [
                t.id for t in self.terms.values() if one in t.narrower_than and t.id not in found
            ]
        return tuple(found)
