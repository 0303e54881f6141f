"""What reports say of what was asked: they agree, contradict it, or leave it open.

A finding that no report mentions, or that was not assessed, counts neither for
nor against a study. A denial counts only where the technique that shows the
finding was acquired: a report without late enhancement images that says "no
scar" has not looked.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from retrieval.language.lexicon import lexicon
from retrieval.ports import CatalogReader
from retrieval.search.members import Studies
from retrieval.search.moments import Moment
from retrieval.search.plan import Judged, Plan
from retrieval.search.understand.chips import FindingChip, MeasurementChip
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.query import understand
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.words import content
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.measurement import Measurement
from retrieval.values.query import Filter, Said, Verdict
from retrieval.values.study import Sex, StudyId, Technique

SHOWN_BY: Mapping[FindingName, frozenset[Technique]] = MappingProxyType(
    {
        FindingName.SCAR: frozenset([Technique.LGE]),
        FindingName.DIFFUSE_ENHANCEMENT: frozenset([Technique.LGE]),
        FindingName.MYOCARDITIS: frozenset([Technique.LGE, Technique.T2_WEIGHTED]),
        FindingName.OEDEMA: frozenset([Technique.T2_WEIGHTED, Technique.T2_MAP, Technique.T1_MAP]),
        FindingName.PERFUSION_DEFECT: frozenset([Technique.PERFUSION]),
    }
)
"""Techniques without which a finding cannot be ruled out; the others are seen in cines."""

_OPPOSITE = {
    Verdict.AGREES: Verdict.CONTRADICTS,
    Verdict.CONTRADICTS: Verdict.AGREES,
}
_OF_POLARITY = {
    Polarity.PRESENT: Verdict.AGREES,
    Polarity.ABSENT: Verdict.CONTRADICTS,
    Polarity.UNCERTAIN: Verdict.LEFT_OPEN,
    Polarity.NOT_ASSESSED: Verdict.NOT_ASSESSED,
}

Told = tuple[Verdict, str]
"""A verdict and the sentence behind it."""


class Witness:
    """Asks the reports of a catalog, under one filter, as one reader may see them."""

    def __init__(self, catalog: CatalogReader, where: Filter, now: Moment) -> None:
        self._catalog = catalog
        self._where = where
        self._now = now
        self._access = now.access

    def say(self, chips: Sequence[Judged]) -> dict[StudyId, tuple[Said, ...]]:
        """What each report says of each chip; studies whose report says nothing are left out."""
        found: dict[StudyId, list[Said]] = {}
        for chip in dict.fromkeys(chips):
            line = chip_line(chip)
            for study, (verdict, sentence) in self._of(chip).items():
                said = Said(chip=line, verdict=verdict, sentence=sentence)
                found.setdefault(study, []).append(said)
        return {study: tuple(said) for study, said in found.items()}

    def acquired(self, chip: Judged) -> Studies | None:
        """Studies that have what shows the finding; None where any study does."""
        finding = chip.finding if isinstance(chip, FindingChip) else None
        if finding is None or finding not in SHOWN_BY:
            return None
        return self._now.eligible(Filter(techniques=SHOWN_BY[finding]))

    def _of(self, chip: Judged) -> dict[StudyId, Told]:
        if isinstance(chip, MeasurementChip):
            told = self._measured(chip.quantity, lambda _: chip.values)
        else:
            told = self._finding(chip)
        if chip.polarity is Polarity.PRESENT:
            return told
        seen = self.acquired(chip)
        return {
            study: (_denying(verdict, looked=seen is None or study in seen), sentence)
            for study, (verdict, sentence) in told.items()
        }

    def _finding(self, chip: FindingChip) -> dict[StudyId, Told]:
        stated = self._worded(chip) if chip.finding is None else self._asserted(chip, chip.finding)
        ranges = chip.range
        if ranges is None or not (chip.severity or ranges.is_band):
            return stated
        sexes = {
            sex: self._now.eligible(Filter(sexes=frozenset([sex])))
            for sex in (Sex.FEMALE, Sex.MALE)
        }

        def asked(study: StudyId) -> Interval | None:
            known = [sex for sex, studies in sexes.items() if study in studies]
            return ranges.of(known[0] if known else None)

        # A number outranks an adjective: "mildly reduced, LVEF 28 %".
        return stated | self._measured(ranges.quantity, asked)

    def _asserted(self, chip: FindingChip, name: FindingName) -> dict[StudyId, Told]:
        found = self._catalog.assertions([name], self._where, access=self._access)
        return {
            study: (_detailed(chip, _OF_POLARITY[polarity], sentence), sentence)
            for study, said in found.items()
            for polarity, sentence in [said[name]]
        }

    def _worded(self, chip: FindingChip) -> dict[StudyId, Told]:
        """Of a term that reports are not read for: by sentences that hold its words."""
        terms = shipped_terms()
        meant = terms.expansion(chip.term)
        words = " ".join(phrase for name in meant for phrase in terms[name].phrases)
        found = self._catalog.search_reports(words, self._where, limit=None, access=self._access)
        told: dict[StudyId, Told] = {}
        for study, _, sentence in found:
            polarity = _polarity(sentence, meant)
            if polarity is not None:
                verdict = _detailed(chip, _OF_POLARITY[polarity], sentence)
                told[study] = verdict, sentence
        return told

    def _measured(
        self, quantity: str, asked: Callable[[StudyId], Interval | None]
    ) -> dict[StudyId, Told]:
        found = self._catalog.measurements([quantity], self._where, access=self._access)
        told: dict[StudyId, Told] = {}
        for study, said in found.items():
            measurement, sentence = said[quantity]
            values = asked(study)
            if values is not None:
                told[study] = compared(measurement, values), sentence
        return told


class Reports:
    """What the verdicts of reports mean for a ranking.

    Parameters
    ----------
    said
        Of each study, what `Witness.say` found.
    """

    def __init__(self, planned: Plan, said: Mapping[StudyId, Sequence[Said]]) -> None:
        wanted = {chip_line(chip) for chip in planned.wanted}
        against = {
            study: {one.chip for one in told if one.verdict is Verdict.CONTRADICTS}
            for study, told in said.items()
        }
        self.set_aside = frozenset(s for s, chips in against.items() if chips - wanted)
        """Studies that the query rules out by a denial or a number."""
        self.contradicted = {
            s: len(chips & wanted) for s, chips in against.items() if chips & wanted
        }
        """Studies whose report denies findings that are wanted, and how many."""
        self._agreed = {
            study: sum(one.verdict is Verdict.AGREES for one in told)
            for study, told in said.items()
        }

    def scores(
        self, studies: Collection[StudyId], matches: Mapping[StudyId, float]
    ) -> dict[StudyId, float]:
        """How many chips each report agrees with, and how well its words match (less than 1).

        Studies without either are left out.

        Parameters
        ----------
        matches
            Scores of full-text search, from 0.
        """
        found = {
            study: self._agreed.get(study, 0) + matches.get(study, 0) / (1 + matches.get(study, 0))
            for study in {*self._agreed, *matches}
            if study in studies
        }
        best = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return {study: score for study, score in best if score > 0}


def shown_by(wanted: Sequence[FindingChip]) -> frozenset[Technique]:
    """Techniques that show any of these findings; empty where nothing is wanted."""
    cine = frozenset([Technique.CINE])
    return frozenset[Technique]().union(
        *(SHOWN_BY.get(chip.finding, cine) for chip in wanted if chip.finding is not None)
    )


def compared(measurement: Measurement, asked: Interval) -> Verdict:
    """Whether a measurement lies in a range; one that is a range itself may leave it open."""
    lies = measurement.within(
        asked.low, asked.high, holds_low=asked.holds_low, holds_high=asked.holds_high
    )
    if lies is None:
        return Verdict.LEFT_OPEN
    return Verdict.AGREES if lies else Verdict.CONTRADICTS


def told_in_words(text: str, sentence: str) -> bool:
    """Whether a sentence holds every word of a text that says something.

    Words are the same if they begin alike: "effusions", "effusion".
    """
    asked = _stems(text)
    return bool(asked) and asked <= _stems(sentence)


@lru_cache(maxsize=1 << 16)  # reports repeat their sentences
def _stems(text: str) -> frozenset[str]:
    return frozenset(word.removesuffix("s")[:6] for word in content(text))


def _denying(verdict: Verdict, *, looked: bool) -> Verdict:
    turned = _OPPOSITE.get(verdict, verdict)
    return Verdict.NOT_ASSESSED if turned is Verdict.AGREES and not looked else turned


def _detailed(chip: FindingChip, verdict: Verdict, sentence: str) -> Verdict:
    """A verdict on a finding as such, held against the severity, place and pattern asked for."""
    asked = (set(chip.severity), set(chip.pattern), _places(chip))
    if verdict is not Verdict.AGREES or not any(asked):
        return verdict
    alike = [c for c in _findings_of(sentence) if _same(c, chip)]
    told: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for one in alike:
        told[0].update(one.severity)
        told[1].update(one.pattern)
        told[2].update(_places(one))
    for of_chip, of_report in zip(asked, told, strict=True):
        if of_chip and not of_report:
            return Verdict.LEFT_OPEN
        if of_chip and of_chip.isdisjoint(of_report):
            return Verdict.CONTRADICTS if of_chip is asked[0] else Verdict.LEFT_OPEN
    return Verdict.AGREES


def _polarity(sentence: str, meant: Sequence[str]) -> Polarity | None:
    """What a sentence says of any of these terms; None for history, indication, or nothing."""
    stated = {chip.polarity for chip in _findings_of(sentence) if chip.term in meant}
    marks = {(mark.kind, mark.what) for mark in lexicon().marks(sentence)}
    if not stated or ("ignored", "history") in marks:
        return None
    if any(kind == "uncertainty" for kind, _ in marks):
        return Polarity.UNCERTAIN
    return Polarity.PRESENT if Polarity.PRESENT in stated else Polarity.ABSENT


def _same(one: FindingChip, other: FindingChip) -> bool:
    if one.polarity is not Polarity.PRESENT:
        return False
    return one.term == other.term or (one.finding is not None and one.finding is other.finding)


def _places(chip: FindingChip) -> set[str]:
    """Where a finding is said to be, without the chamber that it is of by its name."""
    return set(chip.anatomy) - {shipped_terms()[chip.term].anatomy}


@lru_cache(maxsize=1 << 16)  # reports repeat their sentences
def _findings_of(sentence: str) -> tuple[FindingChip, ...]:
    return tuple(chip for chip in understand(sentence).chips if isinstance(chip, FindingChip))
