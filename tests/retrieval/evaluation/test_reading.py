"""Reading labelled studies: text, probe, neighbours, few shots, ceilings."""

from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy.stats import spearmanr

from retrieval.classify.examples import METHODS
from retrieval.errors import UsageError
from retrieval.evaluation import fewshot, labelled, measurements, metrics, reading_views
from retrieval.evaluation import probe as probing
from retrieval.evaluation.ceilings import ceilings
from retrieval.evaluation.cohort import Cohort
from retrieval.evaluation.estimates import hold_against
from retrieval.evaluation.neighbours import precision_near
from retrieval.evaluation.probe import probe
from retrieval.evaluation.prompts import GroupPrompts, Prompts, SizeQuery, acdc
from retrieval.evaluation.reading import Reading, read_all
from retrieval.evaluation.seen import from_embeddings
from retrieval.phantom.sentences import QUERIES_HELD_OUT
from retrieval.values.embedding import StudyEmbedding, unit_rows
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import PatientId, StudyId
from tests.doubles import ENCODER, WordEncoder

DIM = 12
PROMPTS = Prompts(
    groups={
        "big": GroupPrompts(sentences=("large", "huge", "vast"), ceilings=("LVEDV/BSA",)),
        "small": GroupPrompts(sentences=("little",), ceilings=("-LVEDV/BSA", "LVEF")),
    },
    sizes=(SizeQuery(query="large", quantity="LVEDV/BSA", sign=1, seen="LVEDV", unit="mL/m2"),),
)
WORDS = WordEncoder(
    {
        "large": np.eye(DIM)[0],
        "huge": np.eye(DIM)[0],
        "vast": -np.eye(DIM)[0],
        "little": -np.eye(DIM)[0],
    },
    dim=DIM,
)


def a_cohort(n: int = 40, *, seed: int = 0) -> tuple[Cohort, np.ndarray]:
    """Half of the hearts are big; the first coordinate of their vectors says so, with noise."""
    rng = np.random.default_rng(seed)
    big = np.arange(n) % 2 == 0
    vectors = rng.normal(size=(n, DIM)) * 0.8
    vectors[:, 0] += np.where(big, 1.0, -1.0)
    volume = 150 + 60 * vectors[:, 0]
    bsa = rng.uniform(1.5, 2.2, n)
    row = {
        "LVEDV": volume,
        "LVESV": volume / 2,
        "LVEF": 60 - 20 * vectors[:, 1],
        "RVEDV": volume + 10,
    }
    row |= {"RVEF": np.full(n, 55.0) + vectors[:, 2], "LVmass_g": np.full(n, 100.0)}
    row |= {"height": np.full(n, 170.0), "weight": bsa**2 * 3600 / 170}
    per_study = [{k: float(v[i]) for k, v in row.items()} for i in range(n)]
    cohort = Cohort(
        studies=tuple(StudyId(f"s{i:03d}") for i in range(n)),
        patients=tuple(PatientId(f"p{i:03d}") for i in range(n)),
        labels=("big", "small"),
        member=np.stack([big, ~big], axis=1),
        measured={
            name: np.array([make(r) for r in per_study])
            for name, make in measurements.QUANTITIES.items()
        },
    )
    return cohort, vectors


def seen_of(cohort: Cohort, vectors: np.ndarray, *, without: tuple[int, ...] = ()):
    return from_embeddings(
        WORDS,
        [
            StudyEmbedding(study=study, encoder_id=ENCODER, whole=row, clips={}, inputs=())
            for i, (study, row) in enumerate(zip(cohort.studies, unit_rows(vectors), strict=True))
            if i not in without
        ],
        eligible=len(cohort.studies),
    )


@pytest.fixture(scope="module")
def reading() -> Reading:
    cohort, vectors = a_cohort()
    noise = np.random.default_rng(9).normal(size=vectors.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fewshot, "EPISODES", 30)
        patch.setattr(probing, "PENALTIES", (1e-3, 1e-1))
        return read_all(
            seen_of(cohort, vectors),
            [seen_of(cohort, noise)],
            cohort,
            PROMPTS,
            access=LOCAL_OPERATOR,
        )


