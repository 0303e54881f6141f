"""What the page says of why a study answers: its views, and a map over one playing clip."""

from retrieval.clips import heat
from retrieval.search.occlusion import FINE
from retrieval.search.understand.labels import chip_label
from retrieval.search.understand.lines import read_chip
from retrieval.search.why import Map, ViewScore, Why
from retrieval.values.clip import ClipRecord
from retrieval.values.occlusion import Occlusion
from retrieval.values.query import Hit, Verdict
from webui import words
from webui.sheets import tile
from webui.studyview import Content

MAP_PX = 4 * FINE.cells
"""Points along each side of the map that the page is sent; it smooths them itself."""

BYTE = 127

VERDICTS = {
    Verdict.AGREES: ("agrees", "Agrees"),
    Verdict.CONTRADICTS: ("against", "Says otherwise"),
    Verdict.LEFT_OPEN: ("open", "Left open"),
    Verdict.NOT_ASSESSED: ("open", "Not assessed"),
}
"""The sign that stands before a verdict, as on a card, and its words."""

SIGNS = "Orange: hiding it lowers the match, so it spoke for the query. Blue: it spoke against."


def content(
    why: Why, clip: ClipRecord, found: Map | None, trouble: str, hit: Hit | None
) -> Content:
    """The panel's content, ready for JSON.

    Parameters
    ----------
    clip
        The one that is looked into.
    found, trouble
        What hiding parts of it does; or None, and why that cannot be said.
    hit
        The study's place among the results, for what its report says.
    """
    told: Content = {
        "tile": {**tile(clip, why.study.heart_rate_bpm), "label": words.clip_name(clip)},
        "carried": carried(why),
        "views": views(why, clip),
        "signs": SIGNS,
        "trouble": trouble,
        "map": [],
        "size": MAP_PX,
        "strongest": heat.STRONGEST,
        "colours": [heat.FOR, heat.AGAINST],
        "groups": [],
        "scale": "",
        "said": [] if hit is None else said(hit),
    }
    if found is None:
        return told
    shown = found.occlusion
    cells = heat.over_tile(shown, found.centre, MAP_PX)
    return told | {
        "map": (cells * BYTE).round().astype(int).ravel().tolist(),
        "groups": groups(shown),
        "scale": scale(shown),
    }


def carried(why: Why) -> str:
    """Which clip the search shows as evidence, and how well it matches."""
    name = words.clip_name(why.carried_by)
    if why.score is None:
        return f"Ranked as a whole; shown: {name}"
    whole = "" if why.whole is None else f"; the whole study {words.signed(why.whole)}"
    return f"{name} matches best, {words.signed(why.score)}{whole}"


def said(hit: Hit) -> list[Content]:
    """What the report says of each thing that was asked, contradictions first."""
    ordered = sorted(hit.said, key=lambda one: one.verdict is not Verdict.CONTRADICTS)
    return [
        {
            "kind": VERDICTS[one.verdict][0],
            "text": f"{VERDICTS[one.verdict][1]}: {chip_label(read_chip(one.chip))}",
            "sentence": one.sentence,
        }
        for one in ordered
    ]


def views(why: Why, clip: ClipRecord) -> list[Content]:
    """One row a view and technique; bars run from the worst of them to the best."""
    scores = [one.score for one in why.views]
    low, high = min(scores, default=0.0), max(scores, default=0.0)

    def share(one: ViewScore) -> float:
        return (one.score - low) / (high - low) if high > low else 1.0

    return [
        {
            "clip": one.clip.id,
            "label": words.joined((one.view.value, words.technique_name(one.technique))),
            "score": words.signed(one.score),
            "share": round(share(one), 3),
            "count": words.count(one.clips, "clip"),
            "on": (one.view, one.technique) == (clip.view, clip.technique),
        }
        for one in why.views
    ]


def groups(found: Occlusion) -> list[Content]:
    """One bar a group of phases: its first phase, the one after its last, its share of the most."""
    most = max(heat.LEAST_SCALE, float(abs(found.times).max(initial=0.0)))
    return [
        {
            "from": first,
            "to": end,
            "share": round(drop / most, 3),
            "title": f"Phases {first + 1} to {end} hidden: {words.change(-drop)}",
        }
        for first, end, drop in zip(
            found.phases[:-1], found.phases[1:], found.times.tolist(), strict=True
        )
    ]


def scale(found: Occlusion) -> str:
    """What the strongest colour stands for."""
    whose = "study's" if found.whole else "clip's"
    return f"Full colour: {heat.full_scale(found):.3f} of the {whose} {words.signed(found.score)}"
