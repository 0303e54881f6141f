"""Positive findings in words that an encoder of images knows, beside those that were typed."""

from retrieval.search.understand.chips import Chip, FindingChip
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Term, Terms
from retrieval.values.finding import Polarity

PHRASINGS = 4
"""How many phrasings of a finding are averaged at most, for each of its terms."""


def prompts(chip: Chip, lexicon: Terms | None = None) -> tuple[str, ...]:
    """Phrasings of a positive finding, the preferred one first, to average over.

    Narrower terms follow by their preferred phrasing; what a term merely
    suggests is never asked.

    Returns
    -------
    tuple of str
        Empty for a chip that the video channel cannot answer, or that is off.
    """
    terms = shipped_terms() if lexicon is None else lexicon
    if not isinstance(chip, FindingChip) or chip.polarity is not Polarity.PRESENT or not chip.on:
        return ()
    own, *narrower = terms.expansion(chip.term)
    phrasings = [
        *_phrasings(terms[own])[:PHRASINGS],
        *(_phrasings(terms[one])[0] for one in narrower),
    ]
    return tuple(dict.fromkeys(_with_details(one, chip, terms) for one in phrasings))


def plain(term: str, lexicon: Terms | None = None) -> FindingChip:
    """The chip of a finding as such: no severity, no pattern, no place but its own."""
    found = (shipped_terms() if lexicon is None else lexicon)[term]
    anatomy = (found.anatomy,) if found.anatomy else ()
    return FindingChip(term=term, finding=found.finding, anatomy=anatomy)


def _phrasings(term: Term) -> tuple[str, ...]:
    """Prompts of the table, or name and synonyms but for abbreviations."""
    if term.prompts:
        return term.prompts
    long = [phrase for phrase in term.phrases[1:] if len(phrase) > len("hfref")]
    return (term.name, *long)


def _with_details(phrase: str, chip: FindingChip, terms: Terms) -> str:
    """A phrasing with the severity, pattern and place that it does not say itself."""
    patterns = [terms[one].name for one in chip.pattern]
    said = " ".join([*_degrees(chip, terms), *(p for p in patterns if p not in phrase), phrase])
    places = [_place(one, terms) for one in chip.anatomy if not _told_by_term(one, chip, terms)]
    return f"{said} in the {' '.join(places)}" if places else said


def _degrees(chip: FindingChip, terms: Terms) -> list[str]:
    """Words such as "mild to moderate"; none for what is still normal, no degree of a finding."""
    if "low_normal" in chip.severity:
        return []
    return [" to ".join(terms[one].name for one in chip.severity)] if chip.severity else []


def _place(name: str, terms: Terms) -> str:
    return terms[name].name if name in terms.terms else name.replace("_", " ")


def _told_by_term(place: str, chip: FindingChip, terms: Terms) -> bool:
    """Whether the finding is of that place by what it is: LV dilation of the LV."""
    term = terms[chip.term]
    return place == term.anatomy or any(place in ids for ids in term.composed)
