"""An experiment: adapt the shipped encoder to ACDC, text written from its measurements.

    python -m tests.bench.acdc_adaptation WORK [--folds 5] [--steps 60]

Five-fold cross-validation over the 100 training patients (Bernard et al., IEEE
Trans Med Imaging 2018;37:2514): every patient is asked about by an encoder that
never saw him. The last step counts, so no checkpoint is picked by the patients
it is scored on. Prints before and after, by fold. The licence is for research
only and CineSeek ships nothing made of ACDC: the weights go when a fold is done.
"""

import argparse
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from retrieval.encoder import phantom
from retrieval.evaluation import metrics
from retrieval.evaluation.labels import INFO
from retrieval.evaluation.measurements import FILE, read_measurements, signed
from retrieval.evaluation.prompts import acdc
from retrieval.evaluation.resolve import Resolver
from retrieval.language.findings import find_findings
from retrieval.language.sections import impression_of
from retrieval.settings import Settings
from retrieval.training.pairs import for_validation
from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.report import Report
from retrieval.values.study import StudyId
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms
from retrieval.wiring import open_catalog
from tests.bench.site_homes import RECIPES, opened, run, train

ACDC = Path(__file__).parents[3] / "shared/data/acdc_train"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patients:
    """Who is asked about.

    Attributes
    ----------
    groups
        (N,) names of the five groups.
    measured
        Quantities of (N,) patients.
    """

    studies: list[StudyId]
    groups: NDArray[np.str_]
    measured: Mapping[str, NDArray[np.float64]]


def report_text(row: Mapping[str, float]) -> str:
    """What the measurements say: numbers, and words only where no sex changes the verdict."""
    thick = row["LVmass/LVEDV"]
    sentences = [
        f"LVEDV index {row['LVEDV/BSA']:.0f} ml/m2.",
        f"Left ventricular ejection fraction {row['LVEF']:.0f} %.",
        f"RVEDV index {row['RVEDV/BSA']:.0f} ml/m2.",
        f"Right ventricular ejection fraction {row['RVEF']:.0f} %.",
        f"Ratio of left ventricular mass to end-diastolic volume {thick:.2f} g/ml.",
    ]
    judged = find_findings(" ".join(sentences))
    words = [f"{f.name}." if f.polarity == "present" else f"No {f.name}." for f in judged
             if f.polarity != "uncertain"]  # fmt: skip
    return f"Findings: {' '.join(sentences)}\n\nImpression: {' '.join(words) or sentences[1]}"


def prepared(work: Path) -> tuple[Path, Patients]:
    """A home with the 100 patients and their written reports, and what is known of them."""
    home = work / "acdc-home"
    run(home, "cineseek-index", "ingest", ACDC)
    catalog = open_catalog(Settings(home=home))
    known = catalog.eligible(Filter(), access=LOCAL_OPERATOR)
    resolver = Resolver(known, Pseudonyms(open_keys(work / "secret" / "key", create=False)))
    rows = read_measurements(ACDC / FILE)
    groups = {p.parent.name: _group(p) for p in ACDC.rglob(INFO)}
    found = {name: resolver.find(name) for name in rows}
    names = [name for name, study in found.items() if study is not None]
    for name in names:
        text = report_text(rows[name])
        catalog.put_report(
            Report(
                digest=hashlib.sha256(f"{name} {text}".encode()).hexdigest(),
                study=found[name],
                text=text,
                impression=impression_of(text),
                findings=find_findings(text),
            )
        )
    return home, Patients(
        studies=[study for study in found.values() if study is not None],
        groups=np.array([groups[name] for name in names]),
        measured={q: np.array([rows[name][q] for name in names]) for q in rows[names[0]]},
    )


def scored(
    home: Path, patients: Patients, held: NDArray[np.bool_], checkpoint: Path | None
) -> dict[str, float]:
    """AUC of each group and Spearman of each size, on the patients held back.

    NaN for a group none of whose patients is among them.
    """
    encoder = phantom.load(checkpoint)
    catalog, clips = opened(home)
    videos = []
    for study in (s for s, out in zip(patients.studies, held, strict=True) if out):
        records = catalog.clips(study, access=LOCAL_OPERATOR)
        given = [clips.read(record.id) for record in records if encoder.sees(record)]
        videos.append(encoder.encode_studies([given])[0].whole)
    matrix = np.stack(videos)

    def asked(*sentences: str) -> NDArray[np.float64]:
        return (matrix @ encoder.encode_texts(sentences).vectors.T).mean(axis=1)

    found: dict[str, float] = {}
    groups = patients.groups[held]
    for group, prompts in acdc().groups.items():
        theirs = groups == group
        found[f"AUC {group}"] = (
            metrics.area_under_roc(metrics.groups(asked(*prompts.sentences), theirs))
            if theirs.any()
            else float("nan")
        )
    found["AUC mean"] = float(np.nanmean(list(found.values())))
    for size in acdc().sizes:
        values = signed(patients.measured, size.quantity)[held] * size.sign
        found[f"rho {size.quantity}"] = _rank_correlation(asked(size.query), values)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    given = parser.parse_args()
    home, patients = prepared(given.work)
    catalog, _ = opened(home)
    owners = [s.patient.id for s in catalog.studies(patients.studies, access=LOCAL_OPERATOR)]
    text = (RECIPES / "adapt.toml").read_text(encoding="utf-8")
    text = text.replace("epochs = 12", f"steps = {given.steps}\nthreads = 2")
    text = text.replace('keep = "best"', 'keep = "last"')
    before, after = [], []
    for fold in range(given.folds):
        share, first = 1 / given.folds, fold / given.folds
        held = np.array([for_validation(p, key="1", share=share, first=first) for p in owners])
        folder = given.work / f"acdc-fold-{fold}"
        asked = text.replace("validation = 0.2", f"validation = {share}\nfirst = {first}")
        checkpoint = train(home, folder, asked)
        before.append(scored(home, patients, held, None))
        after.append(scored(home, patients, held, checkpoint))
        shutil.rmtree(folder)
        print(f"fold {fold}: {held.sum()} of {len(held)} patients asked about, weights removed")
    print(f"{'':20}  before (by fold)        after (by fold)")
    for name in before[0]:
        cells = ["  ".join((f"{np.nanmean(v):.3f}", " ".join(f"{x:.2f}" for x in v)))
                 for v in ([f[name] for f in side] for side in (before, after))]  # fmt: skip
        print(f"{name:20}  {'   '.join(cells)}")


def _rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rho."""
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _group(info: Path) -> str:
    lines = info.read_text(encoding="utf-8").splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("Group"))


if __name__ == "__main__":
    main()
