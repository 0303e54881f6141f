"""A sentence cut into pieces, each of which says one thing about one place.

Words are marked by the lexicon first. A piece then holds all that is said in
one breath ("normal LV size and function" is one, "dilated LV with normal RV"
is two), what place it is about, and whether it is denied or doubted.
Negation reaches forward to the next boundary and along lists, as in NegEx and
ConText (Chapman et al., J Biomed Inform 2001;34:301; Harkema et al., J Biomed
Inform 2009;42:839).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from retrieval.language.lexicon import Mark

JOINTS = frozenset({",", "and", "or", "nor", "with", "plus", "beside", "(", ")", "und"})
VERBS = frozenset({"is", "are", "was", "were", "has", "have", "shows", "show", "there", "appears"})
DEGREES = frozenset({"mild", "mildly", "moderate", "moderately", "severe", "severely", "marked",
                     "markedly", "slight", "slightly", "gross", "grossly"})  # fmt: skip
LISTING = frozenset({",", "and", "or", "nor"})


@dataclass(slots=True)
class Piece:
    """Marks that belong together.

    Attributes
    ----------
    joint
        The word that joins it to the piece before ("" for the first).
    denied, doubted
        True if a negation, a doubt of the piece before reaches over this one.
    """

    joint: str
    marks: list[Mark] = field(default_factory=list)
    denied: bool = False
    doubted: bool = False

    def of(self, *kinds: str) -> list[Mark]:
        """The marks of some kinds, in order."""
        return [m for m in self.marks if m.kind in kinds]

    def has(self, *kinds: str) -> bool:
        """Whether a mark of one of the kinds is here."""
        return any(m.kind in kinds for m in self.marks)

    @property
    def complete(self) -> bool:
        """Whether it says something by itself."""
        if self.has("abnormal", "statement"):
            return True
        if self.has("value"):
            return self.has("measured", "anatomy")
        return self.has("measured") and self.has("number", "uncertainty")

    @property
    def place_first(self) -> bool:
        """Whether it names the place before what is so there ("the RV is dilated")."""
        saying = self.of("abnormal", "value")
        places = self.of("anatomy")
        return bool(places and saying) and places[0].at < saying[0].at

    @property
    def negated(self) -> bool:
        """Whether a negation in front of something stands in it."""
        return any(m.kind == "negation" and m.what == "before" for m in self.marks)


def pieces(marks: Sequence[Mark]) -> list[Piece]:
    """Cut the marks of one sentence into pieces."""
    found: list[Piece] = []
    for clause in _clauses(_without_hidden(marks)):
        found += _clause_pieces(clause, first=not found)
    return found


def _without_hidden(marks: Sequence[Mark]) -> list[Mark]:
    """Leave out what is no statement of this heart, and what follows "family history of"."""
    kept: list[Mark] = []
    hiding = False
    for mark in marks:
        if mark.kind == "ignored":
            hiding = hiding or mark.what == "history"
        elif hiding and (mark.kind == "boundary" or mark.what in (",", ";", ".", ":")):
            hiding = False
        if not hiding and mark.kind != "ignored":
            kept.append(mark)
    return kept


def _clauses(marks: Sequence[Mark]) -> Iterator[list[Mark]]:
    """Cut at "but" and semicolons; drop what something is compared with."""
    clause: list[Mark] = []
    compared = False
    for mark in marks:
        if mark.kind == "boundary" and mark.what == "comparison":
            compared = True
        elif mark.kind == "boundary" or mark.what == ";":
            yield clause
            clause, compared = [], False
        elif not compared:
            clause.append(mark)
    yield clause


def _clause_pieces(clause: Sequence[Mark], *, first: bool) -> list[Piece]:
    found: list[Piece] = []
    for piece in _segments(clause, first=first):
        if found and not _begins_new(found[-1], piece):
            found[-1].marks += piece.marks
        else:
            found.append(piece)
    found = _joined_forward(found)
    for before, after in pairwise(found):
        reaches = _reaches(after)
        after.denied = reaches and (before.negated or before.denied)
        after.doubted = reaches and (before.has("uncertainty") or before.doubted)
    return found


def _segments(clause: Sequence[Mark], *, first: bool) -> Iterator[Piece]:
    piece = Piece("" if first else "but")
    for mark in clause:
        if mark.kind in ("word", "punctuation") and mark.what in JOINTS:
            if piece.marks:
                yield piece
                piece = Piece(mark.what)
            elif mark.what not in "()":
                piece.joint = mark.what
        else:
            piece.marks.append(mark)
    if piece.marks:
        yield piece


def _begins_new(before: Piece, piece: Piece) -> bool:
    if not before.complete:
        return False
    if piece.complete:
        return not _only_value(piece) or piece.has("anatomy")
    # "RV dilated, LA and RA normal": places that wait for their verb.
    return before.place_first and piece.has("anatomy") and not piece.has("measured")


def _only_value(piece: Piece) -> bool:
    return not piece.has("abnormal", "measured", "statement")


def _joined_forward(found: Sequence[Piece]) -> list[Piece]:
    """Give a piece of places alone to the piece behind it, else to the one before."""
    result: list[Piece] = []
    for piece in found:
        if result and not result[-1].complete:
            result[-1].marks += piece.marks
        else:
            result.append(piece)
    if len(result) > 1 and not result[-1].complete:
        result[-2].marks += result.pop().marks
    return result


def _reaches(after: Piece) -> bool:
    """Whether a negation or doubt in front goes on over a piece, as along a list."""
    if after.joint not in LISTING or after.has("value", "number", "statement", "negation"):
        return False
    if after.joint in ("or", "nor"):
        return True
    words = {m.what for m in after.of("word")}
    return not (words & VERBS or words & DEGREES or after.has("anatomy"))
