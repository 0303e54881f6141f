"""The text of DICOM structured reports (PS3.3 C.17.3)."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from indexer.dicom.attributes import Attributes


def text_of(document: Dataset) -> str:
    """Return a structured report as plain text, in the order of its content tree.

    A container's concept name becomes a heading; text, code and numeric items
    become "name: value" lines below it (the text alone where the item has no
    name, or its parent's). Empty if the tree says nothing.
    """
    lines = [line for line in _lines(document, heading="", depth=0) if line]
    return "\n".join(lines)


_DEPTH = 32
"""Levels of the content tree that are read; no template nests nearly as deep."""


def _lines(item: Dataset, *, heading: str, depth: int) -> Iterator[str]:
    a = Attributes(item)
    kind, name = a.text("ValueType").upper(), _meaning(a, "ConceptNameCodeSequence")
    inner = heading
    if kind == "CONTAINER" and name:
        inner = name
        yield f"\n{name}:" if depth else f"{name}:"
    value = _value(a, kind)
    if value:
        yield value if name in ("", heading) else f"{name}: {value}"
    if depth < _DEPTH:
        for child in a.items("ContentSequence"):
            yield from _lines(child, heading=inner, depth=depth + 1)


def _value(a: Attributes, kind: str) -> str:
    match kind:
        case "TEXT":
            return a.text("TextValue")
        case "CODE":
            return _meaning(a, "ConceptCodeSequence")
        case "NUM":
            return _measured(a)
        case _:
            return ""


def _measured(a: Attributes) -> str:
    for item in a.items("MeasuredValueSequence")[:1]:
        measured = Attributes(item)
        unit = _code(measured, "MeasurementUnitsCodeSequence")
        return f"{measured.text('NumericValue')} {'' if unit == '1' else unit}".strip()
    return ""


def _meaning(a: Attributes, sequence: str) -> str:
    return next((Attributes(i).text("CodeMeaning") for i in a.items(sequence)[:1]), "")


def _code(a: Attributes, sequence: str) -> str:
    return next((Attributes(i).text("CodeValue") for i in a.items(sequence)[:1]), "")
