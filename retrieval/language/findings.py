"""Findings of a report, with polarity: what it states, denies or leaves open.

Words and their meaning stand in `lexicon.toml`, limits of normal in
`reference_ranges.toml`; `pieces` says what belongs together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from retrieval.language.lexicon import Mark, lexicon
from retrieval.language.measured import judge, number_behind
from retrieval.language.pieces import FORWARD, Piece, pieces
from retrieval.language.sections import SectionKind, split_sections
from retrieval.language.sentences import sentences
from retrieval.values.finding import Finding, FindingName, Polarity

Said = tuple[FindingName, Polarity]

_PRESENT, _ABSENT, _UNCERTAIN = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN
_STRENGTH = {Polarity.NOT_ASSESSED: 0, _ABSENT: 1, _UNCERTAIN: 2, _PRESENT: 3}
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

_OF_A_PLACE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"normal": _WHOLLY_NORMAL, "small": ("size",), "low": ("function",)}
)
"""What a value says of a place for which nothing is measured: "impaired LV"."""

_BY_CONTRAST = (FindingName.SCAR, FindingName.DIFFUSE_ENHANCEMENT, FindingName.PERFUSION_DEFECT)
"""What nobody can see without contrast."""

_READ_OFF = frozenset({"perfusion", "oedema"})
"""What is itself called positive or negative: "perfusion: negative"."""

_FILLING = frozenset({"amount", "of", "a", "film", "trace", "rim"})
"""Words between a value and what it is of: "a physiological amount of fluid"."""

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

_ELSEWHERE = frozenset({"other", "outside"})
"""Valves and vessels of the heart, and what lies outside it."""

_PRONOUNS = frozenset({"it", "its", "this"})


def find_findings(text: str) -> tuple[Finding, ...]:
    """Read the findings of a report or of any piece of text.

    Sections that say why and how the study was made are left out, but for what
    was not done. Each sentence gives each finding at most once.

    Returns
    -------
    tuple of Finding
        In the order of the text.
    """
    found: list[Finding] = []
    for section in split_sections(text):
        if section.kind is not SectionKind.CONTEXT:
            found += _in_range(text, section.start, section.end)
        elif section.technical:
            said = _in_range(text, section.start, section.end)
            found += [f for f in said if f.polarity is Polarity.NOT_ASSESSED]
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
        if self.piece.has("unassessed"):
            yield from ((name, Polarity.NOT_ASSESSED) for name in self._unassessed())
        elif not self.piece.silent:
            doubt = (self.piece.doubted or self.piece.has("uncertainty")) and not self._settled()
            for name, polarity in self._plain():
                yield name, _UNCERTAIN if doubt or self._left_open() else polarity

    def _settled(self) -> bool:
        """Whether a doubt is told and done away with: "the suspected scar is not confirmed"."""
        doubts, denials = self.piece.of("uncertainty"), self.piece.of("negation")
        return any(n.what == "after" and n.at > d.at for n in denials for d in doubts)

    def _unassessed(self) -> Iterator[FindingName]:
        telling = self.piece.of("abnormal", "measured", "imaging")
        if all(m.what == "contrast" for m in self.piece.of("unassessed")):
            telling = [m for m in telling if m.what == "contrast"]
        for mark in telling:
            if mark.what == "contrast":
                yield from _BY_CONTRAST
                continue
            names = self._findings(mark)
            if mark.kind == "imaging":  # of the heart, whatever place is named
                names = [lexicon().findings["*", mark.what]]
            yield from names
            if FindingName.SCAR in names:
                yield FindingName.DIFFUSE_ENHANCEMENT
        judged = any(m.what == "judged" for m in self.piece.of("unassessed"))
        if not telling and judged and (self.piece.has("anatomy") or not self.piece.has("word")):
            findings = lexicon().findings
            sought = ((place, what) for place in self.places for what in _WHOLLY_NORMAL)
            yield from (findings[one] for one in sought if one in findings)

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
            if polarity is None and mark.what in _READ_OFF and self._denied_behind(mark):
                polarity = _ABSENT
            if polarity is not None:
                yield from self._named(mark, polarity)
            else:
                yield from self._of_number(mark)
        if not measured:
            yield from (
                self._of_attribute() if self.piece.has("abnormal") else self._of_place_alone()
            )

    def _named(self, mark: Mark, polarity: Polarity) -> Iterator[Said]:
        for name in self._findings(mark):
            yield name, polarity

    def _findings(self, mark: Mark) -> list[FindingName]:
        table = lexicon()
        places = self._places_of(mark)
        inherited = places == ("other",) and not self.piece.has("anatomy")
        if inherited and mark.what not in _OF_THE_WALL:
            places = ()  # "aortic stenosis, EF 70 %"
        elif places in (("other",), ("outside",)):
            return []
        found = [table.findings[p, mark.what] for p in places if (p, mark.what) in table.findings]
        if not found and ("*", mark.what) in table.findings:
            found = [table.findings["*", mark.what]]
        default = table.default.get(mark.what)
        own = {m.what for m in self.piece.of("anatomy")}
        elsewhere = mark.what in _OF_THE_WALL and not {"pericardium", "aorta"}.isdisjoint(places)
        if not found and default is not None and own <= {"myocardium"} and not elsewhere:
            found = [table.findings[default, mark.what]]
        return found

    def _places_of(self, mark: Mark) -> tuple[str, ...]:
        """The places a mark is about: all of the piece, or the nearest if one is no heart part."""
        if _ELSEWHERE.isdisjoint(self.places):
            return self.places
        own = self.piece.of("anatomy")
        if not own:
            return self.places
        return (min(own, key=lambda m: abs(m.at - mark.at)).what,)

    def _of_abnormal(self, mark: Mark) -> Polarity:
        if self._denied(mark):
            return _PRESENT if self.piece.excepted else _ABSENT
        before = [m for m in self.piece.marks if m.at < mark.at and m.kind != "anatomy"]
        while before and before[-1].what in _FILLING:
            before.pop()
        return _ABSENT if before and before[-1].what == "normal" else _PRESENT

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
        places = self._places_of(mark)
        if mark.what == "ejection" and len(places) > 1 and not self.piece.has("anatomy"):
            places = ()  # "all chambers are large, EF 30 %": the left ventricle's
        for place in places or (lexicon().default.get(mark.what, ""),):
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

    def _of_attribute(self) -> Iterator[Said]:
        """Read "the RV is dilated and impaired": a low value of nothing else is of the function."""
        marks = self.piece.marks
        for mark, follower in zip(marks, [*marks[1:], None], strict=True):
            alone = follower is None or follower.kind in ("punctuation", "anatomy", "negation")
            if mark.kind == "value" and mark.what == "low" and alone:
                yield from self._named(
                    Mark("measured", "function", mark.at),
                    _ABSENT if self._denied(mark) else _PRESENT,
                )

    def _of_place_alone(self) -> Iterator[Said]:
        """Read pieces such as "the RV is normal", "impaired LV", "aortic root 42 mm"."""
        if not self.piece.has("anatomy") and self.piece.has("word"):
            return
        value = next(iter(self.piece.of("value")), None)
        for place in self.places:
            yield from self._of_size(place) if value is None else self._valued(place, value)

    def _of_size(self, place: str) -> Iterator[Said]:
        name = lexicon().findings.get((place, "size"))
        if self.piece.limited and name is not None:
            yield name, _UNCERTAIN
        elif place == "aorta":
            yield from self._judged(place, Mark("measured", "size", 0))

    def _valued(self, place: str, value: Mark) -> Iterator[Said]:
        denied = self._denied(value)
        if value.what == "small" and denied:
            return
        polarity = _PRESENT if (value.what == "low") != denied else _ABSENT
        for what in _OF_A_PLACE.get(value.what, ()):
            if (place, what) in lexicon().findings:
                yield lexicon().findings[place, what], polarity

    def _denied(self, mark: Mark) -> bool:
        if self.piece.denied:
            return True
        before = (n for n in self.piece.of("negation") if n.at < mark.at)
        return any(n.what in FORWARD for n in before) or self._denied_behind(mark)

    def _denied_behind(self, mark: Mark) -> bool:
        """Whether what follows denies it: "is absent", "effusion: no"."""
        behind = [n for n in self.piece.of("negation") if n.at > mark.at]
        return any(n.what in ("after", "around") for n in behind) or any(
            follower is None for n, follower in self._at_the_end() if n in behind
        )

    def _left_open(self) -> bool:
        """Whether it ends in a "not" of something nobody knows: "the scar is not spiky"."""
        return any(n.what == "not" and follower for n, follower in self._at_the_end())

    def _at_the_end(self) -> Iterator[tuple[Mark, Mark | None]]:
        """Negations behind all that is told, each with the word that follows."""
        marks = self.piece.marks
        last = max((m.at for m in self.piece.of("abnormal", "value", "measured")), default=-1)
        for mark, follower in zip(marks, [*marks[1:], None], strict=True):
            if mark.kind == "negation" and mark.what in ("no", "not") and mark.at > last:
                yield mark, follower if follower and follower.kind != "punctuation" else None
