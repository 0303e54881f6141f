"""What a perfect look at simulated hearts would find: python -m tests.bench.simulated_ceilings.

The goals for simulated patients ask for findings by name, and some depend on
what no image shows (sex and body size) or turn on a limit that lies amid the
crowd. Here a classifier is given every measurement of a heart exactly, but
neither sex nor body size, and is scored as the encoder is: the same findings,
positives thinned to at most 5 %, cross-validated on other hearts.

HEARTS (3000) in the environment sets how many are drawn.
"""

import os

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from retrieval.evaluation import resample
from retrieval.evaluation.findings import FEWEST, USUAL, draw_positives, drawn_of
from retrieval.evaluation.resample import Sorted
from retrieval.evaluation.tables import Table, figure, markdown
from retrieval.phantom.anatomy import Anatomy
from retrieval.phantom.physiology import sample_hearts
from retrieval.phantom.sentences import CONCEPTS, degrees
from retrieval.phantom.truth import HeartTruth, ScarPattern, Territory

SEED = 930_000
STUDIES = 240
"""Of the benchmark whose findings are judged: precision at 10 depends on how many there are."""
FOLDS, DRAWS = 5, 200
HIDDEN = {"sex", "age_years", "height_cm", "weight_kg", "bsa_m2", "heart_rate_bpm"}
SEGMENTS = range(1, 18)


def shown(truth: HeartTruth) -> list[float]:
    """Everything of a heart that an image can show."""
    row: list[float] = []
    for name in HeartTruth.__dataclass_fields__:
        value = getattr(truth, name)
        if name in HIDDEN:
            continue
        if name.endswith("_segments"):
            row += [float(s in value) for s in SEGMENTS]
        elif name == "scars":
            for pattern in ScarPattern:
                some = [s for s in value if s.pattern is pattern]
                row += [float(any(k in s.segments for s in some)) for k in SEGMENTS]
                row.append(max((s.transmurality for s in some), default=0.0))
            row += [float(any(s.territory is t for s in value)) for t in Territory]
        elif name == "hypertrophy":
            row.append(float(list(type(value)).index(value)))
        else:
            row.append(float(value))
    return row


def scored(scores, true, rng):
    """AUC, and precision at 10 among archives of STUDIES with at most 5 % positives."""
    area = resample.area_under_roc(Sorted(scores, true), np.ones((1, len(true))))[0]
    found = []
    for _ in range(DRAWS):
        some = rng.choice(len(true), STUDIES, replace=False)
        few = draw_positives(np.ones((1, STUDIES)), true[some], drawn_of(true[some]), rng)
        found.append(resample.precision_at(Sorted(scores[some], true[some]), few)[0])
    return float(area), float(np.mean(found))


def main() -> None:
    torch.set_num_threads(1)
    count = int(os.environ.get("HEARTS", "3000"))
    hearts = sample_hearts(count, torch.Generator().manual_seed(SEED), mix="archive")
    truths = Anatomy(hearts).truths()
    seen = np.array([shown(t) for t in truths])
    rng = np.random.default_rng(0)
    rows = []
    for concept, column in zip(CONCEPTS, degrees(CONCEPTS, truths).T, strict=True):
        true = column >= 0.5
        if true.mean() > USUAL or true.mean() * STUDIES < FEWEST:
            continue
        classifier = HistGradientBoostingClassifier(max_iter=60, random_state=0)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        scores = cross_val_predict(classifier, seen, true, cv=folds, method="decision_function")
        rows.append((concept, float(true.mean()), *scored(scores, true, rng)))
    rows.sort(key=lambda row: row[3])
    cells = [(c, figure(p), figure(auc), figure(p10)) for c, p, auc, p10 in rows]
    mean = [float(np.mean([row[i] for row in rows])) for i in (2, 3)]
    cells.append(("mean", "", *map(figure, mean)))
    columns = ("finding", "prevalence", "AUC", "P@10 at 5 %")
    print(markdown(Table(columns=columns, rows=tuple(cells))))


if __name__ == "__main__":
    main()
