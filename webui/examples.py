"""Questions to begin with, each shown with the heart of this archive that answers it best."""

from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.values.query import Filter, Hit
from retrieval.values.study import Technique
from webui import words
from webui.address import Address, to_params
from webui.sheets import tile


@dataclass(frozen=True, slots=True)
class Example:
    """A question that can be asked where there are studies with this technique."""

    text: str
    kind: str
    technique: Technique = Technique.CINE


EXAMPLES = (
    Example("dilated left ventricle with reduced ejection fraction", "Size and function"),
    Example("hypertrophied septum", "Wall thickness"),
    Example("scar on late enhancement", "Late enhancement", Technique.LGE),
    Example("right ventricle larger than the left", "Right heart"),
    Example("akinetic apex", "Wall motion"),
    Example("normal study", "Normal, for comparison"),
)


def answerable(techniques: Iterable[str]) -> list[Example]:
    """The examples that an archive with these techniques can answer."""
    there = set(techniques)
    return [example for example in EXAMPLES if example.technique in there]


def where(example: Example) -> Filter:
    """Only studies that can show it, so that the heart beside the words does."""
    return Filter(techniques=frozenset([example.technique]))


def content(example: Example, hit: Hit) -> dict[str, object]:
    """What an example's card says, ready for JSON."""
    return {
        "text": example.text,
        "kind": example.kind,
        "nearest": f"nearest: {words.card_facts(hit.study)}",
        "main": {
            **tile(hit.evidence.clip, hit.study.heart_rate_bpm),
            "label": words.clip_name(hit.evidence.clip),
        },
        "params": to_params(Address(text=example.text)),
    }
