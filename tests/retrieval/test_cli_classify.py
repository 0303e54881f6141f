"""`cineseek classify` and what it writes, over a real catalog and a real generation."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval import wiring
from retrieval.classify import views
from retrieval.settings import Settings
from retrieval.values.intake import StudyEntry
from retrieval.values.query import LOCAL_OPERATOR, Filter
from tests.doubles import ENCODER, WordEncoder, hexname
from tests.retrieval.test_cli import ANGLES, WANTED, Door, fill, study_of

FIRST, SECOND, THIRD = (hexname(name) for name in ANGLES)


@pytest.fixture
def door(tmp_path: Path, capsys, monkeypatch) -> Door:
    """A home of one's own for every test, since these write; research is on."""
    home = tmp_path / "home"
    fill(Settings(home=home))
    monkeypatch.setenv("CINESEEK_HOME", str(home))
    monkeypatch.setenv("CINESEEK_KEY_FILE", str(tmp_path / "no key"))
    monkeypatch.setenv("CINESEEK_RESEARCH", "true")
    encoder = WordEncoder({WANTED: [1.0, 0.0, 0.0, 0.0]})
    monkeypatch.setattr(wiring, "open_encoder", lambda name, settings: encoder)
    return Door(home, capsys, monkeypatch)


def studies(answer: dict) -> list[str]:
    return [place["study"] for place in answer["studies"]]


def test_research_is_off_by_default_and_nothing_is_opened(door: Door, monkeypatch):
    monkeypatch.delenv("CINESEEK_RESEARCH")
    asked = ("classify", "--finding", WANTED, "--write", "x")
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "open_reading", lambda *a, **k: pytest.fail("opened"))
        code, out, err = door(*asked)
    assert (code, out) == (2, "")
    assert "research is off; turn it on with --research, CINESEEK_RESEARCH=true or" in err
    assert door.json(*asked, "--research")["written"] == 3
    monkeypatch.setenv("CINESEEK_RESEARCH", "true")
    assert door(*asked, "--no-research")[0] == 2


def test_every_finding_places_every_study(door: Door):
    told = door.json("classify", "--finding", WANTED, "--finding", "quux", "--finding", WANTED)
    assert list(told) == ["note", "encoder", "generation", "answers", "written"]
    assert "not a diagnosis" in told["note"]
    assert (told["encoder"], told["written"]) == (ENCODER, None)
    first, second = told["answers"]
    assert (first["question"], first["method"], first["compared"]) == (WANTED, "prompts", 3)
    assert WANTED in first["asked"]
    assert {*studies(first)} == {FIRST, SECOND, THIRD}
    assert [p["percentile"] for p in first["studies"]] == [83.3, 50.0, 16.7]
    assert all(p["low"] <= p["percentile"] <= p["high"] for p in first["studies"])
    assert second["asked"] == ["quux"]
    assert {p["low"] for p in second["studies"]} == {None}


def test_examples_place_the_others(door: Door, monkeypatch):
    def no_encoder(name, settings):
        raise AssertionError("an example needs no words")

    monkeypatch.setattr(wiring, "open_encoder", no_encoder)
    for method in ("prototypes", "logistic"):
        (answer,) = door.json("classify", "--like", FIRST, "--method", method)["answers"]
        assert (answer["method"], answer["question"]) == (method, "")
        assert answer["asked"] == [f"like {FIRST}"]
        assert studies(answer) == [SECOND, THIRD]
        (answer,) = door.json("classify", "--like", FIRST, "--unlike", THIRD)["answers"]
        assert studies(answer) == [SECOND]
        assert answer["studies"][0]["low"] is None


def test_filters_and_limit_are_those_of_search(door: Door):
    (answer,) = door.json("classify", "--finding", "quux", "--sex", "m", "--limit", "1")["answers"]
    assert (answer["compared"], len(answer["studies"])) == (2, 1)
    (answer,) = door.json("classify", "--like", FIRST, "--vendor", "siemens")["answers"]
    assert studies(answer) == [THIRD]
    (answer,) = door.json("classify", "--like", FIRST, "--age-from", "80", "--year-to", "2099")[
        "answers"
    ]
    assert studies(answer) == [THIRD]


