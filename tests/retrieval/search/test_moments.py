"""One moment for each query, and rankings that depend on nothing but what is in it."""

from dataclasses import replace
from threading import Barrier, Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import StudyNotFound
from retrieval.search.members import Studies
from retrieval.search.moments import Moments
from retrieval.search.roster import Roster
from retrieval.search.searcher import Searcher
from retrieval.values.embedding import Embeddings
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.study import StudyId, View
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table
from tests.doubles import DictCatalog, WordEncoder, exact_score
from tests.retrieval.catalog_examples import (
    ACCESSES,
    DIM,
    ENCODER,
    archives,
    filters,
    make_clip,
    make_entry,
    make_rows,
    study_id,
)

TEXTS = WordEncoder(dim=DIM)


def rows_of(n, entry):
    """Every third study has vectors of its clips alone."""
    return make_rows(entry, whole=n % 3 != 2) if entry.clips or n % 3 != 2 else []


def catalog_of(archive):
    catalog = DictCatalog()
    for n, entry in archive:
        catalog.add(entry.study, entry.clips, rows_of(n, entry))
        if not entry.released:
            catalog.unreleased.add(entry.study.id)
    return catalog


def index_over(rows):
    vectors = np.array([row.vector for row in rows], dtype=np.float32).reshape(len(rows), DIM)
    keys = np.array([row.key for row in rows], dtype=np.int64)
    return ExactIndex(Table(keys, Embeddings(ENCODER, vectors), generation="g1"))


def ranked(catalog, rows, where, access):
    """What should come, one study and one vector at a time."""
    (query,) = TEXTS.encode_texts(["heart"]).vectors
    held = {row.key: row.vector for row in rows}
    owners = catalog.keys(where, ENCODER, access=access)
    owners = {key: owner for key, owner in owners.items() if key in held}
    whole = {study for study, clip in owners.values() if clip is None}
    best: dict[StudyId, tuple[float, int]] = {}
    for key, (study, clip) in owners.items():
        if clip is None or study not in whole:
            place = (-exact_score(held[key], query), key)
            best[study] = min(best.get(study, place), place)
    return [(study, -score) for study, (score, _) in sorted(best.items(), key=lambda b: b[1])]


@settings(deadline=None, max_examples=60)
@given(
    data=st.data(),
    archive=archives(),
    where=filters(),
    access=st.just(LOCAL_OPERATOR) | ACCESSES,
)
def test_pages_follow_one_order_whatever_came_first(data, archive, where, access):
    numbered = list(enumerate(archive))
    catalog = catalog_of(numbered)
    rows = [row for row in catalog.rows if data.draw(st.integers(0, 3), label="published") > 0]
    expected = ranked(catalog, rows, where, access)
    eligible = catalog.eligible(where, access=access)
    shuffled = data.draw(st.permutations(numbered), label="order of ingestion")
    for held in (catalog, catalog_of(shuffled)):
        searcher = Searcher(TEXTS, index_over(rows), held)
        for limit in (None, 1, 2, 3, 5, 8):
            query = Query(
                text="heart", literal=True, channel=Channel.VIDEO, where=where, limit=limit
            )
            order = searcher.rank(query, access=access)
            assert list(order.studies) == [(s, score + 0.0) for s, score in expected[:limit]]
            assert order.eligible == len(eligible)
            assert order.missing == len(eligible - {study for study, _ in expected})


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 7, 30, None])
def test_many_studies_of_several_clips_are_ranked_one_by_one(whole, limit):
    views = list(View)[:5]
    entries = [make_entry(n, [make_clip(n, view=view) for view in views]) for n in range(30)]
    catalog = DictCatalog()
    for entry in entries:
        catalog.add(entry.study, entry.clips, make_rows(entry, whole=whole))
    searcher = Searcher(TEXTS, index_over(catalog.rows), catalog)
    query = Query(text="heart", literal=True, channel=Channel.VIDEO, limit=limit)
    expected = ranked(catalog, catalog.rows, Filter(), LOCAL_OPERATOR)
    assert len(expected) == 30
    found = searcher.rank(query, access=LOCAL_OPERATOR).studies
    assert list(found) == [(s, score + 0.0) for s, score in expected[:limit]]


