"""The row that says what the query was understood as; each chip can be flipped and turned off."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from retrieval.search.understand.chips import Chip, FindingChip, LikeChip, MeasurementChip
from retrieval.search.understand.labels import chip_label
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.search.understand.prompts import prompts
from retrieval.values.finding import Polarity
from retrieval.values.query import Ranking
from retrieval.values.reliability import Badge
from webui.parts.component import component

ABSENCE = "Absence is read from reports: images alone cannot show it."
BY_BADGE: Mapping[Badge | None, str] = {
    Badge.FAIR: "report + images (fair)",
    Badge.POOR: "report; images unreliable",
    Badge.NOT_ASSESSED: "report; images untested",
}
"""Who answers a wanted finding, but for those that images tell well here."""

UNREAD, UNREAD_ALONE = "as it is, by images", "asked as it is: images, and these words in reports"
"""Who answers words that no chip stands for, beside chips and alone."""


def show(
    ranking: Ranking, *, key: str, on_change: Callable[[], None], on_edit: Callable[[], None]
) -> None:
    """Put the row on the page."""
    mount = component("chips", scripts=("dom.js", "chips.js"), styles=("chips.css",), root="chips")
    mount(key=key, data=content(ranking), on_change_change=on_change, on_edit_change=on_edit)


def content(ranking: Ranking) -> dict[str, object]:
    """What the row says, ready for JSON; of each chip the lines that stand for its changes."""
    chips = [read_chip(line) for line in ranking.chips]
    badges = dict(ranking.badges)
    denied = any(
        chip.on and isinstance(chip, FindingChip) and chip.polarity is Polarity.ABSENT
        for chip in chips
    )
    return {
        "chips": [
            {
                "line": chip_line(chip),
                "on": chip.on,
                "absent": chip.polarity is Polarity.ABSENT,
                "label": chip_label(replace(chip, polarity=Polarity.PRESENT)),
                "source": source(chip, badges.get(chip_line(chip))),
                "toggled": chip_line(replace(chip, on=not chip.on)),
                "flipped": chip_line(replace(chip, polarity=_opposite(chip.polarity))),
                "flips": not isinstance(chip, LikeChip),
            }
            for chip in chips
        ],
        "lead": "Understood as" if chips else "No known finding in",
        "free": ranking.free,
        "freeNote": UNREAD if chips else UNREAD_ALONE,
        "note": ABSENCE if denied else "",
    }


def source(chip: Chip, badge: Badge | None) -> str:
    """Who answers a chip, and where images do, how far they can be relied on.

    Parameters
    ----------
    badge
        Of a wanted finding.
    """
    if isinstance(chip, MeasurementChip):
        return "report, else images"
    if isinstance(chip, LikeChip):
        return "images"
    if not isinstance(chip, FindingChip):
        return "filter"
    if not prompts(replace(chip, on=True)):
        return "report"
    return BY_BADGE.get(badge, "images + report")


def _opposite(polarity: Polarity) -> Polarity:
    return Polarity.PRESENT if polarity is Polarity.ABSENT else Polarity.ABSENT
