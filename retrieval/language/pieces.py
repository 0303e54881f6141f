"""A sentence cut into pieces, each of which says one thing about one place.

Words are marked by the lexicon first. A piece then holds all that is said in
one breath ("normal LV size and function" is one, "dilated LV with normal RV"
is two), what place it is about, and whether it is denied or doubted.
Negation reaches forward to the next boundary and along lists, as in NegEx and
ConText (Chapman et al., J Biomed Inform 2001;34:301; Harkema et al., J Biomed
Inform 2009;42:839).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest

from retrieval.language.lexicon import Mark

JOINTS = frozenset({",", "and", "or", "nor", "with", "plus", "beside", "(", ")", "und"})
VERBS = frozenset({"is", "are", "was", "were", "has", "have", "shows", "show", "there", "appears"})
DEGREES = frozenset({"mild", "mildly", "moderate", "moderately", "severe", "severely", "marked",
                     "markedly", "slight", "slightly", "gross", "grossly"})  # fmt: skip
LISTING = frozenset({",", "and", "or", "nor", "/"})
FORWARD = frozenset({"before", "around", "no", "not"})
"""Negations that deny what follows."""

_ARTICLES = frozenset({"a", "an", "the"})
_AUXILIARIES = frozenset(
    {"was", "were", "is", "are", "be", "been", "imaging", "images", "sequences"}
)
_ANY = frozenset({"any", "iv", "intravenous", "i", "v", ".", "additional", "paramagnetic"})
_PLURAL = frozenset({"are", "were", "have"})
_SAYING = frozenset({"number", "value", "abnormal"})
_AFTER_CONTRAST = frozenset(
    {"was", "were", "is", "could", "can", "has", "had", "because", "due", "owing", "as", "for",
     "at", "in", "on", "study", "scan", "examination", "today", "this", "only", "so", "|"}
)  # fmt: skip
"""What may follow "no contrast" where it means none was given, unlike "no contrast leak"."""

_TECHNIQUES = frozenset({"enhancement", "perfusion", "oedema"})
"""What is the name of a technique as well as of what it shows."""


@dataclass(slots=True)
class Piece:
    """Marks that belong together.

    Attributes
    ----------
    joint
        The word that joins it to the piece before ("" for the first).
    denied, doubted, silenced
        True if a negation, a doubt, a "no new" of the piece before reaches over this one.
    excepted
        True if what is denied is so only in part: "no scar except at the apex".
    listed
        True if it is part of a list whose end says what of it all.
    """

    joint: str
    marks: list[Mark] = field(default_factory=list)
    denied: bool = False
    doubted: bool = False
    silenced: bool = False
    excepted: bool = False
    listed: bool = False

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
        if self.has("unassessed"):
            return self.has("measured", "anatomy", "imaging")
        if self.has("value"):
            return self.has("measured", "anatomy")
        if self.limited:
            return self.has("measured", "anatomy")
        return self.has("measured") and self.has("number", "uncertainty")

    @property
    def limited(self) -> bool:
        """Whether something is called borderline."""
        return any(m.kind == "uncertainty" and m.what == "limit" for m in self.marks)

    @property
    def place_first(self) -> bool:
        """Whether it names the place before what is so there ("the RV is dilated")."""
        saying = self.of("abnormal", "value")
        places = self.of("anatomy")
        return bool(places and saying) and places[0].at < saying[0].at

    @property
    def negated(self) -> bool:
        """Whether a negation in front of something stands in it."""
        last = max((m.at for m in self.of("abnormal", "value", "measured")), default=-1)
        return any(m.what in FORWARD and m.at < last for m in self.of("negation"))

    @property
    def silent(self) -> bool:
        """Whether it tells only that nothing is new."""
        return self.silenced or any(m.kind == "negation" and m.what == "new" for m in self.marks)


def pieces(marks: Sequence[Mark]) -> list[Piece]:
    """Cut the marks of one sentence into pieces."""
    found: list[Piece] = []
    shown = _with_unassessed(_mirrored(_without_hidden(_without_asides(marks))))
    for opened_by, clause in _clauses(shown):
        more = _clause_pieces(clause, first=not found)
        if found and not any(p.complete for p in more):
            if opened_by == "exception":
                found[-1].excepted = not any(m.what == "normal" for m in clause)
            # "scar is unlikely, but cannot be excluded"; "was seen in 2018, but is no longer seen"
            found[-1].doubted |= any((m.kind, m.what) == ("uncertainty", "open") for m in clause)
            found[-1].denied |= any((m.kind, m.what) == ("negation", "after") for m in clause)
        found += more
    return found


def _without_asides(marks: Sequence[Mark]) -> list[Mark]:
    """Leave out numbers of another time and limits: "(normal > 55 %)", "from 30 to 45 %"."""
    kept = list(marks)
    for i in range(len(marks) - 1, -1, -1):
        if marks[i].what == "(" and i and (end := _aside_end(marks, i)):
            del kept[i : end + 1]
        elif marks[i].what == "from" and (to := _changed_to(marks, i)):
            del kept[i : to + 1]
    return kept


def _aside_end(marks: Sequence[Mark], start: int) -> int:
    """Where the bracket ends if it opens with a limit or an earlier value, else 0."""
    inside = marks[start + 1 : start + 2]
    end = next((i for i in range(start, len(marks)) if marks[i].what == ")"), 0)
    opens = any(m.what in ("normal", "past", "reference", "ref") for m in inside)
    return end if opens and any(m.kind == "number" for m in marks[start:end]) else 0


def _changed_to(marks: Sequence[Mark], start: int) -> int:
    """Where the "to" of "from 30 % to 45 %" stands, else 0."""
    to = next((i for i in range(start + 2, min(start + 6, len(marks))) if marks[i].what == "to"), 0)
    numbers = to and marks[start + 1].kind == "number" == marks[min(to + 1, len(marks) - 1)].kind
    return to if numbers else 0


def _without_hidden(marks: Sequence[Mark]) -> list[Mark]:
    """Leave out what is no statement of this heart now, and what follows "family history of"."""
    lasting = any(m.kind == "earlier" and m.what == "lasting" for m in marks)
    kept: list[Mark] = []
    hiding = past = False
    for i, mark in enumerate(marks):
        opening = i == 0 or marks[i - 1].what in (",", ";")
        if mark.kind == "ignored":
            hiding |= mark.what == "history" or (mark.what == "known" and not lasting)
        elif mark.kind == "earlier":
            hiding |= mark.what == "study" and opening
            if mark.what in ("study", "year") and kept and kept[-1].kind in _SAYING:
                kept.pop()  # "impaired last year"
        elif mark.kind == "boundary" or mark.what in (",", ";", "."):
            hiding = False
        elif mark.what == ":":
            hiding &= marks[i - 1].kind == "ignored"  # "PMH: infarct"
        gone = past and mark.kind in _SAYING
        if not (hiding or gone or mark.kind in ("ignored", "earlier")):
            kept.append(mark)
        past = mark.what == "past" or (past and mark.what in DEGREES)
    return kept


def _mirrored(marks: Sequence[Mark]) -> list[Mark]:
    """Name the chamber that "the right is ..." means, by the one named before."""
    named: list[Mark] = []
    chamber = ""
    for mark in marks:
        if mark.kind == "anatomy" and mark.what in ("left", "right"):
            if chamber:
                named.append(replace(mark, what=mark.what[0].upper() + chamber))
            continue
        if mark.kind == "anatomy":
            chamber = mark.what[1] if mark.what in ("LV", "RV", "LA", "RA") else ""
        named.append(mark)
    return named


def _with_unassessed(marks: Sequence[Mark]) -> list[Mark]:
    """Turn "not performed", "no ... was given" and "without contrast" into one mark."""
    seen: list[Mark] = []
    for mark, follower in zip_longest(marks, marks[1:]):
        if mark.kind == "examined":
            negation = _negation_of_examined(seen)
            if negation >= 0:
                seen[negation] = Mark("unassessed", mark.what, seen[negation].at)
            elif mark.what == "made":
                _made_technique(seen)
            continue
        if mark.kind == "imaging" and _ends_there(mark, follower):
            back = _last(seen, _ANY)
            if back >= 0 and seen[back].kind == "negation":
                at = seen[back].at
                seen[back:] = [Mark("boundary", "contrast", at), Mark("unassessed", mark.what, at)]
        seen.append(mark)
    return seen


def _ends_there(mark: Mark, follower: Mark | None) -> bool:
    """Whether a denied technique is what was not done, and no part of "no contrast leak"."""
    if follower is None or follower.kind in ("punctuation", "boundary"):
        return True
    after = _AFTER_CONTRAST if mark.what == "contrast" else JOINTS
    return follower.what in after or follower.what in JOINTS or follower.kind == "examined"


def _last(marks: Sequence[Mark], skipped: frozenset[str]) -> int:
    """Index of the last mark that is not one of some words, or -1."""
    return next((i for i in range(len(marks) - 1, -1, -1) if marks[i].what not in skipped), -1)


def _negation_of_examined(seen: Sequence[Mark]) -> int:
    """Where the negation of a verb such as "performed" stands, or -1."""
    subject = _last(seen, _AUXILIARIES)
    named = subject >= 0 and seen[subject].kind in ("imaging", "measured", "abnormal", "anatomy")
    for i in range(len(seen) - 1, max(-1, len(seen) - 8), -1):
        mark = seen[i]
        if mark.kind == "negation" and mark.what in FORWARD:
            between = seen[i + 1 :]
            return i if named or all(m.kind in ("word", "uncertainty") for m in between) else -1
        if mark.what in JOINTS or mark.kind in ("punctuation", "boundary"):
            return -1
    return -1


def _made_technique(seen: list[Mark]) -> None:
    """Read "LGE" of "perfusion and LGE were performed" as the name of a technique."""
    at = _last(seen, _AUXILIARIES)
    while at >= 0:
        mark = seen[at]
        if mark.kind in ("abnormal", "measured", "imaging") and mark.what in _TECHNIQUES:
            seen[at] = replace(mark, kind="imaging")
        elif mark.what not in JOINTS:
            return
        at -= 1


def _clauses(marks: Sequence[Mark]) -> Iterator[tuple[str, list[Mark]]]:
    """Cut at "but" and semicolons; drop what something is compared with."""
    clause: list[Mark] = []
    compared, opened_by = False, ""
    for i, mark in enumerate(marks):
        if compared and _ends_comparison(marks, i):
            compared = False
        larger = mark.what in (">", "<") and marks[i + 1 : i + 2] and marks[i + 1].kind == "anatomy"
        if larger or (mark.kind == "boundary" and mark.what == "comparison"):
            compared = True
        elif mark.kind == "boundary" or mark.what == ";":
            yield opened_by, clause
            clause, compared, opened_by = [], False, mark.what
        elif not compared:
            clause.append(mark)
    yield opened_by, clause


def _ends_comparison(marks: Sequence[Mark], at: int) -> bool:
    if marks[at].what == "and":
        behind = [m for m in marks[at + 1 : at + 3] if m.what not in _ARTICLES]
        return bool(behind) and behind[0].kind != "anatomy"
    return marks[at].what in (",", "there")


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
        after.silenced = reaches and before.silent
    _reach_back(found)
    return found


def _reach_back(found: Sequence[Piece]) -> None:
    """Carry what ends a list over all of it: "scar, oedema and effusion are absent"."""
    for before, last in reversed(list(pairwise(found))):
        plural = not _PLURAL.isdisjoint(m.what for m in last.marks)
        if not (plural or last.listed) or last.joint not in LISTING or not _bare(before):
            continue
        before.denied |= last.denied or any(
            n.what in ("after", "around") for n in last.of("negation")
        )
        before.marks += last.of("unassessed")
        before.listed = True


def _bare(piece: Piece) -> bool:
    """Whether it only names something, and may be part of a list that ends in its verb."""
    other = ("anatomy", "value", "number", "negation", "uncertainty", "unassessed", "statement")
    return not piece.has(*other) and VERBS.isdisjoint(m.what for m in piece.marks)


def _segments(clause: Sequence[Mark], *, first: bool) -> Iterator[Piece]:
    piece = Piece("" if first else "but")
    for i, mark in enumerate(clause):
        if _joins(clause, i):
            if piece.marks:
                yield piece
                piece = Piece(mark.what)
            elif mark.what not in "()":
                piece.joint = mark.what
        else:
            piece.marks.append(mark)
    if piece.marks:
        yield piece


def _joins(clause: Sequence[Mark], at: int) -> bool:
    if clause[at].what == "/":  # "LGE/oedema", and no "mL/m2"
        beside = [*clause[max(0, at - 1) : at], *clause[at + 1 : at + 2]]
        return all(m.kind in ("abnormal", "anatomy") for m in beside)
    return clause[at].kind in ("word", "punctuation") and clause[at].what in JOINTS


def _begins_new(before: Piece, piece: Piece) -> bool:
    if not before.complete or _attributes(before, piece):
        return False
    if piece.complete:
        return not _only_value(piece) or piece.has("anatomy")
    # "RV dilated, LA and RA normal": places that wait for their verb.
    return before.place_first and piece.has("anatomy") and not piece.has("measured")


def _attributes(before: Piece, piece: Piece) -> bool:
    """Whether the first is one more attribute of the second: "a dilated, poorly contracting LV"."""
    if before.has("anatomy", "negation", "measured") or before.marks[0].what not in _ARTICLES:
        return False
    led = piece.joint in (",", "and") and piece.has("anatomy") and not piece.place_first
    return led and piece.marks[0].what not in _ARTICLES and not piece.has("negation")


def _only_value(piece: Piece) -> bool:
    return not piece.has("abnormal", "measured", "statement", "unassessed")


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
    silent = ("value", "number", "statement", "negation", "unassessed")
    if after.joint not in LISTING or after.has(*silent):
        return False
    if after.joint in ("or", "nor"):
        return True
    words = {m.what for m in after.of("word")}
    return not (words & VERBS or words & DEGREES or after.has("anatomy"))
