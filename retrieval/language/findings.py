"""Findings of a report, with polarity: what it states, denies or leaves open.

Words and their meaning stand in `lexicon.toml`, limits of normal in
`reference_ranges.toml`; `pieces` says what belongs together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from retrieval.language.lexicon import Mark, lexicon
from retrieval.language.measured import judge, number_behind
from retrieval.language.pieces import Piece, pieces
from retrieval.language.sections import SectionKind, split_sections
from retrieval.language.sentences import sentences
from retrieval.values.finding import Finding, FindingName, Polarity

Said = tuple[FindingName, Polarity]

_PRESENT, _ABSENT, _UNCERTAIN = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN
_STRENGTH = {_ABSENT: 0, _UNCERTAIN: 1, _PRESENT: 2}
"""Of several statements in one sentence the strongest counts: "no scar in the septum, but ..."."""

_VALUES: Mapping[tuple[str, str], Polarity] = MappingProxyType(
    {
        ("size", "normal"): _ABSENT,
        ("size", "high"): _PRESENT,
        ("size", "low"): _ABSENT,
        ("size", "small"): _ABSENT,
        ("function", "normal"): _ABSENT,
        ("function", "high"): _ABSENT,
        ("function", "low"): _PRESENT,
        ("thickness", "normal"): _ABSENT,
        ("thickness", "high"): _PRESENT,
        ("ejection", "normal"): _ABSENT,
        ("ejection", "high"): _ABSENT,
        ("ejection", "low"): _PRESENT,
        ("ejection", "abnormal"): _PRESENT,
        ("function", "abnormal"): _PRESENT,
        ("motion", "normal"): _ABSENT,
        ("motion", "low"): _PRESENT,
        ("motion", "abnormal"): _PRESENT,
        ("perfusion", "normal"): _ABSENT,
        ("perfusion", "low"): _PRESENT,
        ("perfusion", "abnormal"): _PRESENT,
        ("oedema", "normal"): _ABSENT,
        ("oedema", "high"): _PRESENT,
        ("flattening", "normal"): _ABSENT,
        ("enhancement", "normal"): _ABSENT,
    }
)
"""What a value of a measured quantity says of the finding behind it."""

_STATED_ONLY = frozenset({"infarct"})
"""What says nothing where it is denied: without an infarct there may be other scar."""

_WHOLLY_NORMAL = ("size", "function", "effusion")
"""What "the right ventricle is normal" denies, as far as the place has it."""

_LIMITS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("LV", "ejection"): ("lv_dysfunction", "%"),
        ("RV", "ejection"): ("rv_dysfunction", "%"),
        ("LV", "function"): ("lv_dysfunction", "%"),
        ("RV", "function"): ("rv_dysfunction", "%"),
        ("LV", "size"): ("lv_dilated", "index"),
        ("RV", "size"): ("rv_dilated", "index"),
        ("LA", "size"): ("la_dilated", "index"),
        ("RA", "size"): ("ra_dilated", "index"),
        ("LV", "thickness"): ("lv_hypertrophy", "mm"),
        ("RV", "thickness"): ("rv_hypertrophy", "mm"),
        ("LV", "wall"): ("lv_hypertrophy", "mm"),
        ("RV", "wall"): ("rv_hypertrophy", "mm"),
        ("aorta", "size"): ("aorta_dilated", "mm"),
    }
)
"""Which limit judges a number, and in which unit it must be."""

_OF_THE_WALL = frozenset({"thickness", "hypertrophy", "wall"})
"""The left ventricle's, even under "Right ventricle:", unless its own sentence says more."""

_PRONOUNS = frozenset({"it", "its", "this"})


def find_findings(text: str) -> tuple[Finding, ...]:
    """Read the findings of a report or of any piece of text.

    Sections that say why and how the study was made are left out. Each
    sentence gives each finding at most once.

    Returns
    -------
    tuple of Finding
        In the order of the text.
    """
    found: list[Finding] = []
    for section in split_sections(text):
        if section.kind is not SectionKind.CONTEXT:
            found += _in_range(text, section.start, section.end)
    return tuple(found)


def _in_range(text: str, start: int, end: int) -> Iterator[Finding]:
    heading: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    ejection_told = False
    for begin, stop in sentences(text, start, end):
        marks = lexicon().marks(text[begin:stop])
        own = tuple(dict.fromkeys(m.what for m in marks if m.kind == "anatomy"))
        said = {m.what for m in marks}
        if _is_heading(marks):
            heading, ejection_told = own, "ejection" in said
        elif ejection_told and "ejection" in said:
            heading = ()  # "RV: EDV 175 ml, EF 48%. Normal EF.": nobody says one twice
        elif own or text[:begin].rstrip(" \t").endswith("\n\n"):
            heading = ()
        pronoun = bool(marks) and marks[0].what in _PRONOUNS
        topic = before if pronoun else () if said & _OF_THE_WALL else heading
        for name, polarity in _strongest(_sentence(marks, topic)):
            yield Finding(name=name, polarity=polarity, start=begin, end=stop)
        before = own or before


def _is_heading(marks: Sequence[Mark]) -> bool:
    """Whether a sentence begins like "Right ventricle: dilated."."""
    return len(marks) > 1 and marks[0].kind == "anatomy" and ":" in (marks[1].what, marks[-1].what)


