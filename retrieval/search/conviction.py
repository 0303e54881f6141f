"""Whether an answer holds anything convincing, and how far it can be relied on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retrieval.ports import CatalogReader, TextEncoder
from retrieval.search.found import Found
from retrieval.search.relevance import Finding, above_unrelated, beliefs, findings
from retrieval.search.understand.chips import FindingChip
from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.prompts import plain
from retrieval.search.verdicts import Witness, told_in_words
from retrieval.values.query import Access, Said, Verdict
from retrieval.values.reliability import Badge, Belief, Conviction, Reliability
from retrieval.values.study import StudyId

CANDIDATES = 200
"""Hits that are looked at for a convincing one."""

LIKELY = 0.5
"""Probability from which images convince; share of reports from which their silence does."""

ABOVE_UNRELATED = 0.95
"""Share of unrelated texts whose best score must lie lower for free text to convince."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an answer is worth; see the fields of `Hit` and `Ranking`."""

    believed: Mapping[StudyId, tuple[Belief, ...]] = field(default_factory=dict)
    badges: tuple[tuple[str, Badge], ...] = ()
    conviction: Conviction | None = None
    above_unrelated: float | None = None


class Judge:
    """Judges answers by reports, and by what scores were found to mean on this archive."""

    def __init__(
        self, texts: TextEncoder | None, catalog: CatalogReader, reliability: Reliability | None
    ) -> None:
        self._texts = texts
        self._catalog = catalog
        self._reliability = reliability

    def judge(self, found: Found, *, access: Access) -> Judged:
        """Judge one answer; where no study was eligible there is nothing to judge."""
        wanted = found.planned.wanted
        if found.planned.lists:
            return Judged()
        if not found.order.eligible:
            return Judged(badges=self._badges(wanted))
        if not wanted:
            return self._words(found)
        assessed: list[Finding] = []
        if found.pool is not None and self._texts is not None:
            assessed = findings(
                found,
                found.pool,
                self._reliability,
                texts=self._texts,
                witness=Witness(self._catalog, found.where, found.now),
            )
        believed = beliefs(assessed, found.first)
        conviction = Conviction.CONVINCING
        if not convincing(wanted, believed, found):
            reported = found.compared & self._catalog.reported(found.where, access=access)
            share = len(reported) / max(len(found.compared), 1)
            conviction = doubt(wanted, assessed, reported=share)
        return Judged(believed=believed, badges=self._badges(wanted), conviction=conviction)

    def _words(self, found: Found) -> Judged:
        """Where no finding is wanted: by reports, or beside what nobody finds in a heart."""
        free, like = found.planned.free, found.planned.like
        agreed = any(one.verdict is Verdict.AGREES for its in found.said.values() for one in its)
        if agreed or any(told_in_words(free, one) for one in found.sentences.values()):
            return Judged(conviction=Conviction.CONVINCING)
        if like and not free:
            return Judged()
        if not free or found.pool is None or found.vector is None or self._texts is None:
            return Judged(conviction=Conviction.NOTHING)
        above = above_unrelated(found.vector, self._texts, found.pool)
        enough = above >= ABOVE_UNRELATED
        return Judged(
            conviction=Conviction.CONVINCING if enough else Conviction.NOTHING,
            above_unrelated=above,
        )

    def _badges(self, wanted: Sequence[FindingChip]) -> tuple[tuple[str, Badge], ...]:
        known = self._reliability
        return tuple(
            (chip_line(chip), Badge.NOT_ASSESSED if known is None else known.badge(chip.term))
            for chip in wanted
        )


def convincing(
    wanted: Sequence[FindingChip], believed: Mapping[StudyId, Sequence[Belief]], found: Found
) -> bool:
    """Whether any hit has all that is wanted, each by its report or, where that is silent, images.

    Parameters
    ----------
    believed
        Of the hits; what was not assessed is missing.
    """
    return any(
        _agreed(wanted, found.said.get(study, ()), believed.get(study, ())) for study in found.first
    )


def doubt(
    wanted: Sequence[FindingChip], assessed: Sequence[Finding], *, reported: float
) -> Conviction:
    """What it means that no hit convinces.

    Nothing is there if reports would tell, or images. Where reports are rare
    and a finding was never assessed, it may be there unseen.

    Parameters
    ----------
    reported
        Share of the eligible studies that have a report.
    """
    seen = {finding.term for finding in assessed if finding.badge is not Badge.POOR}
    told = reported >= LIKELY or all(chip.term in seen for chip in wanted)
    return Conviction.NOTHING if told else Conviction.UNKNOWN


def _agreed(
    wanted: Sequence[FindingChip], said: Sequence[Said], believed: Sequence[Belief]
) -> bool:
    """By the report; or by images, where the report is silent and no severity or place is asked."""
    verdicts = {one.chip: one.verdict for one in said}
    likely = {
        chip_line(plain(one.term))
        for one in believed
        if one.probability >= LIKELY and one.badge is not Badge.POOR
    }
    return all(
        verdict is Verdict.AGREES or (verdict is not Verdict.CONTRADICTS and line in likely)
        for line in map(chip_line, wanted)
        for verdict in [verdicts.get(line)]
    )
