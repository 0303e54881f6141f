"""The reading of labelled studies as plain values: JSON for programs, tables for people."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from retrieval.evaluation.bylabel import ByLabel
from retrieval.evaluation.ceilings import Ceilings
from retrieval.evaluation.fewshot import SHOTS
from retrieval.evaluation.labelled import LabelScores
from retrieval.evaluation.published import ACDC_SUPERVISED, FEW_SHOT_FINDINGS, Published
from retrieval.evaluation.reading import Reading
from retrieval.evaluation.tables import Table, figure, interval, plain, spread

Json = dict[str, Any]


def reading_json(reading: Reading) -> Json:
    """Everything."""
    return {
        "scores": plain(asdict(reading.scores)),
        "controls": [plain(asdict(control)) for control in reading.controls],
        "ceilings": None if reading.ceilings is None else plain(asdict(reading.ceilings)),
        "published": [_published_json(p) for p in (ACDC_SUPERVISED, FEW_SHOT_FINDINGS)],
    }


def reading_tables(reading: Reading) -> list[Table]:
    """One table each for words, sizes, probe, neighbours and few-shot curves."""
    tables = [_by_text(reading)]
    if reading.scores.by_text.sizes:
        tables.append(_sizes(reading))
    if reading.scores.by_vector.probe is not None:
        tables.append(_probe(reading, reading.scores.by_vector.probe))
    if reading.scores.by_vector.near is not None:
        tables.append(_near(reading, reading.scores.by_vector.near))
    if reading.scores.estimates:
        tables.append(_estimates(reading))
    tables += [_few_shot(reading, method) for method in reading.scores.by_vector.few_shot]
    return tables


def _by_text(reading: Reading) -> Table:
    text, labels = reading.scores.by_text, list(reading.scores.by_text.auc.labels)
    untrained = _controls(reading, lambda c: c.by_text.auc)
    rows = [
        (
            label,
            interval(text.auc.labels[label]),
            spread(list(text.by_sentence[label].values())),
            interval(text.precision10.labels[label]),
            _single(reading.ceilings, label),
            untrained.get(label, ""),
            figure(ACDC_SUPERVISED.auc.get(label)),
        )
        for label in labels
    ]
    mean = (
        "mean",
        interval(text.auc.mean),
        "",
        interval(text.precision10.mean),
        "",
        untrained.get("mean", ""),
        _published_mean(ACDC_SUPERVISED, labels),
    )
    return Table(
        columns=(
            "by text",
            "AUC [95 %]",
            "its sentences alone",
            "P@10 [95 %]",
            "a measurement alone reaches",
            "untrained",
            "published",
        ),
        rows=(*rows, mean),
        note=f"published: {ACDC_SUPERVISED.conditions}" if _any_published(labels) else "",
    )


def _sizes(reading: Reading) -> Table:
    sizes = reading.scores.by_text.sizes
    reach = [figure(s.rho.value) for s in reading.ceilings.sizes] if reading.ceilings else []
    return Table(
        columns=("query", "held against", "studies", "Spearman [95 %]", "ceiling", "untrained"),
        rows=tuple(
            (
                size.query,
                size.against,
                str(size.studies),
                interval(size.rho),
                ceiling,
                _control(reading, lambda c, i=i: c.by_text.sizes[i].rho.value),
            )
            for i, (size, ceiling) in enumerate(zip(sizes, reach, strict=True))
        ),
        note="ceiling: what of the quantity images can tell, which is not the patient's size",
    )


def _probe(reading: Reading, found: ByLabel) -> Table:
    joint = reading.ceilings.joint if reading.ceilings else None
    return _table(
        "linear probe",
        found,
        {
            "probe of the measurements": _column(joint),
            "untrained": _controls(reading, lambda c: c.by_vector.probe),
            "published": _figures(ACDC_SUPERVISED, list(found.labels)),
        },
        note="cross-validated by patient; AUC of scores out of fold",
    )


def _near(reading: Reading, found: ByLabel) -> Table:
    return _table(
        "case to case: P@5",
        found,
        {"untrained": _controls(reading, lambda c: c.by_vector.near)},
        note="share of the five nearest studies of other patients that have the same label",
    )


def _estimates(reading: Reading) -> Table:
    return Table(
        columns=("machine estimate", "studies", "Spearman [95 %]", "bias [95 %]", "scatter"),
        rows=tuple(
            (
                score.quantity,
                str(score.studies),
                interval(score.rho),
                f"{score.bias.value:+.1f} [{score.bias.low:+.1f}, {score.bias.high:+.1f}]",
                f"{score.scatter:.1f}",
            )
            for score in reading.scores.estimates
        ),
        note="bias: estimate less measurement, mL, % or g; scatter: its standard deviation",
    )


def _table(name: str, found: ByLabel, beside: Mapping[str, Mapping[str, str]], note: str) -> Table:
    whole = {**found.labels, "mean": found.mean}
    return Table(
        columns=(name, "[95 %]", *beside),
        rows=tuple(
            (label, interval(e), *(column.get(label, "") for column in beside.values()))
            for label, e in whole.items()
        ),
        note=note,
    )


def _few_shot(reading: Reading, method: str) -> Table:
    curves = reading.scores.by_vector.few_shot[method]
    rows = [(label, *(figure(curve[n].mean) for n in SHOTS)) for label, curve in curves.items()]
    episodes = [f"{figure(e.low)} to {figure(e.high)}" for e in (curves["mean"][n] for n in SHOTS)]
    rows.append(("mean, 95 % of episodes", *episodes))
    if reading.controls:
        untrained = [
            _control(reading, lambda c, n=n: c.by_vector.few_shot[method]["mean"][n].mean)
            for n in SHOTS
        ]
        rows.append(("mean, untrained", *untrained))
    conditions = "the same episodes"
    if method == "prototypes":
        rows.append(("published", *(figure(FEW_SHOT_FINDINGS.auc[str(n)]) for n in SHOTS)))
        conditions = (
            "AUC on held-out patients, mean of 100 episodes; published: "
            f"{FEW_SHOT_FINDINGS.conditions}"
        )
    return Table(
        columns=(f"few-shot, {method}", *(f"{n} each" for n in SHOTS)),
        rows=tuple(rows),
        note=conditions,
    )


def _single(ceilings: Ceilings | None, label: str) -> str:
    if ceilings is None:
        return ""
    return ", ".join(f"{name} {e.value:.3f}" for name, e in ceilings.single[label].items())


def _control(reading: Reading, pick: Callable[[LabelScores], float]) -> str:
    """Mean over the untrained networks, and their range."""
    values = [pick(control) for control in reading.controls]
    return f"{np.mean(values):.3f} ({spread(values)})" if values else ""


def _controls(reading: Reading, pick: Callable[[LabelScores], ByLabel | None]) -> dict[str, str]:
    found = [by for control in reading.controls if (by := pick(control)) is not None]
    if not found:
        return {}
    labels = {label: [by.labels[label].value for by in found] for label in found[0].labels} | {
        "mean": [by.mean.value for by in found]
    }
    return {label: f"{np.mean(v):.3f} ({spread(v)})" for label, v in labels.items()}


def _column(found: ByLabel | None) -> dict[str, str]:
    if found is None:
        return {}
    return {k: interval(e) for k, e in {**found.labels, "mean": found.mean}.items()}


def _figures(published: Published, labels: list[str]) -> dict[str, str]:
    return {label: figure(published.auc.get(label)) for label in labels} | {
        "mean": _published_mean(published, labels)
    }


def _published_mean(published: Published, labels: list[str]) -> str:
    same = set(labels) == set(published.auc)
    return figure(float(np.mean(list(published.auc.values())))) if same else ""


def _any_published(labels: list[str]) -> bool:
    return bool(set(labels) & set(ACDC_SUPERVISED.auc))


def _published_json(published: Published) -> Json:
    return {"conditions": published.conditions, "auc": dict(published.auc)}
