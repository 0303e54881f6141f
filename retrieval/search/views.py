"""Rankings and studies as plain values: JSON for programs, rows of text for people."""

import textwrap
from collections.abc import Sequence
from typing import Any

from retrieval.search.estimates import COVERAGE, Places
from retrieval.search.understand.labels import chip_label, term_name
from retrieval.search.understand.lines import read_chip
from retrieval.values.clip import ClipRecord
from retrieval.values.estimate import Quantity
from retrieval.values.query import Hit, Ranking, Verdict
from retrieval.values.reliability import Belief, Conviction
from retrieval.values.report import Report
from retrieval.values.study import Study

Json = dict[str, Any]
Row = tuple[str, ...]

RANKING_COLUMNS: Row = ("#", "score", "study", "who", "year", "images", "evidence", "report")
SERIES_COLUMNS: Row = ("series", "state", "view", "technique", "slices x phases", "mm", "clips")

ESTIMATE_COLUMNS: Row = ("machine estimate", "percentile", f"{COVERAGE:.0%} interval", "of studies")

ESTIMATES_NOTE = "Research: percentiles of this archive by machine estimates, not a measurement"

QUANTITIES = {
    Quantity.LVEDV: "LV end-diastolic volume",
    Quantity.LVESV: "LV end-systolic volume",
    Quantity.LVEF: "LV ejection fraction",
    Quantity.LV_MASS: "LV mass",
    Quantity.WALL_MAX: "greatest LV wall thickness",
    Quantity.RVEDV: "RV end-diastolic volume",
    Quantity.RVESV: "RV end-systolic volume",
    Quantity.RVEF: "RV ejection fraction",
}
"""Quantities as a reader would call them."""


def ranking_json(ranking: Ranking) -> Json:
    """The object that `cineseek search --json` and `cineseek similar --json` print."""
    return {
        "query": ranking.query.text if ranking.query.like is None else ranking.query.like,
        "narrowed": ranking.narrowed,
        "chips": ranking.chips,
        "free_text": ranking.free,
        "channels": ranking.channels,
        "eligible": ranking.eligible,
        "answers": ranking.answers,
        "folded": ranking.folded,
        "set_aside": ranking.set_aside,
        "conviction": ranking.conviction,
        "above_unrelated": ranking.above_unrelated,
        "badges": [{"chip": chip, "images": badge} for chip, badge in ranking.badges],
        "encoder": ranking.encoder_id,
        "generation": ranking.generation,
        "hits": [_hit_json(hit, listed=ranking.listed) for hit in ranking.hits],
    }


def ranking_rows(ranking: Ranking) -> list[Row]:
    """One row a hit, under `RANKING_COLUMNS`."""
    return [
        (
            str(hit.rank),
            "" if ranking.listed else f"{hit.score:.3f}",
            hit.study.id,
            f"{who(hit.study)} {further_words(hit)}".strip(),
            _text(hit.study.year),
            belief_words(hit.beliefs),
            clip_words(hit.evidence.clip),
            textwrap.shorten(_words(hit), 120, placeholder=" …"),
        )
        for hit in ranking.hits
    ]


def ranking_summary(ranking: Ranking) -> str:
    """How much was searched, and with what."""
    count = len(ranking.hits)
    folded = f"{ranking.folded} folded as repeat scans · " if ranking.folded else ""
    aside = f"{ranking.set_aside} whose report says otherwise · " if ranking.set_aside else ""
    by = f"by {' and '.join(ranking.channels)} · " if ranking.channels else ""
    if ranking.listed:
        by = "listed by what is asked of people and pictures, newest first, nothing compared · "
    return (
        f"{count} of {ranking.eligible} eligible {_studies(ranking.eligible)} · {folded}{aside}{by}"
        f"encoder {ranking.encoder_id} · generation {ranking.generation}"
    )


def belief_words(beliefs: Sequence[Belief]) -> str:
    """Probabilities by images, in per cent; of several findings each with its name.

    >>> belief_words([])
    ''
    """
    if len(beliefs) == 1:
        return percent(beliefs[0].probability)
    return ", ".join(f"{term_name(one.term)} {percent(one.probability)}" for one in beliefs)