@pytest.fixture
def quick(monkeypatch) -> None:
    """Few shots and probes take long and are not what is looked at."""
    monkeypatch.setattr(fewshot, "EPISODES", 2)
    monkeypatch.setattr(probing, "PENALTIES", (0.1,))


class TestText:
    def test_the_mean_over_sentences_decides(self, reading: Reading):
        text = reading.scores.by_text
        alone = text.by_sentence["big"]
        assert alone["large"] == alone["huge"] == pytest.approx(1 - alone["vast"])
        assert text.auc.labels["big"].value == pytest.approx(alone["large"])
        assert text.auc.labels["small"].value == pytest.approx(alone["large"])
        assert text.auc.mean.value == pytest.approx(alone["large"])
        assert 0.9 < alone["large"] < 1
        assert text.auc.mean.low < text.auc.mean.value < text.auc.mean.high
        assert text.precision10.labels["big"].value == 1

    def test_sizes_are_held_against_measurements(self, reading: Reading):
        (size,) = reading.scores.by_text.sizes
        assert (size.query, size.against, size.studies) == ("large", "LVEDV/BSA", 40)
        assert 0.5 < size.rho.low < size.rho.value < 1

    def test_a_study_without_a_vector_ranks_last_and_is_counted(self, quick):
        cohort, vectors = a_cohort()
        best = int(np.argmax(vectors[:, 0]))
        all_there = labelled.read(
            seen_of(cohort, vectors), cohort, PROMPTS, access=LOCAL_OPERATOR, draws=20
        )
        one_lost = labelled.read(
            seen_of(cohort, vectors, without=(best,)),
            cohort,
            PROMPTS,
            access=LOCAL_OPERATOR,
            draws=20,
        )
        assert (one_lost.studies, one_lost.with_vector) == (40, 39)
        lost = all_there.by_text.auc.labels["big"].value - one_lost.by_text.auc.labels["big"].value
        assert lost == pytest.approx(1 / 20)  # it beat all others before, and none now

    def test_sentences_are_three_a_group_and_no_training_text(self):
        prompts = acdc()
        assert set(prompts.groups) == {"DCM", "HCM", "MINF", "NOR", "RV"}
        sentences = [s for group in prompts.groups.values() for s in group.sentences]
        assert len(set(sentences)) == 15
        assert all(len(group.sentences) == 3 for group in prompts.groups.values())
        assert set(sentences) <= set(QUERIES_HELD_OUT)
        assert {size.query for size in prompts.sizes} <= set(QUERIES_HELD_OUT)
        named = [c.removeprefix("-") for g in prompts.groups.values() for c in g.ceilings]
        named += [name for size in prompts.sizes for name in (size.quantity, size.seen)]
        assert set(named) <= set(measurements.QUANTITIES)
        assert prompts.of("something else").sentences == ("something else",)


class TestProbe:
    def test_what_is_there_is_found_and_what_is_not_is_not(self, reading: Reading):
        found, control = reading.scores.by_vector.probe, reading.controls[0].by_vector.probe
        assert found is not None
        assert control is not None
        assert found.mean.value > 0.85
        assert 0.2 < control.mean.value < 0.75

    def test_no_patient_is_scored_by_a_probe_that_saw_them(self):
        rng = np.random.default_rng(0)
        person = np.repeat(np.arange(30), 2)
        marks = rng.normal(size=(30, 40))  # which person it is says nothing of the label
        vectors = marks[person] + rng.normal(size=(60, 40)) * 0.01
        positive = np.repeat(rng.permutation(30) % 2 == 0, 2)
        leaky = probe(vectors, positive, [f"p{i}" for i in range(60)])
        clean = probe(vectors, positive, [f"p{i}" for i in person])
        assert leaky is not None
        assert clean is not None

        def right(scores) -> float:
            return float(np.mean((scores > 0) == positive))

        assert right(leaky) > 0.8
        assert right(clean) < 0.7

    def test_too_few_patients_give_nothing(self):
        vectors = np.random.default_rng(0).normal(size=(20, 4))
        assert probe(vectors, np.arange(20) < 3, [str(i) for i in range(20)]) is None
        people = ["one"] * 10 + [str(i) for i in range(10)]
        assert probe(vectors, np.arange(20) < 10, people) is None


