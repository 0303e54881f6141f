"""Judgments from reports, files, labels and simulated truth."""

import json
from collections import Counter
from pathlib import Path

import pytest

from retrieval.errors import UsageError
from retrieval.evaluation import judgments as judging
from retrieval.evaluation.judgments import QUESTIONS, Judgment, from_reports
from retrieval.evaluation.labels import judgments_of, read_labels
from retrieval.evaluation.prompts import acdc
from retrieval.evaluation.queries import read_queries
from retrieval.evaluation.resolve import Resolver
from retrieval.evaluation.sources import ask
from retrieval.evaluation.truths import WORDINGS, is_truth, read_truths
from retrieval.phantom.sentences import phrases
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.report import Report
from retrieval.values.study import State, StudyId
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms
from tests.doubles import DictCatalog, a_clip, a_study

PRESENT, ABSENT, UNCERTAIN = Polarity.PRESENT, Polarity.ABSENT, Polarity.UNCERTAIN


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Pseudonyms:
    return Pseudonyms(open_keys(tmp_path / "secret" / "key", create=True))


def catalog_of(*ids: StudyId) -> DictCatalog:
    catalog = DictCatalog()
    for name in ids:
        from dataclasses import replace

        study = replace(a_study(name), id=name)
        catalog.add(study, [a_clip(study)])
    return catalog


def file_of(folder: Path, name: str, *lines: object) -> Path:
    path = folder / name
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n")
    return path


class TestReports:
    def catalog(self, *said: list[tuple[FindingName, Polarity]] | None) -> DictCatalog:
        catalog = DictCatalog()
        for i, findings in enumerate(said):
            study = catalog.add(a_study(f"s{i}"), [a_clip(a_study(f"s{i}"))])
            if findings is not None:
                catalog.reports[study.id] = Report(
                    digest=str(i),
                    study=study.id,
                    text="text",
                    impression="text",
                    findings=tuple(
                        Finding(name=name, polarity=polarity, start=0, end=1)
                        for name, polarity in findings
                    ),
                )
        return catalog

    def test_polarity_decides(self):
        scar = FindingName.SCAR
        catalog = self.catalog(
            [(scar, PRESENT)],
            [(scar, ABSENT)],
            [(scar, UNCERTAIN)],
            [(scar, ABSENT), (scar, PRESENT)],
            [(scar, UNCERTAIN), (scar, ABSENT)],
            [],
            None,
            [(scar, Polarity.NOT_ASSESSED)],
        )
        ids = [a_study(f"s{i}").id for i in range(8)]
        (judgment,) = from_reports(catalog, access=LOCAL_OPERATOR)
        assert judgment.query == QUESTIONS[scar]
        assert judgment.relevant == {ids[0], ids[3]}
        assert judgment.among == {ids[0], ids[1], ids[3], ids[4]}

    def test_a_finding_that_all_or_none_have_is_left_out(self):
        scar, effusion = FindingName.SCAR, FindingName.PERICARDIAL_EFFUSION
        catalog = self.catalog(
            [(scar, PRESENT), (effusion, PRESENT)], [(scar, PRESENT), (effusion, ABSENT)]
        )
        assert [j.query for j in from_reports(catalog, access=LOCAL_OPERATOR)] == [
            QUESTIONS[effusion]
        ]

    def test_reports_that_tell_nothing_apart_are_an_error(self):
        with pytest.raises(UsageError, match="the reports of 1 studies tell no finding apart"):
            from_reports(self.catalog([], None), access=LOCAL_OPERATOR)

    def test_every_finding_has_a_question_of_its_own(self):
        assert set(QUESTIONS) == set(FindingName)
        assert len(set(QUESTIONS.values())) == len(QUESTIONS)


class TestResolver:
    def test_our_own_ids_need_no_key_and_originals_do(self, pseudonyms: Pseudonyms):
        study = pseudonyms.study("1.2.3")
        without, with_key = Resolver([study], None), Resolver([study], pseudonyms)
        assert without.find(study) == with_key.find(study) == with_key.find(" 1.2.3 ") == study
        assert without.find("1.2.3") is None
        assert with_key.find("1.2.4") is with_key.find("") is None

    def test_an_id_that_is_nowhere_is_named(self, pseudonyms: Pseudonyms):
        with pytest.raises(UsageError, match=r"^q:3: no study 1\.2\.4 in this archive$"):
            Resolver([], pseudonyms).require("1.2.4", where="q:3")
        with pytest.raises(UsageError, match="original UIDs need CINESEEK_KEY_FILE"):
            Resolver([], None).require("1.2.4", where="q:3")


