"""Radiology reports of simulated hearts: realistic, varied, and true.

A statement of a finding needs a degree of at least `STATED`, its denial one of
at most `DENIED`; between the two the report is silent or says that it is not
sure.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from retrieval.phantom.sentences_grammar import Split, families, holds_held_out_query
from retrieval.phantom.sentences_truth import RULES, Hearts
from retrieval.phantom.truth import HeartTruth

STATED = 0.7
DENIED = 0.2


@dataclass(frozen=True, slots=True)
class Topic:
    """What a report says one thing about.

    Attributes
    ----------
    head
        The abnormal concept that decides between stating, denying and doubt.
    closer
        Statements that say more than `head` and imply it.
    normal
        Concepts whose statement denies `head`.
    """

    head: str
    closer: tuple[str, ...]
    normal: tuple[str, ...]


TOPICS: tuple[Topic, ...] = (
    Topic(
        "lv_dilated",
        ("lv_severely_dilated", "lv_mildly_dilated"),
        ("lv_normal_size", "lv_not_dilated"),
    ),
    Topic("ef_reduced", ("ef_severely_reduced", "ef_mildly_reduced"), ("ef_normal",)),
    Topic(
        "lvh",
        ("lvh_severe", "lvh_concentric", "lvh_septal", "lvh_apical"),
        ("wall_normal",),
    ),
    Topic(
        "wma",
        ("wma_septal", "wma_anterior", "wma_inferior", "wma_lateral", "wma_apical"),
        ("no_wma",),
    ),
    Topic(
        "rv_dilated",
        ("rv_severely_dilated", "rv_mildly_dilated"),
        ("rv_normal_size", "rv_not_dilated"),
    ),
    Topic("rvef_reduced", ("rvef_severely_reduced",), ("rvef_normal",)),
    Topic("la_dilated", (), ("la_normal_size",)),
    Topic("ra_dilated", (), ("ra_normal_size",)),
    Topic(
        "scar",
        (
            "scar_ischaemic", "scar_lad", "scar_rca", "scar_lcx", "scar_transmural",
            "scar_subendocardial", "scar_midwall",
        ),
        ("no_scar",),
    ),
    Topic("enhancement_diffuse", (), ()),
    Topic("aorta_dilated", (), ("aorta_normal",)),
    Topic("effusion", (), ("no_effusion",)),
)  # fmt: skip

SYNDROMES = (
    "dilated_cardiomyopathy",
    "hypertrophic_cardiomyopathy",
    "ischaemic_cardiomyopathy",
    "prior_infarct",
    "amyloid",
    "right_heart_disease",
)


def write_report(truth: HeartTruth, rng: Random, *, split: Split = "train") -> str:
    """Write one report.

    Parameters
    ----------
    truth
        What is so; nothing else is stated.
    rng
        Decides on sections, order, omissions and wording; one state of it
        always gives the same text.
    split
        Which wordings to draw from. With "train" the text holds no query of
        `QUERIES_HELD_OUT`.
    """
    while True:
        text = _Writer(truth, rng, split).report()
        if split == "held out" or not holds_held_out_query(text):
            return text


@cache
def _table() -> dict[str, Any]:
    text = files("retrieval.phantom").joinpath("sentences_reports.toml").read_text("utf-8")
    return tomllib.loads(text)


class _Writer:
    """One report in the making."""

    def __init__(self, truth: HeartTruth, rng: Random, split: Split) -> None:
        hearts = Hearts([truth])
        self.degree = {name: float(rule(hearts)[0]) for name, rule in RULES.items()}
        self.measured = {name: float(column[0]) for name, column in hearts.measured.items()}
        self.rng = rng
        self.split: Split = split

    def report(self) -> str:
        """Sections under headings, or a terse text without any."""
        style = self.rng.choice(_table()["styles"])
        impression = self._impression()
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
        said = [s for topic in topics if (s := self._say(topic, silent=0.15))]
        for kind, chance in (("prose", 0.8), ("right", 0.6), ("extra", 0.5)):
            if self.rng.random() < chance:
                line = self.rng.choice(_table()["numbers"][kind]).format(**self.measured)
                said.insert(self.rng.randrange(len(said) + 1), line + ".")
        if self.rng.random() < 0.4:
            said.append(self.rng.choice(_table()["asides"]["any"]))
        return said

    def _impression(self) -> list[str]:
        """What matters: syndromes and abnormal topics, or that all is normal."""
        if self.degree["normal_study"] >= STATED:
            return [self._word("normal_study")]
        syndromes = [s for s in SYNDROMES if self.degree[s] >= STATED]
        said = [self._word(self.rng.choice(syndromes))] if syndromes else []
        said += [
            self._say(topic, silent=0.0) for topic in TOPICS if self.degree[topic.head] >= STATED
        ]
        if len(said) < 3 or self.rng.random() < 0.3:
            calm = [t for t in TOPICS if t.normal and self.degree[t.head] <= DENIED]
            said += [s for t in self.rng.sample(calm, min(2, len(calm))) if (s := self._say(t))]
        return said or [self._word_doubt()]

    def _say(self, topic: Topic, *, silent: float = 0.0) -> str:
        """One sentence on a topic, or nothing."""
        how = self.degree[topic.head]
        if self.rng.random() < silent:
            return ""
        if how >= STATED:
            closer = [c for c in topic.closer if self.degree[c] >= STATED]
            use = self.rng.choice(closer) if closer and self.rng.random() < 0.7 else topic.head
            return self._word(use)
        normal = [c for c in topic.normal if self.degree[c] >= 1 - DENIED]
        if how <= DENIED and normal:
            return self._word(self.rng.choice(normal))
        if how > DENIED and self.rng.random() < 0.5:
            return self._doubt(topic.head)
        return ""

    def _word_doubt(self) -> str:
        doubtful = [t for t in TOPICS if DENIED < self.degree[t.head] < STATED]
        doubts = [d for t in doubtful if (d := self._doubt(t.head))]
        return self.rng.choice(doubts) if doubts else "Findings as described."

    def _doubt(self, head: str) -> str:
        """A sentence that leaves a finding open, or nothing where the table has none."""
        known: list[str] = _table()["uncertain"].get(head, [])
        return f"{self.rng.choice(known)}." if known else ""

    def _word(self, concept: str) -> str:
        """A sentence: first a family, then a phrase of it, so that long families do not rule."""
        family = self.rng.choice(families(concept, self.split))
        return self.rng.choice(family) + "."
