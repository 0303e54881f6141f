"""Assess the encoder of a generation on this archive's reports, and keep that beside it."""

from indexer.station import Home
from indexer.views import Json, Row
from retrieval.evaluation.assess import assess as assess_on
from retrieval.ports import TextEncoder
from retrieval.search.understand.table import shipped_terms
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.reliability import Badge, Reliability
from retrieval.vectors import generation, reliability
from retrieval.wiring import trained_on


def assess(home: Home, texts: TextEncoder, name: str) -> Reliability:
    """Assess one generation.

    Parameters
    ----------
    texts
        The encoder that made it.
    name
        Of the generation.
    """
    opened_by = generation.manifest(home.generations, name).encoder
    found = assess_on(
        texts,
        generation.open_index(home.generations, name),
        home.catalog,
        trained_on=trained_on(opened_by),
        access=LOCAL_OPERATOR,
    )
    reliability.write(home.generations, found)
    return found


def assessed(home: Home, name: str) -> bool:
    """Whether a generation was assessed before."""
    return reliability.read(home.generations, name) is not None


def told(found: Reliability) -> Json:
    """An assessment as plain values, findings by their preferred names."""
    return {
        "encoder": found.encoder_id,
        "generation": found.generation,
        "studies": found.studies,
        "left_out_trained_on": found.trained_on,
        "findings": {
            _name(term): {
                "stated": its.positives,
                "denied": its.negatives,
                "auc": [round(x, 4) for x in (its.auc, its.auc_low, its.auc_high)],
                "badge": its.badge,
                "brier_skill": round(its.brier_skill, 4),
                "calibration_error": round(its.error, 4),
                "calibration_slope": round(its.fold_slope, 4),
            }
            for term, its in found.findings.items()
        },
        "too_few": {
            _name(term): {"stated": stated, "denied": denied}
            for term, (stated, denied) in found.too_few.items()
        },
    }


def rows(found: Reliability) -> list[Row]:
    """An assessment as text, the heading first, what can be relied on most before the rest."""
    best = sorted(found.findings.items(), key=lambda item: -item[1].auc_low)
    lines: list[Row] = [
        ("finding", "stated", "denied", "AUC [95 %]", "images", "Brier skill", "ECE", "slope")
    ]
    lines += [
        (
            _name(term),
            str(its.positives),
            str(its.negatives),
            f"{its.auc:.3f} [{its.auc_low:.3f}, {its.auc_high:.3f}]",
            its.badge,
            f"{its.brier_skill:.2f}",
            f"{its.error:.3f}",
            f"{its.fold_slope:.2f}",
        )
        for term, its in best
    ]
    lines += [
        (_name(term), str(stated), str(denied), "", Badge.NOT_ASSESSED, "", "", "")
        for term, (stated, denied) in found.too_few.items()
        if stated or denied
    ]
    return lines


def _name(term: str) -> str:
    return shipped_terms()[term].name
