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

from indexer.identifier_patterns import remove_patterns

SHORTEST_ID = 4
"""Ids of fewer characters are removed only behind a label; else "12 mm" would go too."""

LONGEST_PLACE = 6
"""Header texts of more words are prose: of those only what looks like a name is removed."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
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
    for replace in (_remove_phrases, _remove_ids, _remove_names):
        text = replace(text, identifiers)
    return remove_patterns(text)


def identifying_words(identifiers: Iterable[str]) -> frozenset[str]:
    """Lower-case words of header texts that name somebody or something, ids included.

    Words of ordinary reports and single letters are left out.
    """
    return frozenset(w for text in identifiers for w in _telling(text)) - _ordinary()


def _remove_phrases(text: str, identifiers: Collection[str]) -> str:
    """Remove every header text of several words as a whole, however it is spaced."""
    several = {tuple(_WORD.findall(fold(i))) for i in identifiers}
    for words in sorted(several, key=len, reverse=True):
        if len(words) > 1 and set(words) - _ordinary():
            phrase = (_GAP + r"[\s]*").join(map(re.escape, words))
            text = _replace(_START + phrase + _END, "[removed]", text)
    return text


def _remove_ids(text: str, identifiers: Collection[str]) -> str:
    """Remove ids, also where their parts are spaced otherwise or leading zeros are left out."""
    for whole in sorted(identifiers, key=len, reverse=True):
        for identifier in _ids(fold(whole)):
            parts = re.findall(r"[^\W\d_]+|\d+", identifier)
            spaced = r"[\s._/-]{0,2}".join(map(re.escape, parts))
            text = _replace(_START + "0*" + spaced + _END, "[id]", text)
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


def _with_umlauts_spelt(text: str) -> list[str]:
    return _WORD.findall(text.lower().translate(_UMLAUTS))


def _spellings(word: str) -> set[str]:
    """A folded word, and as written with or without German umlauts."""
    spelt = {word}
    for one, two in (("a", "ae"), ("o", "oe"), ("u", "ue"), ("ß", "ss")):
        spelt |= {s.replace(two, one) for s in spelt}
    return spelt


def _telling(text: str) -> Iterator[str]:
    """Words of a header text that may name somebody."""
    folded, original = _WORD.findall(fold(text)), _WORD.findall(text)
    if "^" in text or len(folded) <= LONGEST_PLACE:
        words = (w for w in (*folded, *_with_umlauts_spelt(text)) if len(w) > 1)
        yield from (w for w in words if not w.isdigit())
        return
    shouted = text.upper() == text
    for word, written in zip(folded, original, strict=True):
        if len(word) > 2 and (shouted or written[:1].isupper()) and not word.isdigit():
            yield word


def _ids(folded: str) -> Iterator[str]:
    """Parts of a folded header text that are ids: long enough, with a digit in them."""
    for part in re.split(r"[\s,;^=]+", folded):
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