class TestQueries:
    def test_both_kinds_of_ids_are_read(self, tmp_path: Path, pseudonyms: Pseudonyms):
        a, b = pseudonyms.study("1.2.3"), pseudonyms.study("1.2.4")
        path = file_of(
            tmp_path,
            "q.jsonl",
            {"query": "large heart", "relevant": [a, "1.2.4"]},
            "",
            {"query": "scar", "relevant": ["1.2.3"]},
        )
        assert read_queries(path, Resolver([a, b], pseudonyms)) == [
            Judgment(query="large heart", relevant=frozenset([a, b])),
            Judgment(query="scar", relevant=frozenset([a])),
        ]

    def test_grades_judge_the_studies_that_were_graded(
        self, tmp_path: Path, pseudonyms: Pseudonyms
    ):
        a, b, c = (pseudonyms.study(f"1.2.{i}") for i in (3, 4, 5))
        path = file_of(tmp_path, "q.jsonl", {"query": "x", "grades": {a: 3, "1.2.4": 2, c: 1}})
        assert read_queries(path, Resolver([a, b, c], pseudonyms)) == [
            Judgment(
                query="x",
                relevant=frozenset([a, b]),
                among=frozenset([a, b, c]),
                grades={a: 3, b: 2, c: 1},
            )
        ]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "q.jsonl:2: not JSON"),
            ("[1]", "q.jsonl:2: not an object"),
            ({"relevant": ["1.2.3"]}, 'q.jsonl:2: "query" must be some words'),
            ({"query": " ", "relevant": ["1.2.3"]}, "must be some words"),
            ({"query": "x"}, '"relevant" must be a list of at least one study'),
            ({"query": "x", "relevant": []}, "must be a list of at least one study"),
            ({"query": "x", "relevant": ["1.2.3", "9.9"]}, "q.jsonl:2: no study 9.9"),
            ({"query": "x", "grades": {"9.9": 2}}, "q.jsonl:2: no study 9.9"),
            ({"query": "x", "grades": {"1.2.3": 4}}, "each with 0, 1, 2 or 3"),
            ({"query": "x", "grades": {"1.2.3": True}}, "each with 0, 1, 2 or 3"),
            ({"query": "x", "grades": {"1.2.3": 2.0}}, "each with 0, 1, 2 or 3"),
            ({"query": "x", "grades": [3]}, "each with 0, 1, 2 or 3"),
            ({"query": "x", "grades": {"1.2.3": 1}}, "no study has grade 2 or more"),
            ({"query": "x", "grades": {"1.2.3": 2}, "relevant": ["1.2.3"]}, "not both"),
        ],
    )
    def test_a_bad_line_is_named(self, tmp_path: Path, pseudonyms: Pseudonyms, line, message: str):
        good = {"query": "x", "relevant": ["1.2.3"]}
        path = file_of(tmp_path, "q.jsonl", good, line)
        with pytest.raises(UsageError) as caught:
            read_queries(path, Resolver([pseudonyms.study("1.2.3")], pseudonyms))
        assert message in str(caught.value)

    def test_files_that_are_missing_empty_or_not_text_are_named(self, tmp_path: Path):
        resolver = Resolver([], None)
        with pytest.raises(UsageError, match="does not exist"):
            read_queries(tmp_path / "none.jsonl", resolver)
        with pytest.raises(UsageError, match="holds no query"):
            read_queries(file_of(tmp_path, "e.jsonl", ""), resolver)
        (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UsageError, match="not a text file"):
            read_queries(tmp_path / "b.jsonl", resolver)


