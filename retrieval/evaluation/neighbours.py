"""Case to case: how many of the studies nearest to one share its label."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import metrics

K = 5


def precision_near(
    vectors: NDArray[np.floating], member: NDArray[np.bool_], patients: Sequence[str], k: int = K
) -> NDArray[np.float64]:
    """Share of each study's k nearest that have its label, for every label it has.

    Studies of the same patient are left out of its neighbours. Ties count as
    their expected value.

    Parameters
    ----------
    vectors
        (N, D) of length 1.
    member
        (N, L).

    Returns
    -------
    (N, L) array
        NaN where a study lacks the label, or nobody else has it.
    """
    near = np.round(vectors.astype(np.float64) @ vectors.T.astype(np.float64), 6)
    people = np.asarray(patients)
    found = np.full(member.shape, np.nan)
    for study, label in zip(*np.nonzero(member), strict=True):
        others = people != people[study]
        if member[others, label].any():
            ranking = metrics.groups(near[study, others], member[others, label])
            found[study, label] = metrics.precision_at(ranking, k)
    return found
