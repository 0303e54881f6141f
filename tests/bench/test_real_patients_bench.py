"""How simulated training carries over to real patients: ACDC, never trained on, short axis only.

Prints a table; run `python -m pytest -m bench -s tests/bench/test_real_patients_bench.py`.
Measurements are those of expert contours (data of the 100 training patients of
ACDC, Bernard et al., IEEE Trans Med Imaging 2018;37:2514).
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from indexer.plan import assemble, plan_study
from indexer.sources import folder, read_frames, read_study
from retrieval.encoder import phantom
from retrieval.training.trial import area_under_curve, precision_at
from retrieval.values.study import SeriesId, StudyId

ACDC = Path(__file__).parents[3] / "shared/data/acdc_train"
GROUPS = {
    "DCM": "dilated left ventricle with severely reduced ejection fraction",
    "HCM": "hypertrophic cardiomyopathy",
    "RV": "right ventricle is dilated",
    "NOR": "normal heart with normal volumes and function",
    "MINF": "myocardial infarction with regional wall motion abnormality",
}
SIZES = {
    "left ventricle is dilated": lambda m: m["LVEDV"] / m["bsa"],
    "reduced ejection fraction": lambda m: m["LVEF"],
    "left ventricular hypertrophy": lambda m: m["LVmass_g"] / m["LVEDV"],
    "right ventricle is dilated": lambda m: m["RVEDV"] / m["bsa"],
}

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not ACDC.exists(), reason="../shared/data/acdc_train is not here"),
]


def clips_of(files):
    plan = plan_study(read_study(files))
    study, series = StudyId("0" * 24), SeriesId("0" * 24)
    plans = [clip for one in plan.series for clip in one.clips]
    return [assemble(p, read_frames(p.frames), study=study, series=series) for p in plans]


@pytest.fixture(scope="module")
def answers():
    """(rows of measurements.csv, columns as numbers, (n, D) study vectors, encoder)."""
    encoder = phantom.load()
    with (ACDC / "measurements.csv").open() as file:
        rows = {row["pid"]: row for row in csv.DictReader(file)}
    vectors = {}
    for files in folder.find([ACDC]).studies:
        patient = next(p for p in files.files[0].path.parts if p in rows)
        vectors[patient] = encoder.encode_studies([clips_of(files)])[0].whole
    kept = [row for patient, row in rows.items() if patient in vectors]
    numbers = ("LVEDV", "LVEF", "RVEDV", "LVmass_g", "height", "weight")
    columns = {name: np.array([float(row[name]) for row in kept]) for name in numbers}
    columns["bsa"] = np.sqrt(columns["height"] * columns["weight"] / 3600)
    return kept, columns, np.stack([vectors[row["pid"]] for row in kept]), encoder


def test_groups_by_one_prompt_each(answers):
    rows, _, videos, encoder = answers
    groups = np.array([row["group"] for row in rows])
    print(f"\n{encoder.encoder_id}, {len(rows)} patients\ngroup  AUC    P@10  prompt")
    found = {}
    for group, prompt in GROUPS.items():
        scores = videos @ encoder.encode_texts([prompt]).vectors[0]
        found[group] = area_under_curve(scores, groups == group)
        near = precision_at(10, scores, groups == group)
        print(f"{group:5}  {found[group]:.3f}  {near:.1f}   {prompt}")
    assert found["DCM"] > 0.8
    assert found["HCM"] > 0.7


def test_sizes_by_rank(answers):
    _, columns, videos, encoder = answers
    print("\nSpearman rho  query")
    for query, measure in SIZES.items():
        scores = videos @ encoder.encode_texts([query]).vectors[0]
        rho = float(spearmanr(scores, measure(columns)).statistic)
        print(f"{rho:+.3f}        {query}")
        assert abs(rho) > 0.2