@given(
    known=st.sets(st.integers(0, 8)), left=st.sets(st.integers(0, 9)), taken=st.sets(st.integers())
)
def test_a_set_of_studies_is_a_set(known, left, taken):
    catalog = DictCatalog()
    for n in known:
        catalog.add(make_entry(n).study)
    roster = Roster.unread(np.empty(0, np.int64))
    roster = roster.after(catalog.standing(ENCODER, since=None, access=LOCAL_OPERATOR))
    ids, others = {study_id(n) for n in left}, {study_id(n) for n in taken}
    ours = Studies(roster, roster.numbered(ids))
    plain = ids & {study_id(n) for n in known}
    assert set(ours) == plain
    assert len(ours) == len(plain)
    assert {study for study in ids if study in ours} == plain
    assert set(ours - others) == plain - others
    assert set(ours - Studies(roster, roster.numbered(others))) == plain - others
    assert ours & others == plain & others
    assert None not in ours


@pytest.fixture
def archive():
    """Three studies, their catalog, and a searcher that has answered once."""
    entries = [make_entry(n, [make_clip(n)]) for n in range(3)]
    catalog = catalog_of(enumerate(entries))
    searcher = Searcher(TEXTS, index_over(catalog.rows), catalog)
    assert len(found(searcher)) == 3
    return catalog, searcher


def found(searcher, access=LOCAL_OPERATOR, **given):
    query = Query(**{"text": "heart", "literal": True, "limit": None} | given)
    return {study for study, _ in searcher.rank(query, access=access).studies}


def test_a_permission_that_is_taken_away_counts_from_the_next_query(archive):
    catalog, searcher = archive
    reader = Access(sites=None)
    assert len(found(searcher, reader)) == 3
    catalog.unreleased.add(study_id(1))
    assert found(searcher, reader) == {study_id(0), study_id(2)}
    assert len(found(searcher)) == 3
    catalog.unreleased.clear()
    assert len(found(searcher, reader)) == 3


def test_studies_that_come_and_go_are_there_and_gone_at_the_next_query(archive):
    catalog, searcher = archive
    gone = catalog.held.pop(study_id(0))
    assert found(searcher) == {study_id(1), study_id(2)}
    catalog.held[gone.id] = replace(gone, year=1990)
    assert found(searcher) == {study_id(n) for n in range(3)}
    assert found(searcher, where=Filter(year_to=1990)) == {gone.id}
    with pytest.raises(StudyNotFound):
        found(searcher, text="", like=StudyId("nobody"))


def test_a_query_sees_one_moment(archive, monkeypatch):
    """However often it needs a mask, it asks the catalog once."""
    catalog, searcher = archive
    strong = catalog.held[study_id(0)]
    strong = replace(strong, scanner=replace(strong.scanner, field_strength_t=3.0))
    catalog.held[strong.id] = strong
    asked = []
    standing = catalog.standing

    def counting(*args, **given):
        asked.append(given["since"])
        catalog.unreleased ^= {study_id(2)}  # it changes all the time
        return standing(*args, **given)

    monkeypatch.setattr(catalog, "standing", counting)
    monkeypatch.delattr(DictCatalog, "keys")
    query = Query(text="dilated left ventricle, not at 3 T, no scar", like=study_id(1), limit=None)
    ranking = searcher.search(query, access=LOCAL_OPERATOR)
    assert ranking.eligible == 1  # neither the example nor what is at 3 T
    assert len(asked) == 1