def test_people_get_a_table_and_what_must_be_known_to_read_it(door: Door, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = door("classify", "--finding", WANTED, "--limit", "2")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == WANTED
    assert lines[2].split()[:2] == ["1", "83"]
    assert "F34" in out
    assert THIRD not in out
    assert "3 studies compared; intervals are the range over" in out
    assert f"asked: {WANTED}; " in out
    assert "not a diagnosis" in err
    assert "may mean nothing" not in out
    assert "may mean nothing" in door("classify", "--finding", "quux")[1]
    _, out, _ = door("classify", "--like", FIRST, "--method", "logistic")
    assert "like 1 example, by logistic regression on examples" in out
    assert "no interval" in out
    assert "not known" in out


def test_a_file_holds_every_study_whatever_the_limit(door: Door, tmp_path: Path):
    path = tmp_path / "new" / "places.csv"
    asked = ("classify", "--finding", WANTED, "--finding", "quux", "--limit", "1")
    told = door.json(*asked, "--csv", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == views.CSV_COLUMNS
    assert [row["question"] for row in rows] == [WANTED] * 3 + ["quux"] * 3
    best = told["answers"][0]["studies"][0]
    assert (rows[0]["study"], float(rows[0]["score"])) == (best["study"], best["score"])
    assert float(rows[0]["percentile"]) == pytest.approx(best["percentile"], abs=0.05)
    assert {row["encoder"] for row in rows} == {ENCODER}
    assert rows[0]["low"] != "" == rows[3]["low"]
    door.json("classify", "--like", SECOND, "--unlike", THIRD, "--csv", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["question"] == f"like {SECOND}; unlike {THIRD}"
    assert (row["study"], row["compared"], row["patient_of_an_example"]) == (FIRST, "1", "no")


class TestWrite:
    def shown(self, door: Door, study: str = FIRST) -> list[dict]:
        return door.json("show", study)["machine_findings"]["findings"]

    def test_what_is_written_is_shown_as_a_machine_finding(self, door: Door, monkeypatch):
        told = door.json("classify", "--finding", WANTED, "--write", "sizes", "--limit", "1")
        assert told["written"] == 3
        (one,) = self.shown(door)
        best = told["answers"][0]["studies"][0]
        assert {k: one[k] for k in ("score", "percentile", "low", "high")} == {
            k: best[k] for k in ("score", "percentile", "low", "high")
        }
        assert (one["name"], one["question"], one["method"]) == ("sizes", WANTED, "prompts")
        assert one["asked"] == told["answers"][0]["asked"]
        assert one["made_by"].startswith("cineseek ")
        monkeypatch.setenv("COLUMNS", "160")
        _, out, _ = door("show", FIRST)
        assert views.NOTE in out
        assert f"{WANTED} (sizes)" in out
        assert "machine_findings" not in door.json("show", FIRST, "--no-research")
        assert "sizes" not in door("show", FIRST, "--no-research")[1]

    def test_examples_are_written_under_the_name_and_replaced(self, door: Door):
        door.json("classify", "--like", FIRST, "--write", "amyloid")
        assert self.shown(door) == []
        (one,) = self.shown(door, SECOND)
        assert (one["name"], one["question"]) == ("amyloid", "amyloid")
        assert (one["asked"], one["low"]) == ([f"like {FIRST}"], None)
        door.json("classify", "--like", SECOND, "--write", "amyloid")
        assert self.shown(door, SECOND) == []
        assert self.shown(door)[0]["asked"] == [f"like {SECOND}"]

    def test_they_vanish_when_the_clips_change(self, door: Door):
        door.json("classify", "--finding", WANTED, "--write", "sizes")
        catalog = wiring.open_catalog(Settings(home=door.home))
        study, clips = study_of("first")
        entry = StudyEntry(study=study, clips=tuple(clips), files=(), source_digest="again")
        catalog.put_study(entry)
        assert len(self.shown(door)) == 1
        catalog.put_study(replace(entry, clips=tuple(clips[:1])))
        assert self.shown(door) == []
        assert len(self.shown(door, SECOND)) == 1

    def test_they_change_no_answer(self, door: Door):
        before = door.json("search", WANTED)
        facets = wiring.open_catalog(Settings(home=door.home)).facets
        counted = facets(Filter(), access=LOCAL_OPERATOR)
        door.json("classify", "--finding", WANTED, "--write", WANTED)
        assert door.json("search", WANTED) == before
        assert facets(Filter(), access=LOCAL_OPERATOR) == counted


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "nothing is asked; give --finding"),
        (["--finding", "x", "--like", FIRST], 2, "give --finding, or --like and --unlike"),
        (["--unlike", FIRST], 2, "no example has what is looked for"),
        (["--like", FIRST, "--unlike", FIRST], 2, "given as like and as unlike"),
        (["--like", "nobody"], 1, "no study nobody in the catalog"),
        (["--like", FIRST, "--method", "prompts"], 2, "prompts are for words"),
        (["--like", FIRST, "--method", "forest"], 2, "no method 'forest'; there are prompts"),
        (["--finding", "no scar"], 2, "'no scar' asks nothing of the images"),
        (["--finding", "x", "--limit", "0"], 2, "limit is 0"),
        (["--finding", "x", "--vendor", "GE"], 2, "no study has vendor GE"),
        (["--finding", "x", "--sex", "O"], 2, "no eligible study can be scored for 'x'"),
        (["--finding", "x", "--write", " "], 2, "need a name to be written under"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_expected_failures_are_one_line_and_a_code(door: Door, arguments, code, message):
    ended, out, err = door("classify", *arguments, "--json")
    assert (ended, out) == (code, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_plot_is_of_labels(door: Door, tmp_path: Path):
    code, _, err = door("evaluate", "--plot", str(tmp_path / "x.png"))
    assert (code, err) == (
        2, "error: few-shot curves are of labels, by video; give --labels with --plot\n",
    )  # fmt: skip
    labels = tmp_path / "labels.csv"
    labels.write_text(f"study,label\n{FIRST},DCM\n{THIRD},NOR\n")
    code, _, err = door("evaluate", "--labels", str(labels), "--plot", str(tmp_path / "x.jpg"))
    assert code == 2
    assert "it must end in .png, .pdf, .svg" in err
    code, out, err = door("evaluate", "--labels", str(labels), "--plot", str(tmp_path / "x.png"))
    assert code == 2
    assert "by text" in out
    assert "there are no few-shot curves to draw" in err
    assert not (tmp_path / "x.png").exists()
    assert json.loads((door.home / "evaluations.jsonl").read_text())["labels"] is not None
