"""Linear probe: how much of a label can be read off frozen vectors by a straight cut."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]

FOLDS = 5
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""C of the logistic regression, chosen inside each training part."""

FEWEST = 4
"""Patients with, and without, a label that a probe needs: two folds within two."""


def probe(
    vectors: NDArray[np.floating],
    positive: NDArray[np.bool_],
    patients: Sequence[str],
    *,
    seed: int = 0,
) -> Floats | None:
    """Score every study by a probe that saw no study of its patient.

    Vectors are standardised; a logistic regression with an L2 penalty learns
    from the other folds, in which its C was chosen by cross-validation, by
    patient too. What was never seen decides nothing.

    Parameters
    ----------
    vectors
        (N, D) finite numbers.
    positive
        (N,) which studies have the label.

    Returns
    -------
    (N,) array, or None
        Log-odds out of fold; None where fewer than `FEWEST` patients have the
        label, or fewer lack it.
    """
    people = np.asarray(patients)
    if _fewest(positive, people) < FEWEST:
        return None
    rows = vectors.astype(np.float64)
    found = np.full(len(rows), np.nan)
    for learn, test in _folds(positive, people, FOLDS, seed):
        inner = list(_folds(positive[learn], people[learn], FOLDS - 1, seed))
        model = GridSearchCV(
            make_pipeline(
                StandardScaler(),
                LogisticRegression(class_weight="balanced", solver="newton-cg", max_iter=1000),
            ),
            {"logisticregression__C": PENALTIES},
            scoring="roc_auc",
            cv=inner,
        )
        model.fit(rows[learn], positive[learn])
        found[test] = model.decision_function(rows[test])
    return found


def _fewest(positive: NDArray[np.bool_], people: NDArray[np.str_]) -> int:
    """Patients on the smaller side."""
    return min(len(set(people[positive])), len(set(people[~positive])))


def _folds(
    positive: NDArray[np.bool_], people: NDArray[np.str_], most: int, seed: int
) -> Iterator[Fold]:
    count = min(most, _fewest(positive, people))
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    yield from folds.split(np.zeros((len(positive), 1)), positive, people)
