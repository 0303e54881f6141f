"""What a result card says and shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from retrieval.search.understand.chips import Chip, FindingChip, MeasurementChip
from retrieval.search.understand.labels import chip_label, term_name
from retrieval.search.understand.lines import read_chip
from retrieval.search.views import percent
from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.finding import Polarity
from retrieval.values.query import Further, Hit, Ranking, Verdict
from retrieval.values.reliability import Badge, Belief
from webui import words
from webui.address import Address, to_params
from webui.choice import Slot, strip
from webui.sheets import tile


@dataclass(frozen=True, slots=True)
class Card:
    """One result, ready for the page.

    Attributes
    ----------
    content
        Everything the card says, ready for JSON.
    main, others
        The clips it plays.
    """

    content: dict[str, object]
    main: ClipId
    others: tuple[ClipId, ...]


def card(hit: Hit, clips: Sequence[ClipRecord], address: Address, ranking: Ranking) -> Card:
    """Write a card.

    Parameters
    ----------
    clips
        All clips of the hit's study.
    address
        Of the study's page, which the card links to.
    ranking
        That the hit is of.
    """
    study, main = hit.study, hit.evidence.clip
    rate = study.heart_rate_bpm
    slots = strip(main, clips)
    content: dict[str, object] = {
        "study": study.id,
        "name": words.study_name(study.id),
        "rank": hit.rank,
        "score": similarity(hit, ranking),
        "belief": belief(hit.beliefs, contradicted=contradicted(hit)),
        "source": source(hit, ranking),
        "facts": words.card_facts(study),
        "impression": sentence(hit),
        "evidence": evidence(hit, ranking),
        "note": note(hit, ranking),
        "further": [_further(one, address, ranking) for one in hit.others],
        "furtherName": further_name(hit.others),
        "furtherNote": further_note(hit.others),
        "main": {**tile(main, rate), "label": words.clip_name(main)},
        "strip": [_small(slot, rate) for slot in slots],
        "params": to_params(address),
    }
    return Card(content, main.id, tuple(slot.clip.id for slot in slots if slot.clip))


def similarity(hit: Hit, ranking: Ranking) -> str:
    """The cosine that ranked a hit; empty where several rankings were fused."""
    return similarity_of(hit.score, ranking)


def similarity_of(score: float, ranking: Ranking) -> str:
    """A score in words, if it is a cosine."""
    alone = len(ranking.channels) == 1 and ranking.channels != ("reports",) and not ranking.listed
    return f"similarity {words.signed(score)}" if alone else ""


STEPS = {Badge.GOOD: 3, Badge.FAIR: 2, Badge.POOR: 1}
"""How many of three bars a badge fills."""


def contradicted(hit: Hit) -> bool:
    """Whether the report says otherwise."""
    return any(one.verdict is Verdict.CONTRADICTS for one in hit.said)


def belief(beliefs: Sequence[Belief], *, contradicted: bool) -> dict[str, object] | None:
    """How likely a hit is what was wanted, by images alone: as likely as the least likely finding.

    None where no wanted finding was assessed on this archive. A hit that its
    report contradicts is not called likely: the number stands as what it is, by images.
    """
    if not beliefs:
        return None
    least = min(beliefs, key=lambda one: one.probability)
    weakest = min(beliefs, key=lambda one: STEPS[one.badge])
    by_finding = "; ".join(
        f"{term_name(one.term)} {percent(one.probability)} (images: {one.badge})" for one in beliefs
    )
    return {
        "word": "By images" if contradicted else words.likelihood(least.probability),
        "percent": percent(least.probability),
        "share": round(least.probability, 3),
        "steps": STEPS[weakest.badge],
        "badge": weakest.badge,
        "title": f"Chance, by images alone, that a reader would call it so: {by_finding}",
    }


def source(hit: Hit, ranking: Ranking) -> str:
    """What speaks for a hit; nothing does for one that is only listed."""
    if ranking.listed:
        return ""
    report = any(one.verdict is Verdict.AGREES for one in hit.said)
    images = ranking.channels != ("reports",)
    return {
        (True, True): "images + report",
        (True, False): "images only",
        (False, True): "report only",
    }.get((images, report), "")


def sentence(hit: Hit) -> str | None:
    """The report's sentences that agree with the query, each once; else its impression."""
    said = [one.sentence for one in hit.said if one.verdict is Verdict.AGREES]
    return " ".join(dict.fromkeys(said)) or hit.evidence.sentence or hit.impression


