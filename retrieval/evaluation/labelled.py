"""How well an encoder reads labelled studies: by text, by example, and under a linear probe.

Every interval is drawn from the same resamplings of patients, stratified by
class, so that the mean over labels has one too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.classify.examples import METHODS
from retrieval.evaluation import fewshot, resample
from retrieval.evaluation.bylabel import (
    ByLabel,
    area,
    by_label,
    mean_of,
    precision10,
    probed,
    weights_of,
)
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.estimates import EstimateScore, hold_against
from retrieval.evaluation.fewshot import Curve
from retrieval.evaluation.measurements import Floats
from retrieval.evaluation.neighbours import precision_near
from retrieval.evaluation.prompts import Prompts
from retrieval.evaluation.seen import Seen
from retrieval.evaluation.sizes import SizeScore, correlate
from retrieval.values.embedding import EncoderId
from retrieval.values.query import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class ByText:
    """What words find.

    Attributes
    ----------
    auc, precision10
        Of each study's mean score over a label's sentences.
    by_sentence
        AUC of each sentence alone, by label and sentence.
    sizes
        Empty where nothing was measured.
    """

    auc: ByLabel
    precision10: ByLabel
    by_sentence: Mapping[str, Mapping[str, float]]
    sizes: tuple[SizeScore, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByVector:
    """What is in the vectors, without any words; None or empty where too few have a label.

    Attributes
    ----------
    probe
        AUC of a linear probe (`retrieval.evaluation.probe`).
    near
        Precision among the five nearest studies of other patients.
    few_shot
        AUC by method and label; "mean" is the mean over labels.
    """

    probe: ByLabel | None
    near: ByLabel | None
    few_shot: Mapping[str, Mapping[str, Curve]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelScores:
    """How one encoder reads a cohort.

    Attributes
    ----------
    studies, with_vector
        Labelled studies of the archive, and how many of them the encoder saw.
        Those it did not see rank last by text and are left out of `by_vector`.
    estimates
        Empty where the encoder makes none, or nothing was measured.
    """

    encoder_id: EncoderId
    studies: int
    with_vector: int
    by_text: ByText
    by_vector: ByVector
    estimates: tuple[EstimateScore, ...]


def read(
    seen: Seen, cohort: Cohort, prompts: Prompts, *, access: Access, draws: int = resample.DRAWS
) -> LabelScores:
    """Score one encoder on a cohort."""
    known = np.array([study in seen.vectors for study in cohort.studies])
    return LabelScores(
        encoder_id=seen.encoder_id,
        studies=len(cohort.studies),
        with_vector=int(known.sum()),
        by_text=_by_text(seen, cohort, prompts, access, draws),
        by_vector=_by_vector(seen, cohort.only(known), draws),
        estimates=hold_against(seen, cohort, draws),
    )


def _by_text(seen: Seen, cohort: Cohort, prompts: Prompts, access: Access, draws: int) -> ByText:
    sentences = {label: prompts.of(label).sentences for label in cohort.labels}
    texts = [s for its in sentences.values() for s in its]
    sizes = prompts.sizes if cohort.measured else ()
    asked = [*texts, *(size.query for size in sizes)]
    scores = dict(zip(asked, seen.scores(asked, cohort.studies, access=access), strict=True))
    means = {label: np.mean([scores[s] for s in its], axis=0) for label, its in sentences.items()}
    members = dict(zip(cohort.labels, cohort.member.T, strict=True))
    weights, once = weights_of(cohort, draws), resample.once(len(cohort.studies))
    return ByText(
        auc=by_label({k: area(means[k], members[k]) for k in means}, weights),
        precision10=by_label({k: precision10(means[k], members[k]) for k in means}, weights),
        by_sentence={
            label: {s: float(area(scores[s], members[label])(once)[0]) for s in its}
            for label, its in sentences.items()
        },
        sizes=tuple(correlate(size, scores[size.query], cohort, draws) for size in sizes),
    )


def _by_vector(seen: Seen, cohort: Cohort, draws: int) -> ByVector:
    vectors = np.stack([seen.vectors[study] for study in cohort.studies]).astype(np.float64)
    weights = weights_of(cohort, draws)
    shared = precision_near(vectors, cohort.member, cohort.patients)
    near = {
        label: mean_of(column)
        for label, column in zip(cohort.labels, shared.T, strict=True)
        if np.isfinite(column).any()
    }
    return ByVector(
        probe=probed(vectors, cohort, weights),
        near=by_label(near, weights) if near else None,
        few_shot=_few_shot(vectors, cohort),
    )


def _few_shot(vectors: Floats, cohort: Cohort) -> dict[str, dict[str, Curve]]:
    """Curves of each label that lies on both sides of the hold-out, and their mean."""
    split = fewshot.hold_out(cohort.patients, cohort.classes)
    members = {
        label: member
        for label, member in zip(cohort.labels, cohort.member.T, strict=True)
        if all(0 < member[side].sum() < len(side) for side in split)
    }
    if not members:
        return {}
    curves: dict[str, dict[str, Curve]] = {
        method: {label: {} for label in (*members, "mean")} for method in METHODS
    }
    for shots in fewshot.SHOTS:
        found = {k: fewshot.areas(vectors, member, split, shots) for k, member in members.items()}
        for method, its in curves.items():
            for label in members:
                its[label][shots] = fewshot.episodes(found[label][method])
            together = np.mean([found[label][method] for label in members], axis=0)
            its["mean"][shots] = fewshot.episodes(together)
    return curves
