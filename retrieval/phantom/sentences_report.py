"""Radiology reports of simulated hearts: realistic, varied, and true.

A report is a list of sentences that know which statements they make, so that
the same text can be held against any other heart too.
"""

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, NamedTuple

from retrieval.phantom.sentences_gold import Fresh, fresh_families, fresh_numbers, shorthand
from retrieval.phantom.sentences_grammar import (
    Family,
    Split,
    holds_held_out_query,
    read_table,
    report_families,
)
from retrieval.phantom.sentences_hearts import Hearts
from retrieval.phantom.sentences_rules import RULES
from retrieval.phantom.sentences_topics import DENIED, STATED, SYNDROMES, TOPICS, Topic
from retrieval.phantom.sentences_truth import DOUBTED, NUMBERS
from retrieval.phantom.truth import HeartTruth

Wording = Split | Fresh
"""Which words a report is written in."""


class Sentence(NamedTuple):
    """A sentence and what it states.

    Attributes
    ----------
    statements
        Names that `degrees` takes; the sentence is as true of a heart as the
        product of their degrees. Empty for what says nothing of the heart.
        Where a number is printed it is the nearest value of `NUMBERS`.
    """

    text: str
    statements: tuple[str, ...]


def write_report(truth: HeartTruth, rng: Random, *, split: Wording = "train") -> str:
    """Write one report.

    Parameters
    ----------
    truth
        What is so; nothing else is stated.
    rng
        Decides on sections, order, omissions and wording; one state of it
        always gives the same text.
    split
        Which wordings to draw from: those that training reads, those that it
        never reads, or those of `sentences_gold`, whole or in shorthand. With
        "train" the text holds no query of `QUERIES_HELD_OUT`.
    """
    while True:
        text = _Writer(truth, rng, split).report()
        if split != "train" or not holds_held_out_query(text):
            return text


def report_sentences(truth: HeartTruth, rng: Random, *, split: Wording = "train") -> list[Sentence]:
    """Write an impression, sentence by sentence; see `write_report`.

    With "train" the sentences, joined in their order, hold none of
    `QUERIES_HELD_OUT`.
    """
    writer = _Writer(truth, rng, split)
    while True:
        said = writer.impression()
        whole = " ".join(s.text for s in said)
        if split != "train" or not holds_held_out_query(whole):
            return said


@cache
def _table() -> dict[str, Any]:
    return read_table("reports")


