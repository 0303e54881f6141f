"""What the indexer's commands print: plain JSON values, and rows of text."""

from collections.abc import Sequence
from typing import Any

from indexer.station import Home
from retrieval.values.study import Series, State, Study
from retrieval.vault.store import Vault
from retrieval.vectors import generation
from retrieval.vectors.engines import choose

Json = dict[str, Any]
Row = tuple[str, ...]


def totals(home: Home) -> Json:
    """The archive's totals: studies by state, files, clips, reports."""
    counts = home.catalog.counts()
    used, unused, _ = home.catalog.file_counts()
    studies = {str(state): counts[state] for state in State}
    waiting = home.vault.count("report")
    return {
        "studies": {"found": sum(studies.values()), **studies},
        "files": {"seen": used + unused, "used": used, "unused": unused},
        "clips": counts["clips"],
        "reports": {
            "seen": counts["reports_seen"] + waiting,
            "matched": counts["reports_matched"],
            "unmatched": counts["reports_unmatched"] + waiting,
            "superseded": counts["reports_superseded"],
        },
    }


def status(home: Home) -> Json:
    """Totals, reasons, the live generation, and the engine that searches it on this machine."""
    live = generation.current(home.generations)
    return {
        **totals(home),
        "embeddings": home.catalog.counts()["embeddings"],
        "unused_files": home.catalog.file_counts()[2],
        "generation": live,
        "engine": None
        if live is None
        else choose("auto", generation.manifest(home.generations, live).count),
    }


def ledger(studies: Sequence[Study], vault: Vault | None) -> Json:
    """Every study with its series; with a vault, where it came from."""
    return {"studies": [_study(study, vault) for study in studies]}


def ledger_rows(studies: Sequence[Study], vault: Vault | None) -> list[Row]:
    """The ledger as text: one row a study, then one a series."""
    rows: list[Row] = [("study", "state", "view", "technique", "slices x phases", "mm", "reason")]
    for study in studies:
        source = "" if vault is None else (vault.get(study.id) or {}).get("source", "")
        rows.append((study.id, str(study.state), "", "", "", source, study.reason))
        rows += [
            (
                f"  {series.id}",
                str(series.state),
                str(series.view),
                str(series.technique),
                f"{series.slices} x {series.phases}",
                _millimetres(series),
                series.reason,
            )
            for series in study.series
        ]
    return rows


def summary_rows(summary: Json) -> list[Row]:
    """Any report of ours as text: one row a value, nested names joined."""

    def flat(prefix: str, value: object) -> list[Row]:
        if isinstance(value, dict):
            return [row for k, v in value.items() for row in flat(f"{prefix} {k}".strip(), v)]
        return [(prefix, str(value))]

    return [("what", "value"), *flat("", summary)]


def _study(study: Study, vault: Vault | None) -> Json:
    shown: Json = {
        "study": study.id,
        "state": str(study.state),
        "reason": study.reason,
        "series": [_series(series) for series in study.series],
    }
    if vault is not None:
        secret = vault.get(study.id) or {}
        shown["source"] = secret.get("source", "")
        shown["original_study_uid"] = secret.get("study_uid", "")
    return shown


def _series(series: Series) -> Json:
    return {
        "series": series.id,
        "state": str(series.state),
        "reason": series.reason,
        "view": str(series.view),
        "technique": str(series.technique),
        "slices": series.slices,
        "frames": series.phases,
        "spacing_mm": series.spacing_mm,
        "slice_spacing_mm": series.slice_spacing_mm,
        "clips": series.clips,
    }


def _millimetres(series: Series) -> str:
    if series.spacing_mm is None:
        return ""
    parts = [f"{mm:.2f}" for mm in series.spacing_mm]
    if series.slice_spacing_mm is not None:
        parts.append(f"{series.slice_spacing_mm:.1f}")
    return " x ".join(parts)