class TestLabels:
    def write(self, folder: Path, layout: str) -> Path:
        pairs = [("p1", "DCM"), ("p2", "NOR"), ("p3", "DCM"), ("stranger", "RV")]
        if layout == "csv":
            return file_of(folder, "l.csv", "PID,Group", *(f"{p},{g}" for p, g in pairs))
        if layout == "jsonl":
            rows = [{"study": p, "label": g} for p, g in pairs]
            return file_of(folder, "l.jsonl", *rows)
        for patient, group in pairs:
            (folder / "acdc" / patient).mkdir(parents=True)
            file_of(
                folder / "acdc" / patient, "Info.cfg", "ED: 1", f"Group: {group}", "NbFrame: 30"
            )
        return folder / "acdc"

    @pytest.mark.parametrize("layout", ["csv", "jsonl", "Info.cfg"])
    def test_a_label_is_a_question_about_the_labelled_studies(
        self, tmp_path: Path, pseudonyms: Pseudonyms, layout: str, caplog
    ):
        p1, p2, p3, other = (pseudonyms.study(p) for p in ("p1", "p2", "p3", "not labelled"))
        path = self.write(tmp_path, layout)
        found = read_labels(path, Resolver([p1, p2, p3, other], pseudonyms))
        among = frozenset([p1, p2, p3])
        assert found.of == {p1: ("DCM",), p2: ("NOR",), p3: ("DCM",)}
        assert list(found.of) == [p1, p2, p3]  # by name, whatever their pseudonyms
        assert "1 of 4 labelled studies are not in this archive" in caplog.text
        among = frozenset([p1, p2, p3])
        judged = judgments_of(found, acdc())
        assert judged == [
            *(
                Judgment(query=sentence, relevant=frozenset([p1, p3]), among=among)
                for sentence in acdc().groups["DCM"].sentences
            ),
            *(
                Judgment(query=sentence, relevant=frozenset([p2]), among=among)
                for sentence in acdc().groups["NOR"].sentences
            ),
        ]

    def test_the_same_labels_have_the_same_digest_in_every_home(
        self, tmp_path: Path, pseudonyms: Pseudonyms
    ):
        path = self.write(tmp_path, "csv")
        here = Resolver([pseudonyms.study(p) for p in ("p1", "p2", "p3")], pseudonyms)
        other = Pseudonyms(open_keys(tmp_path / "other" / "key", create=True))
        there = Resolver([other.study(p) for p in ("p3", "p2")], other)
        assert read_labels(path, here).digest == read_labels(path, there).digest
        before = read_labels(path, here).digest
        path.write_text(path.read_text().replace("p2,NOR", "p2,RV"))
        assert read_labels(path, here).digest != before

    def test_other_labels_are_asked_for_in_their_own_words_and_may_be_several(
        self, tmp_path: Path, pseudonyms: Pseudonyms
    ):
        a, b = pseudonyms.study("a"), pseudonyms.study("b")
        path = file_of(
            tmp_path,
            "l.jsonl",
            {"study": "a", "labels": ["scar", "effusion"]},
            {"study": "b", "labels": ["scar"]},
        )
        labels = read_labels(path, Resolver([a, b], pseudonyms))
        assert labels.of == {a: ("effusion",), b: ()}  # what all have tells nothing
        (judgment,) = judgments_of(labels, acdc())
        assert judgment.query == "effusion"
        assert judgment.relevant == {a}
        assert judgment.among == {a, b}

    @pytest.mark.parametrize(
        ("name", "lines", "message"),
        [
            ("l.csv", ["study,label", "p1,"], "l.csv:2: no label"),
            ("l.csv", ["patient,label", "p1,x"], "l.csv:2: no study; a column study or"),
            ("l.txt", ["p1 x"], r"give a \.csv or \.jsonl file"),
            ("l.csv", ["study,label", "p9,x"], "none of the 1 labelled studies"),
            ("l.csv", ["study,label", "p1,x", "p2,x"], "all 2 labelled studies have one label"),
        ],
        ids=["no label", "no study", "no table", "strangers", "one label"],
    )
    def test_what_tells_nothing_is_an_error(
        self, tmp_path: Path, pseudonyms: Pseudonyms, name: str, lines: list[str], message: str
    ):
        known = [pseudonyms.study("p1"), pseudonyms.study("p2")]
        with pytest.raises(UsageError, match=message):
            read_labels(file_of(tmp_path, name, *lines), Resolver(known, pseudonyms))

    def test_an_info_file_without_a_group_is_named(self, tmp_path: Path, pseudonyms: Pseudonyms):
        (tmp_path / "patient007").mkdir()
        file_of(tmp_path / "patient007", "Info.cfg", "ED: 1", "Group:")
        with pytest.raises(UsageError, match=r"patient007/Info\.cfg names no Group"):
            read_labels(tmp_path, Resolver([], pseudonyms))

    def test_every_group_of_acdc_has_a_question(self, pseudonyms: Pseudonyms):
        folder = Path(__file__).parents[3].parent / "shared" / "data" / "acdc_train"
        if not folder.exists():
            pytest.skip("../shared/data/acdc_train is not here")
        known = [pseudonyms.study(f"patient{i:03d}") for i in range(1, 101)]
        found = read_labels(folder, Resolver(known, pseudonyms))
        assert Counter(found.of.values()) == {(group,): 20 for group in acdc().groups}
        assert list(found.of) == known


