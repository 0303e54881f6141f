"""An answer depends on what its reader may see, and on nothing else.

Random archives with shared patients, reports and permissions are asked random
queries with every kind of chip, over the SQL catalog and over a dictionary.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.catalog.catalog import SqlCatalog
from retrieval.errors import UsageError
from retrieval.language.findings import find_findings
from retrieval.language.measurements import find_measurements
from retrieval.search.searcher import Searcher
from retrieval.values.embedding import Embeddings
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.reliability import Calibration, Reliability
from retrieval.values.study import PatientId, State
from retrieval.vectors.exact import ExactIndex
from retrieval.vectors.table import Table
from tests.contracts.conftest import empty
from tests.doubles import DictCatalog, WordEncoder
from tests.retrieval.catalog_examples import (
    DIM,
    ENCODER,
    entries,
    filters,
    make_report,
    make_rows,
    name,
)

TEXTS = WordEncoder(dim=DIM)

SENTENCES = (
    "No myocardial scar.",
    "Extensive scar in the septum.",
    "Possible scar.",
    "Mildly dilated left ventricle.",
    "Left ventricle is not dilated.",
    "LVEF 28 %.",
    "LVEF 61 %.",
    "Small pericardial effusion.",
    "Scar could not be assessed.",
)
FINDINGS = (
    "scar",
    "dilated left ventricle",
    "severely dilated left ventricle",
    "pericardial effusion",
)
OTHERS = ("EF below 35", "women", "at 3 T", "older than 60", "4 chamber", "no thrombus", "scar")


@st.composite
def archive(draw):
    """Studies, and the report of each; some are of one patient, and some were sent twice."""
    made = []
    for n in range(draw(st.integers(0, 7) | st.integers(5, 7))):
        entry = draw(entries(n))
        person = replace(
            entry.study.patient, id=PatientId(name("patient", draw(st.integers(0, 3))))
        )
        study = replace(entry.study, patient=person, state=State.INDEXED, reason="")
        if not entry.clips:  # that none is indexed is the indexer's promise
            study = replace(study, state=State.EXCLUDED, reason="no clip")
        entry = replace(entry, study=study)
        said = draw(st.lists(st.sampled_from(SENTENCES), max_size=3, unique=True))
        copy = draw(st.integers(0, n)) if draw(st.booleans()) else n
        made.append((n, entry, " ".join(said), copy))
    return made


@st.composite
def asked(draw):
    """A query of findings, denials, numbers and people, maybe one of them twice."""
    wanted = draw(st.lists(st.sampled_from(FINDINGS), max_size=2) | st.just(["scar"]))
    denied = [f"no {one}" for one in draw(st.lists(st.sampled_from(FINDINGS), max_size=1))]
    words = [*wanted, *denied, *draw(st.lists(st.sampled_from(OTHERS), max_size=2))]
    return Query(
        text=", ".join(words or ["scar"]),
        channel=draw(st.sampled_from(Channel)),
        where=draw(st.just(Filter()) | filters()),
        limit=draw(st.none() | st.integers(1, 4)),
        collapsed=draw(st.booleans()),
    )


def calibration(positives, negatives, slope, intercept):
    """Of a finding that images tell well."""
    return Calibration(
        positives=positives,
        negatives=negatives,
        slope=slope,
        intercept=intercept,
        auc=0.9,
        auc_low=0.88,
        auc_high=0.95,
        brier_skill=0.3,
        error=0.05,
        fold_slope=1.0,
    )


KNOWN = Reliability(
    encoder_id=ENCODER,
    generation="g1",
    studies=40,
    trained_on=0,
    findings={
        "scar": calibration(10, 30, 4.0, -1.0),
        "lv_dilation": calibration(25, 12, 2.0, 0.5),
    },
    too_few={},
)


def rows_of(n, entry, copy):
    """Vectors of its clips, and two of three studies have one of their own."""
    rows = make_rows(entry, whole=n % 3 != 2) if entry.clips else []
    twin = np.random.default_rng(copy).normal(size=DIM).astype(np.float32)
    twin /= np.linalg.norm(twin)
    return [replace(row, vector=twin) if row.clip is None else row for row in rows]


def report_of(n, text):
    return make_report(
        text,
        study=n,
        impression=text,
        findings=find_findings(text),
        measurements=find_measurements(text),
    )


def in_memory(made):
    catalog = DictCatalog()
    for n, entry, text, copy in made:
        catalog.add(entry.study, entry.clips, rows_of(n, entry, copy))
        if not entry.released:
            catalog.unreleased.add(entry.study.id)
        if text:
            catalog.reports[entry.study.id] = report_of(n, text)
    return catalog


def fill(catalog, made):
    for n, entry, text, copy in made:
        catalog.put_study(entry)
        catalog.put_embeddings(rows_of(n, entry, copy))
        if text:
            catalog.put_report(report_of(n, text))


def index_of(made):
    rows = [row for n, entry, _, copy in made for row in rows_of(n, entry, copy)]
    vectors = np.array([row.vector for row in rows], dtype=np.float32).reshape(len(rows), DIM)
    keys = np.array([row.key for row in rows], dtype=np.int64)
    return ExactIndex(Table(keys, Embeddings(ENCODER, vectors), generation="g1"))


def told(made, query, access, known, catalog=None):
    searcher = Searcher(TEXTS, index_of(made), catalog or in_memory(made), known)
    try:
        return searcher.search(query, access=access)
    except UsageError as error:  # words and filters that no study can meet together
        return str(error)


MADE = {
    "data": st.data(),
    "made": archive(),
    "query": asked(),
    "known": st.just(KNOWN),
}
WHO = st.sampled_from(
    [Access(sites=frozenset(["north"]), unreleased=True), Access(sites=None), LOCAL_OPERATOR]
)


@settings(deadline=None, max_examples=60)
@given(**MADE, access=WHO)
def test_what_a_reader_may_not_see_moves_nothing(data, made, query, known, access):
    """Nor does the order in which studies came: not one probability, rank or verdict."""
    whole = told(made, query, access, known)
    left = [one for one in made if access_lets(one[1], access)]
    assert told(left, query, access, known) == whole
    assert told(data.draw(st.permutations(made)), query, access, known) == whole


def access_lets(entry, access):
    at_site = access.sites is None or entry.study.site in access.sites
    return at_site and (access.unreleased or entry.released)


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('catalog') / 'catalog.db'}"
    catalog = SqlCatalog.open(url, migrate=True)
    yield catalog
    catalog.close()


@settings(deadline=None, max_examples=8)
@given(made=archive(), queries=st.lists(asked(), min_size=1, max_size=3), access=WHO)
def test_the_sql_catalog_answers_as_the_dictionary_does(sql, made, queries, access):
    empty(sql)
    fill(sql, made)
    for query in queries:
        for known in (None, KNOWN):
            expected = told(made, query, access, known)
            assert told(made, query, access, known, sql) == expected
