"""Simulated patients never seen, asked for in words never read: found from pixels alone."""

import numpy as np
import pytest

from retrieval.encoder import phantom
from retrieval.training.trial import (
    FINDINGS,
    TRIAL_SEED,
    findings_of,
    questions,
    simulated_patient,
    tally,
    whole_vectors,
)

PATIENTS = 200
NEEDED = 0.7


@pytest.fixture(scope="module")
def answers():
    """(asked, scores (Q, n), true): the shipped encoder on 200 patients of another seed."""
    encoder = phantom.load()
    patients = [simulated_patient(TRIAL_SEED + i) for i in range(PATIENTS)]
    asked = questions()
    texts = encoder.encode_texts([text for _, text in asked]).vectors
    scores = texts @ whole_vectors(encoder, patients).T
    return asked, scores, findings_of([p.truth for p in patients])


@pytest.mark.parametrize("finding", FINDINGS)
def test_seven_of_the_first_ten_have_what_was_asked_for(answers, finding):
    figures = tally(*answers)
    print({k: v for k, v in figures.items() if k.startswith(finding)})
    assert 0.08 <= figures[f"{finding}.prevalence"] <= 0.25
    assert figures[f"{finding}.p10"] >= NEEDED
    assert figures[f"{finding}.p10 plain"] >= NEEDED


@pytest.mark.parametrize("finding", FINDINGS)
def test_with_the_pixels_of_studies_permuted_it_falls_to_the_prevalence(answers, finding):
    asked, scores, true = answers
    rng = np.random.default_rng(0)
    shuffled = [
        tally(asked, scores[:, rng.permutation(PATIENTS)], true)[f"{finding}.p10"]
        for _ in range(20)
    ]
    assert np.mean(shuffled) == pytest.approx(float(true[finding].mean()), abs=0.08)
    assert np.mean(shuffled) < NEEDED / 2