def truth(**changes) -> dict:
    normal = {
        "sex": "F",
        "age_years": 50,
        "height_cm": 165.0,
        "weight_kg": 60.0,
        "bsa_m2": 1.66,
        "heart_rate_bpm": 65.0,
        "lvedv_ml": 120.0,
        "lvesv_ml": 45.0,
        "lvef_pct": 62.0,
        "lv_mass_g": 90.0,
        "wall_max_mm": 8.0,
        "hypertrophy": "none",
        "rvedv_ml": 130.0,
        "rvesv_ml": 55.0,
        "rvef_pct": 58.0,
        "la_volume_ml": 55.0,
        "ra_volume_ml": 55.0,
        "aortic_root_mm": 29.0,
        "effusion_mm": 0.0,
        "hypokinetic_segments": [],
        "scars": [],
        "wall_min_mm": 7.0,
        "thin_segments": [],
        "akinetic_segments": [],
        "dyskinetic_segments": [],
        "dyssynchrony_ms": 0.0,
        "eccentricity_ed": 1.0,
        "eccentricity_es": 1.0,
        "rv_wall_mm": 3.0,
        "scar_share_pct": 0.0,
        "acute": False,
        "oedema_segments": [],
        "defect_segments": [],
        "native_t1_ms": 950.0,
        "native_t2_ms": 48.0,
    }
    return normal | changes


class TestTruth:
    def test_concepts_become_questions_in_wordings_that_training_never_saw(
        self, tmp_path: Path, pseudonyms: Pseudonyms
    ):
        scar = {
            "pattern": "transmural",
            "territory": "LAD",
            "segments": [1, 7],
            "transmurality": 0.9,
        }
        path = file_of(
            tmp_path,
            "truth.jsonl",
            {"study_uid": "1.1", **truth()},
            {"study_uid": "1.2", **truth(lvedv_ml=320.0, lvesv_ml=230.0, lvef_pct=28.0)},
            {"study_uid": "1.3", **truth(scars=[scar])},
        )
        ids = [pseudonyms.study(f"1.{i}") for i in (1, 2, 3)]
        assert is_truth(path)
        found = read_truths(path, Resolver(ids, pseudonyms)).judgments()
        by_query = {j.query: j.relevant for j in found}
        assert all(j.among == frozenset(ids) for j in found)
        assert all(0 < len(j.relevant) < 3 for j in found)
        for concept, who in [("lv_dilated", {ids[1]}), ("scar_lad", {ids[2]})]:
            held_out = phrases(concept, "held out")
            asked = [query for query in by_query if query in held_out]
            assert len(asked) == min(WORDINGS, len(held_out))
            assert all(by_query[query] == who for query in asked)

    def test_what_is_no_truth_is_an_error(self, tmp_path: Path, pseudonyms: Pseudonyms):
        resolver = Resolver([pseudonyms.study("1.1")], pseudonyms)
        for change in ({"sex": "Q"}, {"scars": [{}]}, {"scars": None}, {"hypertrophy": "odd"}):
            path = file_of(tmp_path, "truth.jsonl", {"study_uid": "1.1", **truth(**change)})
            with pytest.raises(UsageError, match=r"truth\.jsonl:1: not the truth"):
                read_truths(path, resolver)
        assert not is_truth(file_of(tmp_path, "other.jsonl", {"study": "a", "label": "b"}))
        assert not is_truth(tmp_path / "other.csv")


def test_the_right_source_is_read(tmp_path: Path, pseudonyms: Pseudonyms, monkeypatch):
    key = tmp_path / "secret" / "key"
    ids = [pseudonyms.study(name) for name in ("1.1", "1.2")]
    catalog = catalog_of(*ids)
    queries = file_of(tmp_path, "q.jsonl", {"query": "x", "relevant": ["1.1"]})
    table = file_of(tmp_path, "l.csv", "study,label", "1.1,a", "1.2,b")
    hearts = file_of(
        tmp_path,
        "t.jsonl",
        {"study_uid": "1.1", **truth()},
        {"study_uid": "1.2", **truth(effusion_mm=25.0)},
    )

    def read(key_file: Path = key, **files):
        given = {"queries": None, "labels": None} | files
        return ask(catalog, key_file, **given, access=LOCAL_OPERATOR).judgments

    assert [j.query for j in read(queries=queries)] == ["x"]
    assert [j.query for j in read(labels=table)] == ["a", "b"]
    assert set(phrases("effusion", "held out")) & {j.query for j in read(labels=hearts)}
    with pytest.raises(UsageError, match="original UIDs need"):
        read(tmp_path / "no key", queries=queries)
    monkeypatch.setattr(judging, "QUESTIONS", {})
    with pytest.raises(UsageError, match="the reports of 0 studies"):
        read()


def test_studies_that_are_not_indexed_can_still_be_named(pseudonyms: Pseudonyms, tmp_path: Path):
    from dataclasses import replace

    catalog = catalog_of(pseudonyms.study("1.1"))
    lost = replace(a_study("lost"), id=pseudonyms.study("1.2"), state=State.QUARANTINED)
    catalog.add(lost)
    path = file_of(tmp_path, "q.jsonl", {"query": "x", "relevant": ["1.2"]})
    (judgment,) = ask(
        catalog, tmp_path / "secret" / "key", queries=path, labels=None, access=LOCAL_OPERATOR
    ).judgments
    assert judgment.relevant == {lost.id}
