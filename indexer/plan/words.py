"""What descriptions and protocol names hint at. The last resort: people type them.

English, German, French, Spanish and Italian words, and the abbreviations that
scanners' protocol trees come with. In the tables a star stands for the rest of
a word, and a space may be there or not.
"""

import re
from collections.abc import Iterable

from indexer.raw import Frame
from retrieval.values.study import Technique, View


def _any(table: str) -> re.Pattern[str]:
    """A pattern that finds any of the comma-separated entries as whole words."""
    entries = [" ".join(entry.split()) for entry in table.split(",")]
    patterns = [re.escape(e).replace(r"\*", r"\S*").replace(r"\ ", " ?") for e in entries]
    return re.compile(r"(?<!\S)(?:" + "|".join(patterns) + r")(?!\S)")


_TECHNIQUES = (
    (Technique.TI_SCOUT, _any("ti scout*, look locker, cine ir, ti test, ti series")),
    (
        Technique.LOCALISER,
        _any("loc, locali*, scout*, survey*, 3 plane, repérage, reperage, haste loc"),
    ),
    (Technique.T1_MAP, _any("t1 map*, molli*, shmolli*, sasha*, ecv*")),
    (Technique.T2_STAR, _any("t2star*, t2 star*, t2s")),
    (Technique.T2_MAP, _any("t2 map*, grase*")),
    (Technique.TAGGING, _any("tag, tags, tagg*, spamm*, cspamm*, grid tag*")),
    (
        Technique.FLOW,
        _any("flow, fluss*, flux*, flujo*, flusso*, pc, venc*, qflow*, qf, phase contrast"),
    ),
    (Technique.PERFUSION, _any("perf*, first pass, stress*, adeno*, rest, dynamic")),
    (Technique.EARLY_ENHANCEMENT, _any("ege, early enh*, early gad*, early gd")),
    (
        Technique.LGE,
        _any(
            "lge*, de, demri, mde*, dhe, psir*, psmde*, viab*, late, late enh*, delayed*, cemri, "
            "tardi*, realce*, rehaussement*, spät*, spaet*, postkm, narbe*"
        ),
    ),
    (Technique.T2_WEIGHTED, _any("t2, t2w*, stir*, t2 tse*, t2 stir*, oedema*, edema*, ödem*")),
    (Technique.CINE, _any("cine*, ciné*, btfe*, ssfp*, bssfp*, fiesta*, truefisp*, trufi*")),
)

_RIGHT = _any("rv, right ventric*, vd, rvla")
_VIEWS = (
    (View.RVOT, _any("rvot*, right ventricular outflow*")),
    (
        View.THREE_CHAMBER,
        _any("3 ch*, 3 kammer*, 3 cav*, 3 camer*, 3 c, three chamber*, dreikammer*, aplax"),
    ),
    (
        View.TWO_CHAMBER,
        _any("2 ch*, 2 kammer*, 2 cav*, 2 camer*, 2 c, two chamber*, zweikammer*, vla, "
             "vertical long axis"),
    ),
    (
        View.FOUR_CHAMBER,
        _any("4 ch*, 4 kammer*, 4 cav*, 4 camer*, 4 c, four chamber*, vierkammer*, hla, "
             "horizontal long axis"),
    ),
    (View.LVOT, _any("lvot*, left ventricular outflow*")),
    (
        View.SHORT_AXIS,
        _any("sax*, sa, short axis, kurzachse*, kurze achse, petit axe, eje corto, asse corto"),
    ),
    (View.TRANSAXIAL, _any("tra, transv*, transax*, transaxial*, axial*, ax")),
)  # fmt: skip

_HEART = _any(
    "card*, heart*, herz*, coeur, cœur, corazón, corazon, cuore, cmr*, myocard*, lv, lvot*, rvot*, "
    "sax*, short axis, lge*, vla, hla, 2 ch, 3 ch, 4 ch, molli*, psir*"
)
_STRESS = _any("stress*, adeno*, regadenoson*, dipyridamol*, belastung*")
_REST = _any("rest, ruhe*, repos, reposo, riposo")
_AFTER = _any("post*, nach, after, après, apres, gd, km, +c, + c")
_BEFORE = _any("pre*, vor, before, nativ*, avant")


def words_of(frames: Iterable[Frame]) -> str:
    """All the descriptions of some frames: lower case, words parted by single spaces."""
    said = sorted({f"{f.series_description} {f.protocol_name}" for f in frames})
    text = " ".join(said).lower().replace("t2*", "t2star")
    return " ".join(re.sub(r"[^\w+]|_", " ", text).split())


def technique_named(words: str) -> Technique | None:
    """The technique that some words hint at."""
    return next((t for t, pattern in _TECHNIQUES if pattern.search(words)), None)


def view_named(words: str) -> View | None:
    """The view that some words hint at; `OTHER` for long axes of the right ventricle."""
    found = next((v for v, pattern in _VIEWS if pattern.search(words)), None)
    if found in (View.TWO_CHAMBER, View.THREE_CHAMBER) and _RIGHT.search(words):
        return View.OTHER
    return found


def names_heart(words: str) -> bool:
    """Whether some words speak of a heart."""
    return bool(_HEART.search(words))


def rest_or_stress(words: str) -> str:
    """The variant of a perfusion run: "rest", "stress" or nothing."""
    if _STRESS.search(words):
        return "stress"
    return "rest" if _REST.search(words) else ""


def before_or_after_contrast(words: str) -> str:
    """The side of contrast that some words hint at, or nothing."""
    if _AFTER.search(words):
        return "after contrast"
    return "before contrast" if _BEFORE.search(words) else ""