def note(hit: Hit, ranking: Ranking) -> dict[str, str]:
    """Whether the report contradicts the query, leaves it open, is silent, or agrees."""
    by = {verdict: [s for s in hit.said if s.verdict is verdict] for verdict in Verdict}
    if by[Verdict.CONTRADICTS]:
        return {"kind": "against", "text": f"Report: “{by[Verdict.CONTRADICTS][0].sentence}”"}
    if by[Verdict.NOT_ASSESSED]:
        label = chip_label(read_chip(by[Verdict.NOT_ASSESSED][0].chip))
        return {"kind": "open", "text": f"Not assessed: {label}"}
    if by[Verdict.LEFT_OPEN]:
        return {"kind": "open", "text": f"Left open: “{by[Verdict.LEFT_OPEN][0].sentence}”"}
    unsaid = _unsaid(hit, ranking)
    if unsaid:
        why = "No report to read" if hit.impression is None else "The report does not say"
        return {"kind": "open", "text": f"{why}: {', '.join(unsaid)}"}
    return {"kind": "agrees", "text": "Report agrees"} if by[Verdict.AGREES] else {}


def _unsaid(hit: Hit, ranking: Ranking) -> list[str]:
    """What only a report can show, and this one does not mention."""
    said = {one.chip for one in hit.said}
    chips = [read_chip(line) for line in ranking.chips if line not in said]
    return [chip_label(chip) for chip in chips if chip.on and _only_reports_tell(chip)]


def _only_reports_tell(chip: Chip) -> bool:
    absent = isinstance(chip, FindingChip) and chip.polarity is Polarity.ABSENT
    return absent or (isinstance(chip, MeasurementChip) and chip.plausible)


def evidence(hit: Hit, ranking: Ranking) -> str:
    """One line: what made the study rank."""
    name = words.clip_name(hit.evidence.clip)
    if ranking.listed:
        return f"Shown: {name}"
    if hit.evidence.score is None:
        return f"Ranked as a whole; shown: {name}"
    return f"Best clip: {name}, {words.signed(hit.evidence.score)}"


def further_name(others: Sequence[Further]) -> str:
    """What lies under a hit, in as few words as stand beside its facts."""
    own = sum(not one.copy for one in others)
    if own == len(others):
        return words.count(own, "repeat scan") if own else ""
    return words.count(len(others), "further study", "further studies") if own else "sent twice"


def further_note(others: Sequence[Further]) -> str:
    """How many studies lie under a hit, and why they do."""
    own = sum(not one.copy for one in others)
    parts = []
    if own:
        parts.append(f"{words.count(own, 'further study', 'further studies')} of this patient")
    if own < len(others):
        parts.append(f"{words.count(len(others) - own, 'study', 'studies')} with the same images")
    return words.joined(parts)


def _further(one: Further, address: Address, ranking: Ranking) -> dict[str, object]:
    why = "the same images, under another name" if one.copy else "the same patient"
    score = similarity_of(one.score, ranking)
    alike = "same images" if one.copy else ""
    facts = (words.study_name(one.study.id), str(one.study.year or ""), alike, score)
    title = f"{why}; place {one.rank:,} of all studies"
    return {
        "study": one.study.id,
        "text": words.joined(facts),
        "title": title,
        "params": to_params(replace(address, study=one.study.id)),
    }


def clips_of(cards: Sequence[Card]) -> list[ClipId]:
    """The clips that some cards play, the large pictures first, so that they arrive first."""
    return [card.main for card in cards] + [clip for card in cards for clip in card.others]


def _small(slot: Slot, heart_rate_bpm: float | None) -> dict[str, object]:
    if slot.clip is None:
        return {"label": slot.label, "clip": None}
    return {**tile(slot.clip, heart_rate_bpm), "label": slot.label}
