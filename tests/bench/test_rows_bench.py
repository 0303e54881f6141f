"""A whole search under filters, with bitmaps and by the SQL they stand for, in one run.

Run with: CINESEEK_BENCH_STUDIES=100000 pytest -m bench -s tests/bench/test_rows_bench.py

Every study has ten clips and a vector of its own. Each round asks everything
once, in turn, so that what else the machine does falls on all alike; two clocks,
as in `test_search_bench`. Proves only that both ways give one answer.
"""

import os
import time

import numpy as np
import pytest

from retrieval.catalog.catalog import SqlCatalog
from retrieval.ports import VectorIndex
from retrieval.search.moments import Moments
from retrieval.search.searcher import Searcher
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.study import Sex, StudyId, Technique, View
from retrieval.vectors.engines import index_over
from tests.bench.large_catalog import fill, name, table_over
from tests.bench.test_search_bench import resident
from tests.doubles import ENCODER, WordEncoder

STUDIES = int(os.environ.get("CINESEEK_BENCH_STUDIES", "10000"))
ROUNDS = int(os.environ.get("CINESEEK_BENCH_ROUNDS", "10"))
DIM = int(os.environ.get("CINESEEK_BENCH_DIM", "512"))
CLIPS, K = 10, 12

READER = Access(sites=frozenset(["north"]))
CASES = {
    "everything": (Filter(), LOCAL_OPERATOR),
    "one site, released": (Filter(), READER),
    "women over 60": (Filter(sexes=frozenset([Sex.FEMALE]), age_from=61), READER),
    "3 T, one vendor, one year": (
        Filter(
            field_strengths_t=frozenset([3.0]),
            vendors=frozenset(["Bolt"]),
            year_from=2020,
            year_to=2020,
        ),
        LOCAL_OPERATOR,
    ),
    "four-chamber LGE": (
        Filter(views=frozenset([View.FOUR_CHAMBER]), techniques=frozenset([Technique.LGE])),
        LOCAL_OPERATOR,
    ),
    "nobody": (Filter(age_from=200), LOCAL_OPERATOR),
}

pytestmark = pytest.mark.bench


def by_sql(
    catalog: SqlCatalog, index: VectorIndex, texts: WordEncoder, where: Filter, access: Access
) -> list[tuple[StudyId, float]]:
    """Rank as it was done before: keys fetched for every query, and looked up."""
    eligible = catalog.eligible(where, access=access)
    owners = catalog.keys(where, ENCODER, access=access)
    owners = {key: owner for key, owner in owners.items() if owner[0] in eligible}
    whole = {study for study, clip in owners.values() if clip is None}
    keys = [key for key, (study, clip) in owners.items() if clip is None or study not in whole]
    allowed = np.zeros(len(index), dtype=bool)
    allowed[np.searchsorted(index.keys, np.array(keys, dtype=np.int64))] = True
    (found,) = index.search(texts.encode_texts(["heart"]), k=K, allowed=allowed)
    return [
        (owners[key][0], score)
        for key, score in zip(found.keys.tolist(), found.scores.tolist(), strict=True)
    ]


def timed(call):
    start, worked = time.perf_counter(), time.process_time()
    found = call()
    return found, (time.perf_counter() - start, time.process_time() - worked)


def show(label: str, times: list[tuple[float, float]]) -> None:
    wall, worked = np.array(times).T * 1000
    print(
        f"{label:<34} {np.median(wall):>9.1f} {np.percentile(wall, 95):>9.1f} "
        f"{np.median(worked):>10.1f}"
    )


def test_a_whole_search_under_filters(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "catalog.db"
    catalog = SqlCatalog.open(f"sqlite:///{path}", migrate=True)
    fill(catalog, STUDIES, CLIPS)
    table = table_over(catalog, DIM)
    index = index_over(table)
    texts = WordEncoder(dim=DIM)
    searcher = Searcher(texts, index, catalog)
    print(
        f"\n{STUDIES:,} studies, {len(index):,} vectors of {DIM}, k = {K}, {ROUNDS} rounds, "
        f"load {os.getloadavg()[0]:.1f}\n"
        f"{'milliseconds':<34} {'p50':>9} {'p95':>9} {'processor':>10}"
    )
    before = resident()
    moments, first = Moments(index, catalog), None
    first, taken = timed(lambda: moments.now(LOCAL_OPERATOR).roster)
    show("read all, once", [taken])
    print(f"{'columns of it':<34} {sum_of_bytes(first) / 1e6:>9.1f} MB; "
          f"the process grew by {resident() - before:.0f} MB")  # fmt: skip
    for label, changed in (("one study", 1), ("a hundred studies", 100)):
        times = []
        for turn in range(ROUNDS):
            some = [StudyId(name(f"study {n}")) for n in range(changed)]
            catalog.set_deleted(some, deleted=turn % 2 == 0)
            times.append(timed(lambda: moments.now(LOCAL_OPERATOR))[1])
        catalog.set_deleted(some, deleted=False)
        show(f"after a write to {label}", times)
    moments.now(LOCAL_OPERATOR)
    show("nothing has changed", [timed(lambda: moments.now(READER))[1] for _ in range(ROUNDS)])

    times = {(case, way): [] for case in CASES for way in ("SQL", "bitmaps", "the scan alone")}
    for turn in range(-1, ROUNDS):
        for case, (where, access) in CASES.items():
            query = Query(text="heart", literal=True, channel=Channel.VIDEO, where=where, limit=K)
            expected, by_keys = timed(lambda: by_sql(catalog, index, texts, where, access))  # noqa: B023
            found, by_rows = timed(lambda: searcher.rank(query, access=access))  # noqa: B023
            now = moments.now(access)
            rows = now.roster.rows(where, now.eligible(where).chosen) & now.roster.competing
            vector = texts.encode_texts(["heart"])
            _, scan = timed(lambda: index.search(vector, k=K, allowed=rows))  # noqa: B023
            assert list(found.studies) == expected
            if turn >= 0:  # the first round only warms up
                for way, taken in (
                    ("SQL", by_keys),
                    ("bitmaps", by_rows),
                    ("the scan alone", scan),
                ):
                    times[case, way].append(taken)
    for (case, way), taken in times.items():
        show(f"{case}: {way}", taken)
    catalog.close()


def sum_of_bytes(roster) -> int:
    arrays = (roster.columns, roster.shows, roster.owners, roster.kinds, roster.clips)
    return sum(array.nbytes for array in arrays)
