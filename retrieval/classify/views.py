"""Answers and machine findings as plain values: JSON, rows of text, lines of CSV."""

from collections.abc import Sequence
from typing import Any

from retrieval.classify.answer import Answer, Interval, Place
from retrieval.search.views import who
from retrieval.values.machine_finding import MachineFinding, Method
from retrieval.values.study import Study

Json = dict[str, Any]
Row = tuple[str, ...]

NOTE = "Research: places in this archive by what an encoder makes of images, not a diagnosis"

PLACE_COLUMNS: Row = ("#", "percentile", "interval", "score", "study", "who", "year", "")
FINDING_COLUMNS: Row = ("machine finding", "percentile", "interval", "of studies", "by", "written")
CSV_COLUMNS: Row = (
    *("question", "method", "study", "score", "percentile", "low", "high", "compared"),
    *("patient_of_an_example", "encoder", "generation"),
)

METHODS = {
    Method.PROMPTS: "words",
    Method.PROTOTYPES: "prototypes of examples",
    Method.LOGISTIC: "logistic regression on examples",
}
"""Methods as a reader would call them."""


def title(answer: Answer) -> str:
    """What was asked, in one line."""
    if answer.method is Method.PROMPTS:
        return answer.question
    like = sum(line.startswith("like ") for line in answer.asked)
    return f"like {like} example{'' if like == 1 else 's'}, by {METHODS[answer.method]}"


def notes(answer: Answer) -> list[str]:
    """What must be known to read the places."""
    lines = [f"{len(answer.places):,} studies compared; {answer.spread}"]
    if answer.method is Method.PROMPTS:
        lines.append(f"asked: {'; '.join(answer.asked)}")
    if not answer.recognised:
        lines.append("no finding is recognised in these words; what this places may mean nothing")
    if answer.narrowed:
        lines.append(f"as a filter: {'; '.join(answer.narrowed)}")
    if answer.missing:
        lines.append(
            f"{answer.missing:,} of {answer.eligible:,} eligible studies have no vector in this "
            "generation and were not compared"
        )
    return lines


def place_rows(places: Sequence[Place], studies: Sequence[Study]) -> list[Row]:
    """One row a study, under `PLACE_COLUMNS`; the n-th place is that of the n-th study."""
    return [
        (
            str(n),
            f"{place.percentile:.0f}",
            _interval(place.interval),
            f"{place.score:.3f}",
            place.study,
            who(study),
            "" if study.year is None else str(study.year),
            "same patient as an example" if place.kin else "",
        )
        for n, (place, study) in enumerate(zip(places, studies, strict=True), start=1)
    ]


def answer_json(answer: Answer, limit: int | None) -> Json:
    """One question with its first `limit` studies."""
    return {
        "question": answer.question,
        "method": answer.method,
        "asked": answer.asked,
        "narrowed": answer.narrowed,
        "recognised": answer.recognised,
        "eligible": answer.eligible,
        "missing": answer.missing,
        "compared": len(answer.places),
        "spread": answer.spread,
        "studies": [_place_json(place) for place in answer.places[:limit]],
    }


def csv_rows(answer: Answer, encoder_id: str, generation: str) -> list[Row]:
    """One row a study, under `CSV_COLUMNS`."""
    return [
        (
            answer.question or "; ".join(answer.asked),
            answer.method,
            place.study,
            repr(place.score),
            repr(place.percentile),
            *(("", "") if place.interval is None else map(repr, place.interval)),
            str(len(answer.places)),
            "yes" if place.kin else "no",
            encoder_id,
            generation,
        )
        for place in answer.places
    ]


def findings_json(findings: Sequence[MachineFinding], encoder_id: str) -> Json:
    """What `cineseek show --research --json` adds."""
    return {
        "note": NOTE,
        "encoder": encoder_id,
        "findings": [
            {
                "name": one.name,
                "question": one.question,
                "method": one.method,
                "asked": one.asked,
                "score": one.score,
                "percentile": round(one.percentile, 1),
                "low": None if one.low is None else round(one.low, 1),
                "high": None if one.high is None else round(one.high, 1),
                "studies": one.studies,
                "made_at": one.made_at.isoformat(timespec="seconds"),
                "made_by": one.made_by,
            }
            for one in findings
        ],
    }


def finding_rows(findings: Sequence[MachineFinding]) -> list[Row]:
    """One row a machine finding, under `FINDING_COLUMNS`."""
    return [
        (
            finding_label(one),
            f"{one.percentile:.0f}",
            finding_interval(one),
            f"{one.studies:,}",
            METHODS[one.method],
            f"{one.made_at:%Y-%m-%d}",
        )
        for one in findings
    ]


def finding_label(finding: MachineFinding) -> str:
    """The question, and the name it was written under where that says more."""
    if finding.question == finding.name:
        return finding.name
    return f"{finding.question} ({finding.name})"


def finding_interval(finding: MachineFinding) -> str:
    """The spread of the percentile; "not known" where one phrasing or example was given."""
    if finding.low is None or finding.high is None:
        return _interval(None)
    return _interval((finding.low, finding.high))


def _interval(interval: Interval | None) -> str:
    return "not known" if interval is None else f"{interval[0]:.0f} to {interval[1]:.0f}"


def _place_json(place: Place) -> Json:
    low, high = (None, None) if place.interval is None else place.interval
    return {
        "study": place.study,
        "score": place.score,
        "percentile": round(place.percentile, 1),
        "low": None if low is None else round(low, 1),
        "high": None if high is None else round(high, 1),
        "patient_of_an_example": place.kin,
    }
