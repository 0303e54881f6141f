"""How simulated training carries over to real patients: ACDC, never trained on, short axis only.

    python -m pytest -m bench -s tests/bench/test_real_patients_bench.py

indexes the 100 training patients of ACDC (Bernard et al., IEEE Trans Med
Imaging 2018;37:2514) like any archive, scores an encoder and its untrained
controls on them by `cineseek evaluate --labels --control`, and prints the
tables in Markdown. In the environment:

ENCODERS     checkpoint folders, separated by colons; without it the shipped one.
             Several are taken as seeds of one recipe: mean and spread follow,
             and the untrained controls, which are the same for all of one
             shape, stand beside the first.
ACDC_HOME    a home that holds ACDC already, or is to hold it from now on (its
             key lies beside it); else one is made and thrown away.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retrieval.evaluating import Request, evaluate
from retrieval.evaluation.tables import markdown
from retrieval.settings import Settings

ACDC = Path(__file__).parents[3] / "shared/data/acdc_train"
DOOR = "from indexer.cli import main; main()"

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(not ACDC.exists(), reason="../shared/data/acdc_train is not here"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Settings:
    given = os.environ.get("ACDC_HOME")
    folder = Path(given) if given else tmp_path_factory.mktemp("acdc") / "home"
    settings = Settings(home=folder, key_file=folder.with_name(f"{folder.name}.key"))
    if not (folder / "catalog.db").exists():
        places = {"CINESEEK_HOME": str(folder), "CINESEEK_KEY_FILE": str(settings.key_file)}
        subprocess.run(
            [sys.executable, "-c", DOOR, "run", str(ACDC)], env=os.environ | places, check=True
        )
    return settings


def test_real_patients(home: Settings):
    encoders = os.environ.get("ENCODERS", "phantom").split(os.pathsep)
    found = [
        evaluate(home, Request(labels=ACDC, encoder=encoder, control=place == 0))
        for place, encoder in enumerate(encoders)
    ]
    for encoder, evaluation in zip(encoders, found, strict=True):
        print(f"\n## {encoder}: {evaluation.summary()}\n")
        print("\n\n".join(markdown(table) for table in evaluation.tables()))
    scores = [evaluation.reading.scores for evaluation in found]
    means = {
        "mean AUC by text": [s.by_text.auc.mean.value for s in scores],
        "mean AUC of a linear probe": [s.by_vector.probe.mean.value for s in scores],
        "case to case, P@5": [s.by_vector.near.mean.value for s in scores],
    }
    means |= {
        f"AUC {k}": [s.by_text.auc.labels[k].value for s in scores]
        for k in scores[0].by_text.auc.labels
    }
    for i, size in enumerate(scores[0].by_text.sizes):
        means[f"Spearman, {size.query}"] = [s.by_text.sizes[i].rho.value for s in scores]
    print(f"\n| over {len(scores)} encoders | mean | lowest | highest |\n|---|---|---|---|")
    for name, values in means.items():
        print(f"| {name} | {np.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} |")
    assert all(s.with_vector == s.studies == 100 for s in scores)
    assert min(means["mean AUC by text"]) > 0.75
