"""What descriptions and protocol names hint at. The last resort: people type them.

English, German, French, Spanish and Italian words, and the abbreviations that
scanners' protocol trees come with.
"""

import re
from collections.abc import Iterable

from indexer.raw import Frame
from retrieval.values.study import Technique, View


def words_of(frames: Iterable[Frame]) -> str:
    """All the descriptions of some frames: lower case, words parted by single spaces."""
    said = sorted({f"{f.series_description} {f.protocol_name}" for f in frames})
    apart = re.sub(r"[^0-9a-zäöüßéèêàçñóíúá*+]+", " ", " ".join(said).lower())
    return " ".join(apart.split())


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(r"(?<![a-z0-9])(?:" + "|".join(patterns) + r")(?![a-z0-9])")


_TECHNIQUES: tuple[tuple[Technique, re.Pattern[str]], ...] = (
    (
        Technique.LOCALISER,
        _any(
            r"loc",
            r"locali[sz]er\w*",
            r"scouts?",
            r"survey",
            r"3 ?plane",
            r"rep[eé]rage",
            r"haste loc",
        ),
    ),
    (
        Technique.TI_SCOUT,
        _any(r"ti ?scout\w*", r"look ?locker", r"tiscout\w*", r"cine ?ir", r"ti ?test"),
    ),
    (
        Technique.T1_MAP,
        _any(r"t1 ?map\w*", r"sh?molli\w*", r"molli\w*", r"sasha\w*", r"ecv\w*", r"saparma\w*"),
    ),
    (Technique.T2_STAR, _any(r"t2 ?\*\w*", r"t2 ?star\w*")),
    (Technique.T2_MAP, _any(r"t2 ?map\w*", r"t2 ?mapping", r"grase")),
    (Technique.TAGGING, _any(r"tag\w*", r"c?spamm", r"grid")),
    (
        Technique.FLOW,
        _any(
            r"flow",
            r"flu(?:ss|x)\w*",
            r"pc",
            r"venc\w*",
            r"qflow",
            r"qf",
            r"phase contrast",
            r"fl[uù]jo",
        ),
    ),
    (
        Technique.PERFUSION,
        _any(r"perf\w*", r"dynamic\w*", r"first pass", r"stress", r"rest", r"adenosin\w*"),
    ),
    (Technique.EARLY_ENHANCEMENT, _any(r"ege", r"early\w*", r"frühes?")),
    (
        Technique.LGE,
        _any(
            r"lge\w*",
            r"de",
            r"de ?mri",
            r"mde",
            r"dhe",
            r"psir\w*",
            r"psmde",
            r"viab\w*",
            r"late\w*",
            r"delayed\w*",
            r"ce ?mri",
            r"tardi[fvo]\w*",
            r"realce\w*",
            r"rehaussement\w*",
            r"spät\w*",
        ),
    ),
    (
        Technique.T2_WEIGHTED,
        _any(r"t2w?", r"stir\w*", r"t2 ?tse", r"t2 ?stir", r"oedema", r"edema"),
    ),
    (
        Technique.CINE,
        _any(
            r"cin[eé]\w*",
            r"b ?tfe",
            r"ssfp\w*",
            r"bssfp",
            r"fiesta\w*",
            r"true ?fisp",
            r"trufi\w*",
            r"retro",
        ),
    ),
)

_RIGHT = _any(r"rv", r"right ventric\w*", r"vd", r"rvla")
_TWO = r"2 ?(?:ch|kammer|cav\w*|chamber|camer\w*|c)\w*"
_THREE = r"3 ?(?:ch|kammer|cav\w*|chamber|camer\w*|c)\w*"
_FOUR = r"4 ?(?:ch|kammer|cav\w*|chamber|camer\w*|c)\w*"
_VIEWS: tuple[tuple[View, re.Pattern[str]], ...] = (
    (View.RVOT, _any(r"rvot\w*", r"right ventricular outflow\w*")),
    (View.THREE_CHAMBER, _any(_THREE, r"three chamber", r"aplax")),
    (View.TWO_CHAMBER, _any(_TWO, r"two chamber", r"vla", r"lv ?2ch", r"vertical long axis")),
    (View.FOUR_CHAMBER, _any(_FOUR, r"four chamber", r"hla", r"horizontal long axis")),
    (View.LVOT, _any(r"lvot\w*", r"left ventricular outflow\w*")),
    (
        View.SHORT_AXIS,
        _any(
            r"sax\w*",
            r"sa",
            r"short ?axis",
            r"kurz\w*",
            r"petit axe",
            r"pa",
            r"eje corto",
            r"asse corto",
            r"ka",
        ),
    ),
    (View.TRANSAXIAL, _any(r"tra", r"trans\w*", r"axial\w*", r"ax")),
)

_HEART = _any(
    r"card\w*",
    r"heart\w*",
    r"herz\w*",
    r"c(?:oe|œ)ur",
    r"cor",
    r"coraz[oó]n",
    r"cuore",
    r"cmr\w*",
    r"myocard\w*",
    r"lv\w*",
    r"sax\w*",
    r"lge\w*",
    r"vla",
    r"hla",
    r"[234] ?ch\w*",
    r"molli\w*",
    r"psir\w*",
)


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
    if _any(r"stress\w*", r"adeno\w*", r"regadenoson", r"dipyridamol\w*", r"belastung").search(
        words
    ):
        return "stress"
    return "rest" if _any(r"rest", r"ruhe", r"repos", r"reposo", r"riposo").search(words) else ""


def before_or_after_contrast(words: str) -> str:
    """The side of contrast that some words hint at, or nothing."""
    if _any(r"post\w*", r"nach", r"after", r"apr[eè]s", r"\+ ?c", r"\+ ?gd", r"\+ ?km").search(
        words
    ):
        return "after contrast"
    if _any(r"pre\w*", r"vor", r"before", r"nativ\w*", r"avant", r"native").search(words):
        return "before contrast"
    return ""
