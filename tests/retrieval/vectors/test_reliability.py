"""What an encoder's scores were found to be worth comes back as it was written, or not at all."""

import json
from dataclasses import replace

import pytest

from retrieval.errors import GenerationCorrupt
from retrieval.values.embedding import EncoderId
from retrieval.values.reliability import Calibration, Reliability
from retrieval.vectors import reliability

FOUND = Reliability(
    encoder_id=EncoderId("fake@000000000001"),
    generation="g1",
    studies=40,
    trained_on=2,
    findings={
        "scar": Calibration(
            positives=12,
            negatives=13,
            slope=7.1,
            intercept=-2.2,
            auc=0.9,
            auc_low=0.8,
            auc_high=0.95,
            brier_skill=0.4,
            error=0.02,
            fold_slope=1.1,
        )
    },
    too_few={"oedema": (3, 20)},
)


def test_an_assessment_comes_back_as_it_was(tmp_path):
    assert reliability.read(tmp_path, "g1") is None
    assert reliability.version(tmp_path, "g1") == 0
    reliability.write(tmp_path, FOUND)
    assert reliability.read(tmp_path, "g1") == FOUND
    assert reliability.read(tmp_path, "g2") is None
    assert reliability.version(tmp_path, "g1") > 0


def test_a_later_assessment_takes_the_place_of_the_first(tmp_path):
    reliability.write(tmp_path, FOUND)
    reliability.write(tmp_path, replace(FOUND, studies=41))
    assert reliability.read(tmp_path, "g1") == replace(FOUND, studies=41)


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: "{",
        lambda told: "[]",
        lambda told: json.dumps(told | {"format": 99}),
        lambda told: json.dumps(told | {"generation": "g2"}),
        lambda told: json.dumps(told | {"findings": {"scar": {"auc": 1}}}),
        lambda told: json.dumps({k: v for k, v in told.items() if k != "too_few"}),
    ],
    ids=["no JSON", "a list", "format", "generation", "half a calibration", "a part missing"],
)
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, damage):
    reliability.write(tmp_path, FOUND)
    path = tmp_path / "g1" / reliability.FILE
    path.write_text(damage(json.loads(path.read_text())))
    with pytest.raises(GenerationCorrupt, match="cineseek-index assess"):
        reliability.read(tmp_path, "g1")