class TestNeighbours:
    def test_the_same_patient_does_not_count(self):
        vectors = unit_rows(np.array([[1.0, 0.0], [1, 0.01], [0, 1], [0.1, 1], [1, 0.4]]))
        member = np.array([[True], [True], [False], [False], [True]])
        found = precision_near(vectors, member, ["a", "a", "b", "c", "d"], k=1)
        np.testing.assert_array_equal(found[:, 0], [1, 1, np.nan, np.nan, 1])
        alone = precision_near(vectors[:4], member[:4], ["a", "a", "b", "c"], k=1)
        assert np.isnan(alone).all()  # nobody else has the label

    def test_equal_vectors_give_chance(self):
        vectors = unit_rows(np.ones((11, 3)))
        member = np.stack([np.arange(11) < 4, np.arange(11) >= 4], axis=1)
        found = precision_near(vectors, member, [str(i) for i in range(11)])
        assert found[0, 0] == pytest.approx(3 / 10)
        assert found[10, 1] == pytest.approx(6 / 10)


class TestFewShot:
    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=20))
    def test_areas_of_all_episodes_are_those_of_each(self, pairs):
        scores, relevant = (np.array(c) for c in zip(*pairs, strict=True))
        assume(relevant.any() and not relevant.all())
        found = fewshot._areas_under_roc(np.stack([scores, -scores]).astype(float), relevant)
        expected = [metrics.area_under_roc(metrics.groups(s, relevant)) for s in (scores, -scores)]
        assert found == pytest.approx(expected)

    def test_more_examples_help_and_noise_stays_at_chance(self, reading: Reading):
        for curves in reading.scores.by_vector.few_shot.values():
            mean = curves["mean"]
            assert mean[1].mean < mean[8].mean < mean[32].mean + 0.02
            assert mean[32].mean > 0.8
            assert mean[1].low < mean[1].mean < mean[1].high
        for curves in reading.controls[0].by_vector.few_shot.values():
            assert 0.25 < curves["mean"][32].mean < 0.75

    def test_the_hold_out_is_three_in_ten_of_the_patients_and_stratified(self):
        patients = [f"p{i // 2}" for i in range(80)]
        classes = ["x" if i < 20 else "y" for i in range(80)]
        learn, test = fewshot.hold_out(patients, classes)
        assert sorted([*learn, *test]) == list(range(80))
        assert len(test) == 24
        assert not {patients[i] for i in learn} & {patients[i] for i in test}
        assert sum(classes[i] == "x" for i in test) == 6
        again = fewshot.hold_out(patients, classes)
        assert (again[1] == test).all()

    def test_no_example_comes_from_the_hold_out(self):
        vectors = np.random.default_rng(0).normal(size=(40, 5))
        positive = np.arange(40) % 2 == 0
        split = (np.arange(28), np.arange(28, 40))
        before = fewshot.areas(vectors, positive, split, 4)
        positive_test = positive.copy()
        positive_test[split[1]] = ~positive[split[1]]
        after = fewshot.areas(vectors, positive_test, split, 4)
        for name in METHODS:  # the same scores, judged by the opposite labels
            np.testing.assert_allclose(before[name], 1 - after[name])


class TestCeilings:
    def test_a_perfect_measurement_stands_beside(self, reading: Reading):
        found = reading.ceilings
        assert found is not None
        assert set(found.single["small"]) == {"-LVEDV/BSA", "LVEF"}
        assert found.single["big"]["LVEDV/BSA"].value == pytest.approx(
            found.single["small"]["-LVEDV/BSA"].value
        )
        assert 0.8 < found.single["big"]["LVEDV/BSA"].value < 1
        assert found.joint is not None
        assert found.joint.mean.value > 0.9
        (size,) = found.sizes
        assert 0.8 < size.rho.value < 1  # volume is not volume per body surface

    def test_studies_that_were_not_measured_are_left_out(self, quick):
        cohort, vectors = a_cohort()
        for values in cohort.measured.values():
            values[:6] = np.nan
        found = ceilings(cohort, PROMPTS, draws=20)
        assert found is not None
        assert found.sizes[0].studies == 34
        scores = labelled.read(
            seen_of(cohort, vectors), cohort, PROMPTS, access=LOCAL_OPERATOR, draws=20
        )
        assert scores.by_text.sizes[0].studies == 34
        bare = Cohort(
            studies=cohort.studies,
            patients=cohort.patients,
            labels=cohort.labels,
            member=cohort.member,
            measured={},
        )
        assert ceilings(bare, PROMPTS) is None


