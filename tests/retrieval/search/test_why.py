"""Why a study answers: the same clip as its hit shows, every view, and only for whom may see it."""

import json
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest
from PIL import Image

from retrieval import cli, wiring
from retrieval.clips import heat
from retrieval.clips.preview import TILE_PX
from retrieval.errors import ClipNotFound, StudyNotFound, UsageError
from retrieval.geometry.heart import point_of
from retrieval.search.searcher import Searcher
from retrieval.search.why import Explainer
from retrieval.values.clip import ClipRecord, identify
from retrieval.values.embedding import StudyEmbedding, rows_of, unit_rows
from retrieval.values.occlusion import Occlusion
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.study import SeriesId, Technique, View
from tests.doubles import ENCODER, DictCatalog, DictIndex, WordEncoder, a_study

WANTED = "dilated left ventricle"
SCAR = "scar"
ASKED = Query(text=WANTED, literal=True)
SIDE = 72
BRIGHT = np.s_[:1, 30:36, 36:42]


def clip_of(study, view, technique, level, *, slice_index=0, phases=6):
    """A clip whose match with the words is `level` over 1000, all of it from one part."""
    pixels = np.full((phases, SIDE, SIDE), 50, np.uint16)
    pixels[BRIGHT] = level
    record = ClipRecord(
        study=study.id,
        series=SeriesId(f"{view} {technique}"),
        view=view,
        technique=technique,
        slice_index=slice_index,
        slice_count=2 if view is View.SHORT_AXIS else 1,
        phases=phases,
        rows=SIDE,
        columns=SIDE,
        spacing_mm=(2.5, 2.5),
    )
    return identify(record, pixels)


class Encoder(WordEncoder):
    """Both sides of an encoder that looks at how bright one part is, and at no flow."""

    def __init__(self):
        super().__init__({WANTED: [1.0, 0, 0, 0], SCAR: [1.0, 0, 0, 0]})
        self.encoded = 0

    def sees(self, record):
        return record.technique is not Technique.FLOW

    def encode_studies(self, studies):
        self.encoded += len(studies)
        return [self._study([c for c in clips if self.sees(c.record)]) for clips in studies]

    def _study(self, clips):
        shares = [float(c.pixels[BRIGHT].mean()) / 1000 for c in clips]
        rows = unit_rows(np.array([[s, np.sqrt(1 - s * s), 0, 0] for s in shares]))
        ids = tuple(c.record.id for c in clips)
        return StudyEmbedding(
            study=clips[0].record.study,
            encoder_id=ENCODER,
            whole=unit_rows(rows.mean(axis=0, keepdims=True))[0],
            clips=dict(zip(ids, rows, strict=True)),
            inputs=ids,
        )


class Clips(dict):
    """A ClipStore to read from."""

    def read(self, clip):
        return self[clip]


@dataclass
class Home:
    catalog: DictCatalog
    clips: Clips
    encoder: Encoder
    vectors: dict

    @property
    def searcher(self):
        return Searcher(self.encoder, DictIndex(self.vectors), self.catalog)

    @property
    def explainer(self):
        index = DictIndex(self.vectors)
        return Explainer(self.searcher, self.encoder, index, self.catalog, self.clips)

    def add(self, name, *kinds, **given):
        study = a_study(name, **given)
        made = [clip_of(study, *kind) for kind in kinds]
        rows = rows_of(self.encoder.encode_studies([made])[0])
        self.catalog.add(study, [c.record for c in made], rows)
        self.clips |= {c.record.id: c for c in made}
        self.vectors |= {row.key: row.vector for row in rows}
        return study.id, [c.record.id for c in made]


SAX, LONG, LATE = (
    (View.SHORT_AXIS, Technique.CINE, 500),
    (View.FOUR_CHAMBER, Technique.CINE, 300),
    (View.SHORT_AXIS, Technique.LGE, 200),
)
FLOW = (View.OTHER, Technique.FLOW, 900)


@pytest.fixture
def home():
    return Home(DictCatalog(), Clips(), Encoder(), {})


def why(home, study, query=ASKED, access=LOCAL_OPERATOR):
    return home.explainer.why(study, query, access=access)


