"""Scores of findings as plain values: JSON for programs, a table for people."""

from dataclasses import asdict
from typing import Any

from retrieval.evaluation.findings import FEWEST, PREVALENCE, Findings
from retrieval.evaluation.tables import Table, figure, interval, plain


def json(findings: Findings) -> dict[str, Any]:
    """Everything."""
    return {
        "prevalence": PREVALENCE,
        "scored": plain([asdict(finding) for finding in findings.scored]),
        "too few": list(findings.too_few),
        "usual": list(findings.usual),
        "mean": dict(findings.mean),
        "worst": findings.worst.concept,
    }


def tables(findings: Findings) -> list[Table]:
    """One row a finding, the worst first."""
    rows = [
        (
            f.concept,
            f"{f.drawn} of {f.positives}",
            interval(f.precision10),
            interval(f.average_precision),
            interval(f.auc),
            f.worst_wording,
        )
        for f in sorted(findings.scored, key=lambda f: (f.precision10.value, f.auc.value))
    ]
    means = [figure(findings.mean[n]) for n in ("precision10", "average_precision", "auc")]
    columns = ("finding", "drawn", "P@10 [95 %]", "AP [95 %]", "AUC [95 %]", "worst wording")
    left_out = ", ".join(findings.too_few) or "none"
    return [
        Table(
            columns=columns,
            rows=(*rows, ("mean", "", *means, "")),
            note=f"prevalence at most {PREVALENCE:.0%}; fewer than {FEWEST} to draw: {left_out}",
        )
    ]