class TestEstimates:
    def test_rank_bias_and_scatter(self):
        cohort, vectors = a_cohort()
        volume = cohort.measured["LVEDV"]
        off = np.where(np.arange(40) % 4 < 2, -50.0, -30.0)
        seen = from_embeddings(
            WORDS,
            [
                StudyEmbedding(
                    study=study,
                    encoder_id=ENCODER,
                    whole=row,
                    clips={},
                    inputs=(),
                    estimates=(
                        Estimate(quantity=Quantity.LVEDV, value=float(v + o), spread=1.0),
                        Estimate(quantity=Quantity.RVESV, value=1.0, spread=1.0),
                    ),
                )
                for study, row, v, o in zip(
                    cohort.studies, unit_rows(vectors), volume, off, strict=True
                )
            ],
            eligible=40,
        )
        volume[3] = np.nan
        (found,) = hold_against(seen, cohort, draws=200)  # nothing to hold RVESV against
        known = np.isfinite(volume)
        assert (found.quantity, found.studies) == ("LVEDV", 39)
        assert found.bias.value == pytest.approx(off[known].mean())
        assert found.bias.low < found.bias.value < found.bias.high
        assert found.scatter == pytest.approx(off[known].std(ddof=1))
        expected = spearmanr((volume + off)[known], volume[known]).statistic
        assert found.rho.value == pytest.approx(expected)
        assert hold_against(seen_of(cohort, vectors), cohort, draws=20) == ()


class TestMeasurements:
    HEAD = "pid,group,height,weight,LVEDV,LVESV,LVEF,RVEDV,RVEF,LVmass_g\n"

    def test_quantities(self, tmp_path: Path):
        path = tmp_path / "m.csv"
        path.write_text(self.HEAD + "p1,DCM,180,80,200,140,30,150,50,120\n")
        (row,) = measurements.read_measurements(path).values()
        assert row["LVEDV/BSA"] == pytest.approx(100)
        assert row["LVmass/LVEDV"] == pytest.approx(0.6)
        assert row["RVEDV/LVEDV"] == pytest.approx(0.75)

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("p1,DCM,180,80,many,9,30,150,50,120", r"m\.csv:2: LVEDV is many; a number is needed"),
            ("p1,DCM,180,80,0,9,30,150,50,120", "LVEDV is 0; a number above 0 is needed"),
            ("p1,DCM,180,80,nan,9,30,150,50,120", "LVEDV is nan; a number above 0 is needed"),
            ("p1,DCM,,80,1,9,30,150,50,120", "no height; columns pid, height"),
        ],
    )
    def test_what_is_no_measurement_is_named(self, tmp_path: Path, row: str, message: str):
        path = tmp_path / "m.csv"
        path.write_text(self.HEAD + row + "\n")
        with pytest.raises(UsageError, match=message):
            measurements.read_measurements(path)


class TestViews:
    def test_every_table_has_a_cell_for_each_column(self, reading: Reading):
        tables = reading_views.reading_tables(reading)
        assert [t.columns[0].partition(":")[0] for t in tables] == [
            "by text",
            "query",
            "linear probe",
            "case to case",
            "few-shot, prototypes",
            "few-shot, logistic",
        ]
        for table in tables:
            assert all(len(row) == len(table.columns) for row in table.rows)
            labels = [row[0] for row in table.rows]
            assert "mean" in labels or labels == ["large"]

    def test_json_is_json(self, reading: Reading):
        import json

        told = json.loads(json.dumps(reading_views.reading_json(reading), allow_nan=False))
        assert told["scores"]["by_text"]["auc"]["labels"]["big"]["low"] <= 1
        assert len(told["controls"]) == 1
        assert told["scores"]["by_vector"]["few_shot"]["logistic"]["mean"]["32"]["mean"] > 0.5
        assert all(published["conditions"] for published in told["published"])