def test_views_stand_in_order_each_by_its_best_clip(home):
    weaker = (View.SHORT_AXIS, Technique.CINE, 400)
    study, clips = home.add("a", LONG, weaker, SAX, LATE, FLOW)
    said = why(home, study)
    assert [(v.view, v.technique, v.score, v.clips, v.clip.id) for v in said.views] == [
        (View.SHORT_AXIS, Technique.CINE, 0.5, 2, clips[2]),
        (View.FOUR_CHAMBER, Technique.CINE, 0.3, 1, clips[0]),
        (View.SHORT_AXIS, Technique.LGE, 0.2, 1, clips[3]),
    ]
    assert (said.carried_by.id, said.score) == (clips[2], 0.5)


@pytest.mark.parametrize(
    "query",
    [
        ASKED,
        Query(text=SCAR, channel=Channel.ALL),
        Query(text=WANTED, where=Filter(views=frozenset([View.FOUR_CHAMBER]))),
        Query(text=f"{WANTED} on short axis LGE"),
    ],
    ids=["words", "a finding that LGE shows", "a filter", "words that filter"],
)
def test_the_clip_that_carries_a_study_is_the_evidence_of_its_hit(home, query):
    home.add("a", SAX, LONG, LATE, FLOW)
    home.add("b", LONG, LATE, (View.SHORT_AXIS, Technique.CINE, 100))
    hits = home.searcher.search(query, access=LOCAL_OPERATOR).hits
    assert len(hits) == 2
    for hit in hits:
        said = why(home, hit.study.id, query)
        assert (said.carried_by, said.score) == (hit.evidence.clip, hit.evidence.score)


def test_what_a_reader_may_not_see_is_not_explained(home):
    study, clips = home.add("a", SAX, site="south")
    north = Access(sites=frozenset({"north"}))
    home.explainer.map(study, clips[0], ASKED, access=LOCAL_OPERATOR)
    for ask in (
        lambda: why(home, study, access=north),
        lambda: home.explainer.map(study, clips[0], ASKED, access=north),
    ):
        with pytest.raises(StudyNotFound):
            ask()


def test_a_map_that_was_drawn_for_one_reader_is_no_other_s(home):
    study, clips = home.add("a", SAX)
    explainer = home.explainer
    explainer.map(study, clips[0], ASKED, access=LOCAL_OPERATOR)
    with pytest.raises(StudyNotFound):
        explainer.map(study, clips[0], ASKED, access=Access(sites=frozenset()))


def test_the_same_map_is_drawn_once(home):
    study, clips = home.add("a", SAX, LONG)
    explainer = home.explainer
    first = explainer.map(study, clips[0], ASKED, access=LOCAL_OPERATOR)
    encoded = home.encoder.encoded
    assert explainer.map(study, clips[0], ASKED, access=LOCAL_OPERATOR) is first
    assert home.encoder.encoded == encoded
    assert explainer.map(study, clips[1], ASKED, access=LOCAL_OPERATOR) is not first


def test_a_map_finds_the_part_that_carries_the_clip(home):
    study, clips = home.add("a", SAX, LONG)
    found = home.explainer.map(study, clips[0], ASKED, access=LOCAL_OPERATOR).occlusion
    assert found.score == pytest.approx(why(home, study).score, abs=1e-6)
    row, column = found.largest
    assert found.rows[row] < 36
    assert found.rows[row + 1] > 30
    assert found.columns[column] < 42
    assert found.columns[column + 1] > 36
    assert found.places[row, column] > 0.1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(text="no scar", channel=Channel.ALL), "nothing of the images"),
        (replace(ASKED, channel=Channel.REPORT), "nothing of the images"),
    ],
)
def test_what_reports_answer_has_no_clip_that_carries_it(home, query, message):
    study, _ = home.add("a", SAX)
    with pytest.raises(UsageError, match=message):
        why(home, study, query)


def test_clips_of_other_studies_and_studies_without_vectors_are_refused(home):
    study, _ = home.add("a", SAX)
    _, others = home.add("b", LONG)
    with pytest.raises(UsageError, match="has no clip"):
        home.explainer.map(study, others[0], ASKED, access=LOCAL_OPERATOR)
    home.vectors.clear()
    with pytest.raises(UsageError, match="no vector in generation"):
        why(home, study)


# --- the map as a picture ------------------------------------------------------------------------


def occlusion_of(clip, places, rows, columns):
    return Occlusion(
        clip=clip.record,
        whole=False,
        score=0.5,
        rows=rows,
        columns=columns,
        places=np.array(places, float),
        phases=(0, 2, 6),
        times=np.array([0.0, 0.1]),
    )


