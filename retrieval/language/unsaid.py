"""Numbers of a sentence that are not measured of this heart in this study.

They belong to an earlier study, to another way of measuring, to limits of
normal, to a condition or to a relative.
"""

from collections.abc import Iterator, Sequence

from retrieval.language.numerals import amount_at
from retrieval.language.quantities import Item, vocabulary

_YEARS = (1980, 2039)
_PARTS = frozenset({",", ";", "(", ")", "[", "]", "but", "while", "whereas"})
_CLOSING = {"(": ")", "[": "]"}
_THIS_STUDY = frozenset({"cmr", "mri", "mr"})

Span = tuple[int, int]


def unsaid(items: Sequence[Item]) -> frozenset[int]:
    """Find the numbers of a sentence that are no measurements; items by their place."""
    numbers = [i for i, item in enumerate(items) if item.role == "number"]
    hidden = {i for i in numbers if _is_year(items, i)}
    hidden |= _earlier(items) | _unreal(items)
    for span in _brackets(items):
        if _holds_reference(items, span):
            hidden.update(range(*span))
    for i, item in enumerate(items):
        if item.role == "reference":
            hidden.update(_until(items, i, ("at",)))
    return frozenset(hidden.intersection(numbers))


def _is_year(items: Sequence[Item], at: int) -> bool:
    item = items[at]
    if item.role != "number" or not item.text.isdecimal():
        return False
    return _YEARS[0] <= item.value <= _YEARS[1] and amount_at(items, at).unit is None


def _unreal(items: Sequence[Item]) -> set[int]:
    hidden: set[int] = set()
    behind = False
    for i, item in enumerate(items):
        behind = item.role == "unreal" or (behind and item.text != ";")
        if behind:
            hidden.add(i)
    if any(item.role == "defining" for item in items):
        numbers = (i for i, item in enumerate(items) if item.role == "number")
        hidden.update(i for i in numbers if amount_at(items, i).bound)
    return hidden


def _brackets(items: Sequence[Item]) -> Iterator[Span]:
    for i, item in enumerate(items):
        if item.text in _CLOSING:
            closing = _CLOSING[item.text]
            ends = (j for j in range(i, len(items)) if items[j].text == closing)
            yield i, next(ends, len(items))


def _holds_reference(items: Sequence[Item], span: Span) -> bool:
    """Whether brackets hold limits of normal: said so, or before the value ("EF (57-77): 48")."""
    inside = items[span[0] : span[1]]
    if any(item.role in ("normal", "reference") for item in inside):
        return True
    behind = span[1] + 1
    while behind < len(items) and items[behind].text in (":", "="):
        behind += 1
    if behind >= len(items) or items[behind].role != "number":
        return False
    numbers = [i for i in range(*span) if items[i].role == "number"]
    if not numbers or any(item.role == "quantity" for item in inside):
        return False
    amount = amount_at(items, numbers[0])
    return bool(amount.bound) or len(amount.values) > 1


def _clauses(items: Sequence[Item]) -> Iterator[Span]:
    """Cut at commas, brackets, "but" and "now"; what cuts begins the next clause."""
    start = 0
    for i, item in enumerate(items):
        if i > start and (item.text in _PARTS or item.role == "now"):
            yield start, i
            start = i
    yield start, len(items)


def _earlier(items: Sequence[Item]) -> set[int]:
    hidden: set[int] = set()
    goes_on = False
    for number, (start, end) in enumerate(_clauses(items)):
        clause = range(start, end)
        if _ends_the_past(items[start:end]):
            goes_on = False
        if any(items[i].role == "unchanged" for i in clause):
            continue
        compared = next((i for i in clause if _compares(items, i)), None)
        marks = [i for i in clause if _is_mark(items, i)]
        if compared is not None:
            hidden.update(_until(items, compared, vocabulary().words["verb"], end))
        elif marks or goes_on or _was(items, start):
            hidden.update(clause)
            numbers = [i for i in clause if items[i].role == "number" and not _is_year(items, i)]
            opens = number == 0 and bool(marks) and not any(n < marks[0] for n in numbers)
            goes_on = goes_on or opens
    return hidden


def _ends_the_past(clause: Sequence[Item]) -> bool:
    if clause and (clause[0].role == "now" or clause[0].text == ";"):
        return True
    here = any(item.text in _THIS_STUDY for item in clause)
    return here and not any(item.role == "former" for item in clause)


def _was(items: Sequence[Item], start: int) -> bool:
    """Whether a clause begins as in "(was 45 %)"."""
    opens = start + 1 < len(items) and items[start].text in ("(", "[")
    return opens and items[start + 1].text == "was"


def _compares(items: Sequence[Item], at: int) -> bool:
    item = items[at]
    behind = items[at + 1] if at + 1 < len(items) else None
    if item.role == "compared":
        return True
    if behind is None:
        return False
    if item.role in ("less", "more"):
        return item.text.endswith("than") and behind.role != "number"
    if item.text != "from" or behind.role != "number" or _is_year(items, at + 1):
        return False
    # "from 30 to 45 %" ends in this study's value.
    amount = amount_at(items, at + 1)
    return not any(i.role == "to" for i in items[amount.start : amount.end])


def _is_mark(items: Sequence[Item], at: int) -> bool:
    item = items[at]
    behind = items[at + 1 : at + 4]
    if item.role == "earlier":
        # "previously described scar" says nothing of a number.
        return not (behind and behind[0].text.endswith(("ed", "known", "seen", "shown")))
    if item.role == "former":
        study = vocabulary().words["study"]
        near = any(i.role in ("number", "quantity") for i in behind[:2])
        return near or any(i.text in study for i in behind)
    return _is_year(items, at)


def _until(
    items: Sequence[Item], start: int, stops: Sequence[str] | frozenset[str], end: int | None = None
) -> Iterator[int]:
    """Places from one on, up to a word that stops, the end of the clause or of the sentence."""
    for i in range(start, len(items) if end is None else end):
        if items[i].text in stops or (i > start and items[i].text in _PARTS):
            return
        yield i
