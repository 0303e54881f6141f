"""Embedding: vectors and estimates of a study enter the catalog together, once."""

import pytest

from indexer.embed import embed
from retrieval.catalog.catalog import SqlCatalog
from retrieval.values.embedding import StudyEmbedding
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.study import Technique
from tests.retrieval.catalog_examples import (
    ENCODER,
    estimates_of,
    make_clip,
    make_entry,
    study_id,
    vector_of,
)


class Records:
    """A ClipStore that hands out mere records: the encoder below looks at nothing more."""

    def __init__(self, entries):
        self._records = {clip.id: clip for entry in entries for clip in entry.clips}

    def read(self, clip):
        return self._records[clip]


class Encoder:
    """Says something of every study it is given, and keeps count."""

    encoder_id = ENCODER

    def __init__(self):
        self.asked = []

    def sees(self, record):
        return record.technique is Technique.CINE

    def encode_studies(self, studies):
        self.asked += [clips[0].study for clips in studies]
        return [
            StudyEmbedding(
                study=clips[0].study,
                encoder_id=ENCODER,
                whole=vector_of(clips[0].study),
                clips={},
                inputs=tuple(clip.id for clip in clips),
                estimates=estimates_of(clips[0].study),
            )
            for clips in studies
        ]


@pytest.fixture
def catalog(tmp_path):
    opened = SqlCatalog.open(f"sqlite:///{tmp_path / 'catalog.db'}", migrate=True)
    yield opened
    opened.close()


def test_each_study_is_embedded_and_estimated_once(catalog):
    entries = [make_entry(n) for n in range(6)]
    entries.append(make_entry(6, [make_clip(6, technique=Technique.LGE)]))
    for entry in entries:
        catalog.put_study(entry)
    encoder, steps = Encoder(), []

    def run():
        return embed(
            catalog,
            Records(entries),
            encoder,
            progress=lambda done, total: steps.append((done, total)),
        )

    done = run()
    assert (done.studies, done.vectors, done.unseen) == (6, 6, (study_id(6),))
    assert steps == [(0, 6), (4, 6), (6, 6)]
    estimated = {study_id(n): estimates_of(study_id(n)) for n in range(6)}
    assert catalog.estimates(ENCODER, access=LOCAL_OPERATOR) == estimated
    assert run().studies == 0
    assert sorted(encoder.asked) == sorted(estimated)