def test_a_map_lies_over_the_picture_where_its_cells_lie_in_the_clip():
    clip = clip_of(a_study("a"), *SAX)
    middle = point_of(clip.record, (35.5, 35.5))
    edges = (16, 26, 36, 46, 56)  # 25 mm each, around the middle
    places = np.zeros((4, 4))
    places[1, 2], places[3, 0] = 0.08, -0.04
    shown = heat.over_tile(occlusion_of(clip, places, edges, edges), middle, 40)  # 5 mm a point
    assert np.unravel_index(shown.argmax(), shown.shape) in [(17, 22), (17, 21), (16, 22), (16, 21)]
    assert shown.max() == pytest.approx(1, abs=0.2)
    low = np.unravel_index(shown.argmin(), shown.shape)
    assert 25 <= low[0] < 30
    assert 10 <= low[1] < 15
    assert shown.min() == pytest.approx(-0.5, abs=0.1)
    assert not shown[:10].any()
    assert not shown[:, 30:].any()
    weak = heat.over_tile(occlusion_of(clip, places / 100, edges, edges), middle, 40)
    assert np.abs(weak).max() < 0.1


def test_colour_says_for_or_against_and_cover_how_much():
    pictures = np.full((1, 1, 3), 100, np.uint8)
    shown = heat.painted(pictures, np.array([[1.0, 0.0, -1.0]]))[0, 0]
    assert shown[1].tolist() == [100, 100, 100]
    assert shown[0, 0] > shown[0, 2]
    assert shown[2, 2] > shown[2, 0]


def test_a_picture_shows_the_phase_that_mattered_or_all_of_them(tmp_path):
    clip = clip_of(a_study("a"), *SAX)
    beating = clip.pixels.copy()
    for phase in range(6):
        beating[phase, 20 + phase : 50] = 400
    clip = identify(clip.record, beating)
    middle = point_of(clip.record, (35.5, 35.5))
    found = occlusion_of(clip, np.zeros((1, 1)), (20, 50), (20, 50))
    assert heat.decisive_phase(found) == 2
    for name, frames in (("a.png", 1), ("a.gif", 6)):
        heat.save(clip, found, middle, tmp_path / name)
        with Image.open(tmp_path / name) as image:
            assert image.size == (TILE_PX * heat.SCALE,) * 2
            assert getattr(image, "n_frames", 1) == frames


# --- the door ------------------------------------------------------------------------------------


def door(monkeypatch, capsys, home, *arguments):
    monkeypatch.setattr(wiring, "open_explaining", lambda _: home)
    monkeypatch.setattr(sys, "argv", ["cineseek", "why", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_door_says_and_draws_why(home, monkeypatch, capsys, tmp_path):
    study, clips = home.add("a", SAX, LONG)
    picture = tmp_path / "why.png"
    code, out, err = door(
        monkeypatch, capsys, home, study, WANTED, "--literal", "--picture", str(picture)
    )
    assert (code, err) == (0, "")
    assert "carried by SAX cine 1/2, 0.500" in out
    assert "4CH" in out
    assert "█" in out
    assert picture.exists()

    _, out, _ = door(
        monkeypatch, capsys, home, study, WANTED, "--literal", "--clip", clips[1], "--json"
    )
    said = json.loads(out)
    assert (said["study"], said["carried_by"]["clip"]) == (study, clips[0])
    assert (said["hidden"]["clip"], said["hidden"]["of"]) == (clips[1], "clip")
    assert [view["similarity"] for view in said["views"]] == [0.5, 0.3]
    assert np.array(said["hidden"]["places"]).max() > 0.05


def test_the_door_refuses_a_picture_of_another_kind_before_it_works(home, monkeypatch, capsys):
    study, _ = home.add("a", SAX)
    encoded = home.encoder.encoded
    code, out, err = door(monkeypatch, capsys, home, study, WANTED, "--picture", "why.jpg")
    assert (code, out) == (2, "")
    assert "why.jpg is neither" in err
    assert home.encoder.encoded == encoded


def test_a_clip_whose_file_is_lost_is_said_to_be(home, monkeypatch, capsys):
    study, clips = home.add("a", SAX)

    def lost(clip):
        raise ClipNotFound(clip)

    monkeypatch.setattr(home.clips, "read", lost)
    code, _, err = door(monkeypatch, capsys, home, study, WANTED, "--literal")
    assert code == 1
    assert clips[0] in err
