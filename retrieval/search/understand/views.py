"""Understood queries as plain values: JSON for programs, rows of text for people."""

from typing import Any

from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.prompts import prompts
from retrieval.search.understand.query import UnderstoodQuery
from retrieval.search.understand.terms import Terms

CHIP_COLUMNS = ("said", "chip", "asked of the encoder as")


def understood_json(query: UnderstoodQuery, terms: Terms) -> dict[str, Any]:
    """The object that `cineseek understand --json` prints."""
    return {
        "text": query.text,
        "chips": [
            {
                "chip": chip_line(chip),
                "span": chip.span,
                "prompts": prompts(chip, terms),
            }
            for chip in query.chips
        ],
        "free": query.free_text,
        "corrections": [{"span": one.span, "name": one.name} for one in query.corrections],
    }


def chip_rows(query: UnderstoodQuery, terms: Terms) -> list[tuple[str, str, str]]:
    """One row a chip, under `CHIP_COLUMNS`."""
    return [
        (
            "" if chip.span is None else query.text[slice(*chip.span)],
            chip_line(chip),
            "; ".join(prompts(chip, terms)),
        )
        for chip in query.chips
    ]


def remarks(query: UnderstoodQuery) -> list[str]:
    """Lines about misspellings, and about what no chip stands for."""
    said = [f"read {query.text[slice(*one.span)]!r} as {one.name}" for one in query.corrections]
    return [*said, f"free text: {query.free_text}"] if query.free_text else said