def _strongest(said: Iterable[Said]) -> list[Said]:
    best: dict[FindingName, Polarity] = {}
    for name, polarity in said:
        if name not in best or _STRENGTH[polarity] > _STRENGTH[best[name]]:
            best[name] = polarity
    return list(best.items())


def _sentence(marks: Sequence[Mark], topic: tuple[str, ...]) -> Iterator[Said]:
    about = topic
    for piece in pieces(marks):
        places = tuple(dict.fromkeys(m.what for m in piece.of("anatomy")))
        about = places or about
        yield from _Reading(piece, about).said()


class _Reading:
    """What one piece says about its places."""

    def __init__(self, piece: Piece, places: tuple[str, ...]) -> None:
        self.piece = piece
        self.places = places

    def said(self) -> Iterator[Said]:
        for name, polarity in self._plain():
            doubt = self.piece.doubted or self.piece.has("uncertainty")
            yield name, _UNCERTAIN if doubt else polarity

    def _plain(self) -> Iterator[Said]:
        if self.piece.has("statement"):
            yield from ((name, _ABSENT) for name in FindingName)
        for mark in self.piece.of("abnormal"):
            polarity = self._of_abnormal(mark)
            if polarity is _PRESENT or mark.what not in _STATED_ONLY:
                yield from self._named(mark, polarity)
        measured = self.piece.of("measured")
        for mark in measured:
            polarity = self._of_value(mark)
            doubtful = self.piece.has("uncertainty") and not self.piece.has("abnormal", "value")
            if polarity is None and doubtful and (mark.what, "normal") in _VALUES:
                polarity = _UNCERTAIN
            if polarity is not None:
                yield from self._named(mark, polarity)
            else:
                yield from self._of_number(mark)
        if not measured and not self.piece.has("abnormal"):
            yield from self._of_place_alone()

    def _named(self, mark: Mark, polarity: Polarity) -> Iterator[Said]:
        for name in self._findings(mark):
            yield name, polarity

    def _findings(self, mark: Mark) -> list[FindingName]:
        table = lexicon()
        places = self._places_of(mark)
        if places == ("other",):
            return []
        found = [table.findings[p, mark.what] for p in places if (p, mark.what) in table.findings]
        if not found and ("*", mark.what) in table.findings:
            found = [table.findings["*", mark.what]]
        default = table.default.get(mark.what)
        own = any(m.kind == "anatomy" for m in self.piece.marks)
        if not found and default is not None and not (own and "other" in places):
            found = [table.findings[default, mark.what]]
        return found

    def _places_of(self, mark: Mark) -> tuple[str, ...]:
        """The places a mark is about: all of the piece, or the nearest if one is no heart part."""
        if "other" not in self.places:
            return self.places
        own = self.piece.of("anatomy")
        if not own:
            return self.places
        return (min(own, key=lambda m: abs(m.at - mark.at)).what,)

    def _of_abnormal(self, mark: Mark) -> Polarity:
        if self._denied(mark):
            return _ABSENT
        normal = [v for v in self.piece.of("value") if v.what == "normal" and v.at == mark.at - 1]
        return _ABSENT if normal else _PRESENT

    def _of_value(self, mark: Mark) -> Polarity | None:
        """What the nearest value says of a measured quantity, or None without one."""
        values = [v for v in self.piece.of("value") if (mark.what, v.what) in _VALUES]
        if not values:
            return None
        value = min(values, key=lambda v: abs(v.at - mark.at))
        polarity = _VALUES[mark.what, value.what]
        if self._denied(value):
            return _PRESENT if value.what == "normal" else _ABSENT
        return polarity

    def _of_number(self, mark: Mark) -> Iterator[Said]:
        for place in self._places_of(mark) or (lexicon().default.get(mark.what, ""),):
            yield from self._judged(place, mark)

    def _judged(self, place: str, mark: Mark) -> Iterator[Said]:
        name = lexicon().findings.get((place, mark.what))
        rule = _LIMITS.get((place, mark.what))
        if name is None or rule is None:
            return
        limit, unit = rule
        number = number_behind(self.piece.marks, mark.at, unit)
        if number is None or (number.bound and self.piece.has("negation")):
            return
        polarity = judge(number, limit)
        if polarity is not None:
            yield name, polarity

    def _of_place_alone(self) -> Iterator[Said]:
        """Read pieces such as "the RV is normal", "impaired LV", "aortic root 42 mm"."""
        table = lexicon()
        value = next(iter(self.piece.of("value")), None)
        if not self.piece.has("anatomy") and self.piece.has("word"):
            return
        for place in self.places:
            if value is None:
                if place == "aorta":
                    yield from self._judged(place, Mark("measured", "size", 0))
            elif value.what == "normal":
                polarity = _PRESENT if self._denied(value) else _ABSENT
                for what in _WHOLLY_NORMAL:
                    if (place, what) in table.findings:
                        yield table.findings[place, what], polarity
            elif value.what == "low" and (place, "function") in table.findings:
                yield (
                    table.findings[place, "function"],
                    _ABSENT if self._denied(value) else _PRESENT,
                )

    def _denied(self, mark: Mark) -> bool:
        if self.piece.denied:
            return True
        negations = self.piece.of("negation")
        telling = self.piece.of("abnormal", "value", "measured")
        last = max(m.at for m in telling)
        before = any(n.what == "before" and n.at < mark.at for n in negations)
        after = any(n.at > mark.at and (n.what == "after" or n.at > last) for n in negations)
        return before or after
