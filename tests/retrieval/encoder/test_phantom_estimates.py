"""What the phantom encoder estimates beside its vectors."""

import numpy as np
import pytest
import torch

from retrieval.encoder.phantom.encoder import QUANTITIES, estimates
from retrieval.encoder.phantom.network import MEASUREMENTS, TYPICAL, Reading
from retrieval.encoder.phantom.untrained import untrained
from retrieval.values.estimate import Quantity
from retrieval.values.study import View
from tests.beating import disc, stack


@pytest.fixture(scope="module")
def encoder():
    """Of the shipped shape; its weights do not matter here."""
    return untrained(None, seed=3)


def numbers(told):
    return np.array([[one.value, one.spread] for one in told])


def test_every_measurement_is_a_quantity_and_every_quantity_is_measured():
    assert tuple(QUANTITIES) == MEASUREMENTS
    assert tuple(QUANTITIES.values()) == tuple(Quantity)


def test_the_standard_scale_is_left_behind():
    size = len(MEASUREMENTS)
    measured, spread = torch.zeros(1, size), torch.full((1, size), 0.5)
    measured[0, 2] = -1.0
    told = estimates(Reading(vectors=torch.ones(1, 1), measured=measured, spread=spread))
    by_name = {one.quantity: one for one in told}
    mean, deviation = TYPICAL["lvef_pct"]
    assert by_name[Quantity.LVEF].value == pytest.approx(mean - deviation)
    assert by_name[Quantity.LVEF].spread == pytest.approx(deviation / 2)
    mean, deviation = TYPICAL["rvedv_ml"]
    assert by_name[Quantity.RVEDV].value == pytest.approx(mean)
    assert by_name[Quantity.RVEDV].spread == pytest.approx(deviation / 2)


def test_a_study_is_estimated_as_a_whole_in_any_order_and_company(encoder):
    study, other = [*stack(4), disc(View.FOUR_CHAMBER)], stack(3, radius_mm=18.0)
    (once,) = encoder.encode_studies([study])
    second, again = encoder.encode_studies([other, study[::-1]])
    assert [one.quantity for one in once.estimates] == list(Quantity)
    np.testing.assert_allclose(numbers(once.estimates), numbers(again.estimates), rtol=1e-5)
    assert not np.allclose(numbers(once.estimates), numbers(second.estimates), rtol=1e-3)
    assert all(one.spread > 0 for one in once.estimates)
    (part,) = encoder.encode_studies([study[:1]])
    assert not np.allclose(numbers(once.estimates), numbers(part.estimates), rtol=1e-3)
