"""Statements about findings, as one phrase makes them, before negations reach further."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from retrieval.search.understand.terms import Kind, Term, Terms

Place = tuple[str, ...]
"""Anatomy of one place, the whole first: ("basal", "septum")."""

SEGMENT_NAMES = frozenset(f"segment_{number}" for number in range(1, 18))
"""Places that need no term: the left ventricle's 17 segments of the American Heart Association."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A finding in one place, and whether the words state it ("normal size" denies)."""

    term: str
    stated: bool
    anatomy: Place = ()
    pattern: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement.

    Attributes
    ----------
    ids
        Terms that state it together, places left out.
    places
        Where; empty where nothing is said.
    joint
        Role of the word that joins it to the statement before in the same
        phrase; empty for the first.
    negated
        By a word of its own.
    noun
        Whether it is a name ("scar", "dilation"), as a list after "without" has them.
    """

    ids: frozenset[str]
    places: tuple[Place, ...] = ()
    pattern: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    certainty: str = ""
    joint: str = ""
    negated: bool = False
    noun: bool = False

    def resolve(self, terms: Terms) -> tuple[Resolved, ...]:
        """The findings stated, one a place; empty if the terms state none in one of them."""
        found: list[Resolved] = []
        for place in self.places or ((),):
            for one in parts_of(place, terms):
                here = self._in_place(one, terms)
                if not here:
                    return ()
                found += here
        return tuple(found)

    def _in_place(self, place: Place, terms: Terms) -> list[Resolved]:
        if any(_is_elsewhere(one, terms) for one in place):
            return []
        for ids in self._sets(place, terms):
            composed = terms.compose(ids, Kind.FINDING)
            if composed:
                return [
                    self._resolved(terms[name], ids, place, terms, stated=stated)
                    for name, stated in composed.items()
                ]
        name = next(iter(self.ids))
        if len(self.ids) == 1 and terms[name].kind is Kind.FINDING:
            return [self._resolved(terms[name], self.ids, place, terms, stated=True)]
        return []

    def _resolved(
        self, term: Term, used: frozenset[str], place: Place, terms: Terms, *, stated: bool
    ) -> Resolved:
        """The finding that the terms `used` state; what it says by itself is not said again."""
        graded = tuple(i for i in sorted(self.ids) if i in term.limits)
        more = tuple(one for one in place if one not in used)
        inside = any(term.anatomy in terms[p].narrower_than for p in more if p in terms.terms)
        own = (term.anatomy,) if term.anatomy and not inside and term.anatomy not in more else ()
        return Resolved(
            term=term.id,
            stated=stated,
            anatomy=(*more, *own),
            pattern=tuple(one for one in self.pattern if one not in used),
            severity=self.severity or graded,
        )

    def _sets(self, place: Place, terms: Terms) -> Iterator[frozenset[str]]:
        """Terms to try together: the most first, then one place at a time, then what it is in."""
        yield self.ids | set(place) | set(self.pattern)
        yield self.ids | set(place)
        for one in reversed(place):
            yield self.ids | {one}
        for one in reversed(place):
            if one in terms.terms:
                yield from (self.ids | {whole} for whole in terms[one].narrower_than)
        if not place:
            yield self.ids | set(self.pattern)


def _is_elsewhere(place: str, terms: Terms) -> bool:
    """Whether a place is not of the heart, or a segment that it does not have."""
    return place not in SEGMENT_NAMES and (place not in terms.terms or terms[place].outside)


def parts_of(place: Place, terms: Terms) -> Iterator[Place]:
    """A place of several chambers ("both ventricles") as each of them."""
    for at, one in enumerate(place):
        parts = terms[one].code.split() if one in terms.terms else ()
        if parts:
            yield from ((*place[:at], part, *place[at + 1 :]) for part in parts)
            return
    yield place


def reach(claims: Sequence[Claim], gaps: Sequence[frozenset[str]], terms: Terms) -> list[Claim]:
    """Carry negations along lists, and places into what hangs on them.

    Parameters
    ----------
    gaps
        Roles of the words between each claim and the one before it; the first
        is not looked at.

    Returns
    -------
    list of Claim
        "no scar or oedema" denies both, "no scar, oedema or effusion" all
        three, "not dilated but thickened" the first alone. In "dilated RV with
        reduced function" the function is the right ventricle's.
    """
    found: list[Claim] = []
    for i, claim in enumerate(claims):
        reached = claim
        if found and not claim.negated and found[-1].negated and _listed(claims, gaps, i):
            reached = replace(reached, negated=True)
        if found and found[-1].places and not claim.places and gaps[i] <= _HANGING and gaps[i]:
            there = replace(reached, places=found[-1].places)
            # An ejection fraction by itself is the left ventricle's, whatever stood before.
            measured = any(terms[name].kind is Kind.MEASUREMENT for name in claim.ids)
            if not (claim.noun or measured) and there.resolve(terms):
                reached = there
        found.append(reached)
    return found


_HANGING = frozenset({"WITH", "BUT", "AND"})
_CHOICES = (frozenset({"OR"}), frozenset({"NOR"}))


def _listed(claims: Sequence[Claim], gaps: Sequence[frozenset[str]], at: int) -> bool:
    """Whether a claim stands in the list that a negation before it began."""
    if gaps[at] == {"AND"}:
        named = claims[at].noun and not claims[at].places and not claims[at].severity
        return named and claims[at - 1].noun
    # Unknown words part no list: "no scar or acute oedema".
    gaps = [gap - {"UNKNOWN"} for gap in gaps]
    if gaps[at] - {"COMMA"} in _CHOICES:
        return True
    if gaps[at] != {"COMMA"}:
        return False
    # "no scar, oedema or effusion": a comma goes on only towards an "or".
    for later in range(at + 1, len(claims)):
        if gaps[later] != {"COMMA"} or claims[later].negated:
            return gaps[later] - {"COMMA"} in _CHOICES
    return False
