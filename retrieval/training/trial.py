"""Put an encoder on trial: hearts it never saw, asked for in words it never read.

    python -m retrieval.training.trial [CHECKPOINT]

images simulated patients as an archive holds them (full field of view, several
pixel sizes, a whole beat), embeds them through the encoder's own input
contract, and prints what the text queries find.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from retrieval.encoder.phantom import load
from retrieval.encoder.phantom.contract import MAP_CEILING_MS
from retrieval.phantom.sentences import degrees, phrases
from retrieval.phantom.subject import Cut, Grid, Subject
from retrieval.phantom.truth import HeartTruth
from retrieval.ports import VideoEncoder
from retrieval.values.clip import Clip, ClipRecord, identify
from retrieval.values.study import SeriesId, StudyId, Technique, View

FINDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lv_dilated": ("enlarged left ventricle", "dilated left ventricle"),
        "lvh": ("left ventricular hypertrophy",),
        "ef_reduced": ("reduced ejection fraction",),
        "rv_dilated": ("right ventricle is dilated",),
        "scar": ("scar on LGE",),
    }
)
"""The findings that count, each with plain queries that occur in no training text."""

TRIAL_SEED = 900_000
QUERIES_PER_FINDING = 12
PHASES = 8
LONG_AXES = (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER)
SOMETIMES = (Technique.PERFUSION, Technique.T2_WEIGHTED, Technique.T1_MAP, Technique.T2_MAP)
"""Half of the patients have each of these."""
FRAMES = 20
"""Of a first pass."""
GREY_LEVELS = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """One simulated patient: what a scanner would see, and what is true."""

    clips: tuple[Clip, ...]
    truth: HeartTruth


def questions(seed: int = 0) -> list[tuple[str, str]]:
    """(finding, wording): the plain queries and some wordings of the held-out families."""
    rng = random.Random(seed)  # noqa: S311 - wording, not a secret
    asked: list[tuple[str, str]] = []
    for finding, plain in FINDINGS.items():
        wordings = sorted(phrases(finding, "held out"))
        extra = rng.sample(wordings, min(QUERIES_PER_FINDING, len(wordings)))
        asked += [(finding, text) for text in (*plain, *extra)]
    return asked


def simulated_patient(seed: int) -> Patient:
    """Image one heart of the archive mix: cine and late enhancement, and some of the rest."""
    rng = random.Random(seed)  # noqa: S311 - a drawn protocol, not a secret
    subject = Subject(seed)
    gap = rng.choice([8.0, 9.0, 10.0])
    grid = Grid(pixel_mm=rng.uniform(1.7, 2.1), size=(112, 112), thickness_mm=gap - 1)
    slices = min(13, max(8, round((subject.lv_length_mm + 10) / gap)))
    beat = [p / PHASES for p in range(PHASES)]
    study = StudyId(f"{seed:024x}")
    clips: list[Clip] = []
    for technique, shares in ((Technique.CINE, beat), (Technique.LGE, [0.7])):
        stack = subject.stack(technique, grid, slices=slices, gap_mm=gap, phases=shares)
        clips += _clips(stack, study, technique, View.SHORT_AXIS, grid)
        for view in LONG_AXES:
            cut = subject.long_axis(view, technique, grid, phases=shares)
            clips += _clips(cut, study, technique, view, grid)
    for technique in SOMETIMES:
        if rng.random() < 0.5:
            cut = _three_slices(subject, technique, grid, rng)
            clips += _clips(cut, study, technique, View.SHORT_AXIS, grid)
    return Patient(tuple(clips), subject.truth)


def _three_slices(subject: Subject, technique: Technique, grid: Grid, rng: random.Random) -> Cut:
    gap = rng.uniform(16, 24)
    if technique is Technique.PERFUSION:
        times = [t / (FRAMES - 1) for t in range(FRAMES)]
        triggers = [rng.uniform(0.1, 0.8) for _ in range(3)]
        return subject.first_pass(
            grid, slices=3, gap_mm=gap, triggers=triggers, times=times, stress=True
        )
    return subject.stack(technique, grid, slices=3, gap_mm=gap, phases=[0.7])


def _clips(cut: Cut, study: StudyId, technique: Technique, view: View, grid: Grid) -> list[Clip]:
    count, phases, rows, columns = cut.images.shape
    in_ms = technique in MAP_CEILING_MS
    stored = np.round(cut.images * (1 if in_ms else GREY_LEVELS)).clip(0, 4095).astype(np.uint16)
    made = []
    for k in range(count):
        record = ClipRecord(
            study=study,
            series=SeriesId(f"{technique.value} {view.value}"),
            view=view,
            technique=technique,
            slice_index=k,
            slice_count=count,
            phases=phases,
            rows=rows,
            columns=columns,
            spacing_mm=(grid.pixel_mm, grid.pixel_mm),
            thickness_mm=grid.thickness_mm,
            position_mm=_vector(cut.position_mm[k]),
            row_direction=_vector(cut.row[k]),
            column_direction=_vector(cut.column[k]),
            unit="ms" if in_ms else "",
        )
        made.append(identify(record, stored[k]))
    return made


def _vector(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in values)
    return (x, y, z)


def area_under_curve(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Chance that a true case scores above a false one, ties counting half."""
    ranks = rankdata(scores)
    count = int(true.sum())
    if count in (0, len(true)):
        raise ValueError("an area under the curve needs true and false cases")
    above = ranks[true].sum() - count * (count + 1) / 2
    return float(above / (count * (len(true) - count)))


