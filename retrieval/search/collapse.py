"""Repeat scans: studies of one patient, and studies sent twice, become one hit that unfolds.

Which studies belong together does not depend on the query, and which of them
stands for the others is the one that ranks best; so whatever the page, each
study is under exactly one hit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from retrieval.ports import CatalogReader
from retrieval.values.embedding import Vectors
from retrieval.values.query import Access, Further
from retrieval.values.study import PatientId, StudyId

COPY_COSINE = 0.9999
"""Studies whose vectors are at least this alike are taken for one examination sent twice.

An exam that came in under two patients' ids embeds alike but for rounding; the
nearest two of 1,000 different simulated hearts reach 0.9965.
"""

Pairs = NDArray[np.int64]

DIRECTIONS = 8
"""Vectors are told apart along so many directions first, which is cheap, and then as a whole."""

BLOCK = 256
"""Vectors that are compared with others at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A study that lies under a better one.

    Attributes
    ----------
    rank
        1-based, among all studies, none folded.
    copy
        Whether it is another patient's by name, and only its images are the same.
    """

    rank: int
    study: StudyId
    score: float
    copy: bool


def collapse(
    ranked: Sequence[tuple[StudyId, float]],
    patients: Mapping[StudyId, PatientId],
    alike: Sequence[tuple[StudyId, StudyId]],
) -> tuple[list[tuple[StudyId, float]], dict[StudyId, tuple[Folded, ...]]]:
    """Fold a ranking: the best study of each patient stays, the others lie under it.

    Parameters
    ----------
    ranked
        (study, score), best first; each study once.
    patients
        Of every study ranked.
    alike
        Pairs of studies of which one is a copy of the other.

    Returns
    -------
    leads, folded
        The studies that stay, in their order and with their scores; and what
        lies under each that has any, in order.
    """
    place = {study: n for n, (study, _) in enumerate(ranked)}
    first: dict[PatientId, int] = {}
    links = [(first.setdefault(patients[study], n), n) for study, n in place.items()]
    links += [(place[a], place[b]) for a, b in alike if a in place and b in place]
    leads: dict[int, int] = {}
    folded: dict[StudyId, list[Folded]] = {}
    for n, group in enumerate(_groups(links, len(ranked)).tolist()):
        study, score = ranked[n]
        lead = ranked[leads.setdefault(group, n)][0]
        if lead != study:
            copy = patients[lead] != patients[study]
            one = Folded(rank=n + 1, study=study, score=score, copy=copy)
            folded.setdefault(lead, []).append(one)
    kept = [ranked[n] for n in leads.values()]
    return kept, {lead: tuple(several) for lead, several in folded.items()}


def copies(vectors: Vectors) -> Pairs:
    """(P, 2) places of pairs of vectors (N, D), of length 1, that are practically equal."""
    if len(vectors) < 2:
        return np.empty((0, 2), dtype=np.int64)
    rows = vectors.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    # No projection makes a distance longer, so no pair is lost on the way.
    reach = float(np.sqrt(2 - 2 * COPY_COSINE)) + 1e-9
    seen = rows @ _directions(rows.shape[1])
    tree = KDTree(seen)
    found = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(rows), BLOCK):
        # Whole blocks at a time: an encoder for which all hearts look alike leaves every pair.
        near = tree.query_ball_point(seen[start : start + BLOCK], reach)
        others = np.unique(np.concatenate(near).astype(np.int64))
        cosines = rows[start : start + BLOCK] @ rows[others].T
        one, other = np.nonzero(cosines >= COPY_COSINE)
        pairs = np.stack([start + one, others[other]], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found)


def further(
    hits: Sequence[StudyId],
    folded: Mapping[StudyId, tuple[Folded, ...]],
    catalog: CatalogReader,
    *,
    access: Access,
) -> dict[StudyId, tuple[Further, ...]]:
    """What lies under each hit that has something under it, as a reader may see it."""
    under = {study: folded[study] for study in hits if study in folded}
    names = [one.study for several in under.values() for one in several]
    known = {study.id: study for study in catalog.studies(names, access=access)}
    return {
        study: tuple(
            Further(rank=one.rank, score=one.score, study=known[one.study], copy=one.copy)
            for one in several
        )
        for study, several in under.items()
    }


@lru_cache(maxsize=4)
def _directions(dimension: int) -> NDArray[np.float64]:
    """(D, K) orthonormal columns, always the same."""
    drawn = np.random.default_rng(0).normal(size=(dimension, min(DIRECTIONS, dimension)))
    return np.linalg.qr(drawn)[0]


def _groups(links: Sequence[tuple[int, int]], count: int) -> NDArray[np.int32]:
    """(count,) the number of the group that each belongs to, linked ones to the same."""
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]
