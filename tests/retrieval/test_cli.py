"""The `cineseek` door, over a real catalog and a real generation; only the encoder is a double."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pytest

from retrieval import cli, evaluating, wiring
from retrieval.evaluation import gold_scores
from retrieval.evaluation.gold import Ask, Gold
from retrieval.settings import Settings
from retrieval.values.clip import ClipRecord
from retrieval.values.embedding import StudyEmbedding, estimate_rows_of, rows_of, unit_rows
from retrieval.values.estimate import Estimate, Quantity
from retrieval.values.finding import Finding, FindingName, Polarity
from retrieval.values.intake import StudyEntry
from retrieval.values.report import Report
from retrieval.values.study import (
    Patient,
    PatientId,
    Scanner,
    Series,
    Sex,
    State,
    Study,
    StudyId,
    Technique,
    View,
)
from retrieval.vectors import generation
from tests.doubles import ENCODER, WordEncoder, a_clip, a_study, hexname
from tests.retrieval.phantom.heart_examples import INFARCT, NORMAL

WANTED = "dilated left ventricle"
ANGLES = {"first": 0.9, "second": 0.6, "third": 0.3}
PEOPLE = {"first": (Sex.FEMALE, 34), "second": (Sex.MALE, 67), "third": (Sex.MALE, 90)}
SCANNERS = {"first": ("SIEMENS", 1.5), "second": ("Philips", 3.0), "third": ("SIEMENS", 3.0)}
CONCLUSIONS = {
    "first": ("The left ventricle is dilated.", Polarity.PRESENT),
    "second": ("The left ventricle is not dilated.", Polarity.ABSENT),
}
ESTIMATES = {
    "first": (
        Estimate(quantity=Quantity.LVEDV, value=191.0, spread=4.0),
        Estimate(quantity=Quantity.RVEF, value=51.0, spread=2.0),
    ),
    "second": (Estimate(quantity=Quantity.LVEDV, value=183.0, spread=7.0),),
}


@dataclass
class Door:
    """Calls `cineseek` in this process."""

    home: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["cineseek", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self.capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def json(self, *arguments: str) -> dict:
        code, out, err = self(*arguments, "--json")
        assert (code, err) == (0, "")
        assert out.count("\n") == 1
        return json.loads(out)

    def hits(self, *arguments: str) -> list[str]:
        names = {hexname(name): name for name in ANGLES}
        return [names[hit["study"]] for hit in self.json(*arguments)["hits"]]


def study_of(name: str) -> tuple[Study, list[ClipRecord]]:
    sex, age = PEOPLE[name]
    vendor, tesla = SCANNERS[name]
    study = a_study(
        name,
        person=Patient(id=PatientId(hexname(f"patient of {name}")), sex=sex, age_years=age),
        scanner=Scanner(vendor=vendor, field_strength_t=tesla),
        year=2010 + len(name),
    )
    technique = Technique.LGE if name == "third" else Technique.CINE
    clips = [a_clip(study), a_clip(study, View.FOUR_CHAMBER, technique)]
    series = tuple(
        Series(
            id=clip.series,
            view=clip.view,
            technique=clip.technique,
            state=State.INDEXED,
            slices=1,
            phases=1,
            clips=1,
            spacing_mm=(1.4, 1.4),
        )
        for clip in clips
    )
    return a_study(
        name, person=study.patient, scanner=study.scanner, year=study.year, series=series
    ), clips


def fill(settings: Settings) -> None:
    catalog = wiring.open_catalog(settings, migrate=True)
    for name, cosine in ANGLES.items():
        study, clips = study_of(name)
        catalog.put_study(StudyEntry(study=study, clips=tuple(clips), files=(), source_digest=name))
        side = [
            (cosine, (1 - cosine**2) ** 0.5, 0.0, 0.0),
            (cosine, 0.0, (1 - cosine**2) ** 0.5, 0.0),
        ]
        vectors = unit_rows(np.array(side))
        said = StudyEmbedding(
            study=study.id,
            encoder_id=ENCODER,
            whole=vectors[0],
            clips={clip.id: v for clip, v in zip(clips, vectors, strict=True)},
            inputs=tuple(clip.id for clip in clips),
            estimates=ESTIMATES.get(name, ()),
        )
        catalog.put_embeddings(rows_of(said), estimate_rows_of(said))
    for name, (text, polarity) in CONCLUSIONS.items():
        finding = Finding(name=FindingName.LV_DILATION, polarity=polarity, start=0, end=len(text))
        catalog.put_report(
            Report(
                digest=hexname(text),
                study=StudyId(hexname(name)),
                text=f"Findings as seen. {text}",
                impression=text,
                findings=(finding,),
            )
        )
    folder = wiring.generations_folder(settings)
    built = generation.build(folder, catalog.embeddings(ENCODER), ENCODER, encoder="phantom")
    generation.publish(folder, built)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    fill(Settings(home=home))
    return home


@pytest.fixture
def door(filled: Path, tmp_path: Path, capsys, monkeypatch) -> Door:
    monkeypatch.setenv("CINESEEK_HOME", str(filled))
    monkeypatch.setenv("CINESEEK_KEY_FILE", str(tmp_path / "no key"))
    encoder = WordEncoder({WANTED: [1.0, 0.0, 0.0, 0.0]})
    monkeypatch.setattr(wiring, "open_encoder", lambda name, settings: encoder)
    return Door(filled, capsys, monkeypatch)


KEYS = [
    "query", "narrowed", "chips", "free_text", "channels", "eligible", "answers", "folded",
    "set_aside", "conviction", "above_unrelated", "badges", "encoder", "generation", "hits",
]  # fmt: skip


def test_search_prints_the_object_of_the_contract(door: Door):
    found = door.json("search", WANTED, "--literal", "--channels", "video")
    assert list(found) == KEYS
    assert (found["query"], found["eligible"], found["encoder"]) == (WANTED, 3, ENCODER)
    assert found["generation"] == generation.current(door.home / "generations")
    _, clips = study_of("first")
    shown = {clip.id: clip for clip in clips}[found["hits"][0]["evidence"]["clip"]]
    assert found["hits"][0] == {
        "rank": 1,
        "study": hexname("first"),
        "score": 0.9,
        "evidence": {"view": shown.view, "technique": "cine", "clip": shown.id},
        "sentence": None,
        "said": [],
        "impression": "The left ventricle is dilated.",
        "images": [],
        "others": [],
    }
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert [hit["score"] for hit in found["hits"]] == [0.9, 0.6, 0.3]
    assert found["hits"][2]["impression"] is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["first", "second", "third"]),
        (["--limit", "all"], ["first", "second", "third"]),
        (["--limit", "2"], ["first", "second"]),
        (["--sex", "m"], ["second", "third"]),
        (["--sex", "M", "--sex", "F", "--limit", "1"], ["first"]),
        (["--age-from", "67"], ["second", "third"]),
        (["--age-from", "35", "--age-to", "67"], ["second"]),
        (["--field-strength", "3"], ["second", "third"]),
        (["--field-strength", "1.5", "--field-strength", "3.0"], ["first", "second", "third"]),
        (["--vendor", "siemens"], ["first", "third"]),
        (["--view", "4ch", "--technique", "LGE"], ["third"]),
        (["--view", "SAX", "--technique", "LGE"], []),
        (["--view", "2CH", "--view", "4CH"], ["first", "second", "third"]),
        (["--year-from", "2016"], ["second"]),
        (["--year-to", "2015"], ["first", "third"]),
        (["--channels", "report"], ["first", "second"]),
    ],
    ids=" ".join,
)
def test_every_filter_filters(door: Door, options: list[str], expected: list[str]):
    how = options if "--channels" in options else [*options, "--channels", "video"]
    found = door.hits("search", WANTED, "--literal", *how)
    assert sorted(found) == sorted(expected)
    if "report" not in options:
        assert found == expected


def test_all_channels_together(door: Door):
    assert set(door.hits("search", WANTED, "--channels", "all")) == set(ANGLES)


def test_evidence_meets_the_filter(door: Door):
    (hit,) = door.json("search", WANTED, "--technique", "LGE")["hits"]
    assert (hit["evidence"]["view"], hit["evidence"]["technique"]) == ("4CH", "LGE")


def test_similar_prints_the_same_object(door: Door, monkeypatch):
    def no_encoder(name, settings):
        raise AssertionError("an example needs no words")

    monkeypatch.setattr(wiring, "open_encoder", no_encoder)
    found = door.json("similar", hexname("second"))
    assert list(found) == KEYS
    assert (found["query"], found["eligible"]) == (hexname("second"), 2)
    assert [hit["study"] for hit in found["hits"]] == [hexname("third"), hexname("first")]
    assert len(door.json("similar", hexname("second"), "--limit", "1")["hits"]) == 1


def test_show_says_all_that_is_known(door: Door):
    told = door.json("show", hexname("first"))
    assert (told["study"], told["sex"], told["age_years"]) == (hexname("first"), "F", 34)
    assert told["findings"] == [{"finding": "LV dilation", "polarity": "present"}]
    assert {series["view"] for series in told["series"]} == {"SAX", "4CH"}
    assert len(told["clips"]) == 2
    assert told["report"].endswith(told["impression"])
    assert door.json("show", hexname("third"))["report"] is None


class TestResearch:
    def test_estimates_are_off_by_default_and_on_by_option_or_setting(self, door, monkeypatch):
        study = hexname("first")
        assert "machine_estimates" not in door.json("show", study)
        assert "machine_estimates" in door.json("show", study, "--research")
        monkeypatch.setenv("CINESEEK_RESEARCH", "true")
        assert "machine_estimates" in door.json("show", study)
        assert "machine_estimates" not in door.json("show", study, "--no-research")

    def test_estimates_are_places_in_the_archive_and_never_numbers(self, door, monkeypatch):
        monkeypatch.setenv("COLUMNS", "160")
        told = door.json("show", hexname("first"), "--research")["machine_estimates"]
        assert told["encoder"] == ENCODER
        assert "not a measurement" in told["note"]
        assert told["percentiles"] == [
            {"quantity": "lvedv", "percentile": 75.0, "low": 50.0, "high": 100.0, "studies": 2},
            {"quantity": "rvef", "percentile": 50.0, "low": 0.0, "high": 100.0, "studies": 1},
        ]
        code, out, err = door("show", hexname("first"), "--research")
        assert (code, err) == (0, "")
        assert "not a measurement" in out
        assert "LV end-diastolic volume" in out
        assert "0 to 100" in out
        assert "191" not in out
        assert "mL" not in out

    def test_an_interval_is_as_narrow_as_the_estimate_is_sure(self, door):
        told = door.json("show", hexname("second"), "--research")["machine_estimates"]
        (one,) = told["percentiles"]
        assert (one["low"], one["percentile"], one["high"]) == (0.0, 25.0, 100.0)

    def test_nothing_estimated_is_said(self, door):
        _, out, _ = door("show", hexname("third"), "--research")
        assert f"encoder {ENCODER} estimates nothing of this study" in " ".join(out.split())

    def test_before_a_publication_there_is_no_encoder_to_ask(self, door, tmp_path):
        home = Settings(home=tmp_path / "unpublished")
        catalog = wiring.open_catalog(home, migrate=True)
        study, clips = study_of("first")
        catalog.put_study(StudyEntry(study=study, clips=tuple(clips), files=(), source_digest=""))
        told = door.json("show", study.id, "--research", "--home", str(home.home))
        assert told["study"] == study.id
        assert "machine_estimates" not in told


def test_people_get_a_table_and_programs_a_clean_stdout(door: Door, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = door("search", WANTED, "--limit", "2", "--literal")
    assert code == 0
    assert hexname("first") in out
    assert hexname("third") not in out
    assert "F34" in out
    assert err.startswith("2 of 3 eligible studies")
    monkeypatch.setenv("COLUMNS", "60")
    assert hexname("first") in door("search", WANTED, "--limit", "2")[1]  # never cut short
    code, out, _ = door("show", hexname("third"))
    assert code == 0
    assert "M90+" in out
    monkeypatch.setenv("COLUMNS", "160")
    assert "1.40 x 1.40" in door("show", hexname("third"))[1]


class TestEvaluate:
    def test_by_the_archives_own_reports(self, door: Door):
        told = door.json("evaluate")
        assert (told["channel"], told["encoder"]) == ("video", ENCODER)
        (query,) = told["queries"]
        assert (query["query"], query["relevant"], query["judged"]) == (WANTED, 1, 2)
        assert query["recall@1"] == query["ndcg@10"] == query["auc"] == 1
        assert told["overall"]["median rank"]["value"] == 1

    def test_by_a_file_of_queries(self, door: Door, tmp_path: Path):
        path = tmp_path / "q.jsonl"
        lines = [{"query": WANTED, "relevant": [hexname("third")]}]
        path.write_text("\n".join(map(json.dumps, lines)))
        told = door.json("evaluate", "--queries", str(path))
        assert told["queries"][0]["first rank"] == 3

    def test_by_labels(self, door: Door, tmp_path: Path):
        path = tmp_path / "labels.csv"
        path.write_text(f"study,label\n{hexname('first')},DCM\n{hexname('third')},NOR\n")
        told = door.json("evaluate", "--labels", str(path))
        assert [query["judged"] for query in told["queries"]] == [2] * 6  # three sentences each
        assert set(told["labels"]["scores"]["by_text"]["auc"]["labels"]) == {"DCM", "NOR"}
        assert told["labels"]["controls"] == []

    def test_one_source_at_a_time(self, door: Door):
        code, _, err = door("evaluate", "--labels", "a", "--queries", "b")
        assert (code, err) == (2, "error: give --queries or --labels, not both\n")

    def test_the_gold_set(self, door: Door, tmp_path: Path, monkeypatch):
        """Judged by the truth of hearts; the first and the second are weak."""
        truth = tmp_path / "truth.jsonl"
        hearts = {"first": INFARCT, "second": INFARCT, "third": NORMAL}
        truth.write_text(
            "".join(
                json.dumps({"study": hexname(name), **asdict(heart)}) + "\n"
                for name, heart in hearts.items()
            )
        )
        asked = Gold(
            asks=(Ask(text=WANTED, kind="present", true=("ef_reduced",)),),
            paraphrases=((WANTED, "big LV"),),
            opposites=((WANTED, "small LV"),),
            digest="of the set",
        )
        monkeypatch.setattr(evaluating, "gold", lambda: asked)
        monkeypatch.setattr(gold_scores, "FEWEST", 1)
        page = tmp_path / "report.html"
        told = door.json("evaluate", "--labels", str(truth), "--gold", "--html", str(page))
        assert (told["studies"], told["reported"], told["gold"]) == (3, 2, "of the set")
        (query,) = told["queries"]
        assert (query["query"], query["relevant"]) == (WANTED, 2)
        assert query["ways"]["images"]["precision@10"]["value"] == 1
        assert query["ways"]["reports"]["recall@R"]["value"] == pytest.approx(0.75)
        assert told["looks before"] == {"scorings": 0, "encoders": 0}
        assert "1 queries of 3 simulated studies" in page.read_text()
        monkeypatch.setenv("COLUMNS", "220")
        code, out, err = door("evaluate", "--labels", str(truth), "--gold")
        assert code == 0
        assert "looks at these judgments before: 1, by 1 encoders" in err
        assert "paired: the same queries" in out
        labels = tmp_path / "labels.csv"
        labels.write_text(f"study,label\n{hexname('first')},a\n{hexname('third')},b\n")
        code, _, err = door("evaluate", "--labels", str(labels), "--gold")
        assert (code, err) == (
            2,
            "error: labels.csv holds no truth of simulated hearts; give a truth.jsonl\n",
        )

    def test_people_get_tables(self, door: Door, monkeypatch):
        monkeypatch.setenv("COLUMNS", "160")
        code, out, err = door("evaluate")
        assert code == 0
        assert err.startswith(f"encoder {ENCODER}")
        assert "median rank" in out
        assert WANTED in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["search", "x", "--view", "5CH"], 2, "no view '5CH'; there are SAX, 2CH, 3CH, 4CH"),
        (["search", "x", "--technique", "ct"], 2, "no technique 'ct'; there are cine, LGE"),
        (["search", "x", "--sex", "W"], 2, "no sex 'W'; there are F, M, O"),
        (["search", "x", "--channels", "tv"], 2, "there are video, report, all"),
        (["search", "x", "--limit", "0"], 2, "limit is 0; give a number from 1, or all"),
        (["search", "x", "--limit", "few"], 2, "limit is few"),
        (["search", "x", "--vendor", "GE"], 2, "no study has vendor GE; there are"),
        (["search", " "], 2, "nothing is asked"),
        (["similar", "nobody"], 1, "no study nobody in the catalog"),
        (["show", "nobody"], 1, "no study nobody in the catalog"),
        (["evaluate", "--queries", "nowhere.jsonl"], 2, "nowhere.jsonl does not exist"),
        (["evaluate", "--html", "x.html"], 2, "give --gold with --html"),
        (["evaluate", "--gold"], 2, "asked of what is published, and judged by --labels"),
        (["evaluate", "--gold", "--labels", "a", "--control"], 2, "asked of what is published"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_expected_failures_are_one_line_and_a_code(
    door: Door, arguments: list[str], code: int, message: str
):
    ended, out, err = door(*arguments, "--json")
    assert (ended, out) == (code, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_home_without_a_generation_says_what_to_run_and_stays_empty(door: Door, tmp_path: Path):
    nowhere = tmp_path / "nowhere"
    code, _, err = door("search", "x", "--home", str(nowhere))
    assert code == 1
    assert "nothing is published" in err
    assert f"cineseek-index run ARCHIVE --home {nowhere}" in err
    assert not nowhere.exists()


def test_an_encoder_that_did_not_make_the_index_is_refused(door: Door, monkeypatch):
    from retrieval.values.embedding import EncoderId

    other = WordEncoder(encoder_id=EncoderId("other@2"))
    monkeypatch.setattr(wiring, "open_encoder", lambda name, settings: other)
    code, _, err = door("search", "x")
    assert code == 1
    assert f"the index was built with encoder {ENCODER} but the query uses other@2" in err


def test_a_damaged_generation_is_refused(door: Door, tmp_path: Path):
    import shutil

    home = tmp_path / "copy"
    shutil.copytree(door.home, home)
    name = generation.current(home / "generations")
    (home / "generations" / str(name) / "vectors.npy").write_bytes(b"junk")
    code, _, err = door("search", "x", "--home", str(home))
    assert code == 1
    assert "vectors.npy is not the file that was built" in err


def test_help_needs_none_of_the_heavy_libraries():
    program = (
        "import sys; sys.argv = ['cineseek', '--help']\n"
        "from retrieval import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'faiss', 'sqlalchemy', 'transformers', 'pydantic_settings', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "search" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_encoder_that_is_none_is_named(tmp_path: Path):
    from retrieval.errors import CheckpointInvalid

    settings = Settings(home=tmp_path, device="cpu")
    with pytest.raises(CheckpointInvalid, match="neither phantom, cmrclip nor a folder"):
        wiring.open_encoder(str(tmp_path / "none"), settings)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(CheckpointInvalid, match=r"config\.json is not JSON"):
        wiring.open_encoder(str(tmp_path), settings)


def test_understand_tells_chips_free_text_and_what_was_mended(door):
    told = door.json("understand", "dilatd left ventricle without scar, odd wobbling")
    lines = [one["chip"] for one in told["chips"]]
    assert lines == ["finding:lv_dilation;at=lv", "-finding:scar"]
    assert told["free"] == "odd wobbling"
    code, out, err = door("understand", "dilatd left ventricle, odd wobbling")
    assert code == 0
    assert "finding:lv_dilation;at=lv" in out
    assert "read 'dilatd' as dilation" in err
    assert "free text: odd wobbling" in err


def test_understand_reads_a_sites_own_terms(door, tmp_path):
    site = tmp_path / "terms.toml"
    site.write_text('[finding.lv_dilation]\nsynonyms = ["capacious lv"]\n')
    told = door.json("understand", "capacious LV", "--lexicon", str(site))
    assert [one["chip"] for one in told["chips"]] == ["finding:lv_dilation;at=lv"]
    code, _, err = door("understand", "x", "--lexicon", str(tmp_path / "none.toml"))
    assert code == 2
    assert "none.toml" in err


def test_words_about_people_are_told_as_filters(door):
    found = door.json("search", f"{WANTED}, women")
    assert (found["query"], found["narrowed"]) == (f"{WANTED}, women", ["women"])
    assert found["eligible"] == 1
    code, _, err = door("search", f"{WANTED}, women")
    assert code == 0
    assert "understood: 1. LV dilation  2. women" in err
    assert "1 of 1 eligible study" in err
    code, _, err = door("search", "women over 60")
    assert code == 0
    assert "0 of 0 eligible studies" in err


def test_an_answer_says_what_was_understood_and_what_the_report_says(door):
    found = door.json("search", f"{WANTED}, wobbling")
    assert found["chips"] == ["finding:lv_dilation;at=lv"]
    assert (found["free_text"], found["channels"]) == ("wobbling", ["words", "reports"])
    first = found["hits"][0]
    assert first["study"] == hexname("first")
    (said,) = first["said"]
    assert (said["chip"], said["verdict"]) == ("finding:lv_dilation;at=lv", "agrees")
    assert said["sentence"] == first["sentence"]


def test_chips_can_be_turned_off_flipped_and_added(door):
    def chips(*options):
        return door.json("search", f"{WANTED}, women", *options)["chips"]

    lv, women = "finding:lv_dilation;at=lv", "sex:F"
    assert chips("--off", "2") == [lv, f"~{women}"]
    assert chips("--flip", "1", "--add", "finding:scar") == [f"-{lv}", women, "finding:scar"]
    code, _, err = door("search", WANTED, "--off", "7")
    assert (code, "there is no chip 7; the query has 1" in err) == (2, True)
    code, _, err = door("search", WANTED, "--flip", "1", "--literal")
    assert (code, "a literal query has no chips" in err) == (2, True)


def test_a_denial_is_answered_by_reports_and_says_so(door):
    code, _, err = door("search", "no LV dilation")
    assert code == 0
    assert "1 whose report says otherwise" in err


def test_words_and_an_example_are_asked_together(door):
    found = door.json("search", WANTED, "--like", hexname("second"))
    assert found["channels"][:2] == ["example", "words"]
    assert hexname("second") not in [hit["study"] for hit in found["hits"]]
