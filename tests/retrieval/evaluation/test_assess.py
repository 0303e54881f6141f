"""Who takes part when an archive is assessed by its own reports."""

from dataclasses import replace

import pytest

from retrieval.evaluation.calibration import FEWEST
from retrieval.values.reliability import Badge
from tests.doubles import ENCODER
from tests.wing import Wing

SCAR = ("Scar in the septum.", "No myocardial scar.")
DILATED = ("The left ventricle is dilated.", "The left ventricle is not dilated.")


@pytest.fixture
def wing():
    """Twelve hearts with scar that score high, twelve without that score low."""
    made = Wing()
    for n in range(12):
        made.add(f"has {n}", 0.8 - n / 100, SCAR[0])
        made.add(f"lacks {n}", 0.3 - n / 100, SCAR[1])
    return made


def test_what_reports_state_and_deny_makes_the_calibration(wing):
    found = wing.assess()
    scar = found.findings["scar"]
    assert (scar.positives, scar.negatives) == (12, 12)
    assert (scar.auc, scar.badge, scar.slope > 0) == (1.0, Badge.GOOD, True)
    assert (found.studies, found.trained_on) == (24, 0)
    assert found.badge("scar") is Badge.GOOD
    assert found.badge("lv_dilation") is Badge.NOT_ASSESSED
    assert (found.encoder_id, found.generation) == (ENCODER, "g1")


def test_silence_doubt_and_no_report_judge_nothing(wing):
    for n, text in enumerate(
        ["", "Normal atria.", "Scar cannot be excluded.", "Scar not assessed."]
    ):
        wing.add(f"mute {n}", 0.99, text)
    scar = wing.assess().findings["scar"]
    assert (scar.positives, scar.negatives) == (12, 12)


def test_a_report_that_did_not_look_judges_nothing(wing):
    for n in range(5):
        wing.add(f"blind {n}", 0.99, SCAR[1], late=False)
    assert wing.assess().findings["scar"].negatives == 12


def test_patients_that_the_encoder_learned_from_take_no_part(wing):
    learned = [s.patient.id for s in wing.catalog.held.values()][:1]
    found = wing.assess(trained_on=learned)
    assert (found.studies, found.trained_on) == (23, 1)
    scar = found.findings["scar"]
    assert scar.positives + scar.negatives == 23
    everyone = [s.patient.id for s in wing.catalog.held.values()]
    none = wing.assess(trained_on=everyone)
    assert none.badge("scar") is Badge.NOT_ASSESSED
    assert none.too_few["scar"] == (0, 0)


def test_too_few_patients_are_counted_and_not_assessed():
    made = Wing()
    for n in range(FEWEST - 1):
        made.add(f"has {n}", 0.8, DILATED[0])
    for n in range(30):
        made.add(f"lacks {n}", 0.2, DILATED[1])
    made.add("again", 0.8, DILATED[0], patient="patient of has 0")
    found = made.assess()
    assert found.too_few["lv_dilation"] == (FEWEST, 30)
    made.add("one more", 0.8, DILATED[0])
    assert made.assess().findings["lv_dilation"].positives == FEWEST + 1


def test_the_order_of_the_archive_changes_nothing(wing):
    other = Wing()
    other.catalog = replace(wing.catalog)
    other.catalog.held = dict(reversed(wing.catalog.held.items()))
    other.vectors = dict(reversed(wing.vectors.items()))
    assert other.assess() == wing.assess()