def precision_at(k: int, scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Share of true cases among the k best; of equal scores the later ones lose."""
    return float(true[np.argsort(-scores, kind="stable")[:k]].mean())


def findings_of(truths: Sequence[HeartTruth]) -> dict[str, NDArray[np.bool_]]:
    """Which hearts have each finding: those of which it is rather true than not."""
    names = tuple(FINDINGS)
    return {n: column > 0.5 for n, column in zip(names, degrees(names, truths).T, strict=True)}


def tally(
    asked: Sequence[tuple[str, str]],
    scores: NDArray[np.floating],
    true: Mapping[str, NDArray[np.bool_]],
) -> dict[str, float]:
    """What the queries found.

    Parameters
    ----------
    scores
        (Q, n), larger is better.
    true
        For each finding (n,) which studies have it.

    Returns
    -------
    dict
        For each finding its prevalence, AUC and precision at 10 averaged over
        all wordings, and precision at 10 of the plain queries alone.
    """
    found: dict[str, float] = {}
    for finding, plain in FINDINGS.items():
        cases = true[finding]
        rows = [i for i, (name, _) in enumerate(asked) if name == finding]
        first = [i for i in rows if asked[i][1] in plain]
        found[f"{finding}.prevalence"] = float(cases.mean())
        found[f"{finding}.auc"] = float(np.mean([area_under_curve(scores[i], cases) for i in rows]))
        found[f"{finding}.p10"] = float(np.mean([precision_at(10, scores[i], cases) for i in rows]))
        found[f"{finding}.p10 plain"] = float(
            np.mean([precision_at(10, scores[i], cases) for i in first])
        )
    return {name: round(value, 4) for name, value in found.items()}


def whole_vectors(encoder: VideoEncoder, patients: Sequence[Patient]) -> NDArray[np.float32]:
    """(n, D): one vector per patient, of the study as a whole."""
    embedded = encoder.encode_studies([p.clips for p in patients])
    return np.stack([e.whole for e in embedded if e.whole is not None])


def main() -> None:
    """Run the trial and print its figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=TRIAL_SEED)
    given = parser.parse_args()
    encoder = load(given.checkpoint)
    patients = [simulated_patient(given.seed + i) for i in range(given.studies)]
    started = time.perf_counter()
    videos = whole_vectors(encoder, patients)
    seconds = (time.perf_counter() - started) / given.studies
    asked = questions()
    texts = encoder.encode_texts([text for _, text in asked]).vectors
    figures = tally(asked, texts @ videos.T, findings_of([p.truth for p in patients]))
    report = {"encoder": encoder.encoder_id, "seconds_per_study": round(seconds, 3), **figures}
    sys.stdout.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
