"""Which number of a sentence is of which quantity."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from retrieval.language.numerals import Amount, Ends, amount_at, amounts_from
from retrieval.language.quantities import Item, Quantity, Unit, vocabulary
from retrieval.language.unsaid import unsaid

_NEAR = 3
"""Items between a chamber and a name that may belong together ("LV size and EF")."""

_LISTING = frozenset({",", "/", "and", "&"})
_VENTRICLES = frozenset({"LV", "RV"})
_ELSEWHERE = frozenset({"other", "aorta", "LA", "RA"})
"""Where no quantity is measured that has no chamber of its own."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What the text before a sentence is about.

    Attributes
    ----------
    places
        Chambers that a heading names, or that "it" stands for.
    columns
        Whether they head the columns of a table.
    name
        The quantity named last.
    """

    places: tuple[str, ...] = ()
    columns: bool = False
    name: Item | None = None


@dataclass(frozen=True, slots=True)
class Stated:
    """A quantity and the ends of its value, in its unit; see `Amount.in_unit_of`."""

    at: int
    quantity: Quantity
    ends: tuple[Ends, tuple[bool, bool]]


@dataclass(slots=True)
class _Mention:
    """A name that waits for its number; kind "" is a thing of a size of its own."""

    kind: str
    at: int
    end: int
    places: tuple[str, ...] = ()
    indexed: bool = False
    needs_unit: bool = False
    before: Amount | None = None
    filled: set[str] = field(default_factory=set[str])


def read(items: Sequence[Item], topic: Topic) -> list[Stated]:
    """Give the numbers of one sentence to the quantities that it names, in order."""
    return sorted(_Sentence(items, topic).stated(), key=lambda one: one.at)


class _Sentence:
    """A sentence read from left to right."""

    def __init__(self, items: Sequence[Item], topic: Topic) -> None:
        self.items = items
        self.topic = topic
        self.hidden = unsaid(items)
        self.found: list[Stated] = []
        self.told: set[tuple[str, str]] = set()
        self._part()

    def _part(self) -> None:
        """Begin a part of the sentence in which nothing is open."""
        self.mentions: list[_Mention] = []
        self.listed = 0
        self.places: tuple[str, ...] = ()
        self.places_end = -_NEAR - 1
        self.headed = False
        self.ventricles: set[str] = set()
        self.index_next = False
        self.loose: Amount | None = None

    def stated(self) -> list[Stated]:
        """All that it states."""
        at = 0
        while at < len(self.items):
            at = self._step(at)
        self._use_numbers_before()
        return self.found

    def _step(self, at: int) -> int:
        item = self.items[at]
        if item.role == "number":
            return self._number(at)
        if item.role == "quantity":
            self._name(at)
        elif item.role == "place":
            self._place(at)
        elif item.role == "thing":
            self._use_numbers_before()
            self.mentions.append(_Mention("", at, at + 1))
            self.listed, self.loose = 1, None
        elif item.role == "index":
            self._index(at)
        elif item.role == "pronoun":
            self._pronoun(at)
        elif item.text == ";":
            self._use_numbers_before()
            self._part()
        return at + 1

    # ---- names ----

    def _name(self, at: int) -> None:
        item = self.items[at]
        goes_on = self._goes_on_list(at)
        mention = _Mention(item.kind, at, at + 1, indexed=item.indexed or self.index_next)
        if item.places:
            mention.places = item.places
            self.ventricles.update(_VENTRICLES.intersection(item.places))
        elif self.places and at - self.places_end < _NEAR:
            mention.places = self.places
        if self.loose is not None and self._beside(self.loose.end, at):
            mention.before = self.loose
        if not goes_on:
            self._use_numbers_before()
        self.mentions.append(mention)
        self.listed = self.listed + 1 if goes_on else 1
        self.index_next, self.loose = False, None
        if item.places:
            self.places, self.headed = item.places, False

    def _goes_on_list(self, at: int) -> bool:
        last = self.mentions[-1] if self.mentions else None
        if last is None or last.filled or not last.kind:
            return False
        between = self.items[last.end : at]
        return all(i.text in _LISTING or i.role in ("place", "index") for i in between)

    def _place(self, at: int) -> None:
        item = self.items[at]
        listed = at > 1 and self.items[at - 1].text in _LISTING and self.places_end == at - 1
        self.places = (*self.places, *item.places) if listed else item.places
        self.places_end = at + 1
        self.headed = at + 1 < len(self.items) and self.items[at + 1].text == ":"
        self.ventricles.update(_VENTRICLES.intersection(item.places))
        last = self.mentions[-1] if self.mentions else None
        if last is None or not last.kind:
            return
        if not last.filled and not last.places and self._linked(last.end, at):
            last.places = self.places  # "ejection fraction of the right ventricle"
        elif last.filled and any(vocabulary().measured(p, last.kind) for p in item.places):
            # as in "LVEF 35 %, RV 48 %"
            again = _Mention(last.kind, at, at + 1, self.places, last.indexed, needs_unit=True)
            self.mentions.append(again)
            self.listed = 1

    def _pronoun(self, at: int) -> None:
        """Take up the quantity named last: "...; it is now 41 %"."""
        name = next((i for i in reversed(self.items[:at]) if i.role == "quantity"), self.topic.name)
        if name is not None and not self.mentions:
            self.mentions.append(
                _Mention(name.kind, at, at + 1, name.places, name.indexed, needs_unit=True)
            )
            self.listed = 1

    def _index(self, at: int) -> None:
        behind = next((i for i in self.items[at + 1 :] if not _links(i)), None)
        if behind is not None and behind.role in ("quantity", "place"):
            self.index_next = True
        elif self.mentions:
            self.mentions[-1].indexed = True

    # ---- numbers ----

    def _number(self, at: int) -> int:
        if at in self.hidden:
            return at + 1
        targets = [(m, p) for m in self._open() for p in self._places_of(m)]
        columns = self.topic.columns and len(targets) > 1
        if len(targets) > 1:
            amounts = amounts_from(self.items, at, spaced=columns)
            if len(amounts) == len(targets):
                linked = self._linked(self.mentions[-1].end, at)
                for (mention, place), amount in zip(targets, amounts, strict=True):
                    self._take(mention, (place,), amount, linked=linked)
                return amounts[-1].end
            if columns:
                return amounts[-1].end  # nobody knows which column is empty
        amount = amount_at(self.items, at)
        self._assign(amount)
        return amount.end

    def _open(self) -> list[_Mention]:
        """The names that a list of numbers would be of."""
        found = self.mentions[-self.listed :] if self.listed else []
        return [] if any(m.filled or not m.kind for m in found) else found

    def _assign(self, amount: Amount) -> None:
        for mention in reversed(self.mentions):
            linked = self._linked(mention.end, amount.start)
            if not mention.kind or (not linked and self._is_of_thing(amount)):
                return
            if self._take(mention, self._places_of(mention), amount, linked=linked):
                return
            if mention.filled and mention is not self.mentions[-1]:
                break
        if not self._take_volume(amount):
            self.loose = amount

    def _is_of_thing(self, amount: Amount) -> bool:
        """Whether a number may be that of what stands behind it ("reduced, 25 % scar")."""
        return amount.end < len(self.items) and self.items[amount.end].role == "thing"

    def _take(
        self, mention: _Mention, places: Sequence[str], amount: Amount, *, linked: bool
    ) -> bool:
        """Give a number to a name, if it can be of it.

        Parameters
        ----------
        linked
            Whether only linking words part the two; else the number needs a unit of its own.
        """
        taken = False
        for place in places:
            quantity = self._quantity(mention, place, amount, linked=linked)
            if quantity is None or quantity.id in mention.filled:
                continue
            mention.filled.add(quantity.id)
            self.told.add((place, mention.kind))
            taken = True
            ends = amount.in_unit_of(quantity)
            if ends is not None:
                self.found.append(Stated(amount.start, quantity, ends))
        return taken

    def _take_volume(self, amount: Amount) -> bool:
        """Read "the left atrium is dilated (62 mL/m2)", which no name announces."""
        if self.places_end > amount.start or (self.mentions and not self.mentions[-1].kind):
            return False
        places = [p for p in self.places if p not in _VENTRICLES]
        nameless = _Mention("volume", amount.start, amount.start)
        return self._take(nameless, places, amount, linked=False)

    def _quantity(
        self, mention: _Mention, place: str, amount: Amount, *, linked: bool
    ) -> Quantity | None:
        """What a number would be a value of; None if its unit is another."""
        several = vocabulary().measured(place, mention.kind)
        unit = amount.unit or (self._unit_in_front(mention) if linked else None)
        if unit is None:
            fitting = [q for q in several if q.indexed == mention.indexed and not q.needs_unit]
            return fitting[0] if linked and fitting and not mention.needs_unit else None
        per_area = mention.indexed and unit.base in ("mL", "g")
        base = f"{unit.base}/m2" if per_area else unit.base
        return next((q for q in several if q.unit == base), None)

    def _unit_in_front(self, mention: _Mention) -> Unit | None:
        """The unit that a table gives with the name: "LVEDV [ml/m2]: 131"."""
        at = mention.end
        if at < len(self.items) and self.items[at].text in ("(", "[", "|"):
            at += 1
        return vocabulary().unit_at(self.items, at)[0]

    # ---- places ----

    def _places_of(self, mention: _Mention) -> tuple[str, ...]:
        """The chambers that a name is about; none where that cannot be known."""
        kind = mention.kind
        if vocabulary().measured("", kind):
            return () if _ELSEWHERE.intersection(mention.places) else ("",)
        if mention.places:
            return mention.places
        if self.headed or (self.places and kind != "wall"):
            return self._carried(kind)
        if self.topic.places and kind != "wall":
            fitting = [p for p in self.topic.places if vocabulary().measured(p, kind)]
            return tuple(fitting) if self.topic.columns else tuple(fitting[:1]) or self.topic.places
        return ("LV",)

    def _carried(self, kind: str) -> tuple[str, ...]:
        """The chamber named before, if only one can be meant."""
        if self.headed or len(self.ventricles) == 1:
            own = tuple(p for p in self.places if vocabulary().measured(p, kind))
            return own or (self.places if self.headed else ("LV",))
        if not self.ventricles:
            return self.topic.places or ("LV",)
        waiting = [v for v in sorted(self.ventricles) if (v, kind) not in self.told]
        return tuple(waiting) if len(waiting) == 1 else ()

    # ---- what stands between ----

    def _linked(self, start: int, end: int) -> bool:
        """Whether nothing but linking words stands between two places."""
        at = start
        while at < end:
            unit, behind = vocabulary().unit_at(self.items, at)
            if unit is not None:
                at = behind
            elif at in self.hidden or _links(self.items[at]):
                at += 1
            else:
                return False
        return True

    def _beside(self, start: int, end: int) -> bool:
        words = vocabulary().words["beside"]
        between = self.items[start:end]
        return all(i.text in words or i.role in ("place", "index") for i in between)

    def _use_numbers_before(self) -> None:
        """Give names without a number the one in front of them ("a 24 mm thick septum")."""
        for mention in self.mentions:
            if mention.before is not None and not mention.filled:
                self._take(mention, self._places_of(mention), mention.before, linked=False)
            mention.before = None


def _links(item: Item) -> bool:
    known = item.role in (
        "place",
        "index",
        "less",
        "more",
        "at_most",
        "at_least",
        "up_to",
        "ranging",
    )
    return known or item.text in vocabulary().words["link"]