def test_what_is_withdrawn_while_it_is_answered_fails_no_query(archive, monkeypatch):
    catalog, searcher = archive
    studies = catalog.studies
    withdrawn = []

    def withdrawing(ids, *, access):
        if study_id(1) in ids and not withdrawn:
            withdrawn.append(catalog.held.pop(study_id(1)))
        return studies(ids, access=access)

    monkeypatch.setattr(catalog, "studies", withdrawing)
    ranking = searcher.search(Query(text="heart", literal=True, limit=None), access=LOCAL_OPERATOR)
    assert withdrawn
    assert {hit.study.id for hit in ranking.hits} == {study_id(0), study_id(2)}
    assert ranking.eligible == 2


def test_a_catalog_that_contradicts_itself_is_not_asked_for_ever(archive, monkeypatch):
    catalog, searcher = archive

    def nobody(ids, *, access):
        if ids:
            raise StudyNotFound(study_id(1))
        return []

    monkeypatch.setattr(catalog, "studies", nobody)
    with pytest.raises(StudyNotFound):
        searcher.search(Query(text="heart", literal=True), access=LOCAL_OPERATOR)


def test_a_pool_holds_nothing_that_its_reader_may_not_see(archive):
    catalog, _ = archive
    catalog.unreleased.add(study_id(1))
    moment = Moments(index_over(catalog.rows), catalog).now(Access(sites=None))
    pool = moment.pool(Filter(), [study_id(0), study_id(1)])
    assert set(pool.studies()) == {study_id(0)}
    assert pool.vector_of(study_id(1)) is None


def test_threads_that_ask_at_once_read_once(archive):
    catalog, _ = archive
    moments = Moments(index_over(catalog.rows), catalog)
    start, seen = Barrier(8), []

    def ask():
        start.wait()
        seen.append(moments.now(LOCAL_OPERATOR).roster)

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(map(id, seen))) == 1


def twin(rows, of, to):
    """The second study with the first one's own vector."""
    first = next(row for row in rows if row.study == of and row.clip is None)
    return [
        replace(row, vector=first.vector) if row.study == to and row.clip is None else row
        for row in rows
    ]


def test_copies_are_found_once_and_follow_who_may_be_found(archive, monkeypatch):
    catalog, _ = archive
    catalog.rows = twin(catalog.rows, study_id(0), study_id(1))
    index = index_over(catalog.rows)
    moments = Moments(index, catalog)
    now = moments.now(LOCAL_OPERATOR)
    assert list(map(set, moments.copies(now))) == [{study_id(0), study_id(1)}]

    def no_more(keys):
        raise AssertionError("vectors never change, so they are compared once")

    monkeypatch.setattr(index, "vectors", no_more)
    catalog.held[study_id(2)] = replace(catalog.held[study_id(2)], year=1990)
    assert list(map(set, moments.copies(moments.now(LOCAL_OPERATOR)))) == [
        {study_id(0), study_id(1)}
    ]
    del catalog.held[study_id(1)]
    catalog.rows = [row for row in catalog.rows if row.study != study_id(1)]
    assert moments.copies(moments.now(LOCAL_OPERATOR)) == []


def test_whose_a_study_is(archive):
    catalog, _ = archive
    now = Moments(index_over(catalog.rows), catalog).now(LOCAL_OPERATOR)
    asked = [study_id(2), study_id(0), StudyId("nobody")]
    assert now.patients(asked) == {s: catalog.held[s].patient.id for s in asked[:2]}


def test_every_vector_of_a_study_has_its_score(archive):
    catalog, _ = archive
    index = index_over(catalog.rows)
    pool = Moments(index, catalog).now(LOCAL_OPERATOR).pool(Filter(), [study_id(0)])
    query = TEXTS.encode_texts(["heart"])
    its = {row.clip: exact_score(row.vector, query.vectors[0]) for row in catalog.rows
           if row.study == study_id(0)}  # fmt: skip
    found = pool.each(query)
    assert dict(found) == pytest.approx(its)
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    assert pool.scores(query, [study_id(0), study_id(1)]) == pytest.approx({study_id(0): its[None]})
