"""Sentences that differ by a word or two and say something else: hard negatives.

A reader of text that goes by topic takes "dilated left ventricle" and "dilated
right ventricle" for nearly the same. Twins share all words but the telling
ones: a side, a wall or coronary territory, a degree, a denial.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Literal, NamedTuple

from retrieval.phantom.sentences_grammar import (
    Split,
    holds_held_out_query,
    phrases,
    read_table,
)
from retrieval.phantom.sentences_report import Sentence

Kind = Literal["side", "place", "degree", "denial", "contrast"]


class Twins(NamedTuple):
    """Two sentences of nearly the same words."""

    this: Sentence
    other: Sentence


SIDES: Mapping[str, str] = MappingProxyType(
    {
        "lv_dilated": "rv_dilated",
        "lv_severely_dilated": "rv_severely_dilated",
        "lv_moderately_dilated": "rv_moderately_dilated",
        "lv_mildly_dilated": "rv_mildly_dilated",
        "lv_normal_size": "rv_normal_size",
        "lv_not_dilated": "rv_not_dilated",
        "ef_reduced": "rvef_reduced",
        "ef_severely_reduced": "rvef_severely_reduced",
        "ef_mildly_reduced": "rvef_mildly_reduced",
        "ef_normal": "rvef_normal",
        "lvh": "rvh",
        "wall_normal": "no_rvh",
        "lv_normal": "rv_normal",
        "la_dilated": "ra_dilated",
        "la_normal_size": "ra_normal_size",
        "lv_dilated_impaired": "rv_dilated_impaired",
        "lv_dilated_rv_normal": "rv_dilated_lv_normal",
        "lv_impaired_rv_normal": "rv_impaired_lv_normal",
        "la_dilated_ra_normal": "ra_dilated_la_normal",
    }
)
"""What is left, and the same on the right."""

Words = tuple[tuple[str, str], ...]
"""Words that stand for each other in twins."""

_ANTERIOR_INFERIOR: Words = (("anterior", "inferior"),)
_SEPTAL_LATERAL: Words = (("septal", "lateral"),)
_LAD_RCA: Words = (
    ("LAD", "RCA"), ("left anterior descending artery", "right coronary artery"),
    ("anterior", "inferior"), ("anteroseptal", "inferoseptal"),
)  # fmt: skip
_RCA_LCX: Words = (
    ("RCA", "LCX"), ("right coronary artery", "circumflex artery"), ("inferior", "lateral"),
    ("inferoseptal", "inferolateral"),
)  # fmt: skip

PLACES: Mapping[tuple[str, str], Words] = MappingProxyType(
    {
        ("wma_anterior", "wma_inferior"): _ANTERIOR_INFERIOR,
        ("wma_septal", "wma_lateral"): _SEPTAL_LATERAL,
        ("wma_lad", "wma_rca"): _LAD_RCA,
        ("wma_rca", "wma_lcx"): _RCA_LCX,
        ("scar_in_anterior_wall", "scar_in_inferior_wall"): _ANTERIOR_INFERIOR,
        ("scar_in_septum", "scar_in_lateral_wall"): _SEPTAL_LATERAL,
        ("scar_lad", "scar_rca"): _LAD_RCA,
        ("scar_rca", "scar_lcx"): _RCA_LCX,
        ("defect_lad", "defect_rca"): _LAD_RCA,
        ("defect_rca", "defect_lcx"): _RCA_LCX,
        ("scar_subendocardial", "scar_subepicardial"): (
            ("subendocardial", "subepicardial"), ("inner", "outer"),
        ),
        ("lvh_septal", "lvh_apical"): (("septal", "apical"), ("septum", "apex")),
    }
)  # fmt: skip
"""The same somewhere else in the muscle, and the words that tell."""

EXTREMES: Mapping[str, str] = MappingProxyType(
    {
        "lv_mildly_dilated": "lv_severely_dilated",
        "rv_mildly_dilated": "rv_severely_dilated",
        "ef_mildly_reduced": "ef_severely_reduced",
        "rvef_mildly_reduced": "rvef_severely_reduced",
        "lvh_mild": "lvh_severe",
        "effusion_small": "effusion_large",
    }
)
"""A little and a lot of the same."""

DENIALS: Mapping[str, str] = MappingProxyType(
    {
        "lv_dilated": "lv_not_dilated",
        "rv_dilated": "rv_not_dilated",
        "la_dilated": "la_normal_size",
        "ra_dilated": "ra_normal_size",
        "ef_reduced": "ef_normal",
        "rvef_reduced": "rvef_normal",
        "lvh": "wall_normal",
        "rvh": "no_rvh",
        "wma": "no_wma",
        "enhancement": "no_scar",
        "scar": "no_scar",
        "scar_ischaemic": "no_scar_ischaemic",
        "wall_thinned": "wall_not_thinned",
        "septal_flattening": "no_septal_flattening",
        "dyssynchrony": "no_dyssynchrony",
        "oedema": "no_oedema",
        "perfusion_defect": "no_perfusion_defect",
        "t1_raised": "t1_normal",
        "t2_raised": "t2_normal",
        "aorta_dilated": "aorta_normal",
        "effusion": "no_effusion",
        "rv_larger_than_lv": "ventricles_in_proportion",
    }
)
"""A finding and its denial."""

OPPOSED: tuple[tuple[str, str], ...] = (
    ("lv_dilated", "rv_not_dilated"),
    ("lv_dilated", "rv_normal_size"),
    ("lv_severely_dilated", "rv_not_dilated"),
    ("ef_reduced", "rvef_normal"),
    ("ef_severely_reduced", "rvef_normal"),
    ("lv_dilated", "rvef_normal"),
    ("ef_reduced", "rv_normal_size"),
    ("la_dilated", "ra_normal_size"),
    ("lvh", "no_rvh"),
)
"""Something on the left, and what is not so on the right; mirrored for the twin."""

_LEFT = {right: left for left, right in SIDES.items()}
_SIDE_WORDS: Words = (
    ("left", "right"), ("LV", "RV"), ("LVEF", "RVEF"), ("LVEDV", "RVEDV"), ("LVH", "RVH"),
    ("LA", "RA"),
)  # fmt: skip
_DEGREE_WORDS: Words = (
    ("mild", "severe"), ("mildly", "severely"), ("slight", "marked"), ("slightly", "markedly"),
    ("minor", "gross"), ("minimally", "grossly"), ("small", "large"), ("thin", "thick"),
)  # fmt: skip


def twins(kind: Kind, split: Split, rng: Random, count: int) -> list[Twins]:
    """Draw pairs of sentences that differ in the words of a kind only.

    Parameters
    ----------
    kind
        "side": left and right swapped. "place": walls or territories swapped.
        "degree": mild and severe swapped. "denial": stated and denied.
        "contrast": what is so on one side and not on the other, and both
        sides swapped.
    count
        How many to draw; the same pair may be drawn again.
    """
    if kind == "contrast":
        return [_contrast(split, rng) for _ in range(count)]
    table = tuple(pair for pair in _table(kind) if _pairs(kind, split, pair))
    return [rng.choice(_pairs(kind, split, rng.choice(table))) for _ in range(count)]


def _table(kind: Kind) -> Mapping[tuple[str, str], Words]:
    """Concepts and their counterparts, with the words in which they differ."""
    if kind == "place":
        return PLACES
    if kind == "denial":
        return dict.fromkeys(DENIALS.items(), ())
    pairs, words = (SIDES, _SIDE_WORDS) if kind == "side" else (EXTREMES, _DEGREE_WORDS)
    return dict.fromkeys(pairs.items(), words)


@cache
def _pairs(kind: Kind, split: Split, pair: tuple[str, str]) -> tuple[Twins, ...]:
    """Every wording of a concept that, changed, is a wording of its counterpart."""
    concept, other = pair
    known = {p.lower(): p for p in phrases(other, split)}
    change = _denials if kind == "denial" else _swap(_table(kind)[pair])
    return tuple(
        Twins(Sentence(text, (concept,)), Sentence(known[changed], (other,)))
        for text in phrases(concept, split)
        for changed in dict.fromkeys(map(str.lower, change(text)))
        if changed in known
    )


def _swap(words: Words) -> Callable[[str], Iterable[str]]:
    """Exchange two words wherever either stands; a text without them has no twin."""
    table = {a.lower(): b for a, b in words} | {b.lower(): a for a, b in words}
    longest_first = sorted(table, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)

    def change(text: str) -> Iterable[str]:
        changed = pattern.sub(lambda m: table[m[0].lower()], text)
        return () if changed == text else (changed,)

    return change


def _denials(text: str) -> Iterable[str]:
    """Ways to deny a text; most are no wordings of anything."""
    yield f"no {text}"
    yield f"no evidence of {text}"
    yield re.sub(r"\b(is|are)\b", r"\1 not", text)
    yield text.replace(": ", ": not ")
    yield text.replace(": yes", ": no")
    yield text.replace("signs of", "no signs of")
    yield text.replace("cases with", "cases lacking")
    yield text.replace("showing", "showing no")
    yield text.replace("was found", "was not found")
    yield text.replace("reveal", "reveal no")
    yield text.replace("who have", "who do not have")


def _contrast(split: Split, rng: Random) -> Twins:
    """Join what is so on one side to what is not so on the other; the twin is its mirror image."""
    joins = read_table("words")["joins"]["train" if split == "train" else "held_out"]
    while True:
        left, right = rng.choice(OPPOSED)
        so = rng.choice(_pairs("side", split, (left, SIDES[left])))
        not_so = rng.choice(_pairs("side", split, (_LEFT[right], right)))
        join = rng.choice(joins)
        this = _joined(so.this, not_so.other, join)
        other = _joined(so.other, not_so.this, join)
        if split == "held out" or not any(holds_held_out_query(s.text) for s in (this, other)):
            return Twins(this, other)


def _joined(first: Sentence, second: Sentence, join: str) -> Sentence:
    """Two statements in one sentence; an abbreviation keeps its capital."""
    text = second.text
    if not text.split()[0].isupper() and not join.startswith("."):
        text = text[0].lower() + text[1:]
    return Sentence(first.text + join + text, first.statements + second.statements)
