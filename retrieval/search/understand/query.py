"""A query, understood: its chips, what stays free text, and edited versions of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from retrieval.errors import UsageError
from retrieval.language.findings import find_findings
from retrieval.search.understand.branches import Row
from retrieval.search.understand.chips import (
    Chip,
    FindingChip,
    MeasurementChip,
    Span,
    TechniqueChip,
    ViewChip,
)
from retrieval.search.understand.claims import Claim, reach
from retrieval.search.understand.denials import heard
from retrieval.search.understand.prompts import plain
from retrieval.search.understand.reading import Part, read
from retrieval.search.understand.scan import scan
from retrieval.search.understand.severity import severity_range
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Terms
from retrieval.search.understand.words import Word, words_of
from retrieval.values.finding import FindingName, Polarity

_JOINING = frozenset(
    {"", "AND", "OR", "NOR", "BUT", "WITH", "COMMA", "IS", "OF", "IN", "AT", "STOP", "PERSON"}
    | {"OPENING", "CLOSING", "THEIR", "SOME", "ACQUIRED"}
)
"""Words that only join chips: where nothing else stands between two, they go nowhere."""


_NEGATIONS = frozenset({"NEGATION", "NON", "NOR", "DENIED", "NEGATIVE"})


_ASKABLE = {
    Polarity.PRESENT: (Polarity.PRESENT, ""),
    Polarity.ABSENT: (Polarity.ABSENT, ""),
    Polarity.UNCERTAIN: (Polarity.PRESENT, "possible"),
}
"""What a report says, as polarity and certainty of a chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A misspelt stretch of the query, and the name of the term it was taken for."""

    span: Span
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderstoodQuery:
    """What a query asks for.

    Attributes
    ----------
    text
        The query as it was typed.
    chips
        In the order of the text.
    free
        Stretches that no chip stands for, in order; no words that only join
        chips at their ends. With the chips' spans and those words they cover
        the whole text.
    corrections
        Misspellings that a chip rests on.
    """

    text: str
    chips: tuple[Chip, ...]
    free: tuple[Span, ...]
    corrections: tuple[Correction, ...] = ()

    @property
    def free_text(self) -> str:
        """What nobody recognised, as it was typed and in its order, for the encoder."""
        return " ".join(self.text[start:end] for start, end in self.free)


def understand(text: str, lexicon: Terms | None = None) -> UnderstoodQuery:
    """Read a query in plain words; any text is one.

    Parameters
    ----------
    lexicon
        Terms to know it by; the shipped ones by default.
    """
    terms = shipped_terms() if lexicon is None else lexicon
    words = words_of(text, terms)
    spoken = heard(words)
    chips: list[Chip] = []
    for run in _runs(spoken, terms):
        chips += run.chips(terms)
    free = _free(text, words, _spans(chips))
    if not any(isinstance(chip, FindingChip | MeasurementChip) for chip in chips):
        chips += [chip for span in free for chip in _as_reports_say(text, span, terms)]
        free = _free(text, words, _spans(chips))
    spans = _spans(chips)
    return UnderstoodQuery(
        text=text,
        chips=tuple(dict.fromkeys(chips)),  # "large dilated LV" says one thing twice
        free=tuple(free),
        corrections=tuple(
            Correction(span=(word.start, word.end), name=terms[word.term].name)
            for word in words
            if word.mended and any(s <= word.start < e for s, e in spans)
        ),
    )


def _spans(chips: Iterable[Chip]) -> list[Span]:
    return sorted({chip.span for chip in chips if chip.span is not None})


def _as_reports_say(text: str, span: Span, terms: Terms) -> Iterator[FindingChip]:
    """What a report that says this would be read as, where that is one finding.

    The reader of reports knows sentences in which no word names a finding.
    Numbers are left to the grammar, which knows which of them can be asked for.
    """
    said = text[slice(*span)]
    if any(character.isdecimal() for character in said):
        return
    of_finding: dict[FindingName, str] = {}
    for term in terms.terms.values():
        if term.finding is not None:
            of_finding.setdefault(term.finding, term.id)
    found = [one for one in find_findings(said) if one.polarity in _ASKABLE]
    if len(found) == 1 and found[0].name in of_finding:
        polarity, certainty = _ASKABLE[found[0].polarity]
        chip = plain(of_finding[found[0].name], terms)
        yield replace(chip, span=span, polarity=polarity, certainty=certainty)


def beside(text: str, spans: Sequence[Span], lexicon: Terms | None = None) -> str:
    """What a text says beside some stretches of it, without the words that joined them.

    Parameters
    ----------
    spans
        In order, none within another.
    """
    words = words_of(text, shipped_terms() if lexicon is None else lexicon)
    return ", ".join(text[start:end].strip(" ,;") for start, end in _free(text, words, spans))


def has_negation(text: str, lexicon: Terms | None = None) -> bool:
    """Whether a text holds a word that denies: "no", "without", "absent", "non"."""
    words = words_of(text, shipped_terms() if lexicon is None else lexicon)
    return any(word.terminal in _NEGATIONS for word in words)


def without(query: UnderstoodQuery, i: int) -> UnderstoodQuery:
    """Turn chip `i` (0-based) off; it stays to be seen.

    Raises
    ------
    UsageError
        There is no such chip. So for all functions here that name one.
    """
    return _changed(query, i, replace(_chip(query, i), on=False))


def flipped(query: UnderstoodQuery, i: int) -> UnderstoodQuery:
    """Ask for the absence of what chip `i` asks for, or for its presence."""
    chip = _chip(query, i)
    opposite = Polarity.PRESENT if chip.polarity is Polarity.ABSENT else Polarity.ABSENT
    return _changed(query, i, replace(chip, polarity=opposite))


def added(query: UnderstoodQuery, chip: Chip) -> UnderstoodQuery:
    """Add a chip that the text does not say."""
    return replace(query, chips=(*query.chips, replace(chip, span=None)))


def _chip(query: UnderstoodQuery, i: int) -> Chip:
    if not 0 <= i < len(query.chips):
        raise UsageError(f"there is no chip {i + 1}; the query has {len(query.chips)}")
    return query.chips[i]


def _changed(query: UnderstoodQuery, i: int, chip: Chip) -> UnderstoodQuery:
    return replace(query, chips=(*query.chips[:i], chip, *query.chips[i + 1 :]))


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part, its place, and the roles of the words between it and the part before.

    `after` is the role of the word right before it.
    """

    part: Part
    span: Span
    gap: frozenset[str]
    after: str

    @property
    def is_picture(self) -> bool:
        """Whether it names techniques or views."""
        return any(isinstance(chip, TechniqueChip | ViewChip) for chip in self.part.chips)


