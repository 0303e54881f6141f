"""What a result card says and shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.values.clip import ClipId, ClipRecord
from retrieval.values.query import Hit
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


def card(hit: Hit, clips: Sequence[ClipRecord], address: Address) -> Card:
    """Write a card.

    Parameters
    ----------
    clips
        All clips of the hit's study.
    address
        Of the study's page, which the card links to.
    """
    study, main = hit.study, hit.evidence.clip
    rate = study.heart_rate_bpm
    slots = strip(main, clips)
    content: dict[str, object] = {
        "study": study.id,
        "name": words.study_name(study.id),
        "rank": hit.rank,
        "score": f"{hit.score:.3f}",
        "facts": words.card_facts(study),
        "impression": hit.impression,
        "evidence": evidence(hit),
        "main": {**tile(main, rate), "label": words.clip_name(main)},
        "strip": [_small(slot, rate) for slot in slots],
        "params": to_params(address),
    }
    return Card(content, main.id, tuple(slot.clip.id for slot in slots if slot.clip))


def evidence(hit: Hit) -> str:
    """One line: what made the study rank."""
    name = words.clip_name(hit.evidence.clip)
    if hit.evidence.score is None:
        return f"Ranked as a whole; shown: {name}"
    return f"Best clip: {name}, {hit.evidence.score:.3f}"


def clips_of(cards: Sequence[Card]) -> list[ClipId]:
    """The clips that some cards play, the large pictures first, so that they arrive first."""
    return [card.main for card in cards] + [clip for card in cards for clip in card.others]


def _small(slot: Slot, heart_rate_bpm: float | None) -> dict[str, object]:
    if slot.clip is None:
        return {"label": slot.label, "clip": None}
    return {**tile(slot.clip, heart_rate_bpm), "label": slot.label}
