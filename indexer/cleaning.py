"""Identifiers out of free text.

First what the headers of the study name (names in any order, ids, places),
then what looks like an identifier whoever it belongs to (see
`indexer.identifier_patterns`). What is removed leaves a mark such as "[name]",
so that a reader sees that something was there.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import permutations

from indexer.identifier_patterns import remove_patterns

SHORTEST_ID = 4
"""Ids of fewer characters are removed only behind a label; else "12 mm" would go too."""

LONGEST_PLACE = 6
"""Header texts of more words are prose: of those only what looks like a name is removed."""

LONGEST_ORDINARY_NAME = 3
"""Words of a name of ordinary words that are looked for in every order."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_PARTS = re.compile(r"[\s,;^=]+")
_GAP = r"[\s.,^=_/\\'\u2019-]{0,3}"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"


def clean_text(text: str, identifiers: Collection[str]) -> str:
    """Remove identifiers from the text of a report.

    Parameters
    ----------
    identifiers
        Texts of the headers (`RawStudy.identifiers`); a person's name has its
        components joined by carets.
    """
    for replace in (_remove_ids, _remove_phrases, _remove_names):
        text = replace(text, identifiers)
    return remove_patterns(text)


def identifying_words(identifiers: Iterable[str]) -> frozenset[str]:
    """Lower-case words of header texts that name somebody or something, ids included.

    Words of ordinary reports and single letters are left out.
    """
    texts = tuple(identifiers)
    words = {w for text in texts for w in _telling(text)} - _ordinary()
    ids = {p for text in texts for p in _PARTS.split(fold(text)) if any(c.isdigit() for c in p)}
    return frozenset(words | ids)


def _remove_phrases(text: str, identifiers: Collection[str]) -> str:
    """Remove header texts of several words as a whole, however they are spaced.

    A name all of whose words are ordinary ("White^Long") is a phrase too, in
    any order.
    """
    phrases: dict[tuple[str, ...], str] = {}
    for identifier in identifiers:
        words = tuple(_WORD.findall(fold(identifier)))
        telling = bool(set(words) - _ordinary())
        if "^" not in identifier and telling:
            phrases[words] = "[removed]"
        elif "^" in identifier and not telling:
            phrases |= dict.fromkeys(permutations(words[:LONGEST_ORDINARY_NAME]), "[name]")
    for words, mark in sorted(phrases.items(), key=lambda item: len(item[0]), reverse=True):
        if len(words) > 1:
            phrase = (_GAP + r"\s*").join(map(re.escape, words))
            text = _replace(_START + phrase + _END, mark, text)
    return text


def _remove_ids(text: str, identifiers: Collection[str]) -> str:
    """Remove ids, also where their parts are spaced otherwise or leading zeros are left out."""
    for whole in sorted(identifiers, key=len, reverse=True):
        for identifier in _ids(fold(whole)):
            parts = re.findall(r"[^\W\d_]+|\d+", identifier)
            spelt = ("0*" + (p.lstrip("0") or "0") if p.isdigit() else re.escape(p) for p in parts)
            text = _replace(_START + r"[\s._/-]{0,2}".join(spelt) + _END, "[id]", text)
    return text


def _remove_names(text: str, identifiers: Collection[str]) -> str:
    """Remove runs of a name's words and initials that hold at least one telling word."""
    words = {spelt for i in identifiers for w in _telling(i) for spelt in _spellings(w)}
    telling = words - _ordinary()
    if not telling:
        return text
    ordinary = "|".join(sorted(map(re.escape, words & _ordinary())))
    beside = rf"(?:{ordinary}|[^\W\d_]\.)" if ordinary else r"(?:[^\W\d_]\.)"
    core = "|".join(sorted(map(re.escape, telling), key=len, reverse=True))
    run = rf"{_START}(?:{beside}{_GAP}\s?)*(?:{core}){_END}(?:{_GAP}(?:{core}|{beside}){_END})*"
    return _replace(run, "[name]", text)


_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _spellings(word: str) -> set[str]:
    """A folded word, and as written with or without German umlauts."""
    spelt = {word}
    for one, two in (("a", "ae"), ("o", "oe"), ("u", "ue"), ("ß", "ss")):
        spelt |= {s.replace(two, one) for s in spelt}
    return spelt


def _telling(text: str) -> Iterator[str]:
    """Words of a header text that may name somebody; parts of ids are none."""
    plain = " ".join(p for p in _PARTS.split(text) if not any(c.isdigit() for c in p))
    written = _WORD.findall(plain)
    if "^" in text or len(written) <= LONGEST_PLACE:
        spelt = (*map(fold, written), *(w.lower().translate(_UMLAUTS) for w in written))
        yield from (w for w in spelt if len(w) > 1)
        return
    shouted = text.upper() == text
    for word in written:
        if len(word) > 2 and (shouted or word[0].isupper()):
            yield fold(word)


def _ids(folded: str) -> Iterator[str]:
    """Parts of a folded header text that are ids: long enough, with a digit in them."""
    for part in _PARTS.split(folded):
        bare = re.sub(r"[\W_]+", "", part).lstrip("0")
        if len(bare) >= SHORTEST_ID and any(c.isdigit() for c in bare):
            yield part.lstrip("0")


def _replace(pattern: str, mark: str, text: str) -> str:
    """Replace where the folded text matches; folding keeps every character's place."""
    pieces, at = [], 0
    for found in re.finditer(pattern, fold(text)):
        pieces += [text[at : found.start()], mark]
        at = found.end()
    return "".join([*pieces, text[at:]])


def fold(text: str) -> str:
    """Lower case without accents, as many characters as before."""
    return "".join(_fold_character(c) for c in text)


@cache
def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFD", character)[0].lower()
    return plain if len(plain) == 1 else character


@cache
def _ordinary() -> frozenset[str]:
    lines = files("indexer").joinpath("report_words.txt").read_text("utf-8").splitlines()
    return frozenset(w for line in lines if not line.startswith("#") for w in line.split())
