"""What the masks alone say of real hearts: python -m tests.bench.real_masks [CHECKPOINT].

Adds up the masks of ACDC's short-axis stacks (100 training patients) and holds
them against the experts' contours: rank correlation, and error by group.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from indexer.plan import assemble, plan_study
from indexer.sources import folder, read_frames, read_study
from retrieval.encoder import phantom
from retrieval.encoder.phantom.encoder import look
from retrieval.encoder.phantom.geometry import REGIONS, slice_thickness
from retrieval.encoder.phantom.inputs import prepare
from retrieval.values.study import SeriesId, StudyId

ACDC = Path(__file__).parents[3] / "shared/data/acdc_train"
LV_ED, WALL_ED, RV_ED, LV_ES, _, RV_ES = range(6)
MUSCLE_G_PER_ML = 1.05


def clips_of(files):
    plan = plan_study(read_study(files))
    study, series = StudyId("0" * 24), SeriesId("0" * 24)
    plans = [clip for one in plan.series for clip in one.clips]
    return [assemble(p, read_frames(p.frames), study=study, series=series) for p in plans]


@torch.inference_mode()
def volumes(encoder, clips):
    """(REGIONS,) mL of each region in the short-axis stack."""
    seen = look(encoder._network.video, [prepare(clips, encoder.contract)], "cpu")
    thick_cm = slice_thickness(seen.position_mm, seen.gap_mm, seen.present) / 10
    areas = seen.geometry[..., : len(REGIONS)] * 20
    return (areas * thick_cm[..., None]).sum(1)[0].numpy()


def main():
    torch.set_num_threads(1)
    encoder = phantom.load(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    with (ACDC / "measurements.csv").open() as file:
        rows = {row["pid"]: row for row in csv.DictReader(file)}
    kept, found = [], []
    for files in folder.find([ACDC]).studies:
        kept.append(rows[next(p for p in files.files[0].path.parts if p in rows)])
        found.append(volumes(encoder, clips_of(files)))
    ml = np.array(found).T
    masks = {
        "LVEDV": ml[LV_ED],
        "LVESV": ml[LV_ES],
        "LVEF": 100 * (1 - ml[LV_ES] / ml[LV_ED]),
        "LVmass_g": MUSCLE_G_PER_ML * ml[WALL_ED],
        "RVEDV": ml[RV_ED],
        "RVEF": 100 * (1 - ml[RV_ES] / ml[RV_ED]),
    }
    groups = np.array([row["group"] for row in kept])
    names = sorted(set(groups))
    print(f"{encoder.encoder_id}, {len(kept)} patients; mean error of the masks by group")
    print("| | Spearman | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 2))
    for name, values in masks.items():
        measured = np.array([float(row[name]) for row in kept])
        rho = float(spearmanr(values, measured).statistic)
        errors = [f"{float((values - measured)[groups == g].mean()):+.0f}" for g in names]
        print(f"| {name} | {rho:.2f} | " + " | ".join(errors) + " |")


if __name__ == "__main__":
    main()