def percent(probability: float) -> str:
    """Per cent without a false certainty: what rounds to 0 or 100 is told as a bound."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{probability:.0%}".replace("%", " %")


def conviction_line(ranking: Ranking) -> str | None:
    """What to know before the hits are read; None where there is nothing to say."""
    eligible = f"{ranking.eligible:,} eligible {_studies(ranking.eligible)}"
    if ranking.conviction is Conviction.NOTHING:
        beside = ""
        if ranking.above_unrelated is not None:
            share = percent(ranking.above_unrelated)
            beside = f": no report says it, and images score it above {share} of unrelated texts"
        nearest = "; the nearest follow" if ranking.hits else ""
        return f"no convincing match among {eligible}{beside}{nearest}"
    if ranking.conviction is Conviction.UNKNOWN:
        return (
            f"nobody can say whether any of {eligible} matches: few have a report, "
            "and images were not assessed for this; the nearest follow"
        )
    return None


def badge_line(ranking: Ranking) -> str | None:
    """How far images can be relied on for what is wanted; None where no finding is."""
    told = [f"{chip_label(read_chip(chip))} {badge}" for chip, badge in ranking.badges]
    return f"images on this archive: {', '.join(told)}" if told else None


def further_words(hit: Hit) -> str:
    """How many studies lie under a hit; nothing where none does."""
    return f"+{len(hit.others)}" if hit.others else ""


def understood_lines(ranking: Ranking) -> list[str]:
    """What the query was understood as, one line each; nothing for an example alone."""
    labels = [
        f"{n}. {chip_label(chip)}{'' if chip.on else ' (off)'}"
        for n, chip in enumerate(map(read_chip, ranking.chips), start=1)
    ]
    lines = [f"understood: {'  '.join(labels)}"] if labels else []
    if ranking.free and ranking.chips:
        lines.append(f"as it is: {ranking.free}")
    return [*lines, *filter(None, (badge_line(ranking), conviction_line(ranking)))]


def study_json(study: Study, clips: Sequence[ClipRecord], report: Report | None) -> Json:
    """The object that `cineseek show --json` prints."""
    patient, scanner = study.patient, study.scanner
    return {
        "study": study.id,
        "state": study.state,
        "reason": study.reason,
        "site": study.site,
        "patient": patient.id,
        "sex": patient.sex,
        "age_years": patient.age_years,
        "height_cm": patient.height_cm,
        "weight_kg": patient.weight_kg,
        "bsa_m2": patient.bsa_m2,
        "year": study.year,
        "heart_rate_bpm": study.heart_rate_bpm,
        "contrast": study.contrast,
        "vendor": scanner.vendor,
        "model": scanner.model,
        "field_strength_t": scanner.field_strength_t,
        "series": [
            {
                "series": series.id,
                "state": series.state,
                "reason": series.reason,
                "view": series.view,
                "technique": series.technique,
                "slices": series.slices,
                "frames": series.phases,
                "spacing_mm": series.spacing_mm,
                "slice_spacing_mm": series.slice_spacing_mm,
                "clips": series.clips,
            }
            for series in study.series
        ],
        "clips": [_clip_json(clip) for clip in clips],
        "impression": None if report is None else report.impression,
        "report": None if report is None else report.text,
        "findings": [
            {"finding": finding.name, "polarity": finding.polarity}
            for finding in ([] if report is None else report.findings)
        ],
    }


def study_facts(study: Study) -> list[tuple[str, str]]:
    """What is known of a study, name and value; what is not known is left out."""
    scanner = study.scanner
    field = None if scanner.field_strength_t is None else f"{scanner.field_strength_t:g} T"
    facts = [
        ("study", study.id),
        ("state", f"{study.state} {study.reason}".strip()),
        ("patient", who(study)),
        ("year", _text(study.year)),
        ("scanner", " ".join(filter(None, (scanner.vendor, scanner.model, field)))),
        ("heart rate", "" if study.heart_rate_bpm is None else f"{study.heart_rate_bpm:.0f} /min"),
        ("site", study.site),
    ]
    return [(name, value) for name, value in facts if value]


def series_rows(study: Study) -> list[Row]:
    """One row a series, under `SERIES_COLUMNS`."""
    return [
        (
            series.id,
            f"{series.state} {series.reason}".strip(),
            series.view,
            series.technique,
            f"{series.slices} x {series.phases}",
            "" if series.spacing_mm is None else " x ".join(f"{s:.2f}" for s in series.spacing_mm),
            str(series.clips),
        )
        for series in study.series
    ]


def places_json(places: Places) -> Json:
    """What `cineseek show --research --json` adds: places in the archive, never the numbers."""
    return {
        "note": ESTIMATES_NOTE,
        "encoder": places.encoder_id,
        "interval": COVERAGE,
        "percentiles": [
            {
                "quantity": one.quantity,
                "percentile": round(one.percentile, 1),
                "low": round(one.low, 1),
                "high": round(one.high, 1),
                "studies": one.studies,
            }
            for one in places.standings
        ],
    }


def places_note(places: Places) -> str:
    """The line above the rows: what they are and whose."""
    if places.standings:
        return f"{ESTIMATES_NOTE} · encoder {places.encoder_id}"
    return f"Research: encoder {places.encoder_id} estimates nothing of this study"


def place_rows(places: Places) -> list[Row]:
    """One row a quantity, under `ESTIMATE_COLUMNS`."""
    return [
        (
            QUANTITIES[one.quantity],
            f"{one.percentile:.0f}",
            f"{one.low:.0f} to {one.high:.0f}",
            f"{one.studies:,}",
        )
        for one in places.standings
    ]


def who(study: Study) -> str:
    """Sex and age in one word, such as F34; empty where neither is known."""
    age = study.patient.age_years
    old = "" if age is None else f"{age}+" if age >= 90 else str(age)
    return f"{study.patient.sex or ''}{old}"


def _hit_json(hit: Hit, *, listed: bool) -> Json:
    clip = hit.evidence.clip
    return {
        "rank": hit.rank,
        "study": hit.study.id,
        "score": None if listed else hit.score,
        "evidence": {"view": clip.view, "technique": clip.technique, "clip": clip.id},
        "sentence": hit.evidence.sentence,
        "said": [
            {"chip": one.chip, "verdict": one.verdict, "sentence": one.sentence} for one in hit.said
        ],
        "impression": hit.impression,
        "images": [
            {
                "finding": term_name(one.term),
                "probability": round(one.probability, 4),
                "reliability": one.badge,
            }
            for one in hit.beliefs
        ],
        "others": [
            {
                "rank": one.rank,
                "study": one.study.id,
                "score": None if listed else one.score,
                "copy": one.copy,
            }
            for one in hit.others
        ],
    }


def _studies(count: int) -> str:
    return "study" if count == 1 else "studies"


def _words(hit: Hit) -> str:
    """What the report says against the query before what it says for it."""
    against = [one.sentence for one in hit.said if one.verdict is Verdict.CONTRADICTS]
    if against:
        return f"report says otherwise: {against[0]}"
    return hit.evidence.sentence or hit.impression or ""


def _clip_json(clip: ClipRecord) -> Json:
    return {
        "clip": clip.id,
        "series": clip.series,
        "view": clip.view,
        "technique": clip.technique,
        "variant": clip.variant,
        "slice": clip.slice_index + 1,
        "slices": clip.slice_count,
        "frames": clip.phases,
    }


def clip_words(clip: ClipRecord) -> str:
    """View, technique and place in the stack: "SAX cine 6/12"."""
    words = f"{clip.view} {clip.technique}"
    return words if clip.slice_count == 1 else f"{words} {clip.slice_index + 1}/{clip.slice_count}"


def _text(value: object) -> str:
    return "" if value is None else str(value)