class _Writer:
    """One report in the making."""

    def __init__(self, truth: HeartTruth, rng: Random, split: Wording) -> None:
        hearts = Hearts([truth])
        self.degree = {name: float(rule(hearts)[0]) for name, rule in RULES.items()}
        self.measured = {name: float(column[0]) for name, column in hearts.measured.items()}
        self.rng = rng
        self.split: Wording = split

    def report(self) -> str:
        """Sections under headings, or a terse text without any."""
        if self.split == "terse":
            return shorthand(self._findings(), [s.text for s in self.impression()], self.rng)
        style = self.rng.choice(_table()["styles"])
        impression = [s.text for s in self.impression()]
        if style == "terse":
            return " ".join([*self._findings(), *impression])
        sections: list[tuple[str, str]] = []
        if self.rng.random() < 0.85:
            sections.append(("indication", self.rng.choice(_table()["openers"]["indication"])))
        if self.rng.random() < 0.7:
            sections.append(("technique", self.rng.choice(_table()["openers"]["technique"])))
        sections.append(("findings", self._paragraphs(self._findings())))
        sections.append(("impression", self._conclude(impression)))
        return "\n\n".join(self._headed(kind, text, style) for kind, text in sections)

    def _headed(self, kind: str, text: str, style: str) -> str:
        heading = self.rng.choice(_table()["headings"][kind])
        if style == "capitals":
            return f"{heading.upper()}\n{text}"
        return f"{heading}: {text}" if style == "inline" else f"{heading}:\n{text}"

    def _paragraphs(self, sentences: list[str]) -> str:
        joint = self.rng.choice((" ", " ", "\n"))
        return joint.join(sentences)

    def _conclude(self, sentences: list[str]) -> str:
        if len(sentences) > 1 and self.rng.random() < 0.6:
            return "\n".join(f"{i}. {s}" for i, s in enumerate(sentences, start=1))
        return self._paragraphs(sentences)

    def _findings(self) -> list[str]:
        """Every topic that is not left out, with measurements and an aside."""
        topics = list(TOPICS)
        if self.rng.random() < 0.3:
            self.rng.shuffle(topics)
        said = [s for topic in topics for s in self._say(topic, silent=topic.silent)]
        for kind, chance in (("prose", 0.8), ("right", 0.6), ("extra", 0.5)):
            if self.rng.random() < chance:
                said.insert(self.rng.randrange(len(said) + 1), self._numbers(kind))
        if self.rng.random() < 0.4:
            said.append(Sentence(self.rng.choice(_table()["asides"]["any"]), ()))
        return [s.text for s in said]

    def impression(self) -> list[Sentence]:
        """What matters: syndromes and abnormal topics, or that all is normal."""
        if self.degree["normal_study"] >= STATED and self.rng.random() < 0.7:
            return self._with_numbers([self._word("normal_study")], chance=0.2)
        syndromes = [s for s in SYNDROMES if self.degree[s] >= STATED]
        said = [self._word(self.rng.choice(syndromes))] if syndromes else []
        abnormal = [topic for topic in TOPICS if self.degree[topic.head] >= STATED]
        if self.rng.random() < 0.3:
            self.rng.shuffle(abnormal)
        said += [s for topic in abnormal for s in self._say(topic)]
        if len(said) < 3 or self.rng.random() < 0.3:
            calm = [t for t in TOPICS if t.normal and self.degree[t.head] <= DENIED]
            said += [s for t in self.rng.sample(calm, min(2, len(calm))) for s in self._say(t)]
        return self._with_numbers(said or self._some_doubt(), chance=0.25)

    def _with_numbers(self, said: list[Sentence], *, chance: float) -> list[Sentence]:
        if self.rng.random() < chance:
            kind = self.rng.choice(("prose", "right"))
            said.insert(self.rng.randrange(len(said) + 1), self._numbers(kind))
        return said

    def _numbers(self, kind: str) -> Sentence:
        """A sentence of measurements: a line as reading software prints it, or prose."""
        if self.split == "fresh" or self.split == "terse":
            return self._line(self.rng.choice(fresh_numbers(kind, self.split)))
        lines: list[Mapping[str, Any]] = _table()["numbers"][kind]
        if self.split == "held out" or self.rng.random() < 0.5:
            quantity = self.rng.choice(sorted({q for line in lines for q in line["says"]}))
            prose = self._word(f"{quantity}={self.measured[quantity]:.0f}")
            return Sentence(prose.text, (self._nearest(quantity),))
        return self._line(self.rng.choice(lines))

    def _line(self, line: Mapping[str, Any]) -> Sentence:
        statements = tuple(self._nearest(quantity) for quantity in line["says"])
        return Sentence(line["text"].format(**self.measured) + ".", statements)

    def _nearest(self, quantity: str) -> str:
        """The stated value of a quantity that is nearest to the measured one."""
        values = NUMBERS[quantity][1]
        return f"{quantity}={min(values, key=lambda v: abs(v - self.measured[quantity]))}"

    def _say(self, topic: Topic, *, silent: float = 0.0) -> list[Sentence]:
        """One sentence on a topic, or none."""
        how = self.degree[topic.head]
        if self.rng.random() < silent:
            return []
        if how >= STATED:
            closer = [c for c in topic.closer if self.degree[c] >= STATED]
            use = self.rng.choice(closer) if closer and self.rng.random() < 0.7 else topic.head
            return [self._word(use)]
        normal = [c for c in topic.normal if self.degree[c] >= 1 - DENIED]
        if how <= DENIED and normal:
            return [self._word(self.rng.choice(normal))]
        if how > DENIED and self.rng.random() < 0.5:
            return self._doubt(topic.head)
        return []

    def _some_doubt(self) -> list[Sentence]:
        doubtful = [t.head for t in TOPICS if DENIED < self.degree[t.head] < STATED]
        doubts = [d for head in doubtful for d in self._doubt(head)]
        return [self.rng.choice(doubts)] if doubts else [Sentence("Findings as described.", ())]

    def _doubt(self, head: str) -> list[Sentence]:
        """A sentence that leaves a finding open, or none where that is never done."""
        if head not in DOUBTED:
            return []
        known: list[str] = _table()["uncertain"].get(head, [])
        if known and self.split == "train" and self.rng.random() < 0.5:
            return [Sentence(f"{self.rng.choice(known)}.", (f"{head}?",))]
        return [self._word(f"{head}?")]

    def _word(self, concept: str) -> Sentence:
        """A sentence: first a family, then a phrase of it, so that long families do not rule."""
        family = self.rng.choice(self._families(concept))
        return Sentence(self.rng.choice(family) + ".", (concept,))

    def _families(self, concept: str) -> tuple[Family, ...]:
        if self.split == "fresh" or self.split == "terse":
            return fresh_families(concept, self.split)
        return report_families(concept, self.split)
