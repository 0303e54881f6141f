"""`cineseek why`: one study explained, from a home to what is printed and drawn."""

from dataclasses import dataclass
from pathlib import Path

from retrieval import wiring
from retrieval.clips import heat
from retrieval.errors import UsageError
from retrieval.search.why import Map, Why
from retrieval.settings import Settings
from retrieval.values.clip import ClipId
from retrieval.values.query import LOCAL_OPERATOR, Query
from retrieval.values.study import StudyId

PICTURES = (".png", ".gif")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A study's scores by view, and what in one clip they come from."""

    why: Why
    map: Map


def explain(
    settings: Settings,
    study: StudyId,
    query: Query,
    *,
    clip: ClipId | None = None,
    picture: Path | None = None,
) -> Explained:
    """Explain a study to this machine's own operator.

    Parameters
    ----------
    clip
        What to hide parts of; None for the clip that carried the study.
    picture
        Where to draw the map over the clip; a .png or a .gif that plays.

    Raises
    ------
    UsageError
        The picture has another ending, or what `Explainer` says.
    """
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise UsageError(f"a picture is .png, or .gif to play; {picture.name} is neither")
    reading = wiring.open_explaining(settings)
    why = reading.explainer.why(study, query, access=LOCAL_OPERATOR)
    chosen = why.carried_by.id if clip is None else clip
    found = reading.explainer.map(study, chosen, query, access=LOCAL_OPERATOR)
    if picture is not None:
        heat.save(reading.clips.read(chosen), found.occlusion, found.centre, picture)
    return Explained(why=why, map=found)
