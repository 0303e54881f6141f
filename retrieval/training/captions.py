"""Sentences to train on, each with the statements it makes and its token states."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from retrieval.durable import replace_file
from retrieval.encoder.minilm import MiniLM
from retrieval.phantom.sentences import (
    CONCEPTS,
    DOUBT_CONCEPTS,
    NUMBER_CONCEPTS,
    Sentence,
    Split,
    holds_held_out_query,
    report_sentences,
    sample_phrases,
    slip,
    twins,
)
from retrieval.phantom.sentences_twins import Kind
from retrieval.phantom.truth import HeartTruth

STATEMENTS = CONCEPTS + NUMBER_CONCEPTS + DOUBT_CONCEPTS
"""Everything a caption can state."""

PLACES = {name: i for i, name in enumerate(STATEMENTS)}

SLIPS = 0.12
"""Share of the single statements that are misspelt or lose an article or a comma."""

ASKED_MOST = ("lv_dilated", "ef_reduced", "lvh", "rv_dilated", "rvef_reduced", "scar", "no_scar",
              "wma", "normal_study")  # fmt: skip
ASKED_MOST_WEIGHT, NUMBER_WEIGHT = 3.0, 0.2
"""How often these, and numbers, are drawn compared with other statements."""

JOINS = (" with ", " and ", ", ", "; ", ". ", " plus ", " as well as ")
COMPOSITE_SIZES = (2, 2, 2, 3, 3, 4)
RAREST_COMPOSITE = 0.004
"""Joined statements that are all true of a smaller share of hearts than this are not used."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and the places in STATEMENTS of all it states."""

    text: str
    concepts: tuple[int, ...]


def single_captions(split: Split, limit: int, rng: random.Random) -> list[list[Caption]]:
    """Wordings of each statement: for every one a list of at most `limit`."""
    return [
        [
            Caption(slip(text, rng) if rng.random() < SLIPS else text, (i,))
            for text in sample_phrases(statement, split, limit, rng)
        ]
        for i, statement in enumerate(STATEMENTS)
    ]


def composite_captions(
    singles: Sequence[Sequence[Caption]],
    degrees: NDArray[np.float32],
    count: int,
    rng: random.Random,
) -> list[Caption]:
    """Join statements that go together in some heart.

    Parameters
    ----------
    degrees
        (n, C) truth of every statement in a sample of hearts.
    """
    captions: list[Caption] = []
    while len(captions) < count:
        heart = rng.randrange(len(degrees))
        true = [
            i
            for i in np.flatnonzero(degrees[heart] > 0.6).tolist()
            if singles[i] and (STATEMENTS[i] in CONCEPTS or rng.random() < NUMBER_WEIGHT)
        ]
        size = rng.choice(COMPOSITE_SIZES)
        if len(true) < size:
            continue
        chosen = rng.sample(true, size)
        if degrees[:, chosen].prod(axis=1).mean() < RAREST_COMPOSITE:
            continue
        text = rng.choice(singles[chosen[0]]).text.rstrip(".")
        join = rng.choice(JOINS)
        for i in chosen[1:]:
            text += join + rng.choice(singles[i]).text.rstrip(".")
        if not holds_held_out_query(text):
            captions.append(Caption(text, tuple(chosen)))
    return captions


def report_captions(truths: Sequence[HeartTruth], count: int, rng: random.Random) -> list[Caption]:
    """Whole impressions, each written of one of some hearts."""
    captions: list[Caption] = []
    while len(captions) < count:
        caption = _caption(report_sentences(truths[rng.randrange(len(truths))], rng))
        if caption.concepts:
            captions.append(caption)
    return captions


