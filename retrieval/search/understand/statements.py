"""Statements about findings, from the grammar's branches to claims."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lark import Token

from retrieval.search.understand.branches import Branch, Row, branches_in, tokens_in
from retrieval.search.understand.claims import Claim, Place
from retrieval.search.understand.terms import Kind, Term

_MAY_FOLLOW = frozenset({"AND", "OR", "NOR", "BUT", "COMMA", "STOP", "WITH", "CLOSING"})
"""Before these an adjective alone ("dilated") stands for the heart."""

_SAME = "SAME"
"""Joins claims of one description: "normal size and function"."""


@dataclass(frozen=True, slots=True)
class _Lead:
    """What stands before a description or a name; `near` denies the next word alone ("non")."""

    negated: bool = False
    near: bool = False
    severity: tuple[str, ...] = ()
    certainty: str = ""

    def over(self, own: "_Lead") -> "_Lead":
        """Together with what the description has of its own."""
        return _Lead(
            negated=self.negated != own.negated,
            severity=(*self.severity, *own.severity),
            certainty=own.certainty or self.certainty,
        )

    def on(self, claim: Claim) -> Claim:
        """A claim under it."""
        return replace(
            claim,
            negated=self.negated,
            severity=(*self.severity, *claim.severity),
            certainty=self.certainty,
        )


def statement(branch: Branch, row: Row, end: int) -> tuple[Claim, ...]:
    """Read a statement whose last word is before `end`; empty if it makes no sense."""
    lead = lead_of(branch, row)
    bodies = branches_in(branch, "described", "placed", "valued", "found")
    if not bodies:
        ids = frozenset({row.the(branch, "DUAL").reads_as})
        claims = (lead.on(Claim(ids=ids, noun=True)),)
    elif bodies[0].data == "found":
        claims = _found(bodies[0], lead, row)
    elif bodies[0].data == "described" and _needs_more(bodies[0], row, end):
        claims = ()
    else:
        claims = described(bodies[0], lead, row)
    judged = tuple(_judged(claim, branch, row) for claim in claims)
    return judged if all(_is_clear(claim, row) for claim in judged) else ()


def _is_clear(claim: Claim, row: Row) -> bool:
    """Whether a claim has findings, and says of each what it is: "RV not normal" does not."""
    resolved = claim.resolve(row.terms)
    denied = {one.term for one in resolved if not one.stated}
    return bool(resolved) and not (claim.negated and len(denied) > 1)


def described(body: Branch, lead: _Lead, row: Row) -> tuple[Claim, ...]:
    """One claim for each description of each aspect or measurement; empty without sense."""
    aspects = [t for one in body.find_data("aspects") for t in tokens_in(one, "ASPECT", "TEST")]
    told_of = row.names([*aspects, *tokens_in(body, "MEASUREMENT")])
    places = row.places(body)
    claims: list[Claim] = []
    for joint, how, desc in _descriptions(body, lead, row):
        told = _told(row.word(desc).term, told_of, places, row)
        if not told:
            return ()
        noun = desc.type == "QUALITY" and not row.word(desc).adjective
        joints = (joint, *(_SAME for _ in told[1:]))
        claims += [
            how.on(Claim(ids=ids, places=places, joint=one, noun=noun))
            for ids, one in zip(told, joints, strict=True)
        ]
    return tuple(claims)


def tested(branch: Branch, test: Term, row: Row) -> Claim | None:
    """Read a positive or negative result of a test; None where no result is said."""
    results = tokens_in(branch, "POSITIVE", "NEGATIVE")
    before = [t for one in branches_in(branch, "lead") for t in tokens_in(one)]
    if not results and not any(t.type in ("POSITIVE", "NEGATIVE") for t in before):
        return None
    claim = lead_of(branch, row).on(Claim(ids=frozenset({test.finds}), noun=True))
    return replace(claim, negated=claim.negated != any(t.type == "NEGATIVE" for t in results))


def lead_of(branch: Branch, row: Row) -> _Lead:
    """What stands before a statement."""
    leads = branches_in(branch, "lead")
    return _modified(leads[0], row) if leads else _Lead()


def _modified(branch: Branch, row: Row) -> _Lead:
    graded = [t for one in branches_in(branch, "severity") for t in tokens_in(one, "SEVERITY")]
    certain = row.names(tokens_in(branch, "CERTAINTY"))
    return _Lead(
        # Two negations cancel: "not without scar".
        negated=len(tokens_in(branch, "NEGATION", "NON", "NEGATIVE")) % 2 == 1,
        near=bool(tokens_in(branch, "NON")),
        severity=row.names(graded),
        certainty=certain[-1] if certain else "",
    )


def _judged(claim: Claim, branch: Branch, row: Row) -> Claim:
    """Apply what stands behind a statement: "scar absent", "LV dilation (mild)"."""
    for verdict in branches_in(branch, "verdict"):
        severity = row.names(tokens_in(verdict, "SEVERITY", "SIZE"))
        certainty = row.names(tokens_in(verdict, "CERTAINTY"))
        claim = replace(
            claim,
            negated=claim.negated != bool(tokens_in(verdict, "DENIED", "NEGATIVE", "NEGATION")),
            severity=severity or claim.severity,
            certainty=certainty[0] if certainty else claim.certainty,
        )
    return claim


def _needs_more(body: Branch, row: Row, end: int) -> bool:
    """Whether adjectives stand alone where they must belong to something nobody knows."""
    if any(body.find_data("place")) or any(body.find_data("aspects")):
        return False
    descs = [t for one in body.find_data("desc") for t in tokens_in(one)]
    needy = any(row.word(t).adjective or t.type != "QUALITY" for t in descs)
    return needy and end < len(row.words) and row.words[end].terminal not in _MAY_FOLLOW


def _found(body: Branch, lead: _Lead, row: Row) -> tuple[Claim, ...]:
    named = row.the(body, "FINDING", "DUAL")
    sizes = [token for one in body.find_data("desc") for token in tokens_in(one)]
    # "large effusion" has a size, "dilated LV scar" is two things.
    if any(token.type != "SIZE" for token in sizes):
        return ()
    claim = Claim(
        ids=frozenset({named.reads_as if named.kind is Kind.TECHNIQUE else named.id}),
        places=row.places(body),
        pattern=row.names(tokens_in(body, "PATTERN")),
        severity=row.names(sizes),
        noun=True,
    )
    return (lead.on(claim),)


def _told(
    name: str, aspects: Sequence[str], places: tuple[Place, ...], row: Row
) -> list[frozenset[str]]:
    """The terms of each claim that a description makes, with the aspects or without them."""
    with_aspects = [frozenset({name, aspect}) for aspect in aspects]
    for sets in (with_aspects, [frozenset({name})]):
        if sets and all(Claim(ids=ids, places=places).resolve(row.terms) for ids in sets):
            return sets
    return []


def _descriptions(body: Branch, lead: _Lead, row: Row) -> Iterator[tuple[str, _Lead, Token]]:
    """Each description with the word that joins it to the one before and what stands before it."""
    joint, how = "", lead
    for one in branches_in(body, "descs", "inner"):
        for child in branches_in(one):
            if child.data == "joint":
                joint, how = tokens_in(child)[0].type, _Lead()
                continue
            own = _modified(child, row) if child.data == "more" else _Lead()
            desc = next(iter(child.find_data("desc")))
            yield joint, how.over(own), tokens_in(desc)[0]
            # Of "no dilated hypokinetic LV" both are denied, of "non-dilated hypokinetic LV" one.
            joint, how = "AND", _Lead(negated=how.negated and not how.near)
