"""Machine estimates as places in the archive: a percentile with an interval, or an order.

The numbers themselves are biased, so they leave this module only as what they
say of one study beside the others of the same encoder. They rank; they are no
measurement, and no filter reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.ports import CatalogReader
from retrieval.values.embedding import EncoderId
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.query import Access
from retrieval.values.study import StudyId

Estimates = Mapping[StudyId, Sequence[Estimate]]
"""What one encoder estimated of each study that may be seen, as the catalog gives it."""

COVERAGE = 0.90
"""Share of a normal distribution that an interval holds."""

_INTERVAL_SDS = 1.6448536269514722
"""Half an interval's width in standard deviations: the normal quantile of (1 + `COVERAGE`) / 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one study stands in the archive by one quantity.

    Attributes
    ----------
    percentile
        Per cent of the studies that are smaller, and half of those that are
        equal, itself among them; 0 to 100.
    low, high
        Percentiles of the ends of the estimate's interval (`COVERAGE`). Only
        this study's own spread is in it, neither the bias nor the others' spread.
    studies
        How many studies were compared, this one among them.
    """

    quantity: Quantity
    percentile: float
    low: float
    high: float
    studies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """A study's standings by one encoder; none where that estimated nothing of it."""

    encoder_id: EncoderId
    standings: tuple[Standing, ...]


def places(
    catalog: CatalogReader, study: StudyId, encoder_id: EncoderId, *, access: Access
) -> Places:
    """Place a study among the indexed studies that `access` may see."""
    found = catalog.estimates(encoder_id, access=access)
    return Places(encoder_id=encoder_id, standings=tuple(standings(study, found)))


def standings(study: StudyId, estimates: Estimates) -> list[Standing]:
    """Place a study among all that the encoder estimated, one standing a quantity.

    Empty where it estimated nothing of this study.
    """
    return [
        _standing(own, _values(own.quantity, estimates))
        for own in sorted(estimates.get(study, ()), key=_place)
    ]


def ranked(
    quantity: Quantity, estimates: Estimates, *, largest_first: bool = True
) -> list[StudyId]:
    """Order studies by a quantity, equal ones by their id; those without it are left out."""
    sign = -1.0 if largest_first else 1.0
    valued = [
        (sign * one.value, study)
        for study, several in estimates.items()
        for one in several
        if one.quantity is quantity
    ]
    return [study for _, study in sorted(valued)]


def percentiles(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mid-rank percentiles (K,) of the numbers `at` (K,) among `values` (N,), N at least 1."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, at, side="left")
    not_above = np.searchsorted(ordered, at, side="right")
    return 50.0 * (below + not_above) / len(ordered)


def _standing(own: Estimate, values: NDArray[np.float64]) -> Standing:
    reach = _INTERVAL_SDS * own.spread
    at = np.array([own.value - reach, own.value, own.value + reach])
    low, percentile, high = percentiles(values, at).tolist()
    return Standing(
        quantity=own.quantity, percentile=percentile, low=low, high=high, studies=len(values)
    )


def _values(quantity: Quantity, estimates: Estimates) -> NDArray[np.float64]:
    return np.array(
        [one.value for several in estimates.values() for one in several if one.quantity is quantity]
    )


def _place(estimate: Estimate) -> int:
    return list(Quantity).index(estimate.quantity)
