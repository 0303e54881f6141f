"""Repeat scans fold into one hit, and nothing is lost or shown twice."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.search.collapse import BLOCK, COPY_COSINE, collapse, copies
from retrieval.search.searcher import Searcher
from retrieval.values.embedding import StudyEmbedding, rows_of, unit_rows
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.study import Sex
from tests.doubles import ENCODER, DictCatalog, DictIndex, WordEncoder, a_clip, a_study, hexname

WANTED = "dilated left ventricle"
ASKED = Query(text=WANTED, literal=True, collapsed=True, limit=None)


def at(cosine, turn=0.0):
    """A unit vector at a cosine from what is asked, turned around it."""
    off = np.sqrt(1 - cosine**2)
    return unit_rows(np.array([[cosine, off * np.cos(turn), off * np.sin(turn), 0.0]]))[0]


class Archive:
    """Studies with a patient and a vector each."""

    def __init__(self):
        self.catalog, self.vectors = DictCatalog(), {}

    def add(self, name, patient, vector, **given):
        study = a_study(name, patient=patient, **given)
        clip = a_clip(study)
        said = StudyEmbedding(
            study=study.id, encoder_id=ENCODER, whole=vector, clips={}, inputs=(clip.id,)
        )
        self.catalog.add(study, [clip], rows_of(said))
        self.vectors |= {row.key: row.vector for row in rows_of(said)}
        return study.id

    def ask(self, query=ASKED, access=LOCAL_OPERATOR):
        words = WordEncoder({WANTED: [1.0, 0.0, 0.0, 0.0]})
        return Searcher(words, DictIndex(self.vectors), self.catalog).search(query, access=access)


def test_studies_of_one_patient_are_one_hit_that_unfolds():
    archive = Archive()
    second = archive.add("second", "Ada", at(0.7))
    best = archive.add("best", "Ada", at(0.9, 1.0))
    other = archive.add("other", "Ben", at(0.8, 2.0))
    ranking = archive.ask()
    assert [(h.rank, h.study.id, h.score) for h in ranking.hits] == [
        (1, best, 0.9),
        (2, other, 0.8),
    ]
    (under,) = ranking.hits[0].others
    assert (under.rank, under.score, under.study.id, under.copy) == (3, 0.7, second, False)
    assert ranking.hits[1].others == ()
    assert (ranking.eligible, ranking.answers, ranking.folded) == (3, 2, 1)
    short = archive.ask(replace(ASKED, limit=1))
    assert (short.hits, short.answers, short.folded) == (ranking.hits[:1], 2, 1)
    flat = archive.ask(replace(ASKED, collapsed=False))
    assert [h.study.id for h in flat.hits] == [best, other, second]
    assert (flat.answers, flat.folded) == (3, 0)


def test_an_examination_that_came_twice_under_two_names_is_one_hit():
    archive = Archive()
    first = archive.add("first", "Ada", at(0.9))
    again = archive.add("again", "Bea", at(0.9, 0.001))
    near = archive.add("near", "Cid", at(0.9, 0.1))
    hits = archive.ask().hits
    found = {hit.study.id: [(one.study.id, one.copy) for one in hit.others] for hit in hits}
    lead, under = (first, again) if first in found else (again, first)
    assert found == {lead: [(under, True)], near: []}


def test_evaluation_ranks_every_study():
    archive = Archive()
    for n in range(4):
        archive.add(f"{n}", "Ada", at(0.9 - n / 10))
    words = WordEncoder({WANTED: [1.0, 0.0, 0.0, 0.0]})
    searcher = Searcher(words, DictIndex(archive.vectors), archive.catalog)
    assert len(searcher.rank(ASKED, access=LOCAL_OPERATOR).studies) == 4
    assert len(searcher.search(ASKED, access=LOCAL_OPERATOR).hits) == 1


def test_what_may_not_be_seen_lies_under_no_hit():
    archive = Archive()
    seen = archive.add("seen", "Ada", at(0.5), site="north")
    archive.add("hidden", "Ada", at(0.9), site="south")
    ranking = archive.ask(access=Access(sites=frozenset({"north"})))
    assert [(h.study.id, h.others) for h in ranking.hits] == [(seen, ())]
    assert (ranking.eligible, ranking.folded) == (1, 0)


def test_a_filter_decides_who_can_stand_for_a_patient():
    archive = Archive()
    person = a_study("x").patient
    her = replace(person, id=hexname("patient of Ada"))
    archive.add("older", "", at(0.9), person=replace(her, age_years=61))
    young = archive.add("younger", "", at(0.5), person=replace(her, sex=Sex.FEMALE, age_years=40))
    ranking = archive.ask(replace(ASKED, where=Filter(age_to=50)))
    assert [(h.study.id, h.others) for h in ranking.hits] == [(young, ())]


PEOPLE = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=14
)


@settings(deadline=None, max_examples=60)
@given(people=PEOPLE, page=st.integers(1, 4), channel=st.sampled_from([Channel.VIDEO, Channel.ALL]))
def test_pages_hold_every_study_once_and_count_hits(people, page, channel):
    archive = Archive()
    for n, (patient, cosine, turn) in enumerate(people):
        archive.add(f"study {n}", f"patient {patient}", at(cosine / 8, turn))
    asked = replace(ASKED, channel=channel)
    whole = archive.ask(asked)
    flat = archive.ask(replace(asked, collapsed=False))
    assert whole.answers == len(whole.hits)
    assert whole.answers + whole.folded == whole.eligible == len(flat.hits)

    pages = [
        archive.ask(replace(asked, limit=n * page)).hits[(n - 1) * page :]
        for n in range(1, -(-whole.answers // page) + 1)
    ]
    assert [hit for hits in pages for hit in hits] == list(whole.hits)
    assert all(archive.ask(replace(asked, limit=n)).answers == whole.answers for n in (1, page))

    rank = {hit.study.id: hit.rank for hit in flat.hits}
    shown = [(rank[h.study.id], h.study) for h in whole.hits]
    under = [(one.rank, one.study) for h in whole.hits for one in h.others]
    assert sorted(n for n, _ in shown + under) == list(range(1, len(people) + 1))
    assert all(rank[one.id] == n for n, one in under)
    assert shown == sorted(shown, key=lambda one: one[0])
    patients = [s.patient.id for _, s in shown]
    assert len(patients) == len(set(patients))
    for hit in whole.hits:
        ranks = [rank[hit.study.id], *(one.rank for one in hit.others)]
        assert ranks == sorted(ranks)


@settings(deadline=None)
@given(
    seed=st.integers(0, 999),
    dimension=st.sampled_from([2, 4, 32]),
    twist=st.lists(st.floats(0, 0.03), min_size=1, max_size=6),
)
def test_copies_are_all_pairs_that_are_alike_enough(seed, dimension, twist):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(5, dimension))
    turned = [rows[0] + t * np.linalg.norm(rows[0]) * rng.normal(size=dimension) for t in twist]
    vectors = unit_rows(np.array([*rows, *turned]))
    names = [hexname(str(n)) for n in range(len(vectors))]
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    gram = exact @ exact.T
    wanted = {
        frozenset((names[a], names[b]))
        for a in range(len(names))
        for b in range(a)
        if gram[a, b] >= COPY_COSINE
    }
    assert {frozenset((names[a], names[b])) for a, b in copies(vectors).tolist()} == wanted


def test_an_encoder_for_which_all_hearts_look_alike_fills_no_memory():
    """Every pair is close along a few directions, and none is a copy but the two that are."""
    rng = np.random.default_rng(0)
    count, dimension = 2 * BLOCK + 9, 512
    centre = unit_rows(rng.normal(size=(1, dimension)))
    vectors = unit_rows(centre + 0.08 * unit_rows(rng.normal(size=(count, dimension))))
    vectors[count - 1] = vectors[BLOCK - 1]
    tracemalloc.start()
    assert copies(vectors).tolist() == [[BLOCK - 1, count - 1]]
    assert tracemalloc.get_traced_memory()[1] < 16 * vectors.astype(np.float64).nbytes
    tracemalloc.stop()


@pytest.mark.parametrize("linked", [[("b", "c")], [("c", "b"), ("b", "c")]])
def test_a_copy_of_a_patient_s_study_joins_all_of_that_patient_s(linked):
    ranked = [("a", 0.9), ("c", 0.8), ("b", 0.7), ("d", 0.6)]
    owners = {"a": "Ada", "b": "Ada", "c": "Cid", "d": "Dan"}
    leads, folded = collapse(ranked, owners, linked)
    assert leads == [("a", 0.9), ("d", 0.6)]
    assert [(one.study, one.rank, one.copy) for one in folded["a"]] == [
        ("c", 2, True),
        ("b", 3, False),
    ]