class _Run:
    """Stretches in a row whose findings may share a negation."""

    def __init__(self) -> None:
        self.stretches: list[_Stretch] = []

    def takes(self, stretch: _Stretch, terms: Terms) -> bool:
        """Whether a stretch goes on with the findings of the run."""
        if not stretch.part.claims:
            return False
        if not stretch.part.either:
            return True
        if not self.stretches:
            return False
        if stretch.gap == {"WITH"}:
            return True
        *_, last = _reached([*self.stretches, stretch], terms)
        return last[0].negated

    def chips(self, terms: Terms) -> Iterator[Chip]:
        for stretch, claims in zip(self.stretches, _reached(self.stretches, terms), strict=True):
            for claim in claims:
                yield from _finding_chips(claim, stretch.span, terms)
            if not stretch.part.either:
                yield from _at(stretch)


class _Settled:
    """A stretch whose chips need nothing around them."""

    def __init__(self, stretch: _Stretch) -> None:
        self._stretch = stretch

    def chips(self, terms: Terms) -> Iterator[Chip]:
        del terms
        yield from _at(self._stretch)


def _at(stretch: _Stretch) -> Iterator[Chip]:
    return (replace(chip, span=stretch.span) for chip in stretch.part.chips)


def _runs(spoken: Sequence[Word], terms: Terms) -> Iterator["_Run | _Settled"]:
    run = _Run()
    for stretch in _settled(list(_stretches(spoken, terms)), terms):
        if run.takes(stretch, terms):
            run.stretches.append(stretch)
            continue
        yield run
        run = _Run()
        yield _Settled(stretch)
    yield run


