"""Pairs say what reports say, and a patient is on one side only."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.language.findings import find_findings
from retrieval.training.pairs import (
    NO_CLIPS,
    NO_REPORT,
    for_validation,
    read_pairs,
    said_in,
    split,
)
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import PatientId, State, Technique, View
from tests.doubles import DictCatalog, a_clip, a_study, hexname
from tests.retrieval.training.pairs_archive import report_of

TEXT = (
    "INDICATION: Dilated left ventricle?\n\n"
    "FINDINGS: The left ventricle is dilated. There is no scar. Heart rate 61.\n\n"
    "IMPRESSION: Dilated left ventricle."
)
DILATED, SCAR = (list(FindingName).index(n) for n in (FindingName.LV_DILATION, FindingName.SCAR))


def catalog(**texts):
    """Studies by name, with a cine clip and the given report; None stands for none."""
    held = DictCatalog()
    for name, text in texts.items():
        study = a_study(name, patient=name[0])
        held.add(study, [a_clip(study), a_clip(study, View.FOUR_CHAMBER, Technique.PERFUSION)])
        if text is not None:
            held.reports[study.id] = report_of(study.id, text)
    return held


def pairs_of(held, technique=Technique.CINE):
    return read_pairs(held, lambda record: record.technique is technique, access=LOCAL_OPERATOR)


def test_a_pair_holds_what_its_report_says():
    (pair,) = pairs_of(catalog(a=TEXT)).pairs
    assert pair.impression.words == "Dilated left ventricle."
    assert [text.words for text in pair.sentences] == [
        "The left ventricle is dilated.",
        "There is no scar.",
        "Heart rate 61.",
        "Dilated left ventricle.",
    ]
    assert pair.words == ("Dilated left ventricle.", *(text.words for text in pair.sentences))
    assert [(t.said[DILATED], t.said[SCAR]) for t in pair.sentences] == [
        (1, 0), (0, -1), (0, 0), (1, 0),
    ]  # fmt: skip
    assert (pair.impression.said[DILATED], pair.impression.said[SCAR]) == (1, 0)
    assert (pair.said[DILATED], pair.said[SCAR]) == (1, -1)
    assert len(pair.clips) == 1


def test_what_is_no_pair_is_counted_by_reason():
    held = catalog(a=TEXT, b=None, c=TEXT)
    assert pairs_of(held).left_out == {NO_REPORT: 1}
    assert pairs_of(held, Technique.LGE).left_out == {NO_REPORT: 1, NO_CLIPS: 2}
    failed = a_study("failed", state=State.FAILED)
    held.add(failed, [a_clip(failed)])
    assert len(pairs_of(held).pairs) == 2


@pytest.mark.parametrize(
    ("polarities", "said"),
    [
        ("", 0),
        ("present", 1),
        ("absent", -1),
        ("uncertain", 0),
        ("absent present", 1),
        ("uncertain present", 1),
        ("absent uncertain", 0),
    ],
)
def test_several_statements_come_to_one(polarities, said):
    given = [
        Finding(name=FindingName.SCAR, polarity=Polarity(p), start=0, end=1)
        for p in polarities.split()
    ]
    assert said_in(given)[SCAR] == said
    assert Counter(said_in(given).tolist())[0] >= len(FindingName) - 1


def test_findings_of_real_wording_reach_the_pair():
    said = said_in(find_findings("No LV dilation. There is scar in the septum."))
    assert (said[DILATED], said[SCAR]) == (-1, 1)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.05, 0.95), st.text("abc", min_size=1, max_size=4))
def test_the_share_is_kept_and_patients_are_never_parted(share, key):
    patients = [PatientId(hexname(f"{n}")) for n in range(400)]
    held = [p for p in patients if for_validation(p, key=key, share=share)]
    assert abs(len(held) / len(patients) - share) < 0.12
    assert held == [p for p in held if for_validation(p, key=key, share=share)]


def test_folds_ask_about_every_patient_once():
    patients = [PatientId(hexname(f"{n}")) for n in range(200)]
    folds = [
        [p for p in patients if for_validation(p, key="k", share=0.25, first=first)]
        for first in (0.0, 0.25, 0.5, 0.75)
    ]
    assert sorted(p for fold in folds for p in fold) == sorted(patients)
    assert min(map(len, folds)) > 25


def test_studies_of_one_patient_stay_together_and_none_is_lost():
    texts = {f"{chr(97 + n % 26)}{n}": TEXT for n in range(60)}
    pairs = pairs_of(catalog(**texts)).pairs
    training, asked = split(pairs, key="1", share=0.3)
    assert not {p.patient for p in training} & {p.patient for p in asked}
    assert sorted(p.study for p in (*training, *asked)) == [p.study for p in pairs]
    assert asked
    more = pairs_of(catalog(**texts, zz=TEXT, z9=TEXT)).pairs
    assert {p.study for p in asked} <= {p.study for p in split(more, key="1", share=0.3)[1]}


def test_another_key_holds_others_back():
    patients = [PatientId(hexname(f"{n}")) for n in range(100)]
    one, two = ([for_validation(p, key=k, share=0.5) for p in patients] for k in "12")
    assert 20 < np.sum(np.array(one) != np.array(two)) < 80