def twin_captions(count: int, rng: random.Random) -> list[Caption]:
    """Sentences that come with one of nearly the same words and another meaning."""
    kinds = get_args(Kind)
    pairs = [p for kind in kinds for p in twins(kind, "train", rng, -(-count // len(kinds)))]
    return [_caption((sentence,)) for pair in pairs for sentence in pair]


def _caption(sentences: Sequence[Sentence]) -> Caption:
    stated = dict.fromkeys(PLACES[name] for s in sentences for name in s.statements)
    return Caption(" ".join(s.text for s in sentences), tuple(stated))


@dataclass(frozen=True, slots=True, eq=False)
class CaptionBank:
    """Captions with their token states, ready to be drawn.

    Attributes
    ----------
    states
        One (T_i, STATES) half-precision tensor per caption.
    members
        (N, M) int64 concepts of each caption, -1 where it has fewer than M.
    groups, weights
        For each statement that has any, the captions that state it alone, and
        how often it is drawn.
    composites, reports
        (K,) and (R,) the others.
    """

    captions: tuple[Caption, ...]
    states: tuple[Tensor, ...]
    members: Tensor
    groups: tuple[Tensor, ...]
    weights: Tensor
    composites: Tensor
    reports: Tensor

    def draw(
        self, singles: int, composites: int, reports: int, generator: torch.Generator
    ) -> Tensor:
        """Indices of captions: first a statement by its weight, then one wording of it."""
        groups = torch.multinomial(self.weights, singles, replacement=True, generator=generator)
        picks = torch.rand(singles, generator=generator).tolist()
        chosen = [
            self.groups[g][int(pick * len(self.groups[g]))]
            for g, pick in zip(groups.tolist(), picks, strict=True)
        ]
        joined = torch.randint(len(self.composites), (composites,), generator=generator)
        whole = torch.randint(len(self.reports), (reports,), generator=generator)
        return torch.cat([torch.stack(chosen), self.composites[joined], self.reports[whole]])

    def padded(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """States (J, T, STATES) float32 and which are real (J, T) of some captions."""
        rows = [self.states[int(i)] for i in index]
        longest = max(len(r) for r in rows)
        states = torch.zeros(len(rows), longest, rows[0].shape[1])
        present = torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, row in enumerate(rows):
            states[i, : len(row)] = row
            present[i, : len(row)] = True
        return states, present


def make_bank(
    singles: Sequence[Sequence[Caption]],
    composites: Sequence[Caption],
    reports: Sequence[Caption],
    minilm: MiniLM,
    *,
    keep: Path | None = None,
) -> CaptionBank:
    """Read every caption once with the frozen sentence encoder.

    Parameters
    ----------
    keep
        File that holds the token states of these very captions, or is to.
    """
    captions = [*(c for group in singles for c in group), *composites, *reports]
    widest = max(len(c.concepts) for c in captions)
    members = torch.full((len(captions), widest), -1, dtype=torch.int64)
    for i, caption in enumerate(captions):
        members[i, : len(caption.concepts)] = torch.tensor(caption.concepts)
    groups: list[Tensor] = []
    weights: list[float] = []
    start = 0
    for statement, group in zip(STATEMENTS, singles, strict=True):
        if group:
            groups.append(torch.arange(start, start + len(group)))
            weights.append(_weight(statement))
        start += len(group)
    return CaptionBank(
        captions=tuple(captions),
        states=tuple(_kept_states([c.text for c in captions], minilm, keep)),
        members=members,
        groups=tuple(groups),
        weights=torch.tensor(weights),
        composites=torch.arange(start, start + len(composites)),
        reports=torch.arange(start + len(composites), len(captions)),
    )


def roughen(
    states: Tensor, real: Tensor, *, noise: float, drop: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Blur token states and lose some words, so that no single wording is learnt by heart.

    Parameters
    ----------
    noise
        Standard deviation, as a share of the states' own.
    drop
        Share of the tokens that are lost; the marker at the start never is.
    """
    spread = states[real].std()
    rough = states + noise * spread * torch.randn(states.shape, generator=generator)
    kept = real & (torch.rand(real.shape, generator=generator) >= drop)
    kept[:, 0] = real[:, 0]
    return rough, kept


def _weight(statement: str) -> float:
    if statement in NUMBER_CONCEPTS:
        return NUMBER_WEIGHT
    return ASKED_MOST_WEIGHT if statement in ASKED_MOST else 1.0


def _kept_states(texts: Sequence[str], minilm: MiniLM, path: Path | None) -> Sequence[Tensor]:
    """`read_states`, once per set of texts."""
    if path is None:
        return read_states(texts, minilm)
    digest = hashlib.sha256("\n".join([minilm.digest(), *texts]).encode()).hexdigest()
    if path.exists():
        with safe_open(path, "pt") as file:
            if file.metadata()["texts"] == digest:
                return file.get_tensor("states").split(file.get_tensor("lengths").tolist())
    states = read_states(texts, minilm)
    lengths = torch.tensor([len(s) for s in states])
    tensors = {"states": torch.cat(states), "lengths": lengths}
    replace_file(path, lambda fresh: save_file(tensors, fresh, {"texts": digest}))
    return states


def read_states(texts: Sequence[str], minilm: MiniLM, *, batch: int = 64) -> list[Tensor]:
    """Token states of many texts, texts of like length together; half precision, on the CPU."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out: dict[int, Tensor] = {}
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        states, present = minilm.states([texts[i] for i in part])
        for i, row, real in zip(part, states, present, strict=True):
            out[i] = row[real].half().cpu().clone()
    return [out[i] for i in range(len(texts))]