def _settled(stretches: Sequence[_Stretch], terms: Terms) -> Iterator[_Stretch]:
    """Settle what neighbours tell: a technique or a finding, and what "is not" denies."""
    told: tuple[Claim, ...] = ()
    for i, one in enumerate(stretches):
        if one.part.again:
            claims = _said_again(one, told, terms)
            if claims:
                yield replace(one, part=Part(claims=claims))
            continue
        told = one.part.claims
        before, behind = stretches[max(0, i - 1) : i], stretches[i + 1 : i + 2]
        listed = any(b.is_picture and b.gap <= _LISTING for b in behind)
        # "Patients with LGE" have the finding, "cines with LGE" and "with LGE and cines" do not.
        had = one.after == "WITH" and not listed and not any(b.is_picture for b in before)
        # What "but no oedema" is said against was seen.
        against = any("BUT" in b.gap and b.part.claims for b in behind)
        found = one.part.either and (had or against)
        yield replace(one, part=Part(claims=one.part.claims)) if found else one


def _said_again(one: _Stretch, told: Sequence[Claim], terms: Terms) -> tuple[Claim, ...]:
    """What was told last, said of other places: "LV dilated, RV not"; empty without sense."""
    (there,) = one.part.claims
    if not one.gap or not one.gap <= _LISTING | {"BUT"}:
        return ()
    again = tuple(
        replace(claim, places=there.places, negated=there.negated, joint="")
        for claim in told
        if claim.places
    )
    return again if all(claim.resolve(terms) for claim in again) else ()


_LISTING = frozenset({"AND", "OR", "COMMA"})


def _stretches(spoken: Sequence[Word], terms: Terms) -> Iterator[_Stretch]:
    row = Row(spoken, terms)
    before = 0
    for first, end, part in scan(spoken, lambda stretch, end: read(stretch, row, end)):
        if part is None:
            continue
        denied = None if part.claims else _denial(spoken, before, first)
        if denied is not None:
            part, first = replace(part, chips=_denied(part.chips)), denied
        gap = frozenset(word.terminal for word in spoken[before:first])
        after = spoken[first - 1].terminal if first else ""
        yield _Stretch(part, (spoken[first].start, spoken[end - 1].end), gap, after)
        before = end


def _denial(spoken: Sequence[Word], before: int, first: int) -> int | None:
    """Where a negation stands right before what is no finding: "not at 3 T", "no children"."""
    at = first - 1
    while at >= before and spoken[at].terminal in ("AT", "IN", "OF"):
        at -= 1
    return at if at >= before and spoken[at].terminal == "NEGATION" else None


def _denied(chips: Sequence[Chip]) -> tuple[Chip, ...]:
    """Of "not women over 60" the women alone are denied."""
    first, *more = chips
    return (replace(first, polarity=Polarity.ABSENT), *more)


def _reached(stretches: Sequence[_Stretch], terms: Terms) -> list[list[Claim]]:
    """The claims of each stretch, after negations and places went on over them."""
    flat = [(claim, stretch) for stretch in stretches for claim in stretch.part.claims]
    gaps = [frozenset({claim.joint}) if claim.joint else one.gap for claim, one in flat]
    reached = iter(reach([claim for claim, _ in flat], gaps, terms))
    return [[next(reached) for _ in stretch.part.claims] for stretch in stretches]


def _finding_chips(claim: Claim, span: Span, terms: Terms) -> Iterator[FindingChip]:
    for one in claim.resolve(terms):
        term = terms[one.term]
        yield FindingChip(
            span=span,
            polarity=Polarity.ABSENT if claim.negated == one.stated else Polarity.PRESENT,
            term=one.term,
            finding=term.finding,
            anatomy=one.anatomy,
            pattern=one.pattern,
            severity=one.severity,
            certainty=claim.certainty,
            range=severity_range(term, one.severity),
        )


def _free(text: str, words: Sequence[Word], spans: Sequence[Span]) -> Iterator[Span]:
    """What lies between the spans, without joining words and blanks beside them."""
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    for n, (start, end) in enumerate(zip(ends, starts, strict=True)):
        between = [word for word in words if start <= word.start < end]
        for word in between:
            if n == 0 or word.terminal not in _JOINING:
                break
            start = word.end
        for word in reversed(between):
            if n == len(spans) or word.terminal not in _JOINING or word.end <= start:
                break
            end = word.start
        said = text[start:end]
        if said.strip():
            yield start + len(said) - len(said.lstrip()), start + len(said.rstrip())
