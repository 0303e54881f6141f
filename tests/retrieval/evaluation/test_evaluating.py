"""`cineseek evaluate`: which encoder is scored, with what beside it, and what is written down."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from retrieval import evaluating, wiring
from retrieval.errors import UsageError
from retrieval.evaluating import CONTROL_SEEDS, Request, draw, evaluate
from retrieval.evaluation import curves, fewshot, history
from retrieval.evaluation import probe as probing
from retrieval.settings import Settings
from retrieval.values.clip import identify
from retrieval.values.embedding import StudyEmbedding, unit_rows
from retrieval.values.query import Channel
from tests.doubles import ENCODER, DictCatalog, WordEncoder, a_clip, a_study

COUNT = 12


class Random:
    """Embeds by the pixels: which is to say, by nothing that means anything."""

    encoder_id = ENCODER

    def sees(self, record) -> bool:
        return True

    def encode_texts(self, texts):
        return WordEncoder().encode_texts(texts)

    def encode_studies(self, studies):
        return [
            StudyEmbedding(
                study=clips[0].record.study,
                encoder_id=ENCODER,
                whole=unit_rows(np.random.default_rng(clips[0].pixels.ravel()).normal(size=(1, 4)))[
                    0
                ],
                clips={},
                inputs=(),
            )
            for clips in studies
        ]


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Settings:
    catalog, clips = DictCatalog(), {}
    for i in range(COUNT):
        study = a_study(f"s{i}")
        clip = identify(a_clip(study), np.full((1, 2, 2), i, np.uint16))
        catalog.add(study, [clip.record])
        clips[clip.record.id] = clip
    (tmp_path / "labels.csv").write_text(
        "study,label\n" + "".join(f"{a_study(f's{i}').id},{'ab'[i % 2]}\n" for i in range(COUNT))
    )

    class Store:
        def read(self, clip):
            return clips[clip]

    monkeypatch.setattr(wiring, "open_catalog", lambda settings: catalog)
    monkeypatch.setattr(wiring, "open_clips", lambda settings: Store())
    monkeypatch.setattr(wiring, "open_encoder", lambda name, settings: Random())
    monkeypatch.setattr(fewshot, "EPISODES", 2)
    monkeypatch.setattr(probing, "PENALTIES", (0.1,))
    return Settings(home=tmp_path, key_file=tmp_path / "no key")


def request(home: Settings, **given) -> Request:
    return Request(**{"labels": home.home / "labels.csv", "encoder": "mine"} | given)


def test_an_encoder_that_is_not_published_is_scored_and_every_look_is_counted(home: Settings):
    first = evaluate(home, request(home))
    assert (first.encoder_id, first.generation) == (ENCODER, None)
    assert first.before == history.Looks(count=0, encoders=0)
    assert first.reading is not None
    assert first.reading.scores.with_vector == COUNT
    assert first.reading.controls == ()
    second = evaluate(home, request(home))
    assert second.before == history.Looks(count=1, encoders=1)
    assert second.reading == first.reading
    assert "looks at these judgments before: 1, by 1 encoders" in second.summary()
    lines = [json.loads(x) for x in (home.home / history.FILE).read_text().splitlines()]
    assert [line["looks before"]["scorings"] for line in lines] == [0, 1]
    assert lines[0]["labels"]["scores"]["by_text"]["auc"]["mean"]["value"] == pytest.approx(
        first.reading.scores.by_text.auc.mean.value
    )
    assert {q["query"] for q in lines[0]["queries"]} == {"a", "b"}


def test_controls_are_untrained_networks_of_the_shape_of_what_is_scored(
    home: Settings, monkeypatch
):
    asked = []

    def untrained(name, settings, *, seeds):
        asked.append((name, seeds))
        return [Random() for _ in seeds]

    monkeypatch.setattr(wiring, "open_untrained", untrained)
    found = evaluate(home, request(home, control=True))
    assert asked == [("mine", CONTROL_SEEDS)]
    assert found.reading is not None
    assert len(found.reading.controls) == len(CONTROL_SEEDS) == 3
    assert "untrained" in found.tables()[0].columns


def test_what_cannot_be_scored_is_refused(home: Settings):
    with pytest.raises(UsageError, match="a control is scored on labels, by video; give --labels"):
        evaluate(home, request(home, labels=None, control=True))
    with pytest.raises(UsageError, match="an encoder answers by video, not by report"):
        evaluate(home, request(home, channel=Channel.REPORT))
    assert not (home.home / history.FILE).exists()


class TestPlot:
    def test_every_curve_is_drawn_for_both_methods(self, home: Settings, monkeypatch):
        pytest.importorskip("matplotlib")
        from matplotlib.axes import Axes

        drawn, bands = {}, []
        plot, fill_between = Axes.plot, Axes.fill_between

        def plots(axes, shots, values, *args, **more):
            drawn.setdefault(axes, {})[more.get("label")] = (list(shots), list(values))
            return plot(axes, shots, values, *args, **more)

        def fills(axes, shots, low, high, **more):
            bands.append((list(low), list(high)))
            return fill_between(axes, shots, low, high, **more)

        monkeypatch.setattr(Axes, "plot", plots)
        monkeypatch.setattr(Axes, "fill_between", fills)
        path = home.home / "pictures" / "curves.png"
        found = evaluate(home, request(home, plot=path))
        assert not path.exists()
        draw(found, path)
        assert found.reading is not None
        its = found.reading.scores.by_vector.few_shot
        panels = {axes.get_title(): lines for axes, lines in drawn.items()}
        assert set(panels) == set(its) == {"prototypes", "logistic"}
        for (method, lines), (low, high) in zip(panels.items(), bands, strict=True):
            curve = its[method]["mean"]
            shots = list(fewshot.SHOTS)
            assert lines["mean, 95 % band"] == (shots, [curve[n].mean for n in shots])
            assert (low, high) == ([curve[n].low for n in shots], [curve[n].high for n in shots])
            assert lines["a"] == (shots, [its[method]["a"][n].mean for n in shots])
            published = lines.get("published, other questions")
            assert (published is not None) == (method == "prototypes")
        assert panels["prototypes"]["published, other questions"][1][0] == 0.615
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.shape[0] > 400
        assert pixels.shape[1] > 1000
        halves = np.array_split(pixels, 2, axis=1)
        assert all(len(np.unique(half.reshape(-1, 3), axis=0)) > 50 for half in halves)

    def test_what_cannot_be_drawn_is_refused_before_anything_is_scored(
        self, home: Settings, monkeypatch
    ):
        picture = home.home / "x.png"
        for given in ({"labels": None}, {"channel": Channel.REPORT, "encoder": None}):
            with pytest.raises(UsageError, match="curves are of labels, by video; give --labels"):
                evaluate(home, request(home, plot=picture, **given))
        with pytest.raises(UsageError, match=r"x\.jpg is no picture's name"):
            evaluate(home, request(home, plot=picture.with_suffix(".jpg")))
        monkeypatch.setattr(curves, "find_spec", lambda name: None)
        with pytest.raises(UsageError, match=r"matplotlib; install cineseek\[train\]"):
            evaluate(home, request(home, plot=picture))
        assert not (home.home / history.FILE).exists()


def test_without_labels_there_is_no_reading(home: Settings):
    queries = home.home / "q.jsonl"
    queries.write_text(json.dumps({"query": "x", "relevant": [a_study("s0").id]}))
    found = evaluate(home, request(home, labels=None, queries=queries))
    assert found.reading is None
    assert found.scores.queries[0].judged == COUNT
    assert [table.columns[0] for table in found.tables()] == ["query", "over all queries"]


def test_only_phantom_encoders_have_untrained_controls(tmp_path: Path):
    settings = Settings(home=tmp_path, key_file=tmp_path / "no key")
    with pytest.raises(UsageError, match="cmrclip is cmrclip; an untrained control needs a phant"):
        wiring.open_untrained("cmrclip", settings, seeds=(0,))
    assert evaluating.CONTROL_SEEDS == (0, 1, 2)
