"""How true a statement is of a simulated heart, and by how much.

Every concept maps hearts to degrees in [0, 1]: 1 where every reader would
agree, 0 where none would, and a logistic ramp around the limit of normal
(`retrieval.language.reference_ranges`) where readers differ. Conjunctions are
products.

Beside the concepts of `RULES`, three forms are understood: "lvef=35" (a
measured value), "lvef<35" and "lvef>35" (a bound), and "lv_dilated?" (a
concept that is left open).
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.phantom.sentences_hearts import Column, Hearts, logistic
from retrieval.phantom.sentences_rules import RULES
from retrieval.phantom.truth import HeartTruth

Degrees = NDArray[np.float64]

NUMBERS: Mapping[str, tuple[float, tuple[int, ...]]] = MappingProxyType(
    {
        "lvef": (3.0, tuple(range(15, 80, 5))),
        "lvedv": (14.0, tuple(range(80, 400, 20))),
        "lvedv_index": (7.0, tuple(range(50, 190, 10))),
        "lv_mass": (14.0, tuple(range(60, 320, 20))),
        "wall": (1.2, tuple(range(7, 28, 2))),
        "rvedv": (16.0, tuple(range(80, 360, 20))),
        "rvedv_index": (8.0, tuple(range(50, 180, 10))),
        "rvef": (3.5, tuple(range(20, 75, 5))),
        "effusion": (2.0, tuple(range(6, 26, 4))),
        "aortic_root": (2.0, tuple(range(28, 58, 4))),
    }
)
"""Quantity: how far a stated value may be off (standard deviation), and the values stated."""

BOUNDS: Mapping[str, tuple[tuple[str, tuple[int, ...]], ...]] = MappingProxyType(
    {
        "lvef": (("<", (30, 35, 40, 45, 50)), (">", (50, 55, 60, 70))),
        "lvedv": (("<", (100, 150)), (">", (200, 250, 300))),
        "lvedv_index": (("<", (60, 100)), (">", (100, 120, 140))),
        "lv_mass": (("<", (100,)), (">", (150, 200))),
        "wall": (("<", (11,)), (">", (12, 13, 15, 20, 25))),
        "rvedv": (("<", (120,)), (">", (200, 250))),
        "rvedv_index": (("<", (100,)), (">", (110, 130, 150))),
        "rvef": (("<", (30, 35, 40, 45)), (">", (50, 55))),
        "effusion": ((">", (5, 10, 20)),),
        "aortic_root": (("<", (35,)), (">", (40, 45, 50))),
    }
)
"""Quantity: the bounds that are stated, by direction."""

BOUND_SHARE = 0.5
"""Width of a bound's ramp, as a share of how far a stated value may be off."""

DOUBTED = (
    "lv_dilated", "ef_reduced", "lvh", "wma", "rv_dilated", "rvef_reduced", "la_dilated",
    "ra_dilated", "scar", "scar_ischaemic", "enhancement_diffuse", "aorta_dilated", "effusion",
    "wall_thinned", "rvh", "septal_flattening", "oedema", "perfusion_defect", "myocarditis",
    "dilated_cardiomyopathy", "hypertrophic_cardiomyopathy", "amyloid", "prior_infarct",
)  # fmt: skip
"""Concepts that are sometimes left open ("possible LV dilatation")."""

DOUBT_LEAST, DOUBT_MOST = 0.2, 0.7
"""How true it is to leave open what is certainly not so, and what certainly is."""


class Measurement(NamedTuple):
    """What "lvef=35" says."""

    quantity: str
    sign: str
    value: float


def measurement(concept: str) -> Measurement | None:
    """Read "lvef=35", "lvef<35" or "lvef>35"; None for any other concept.

    Raises
    ------
    KeyError
        There is no such quantity.
    """
    parts = re.fullmatch(r"([a-z_]+)([=<>])(\d+(?:\.\d+)?)", concept)
    if parts is None:
        return None
    if parts[1] not in NUMBERS:
        raise KeyError(concept)
    return Measurement(parts[1], parts[2], float(parts[3]))


def degrees(concepts: Sequence[str], truths: Sequence[HeartTruth]) -> Degrees:
    """How true each concept is of each heart.

    Parameters
    ----------
    concepts
        Names from `RULES`, or one of the forms that the module's docstring
        names. The degree of a value falls off as a Gaussian around it.

    Returns
    -------
    ndarray
        (n_truths, n_concepts) float64 in [0, 1].

    Raises
    ------
    KeyError
        A concept has no such name.
    """
    hearts = Hearts(truths)
    result = np.empty((len(truths), len(concepts)))
    for column, concept in enumerate(concepts):
        result[:, column] = _degree(concept, hearts)
    return result


def degree(concept: str, truth: HeartTruth) -> float:
    """How true one concept is of one heart, 0 to 1."""
    return float(degrees((concept,), (truth,))[0, 0])


def margins(concepts: Sequence[str], truths: Sequence[HeartTruth]) -> Degrees:
    """How far each heart lies on the true side of what decides a concept.

    Returns
    -------
    ndarray
        (n_truths, n_concepts) float64: signed distance from the nearest limit
        in units of its width, positive where the concept is rather true than
        not; segments beyond "none" where segments are counted; NaN for
        concepts that no single quantity decides.

    Raises
    ------
    KeyError
        A concept has no such name.
    """
    hearts = Hearts(truths)
    result = np.empty((len(truths), len(concepts)))
    for column, concept in enumerate(concepts):
        result[:, column] = _margin(concept, hearts)
    return result


def _degree(concept: str, hearts: Hearts) -> Column:
    asked = measurement(concept)
    if asked is None:
        degree = RULES[concept.removesuffix("?")](hearts)
        open_to_doubt = DOUBT_LEAST + (DOUBT_MOST - DOUBT_LEAST) * degree
        return open_to_doubt if concept.endswith("?") else degree
    if asked.sign != "=":
        return logistic(_beyond(asked, hearts))
    off = (hearts.measured[asked.quantity] - asked.value) / NUMBERS[asked.quantity][0]
    return np.exp(-(off**2) / 2)


def _margin(concept: str, hearts: Hearts) -> Column:
    asked = measurement(concept)
    margin = None if asked else RULES[concept.removesuffix("?")].margin
    if asked is not None and asked.sign != "=":
        return _beyond(asked, hearts)
    if margin is not None and not concept.endswith("?"):
        return margin(hearts)
    return np.full(len(hearts), np.nan)


def _beyond(asked: Measurement, hearts: Hearts) -> Column:
    """Signed distance beyond a stated bound, in widths of its ramp."""
    off = (hearts.measured[asked.quantity] - asked.value) / NUMBERS[asked.quantity][0]
    return (off if asked.sign == ">" else -off) / BOUND_SHARE
