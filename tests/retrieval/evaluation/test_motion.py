"""What shuffled phases cost."""

import numpy as np
import pytest

from retrieval.evaluation.motion import motion_costs
from retrieval.evaluation.seen import from_embeddings
from retrieval.evaluation.truths import Truths
from retrieval.values.embedding import StudyEmbedding, unit_rows
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import StudyId
from tests.doubles import ENCODER, WordEncoder

N = 60


def test_the_cost_is_the_difference_on_the_same_patients():
    rng = np.random.default_rng(0)
    akinetic = np.arange(N) < 20
    shape = rng.normal(size=(N, 4))
    moving = shape.copy()
    moving[:, 0] += np.where(akinetic, 2.0, 0.0)
    studies = tuple(StudyId(f"s{i:02d}") for i in range(N))
    words = WordEncoder({"it does not move": np.eye(4)[0], "it is large": np.eye(4)[1]})

    def seen(vectors: np.ndarray):
        made = [
            StudyEmbedding(study=s, encoder_id=ENCODER, whole=row, clips={}, inputs=())
            for s, row in zip(studies, unit_rows(vectors), strict=True)
        ]
        return from_embeddings(words, made, eligible=N)

    truths = Truths(
        hearts=(),
        studies=studies,
        true={"wma": akinetic, "wma_apical": ~akinetic, "lv_dilated": akinetic},
        wordings={
            "wma": ("it does not move",),
            "wma_apical": ("it is large",),
            "lv_dilated": ("it is large",),
        },
    )
    *found, mean = motion_costs(
        seen(moving), seen(shape), truths, [str(i) for i in range(N)], access=LOCAL_OPERATOR
    )
    assert [f.concept for f in found] == ["wma", "wma_apical"]
    wma, apical = found
    assert wma.cost.value == pytest.approx(wma.in_order.value - wma.shuffled.value)
    assert wma.cost.low > 0.05
    assert wma.positives == 20
    assert mean.cost.value == pytest.approx((wma.cost.value + apical.cost.value) / 2)
    same = motion_costs(
        seen(moving), seen(moving), truths, [str(i) for i in range(N)], access=LOCAL_OPERATOR
    )
    assert all((c.cost.low, c.cost.value, c.cost.high) == (0, 0, 0) for c in same)
