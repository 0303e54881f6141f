"""One archive through the live index and through vectors in memory; shuffled cines; the log."""

import json
from dataclasses import replace

import numpy as np
import pytest

from retrieval.errors import UsageError
from retrieval.evaluation import history
from retrieval.evaluation.metrics import LAST
from retrieval.evaluation.seen import embedded, from_embeddings, published
from retrieval.evaluation.shuffle import shuffled
from retrieval.search.searcher import Searcher
from retrieval.values.clip import identify
from retrieval.values.embedding import StudyEmbedding, rows_of, unit_rows
from retrieval.values.query import LOCAL_OPERATOR, Query
from retrieval.values.study import Technique, View
from tests.doubles import ENCODER, DictCatalog, DictIndex, WordEncoder, a_clip, a_study

TEXTS = ["dilated left ventricle", "scar"]


@pytest.fixture
def archive():
    """(catalog, index, embeddings): studies with a whole vector, with clips only, with none."""
    rng = np.random.default_rng(0)
    catalog, vectors, embeddings = DictCatalog(), {}, []
    for name in ("whole", "clips", "none", "other"):
        study = a_study(name)
        clips = [a_clip(study), a_clip(study, View.FOUR_CHAMBER)]
        if name == "none":
            catalog.add(study, clips)
            continue
        rows = unit_rows(rng.normal(size=(3, 4)))
        made = StudyEmbedding(
            study=study.id,
            encoder_id=ENCODER,
            whole=None if name == "clips" else rows[0],
            clips={clip.id: row for clip, row in zip(clips, rows[1:], strict=True)},
            inputs=tuple(clip.id for clip in clips),
        )
        embeddings.append(made)
        catalog.add(study, clips, rows_of(made))
        vectors |= {row.key: row.vector for row in rows_of(made)}
    return catalog, DictIndex(vectors), embeddings


def test_both_see_the_same(archive):
    catalog, index, embeddings = archive
    studies = [a_study(name).id for name in ("none", "other", "clips", "whole")]
    live = published(
        Searcher(WordEncoder(), index, catalog), index, catalog, studies, access=LOCAL_OPERATOR
    )
    memory = from_embeddings(WordEncoder(), embeddings, eligible=4)
    assert set(live.vectors) == set(memory.vectors) == set(studies[1:])
    for study in studies[1:]:
        np.testing.assert_allclose(live.vectors[study], memory.vectors[study], atol=1e-6)
    found = [seen.scores(TEXTS, studies, access=LOCAL_OPERATOR) for seen in (live, memory)]
    np.testing.assert_array_equal(*found)
    assert (found[0][:, 0] == LAST).all()
    assert np.isfinite(found[0][:, 1:]).all()
    query = Query(text=TEXTS[0], limit=None)
    orders = [seen.ranks.rank(query, access=LOCAL_OPERATOR) for seen in (live, memory)]
    assert orders[0].missing == orders[1].missing == 1
    assert [s for s, _ in orders[0].studies] == [s for s, _ in orders[1].studies]


class Half:
    """Embeds what it likes: clips of one technique, by their mean; remembers what it was given."""

    encoder_id = ENCODER

    def __init__(self, technique: Technique) -> None:
        self.technique = technique
        self.given: list[list[str]] = []

    def sees(self, record) -> bool:
        return record.technique is self.technique

    def encode_texts(self, texts):
        return WordEncoder().encode_texts(texts)

    def encode_studies(self, studies):
        found = []
        for clips in studies:
            self.given.append([clip.record.id for clip in clips])
            row = unit_rows(np.array([[1.0, len(clips), 0, 0]]))[0]
            study = clips[0].record.study
            found.append(
                StudyEmbedding(study=study, encoder_id=ENCODER, whole=row, clips={}, inputs=())
            )
        return found


def test_each_encoder_is_given_what_it_sees_and_each_clip_is_read_once():
    catalog, clips = DictCatalog(), {}
    for name, techniques in (
        ("both", (Technique.CINE, Technique.LGE)),
        ("cine", (Technique.CINE,)),
    ):
        study = a_study(name)
        its = [
            identify(a_clip(study, technique=t), np.zeros((1, 2, 2), np.uint16)) for t in techniques
        ]
        catalog.add(study, [clip.record for clip in its])
        clips |= {clip.record.id: clip for clip in its}
    reads: list[str] = []

    class Store:
        def read(self, clip):
            reads.append(clip)
            return clips[clip]

    cine, enhanced = Half(Technique.CINE), Half(Technique.LGE)
    studies = [a_study(name).id for name in ("both", "cine")]
    seen = embedded([cine, enhanced], studies, catalog, Store(), access=LOCAL_OPERATOR)
    assert [sorted(one.vectors) for one in seen] == [sorted(studies), [studies[0]]]
    assert [len(given) for given in cine.given] == [1, 1]
    assert len(reads) == len(set(reads)) == 3


class TestShuffled:
    def clip(self, technique: Technique = Technique.CINE, phases: int = 9):
        record = replace(a_clip(a_study("s"), technique=technique), phases=phases)
        return identify(record, np.arange(phases * 4, dtype=np.uint16).reshape(phases, 2, 2))

    def test_every_image_stays_and_the_order_goes(self):
        clip = self.clip()
        (found,) = shuffled([clip], seed=3)
        order = found.pixels[:, 0, 0] // 4
        assert sorted(order) == list(range(9))
        assert list(order) != list(range(9))
        np.testing.assert_array_equal(found.pixels, clip.pixels[order])
        assert found.record.id != clip.record.id
        assert replace(found.record, id=clip.record.id) == clip.record

    def test_it_follows_from_the_seed_and_the_clip_alone(self):
        clip, other = self.clip(), self.clip(phases=12)
        alone = shuffled([clip], seed=3)[0]
        assert shuffled([other, clip], seed=3)[1].record.id == alone.record.id
        assert shuffled([clip], seed=4)[0].record.id != alone.record.id

    def test_stills_are_left_alone(self):
        clip = self.clip(Technique.T1_MAP)
        assert shuffled([clip], seed=0)[0] is clip


class TestHistory:
    def test_looks_at_the_same_judgments_are_counted(self, tmp_path):
        assert history.looks(tmp_path, "abc") == history.Looks(count=0, encoders=0)
        for encoder, judged in (("a", "abc"), ("b", "abc"), ("a", "abc"), ("a", "other")):
            history.note(tmp_path, encoder=encoder, judged=judged, told={"generation": None})
        assert history.looks(tmp_path, "abc") == history.Looks(count=3, encoders=2)
        lines = [json.loads(line) for line in (tmp_path / history.FILE).read_text().splitlines()]
        assert [line["encoder"] for line in lines] == ["a", "b", "a", "a"]
        assert all(line["when"].endswith("+00:00") for line in lines)

    def test_a_broken_log_is_named_and_not_passed_over(self, tmp_path):
        history.note(tmp_path, encoder="a", judged="abc", told={})
        with (tmp_path / history.FILE).open("a") as log:
            log.write('{"encod')
        with pytest.raises(UsageError, match=r"evaluations\.jsonl:2: not JSON"):
            history.looks(tmp_path, "abc")
