"""Broader words for a query that found nothing, and how many reports say them."""

from collections.abc import Sequence

from retrieval.ports import CatalogReader
from retrieval.search.moments import Moment
from retrieval.search.understand.chips import Chip, FindingChip
from retrieval.search.understand.prompts import plain
from retrieval.search.understand.table import shipped_terms
from retrieval.search.verdicts import Witness
from retrieval.values.finding import Polarity
from retrieval.values.query import Filter, Verdict


def broader(
    chips: Sequence[Chip], where: Filter, catalog: CatalogReader, now: Moment
) -> list[tuple[str, int]]:
    """Findings that those wanted are a kind of, or the finding without its details.

    Returns
    -------
    list
        Preferred names, and how many eligible studies have a report that states it.
    """
    terms = shipped_terms()
    wanted = [
        chip
        for chip in chips
        if isinstance(chip, FindingChip) and chip.on and chip.polarity is Polarity.PRESENT
    ]
    names: dict[str, None] = {}
    for chip in wanted:
        if chip.severity or chip.pattern or set(chip.anatomy) - {terms[chip.term].anatomy}:
            names[chip.term] = None
        names |= dict.fromkeys(terms[chip.term].narrower_than)
    witness = Witness(catalog, where, now)
    return [(terms[name].name, _stating(witness, name)) for name in names]


def _stating(witness: Witness, term: str) -> int:
    said = witness.say([plain(term)]).values()
    return sum(one.verdict is Verdict.AGREES for (one,) in said)
