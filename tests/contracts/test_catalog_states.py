"""Random histories of a catalog, judged by a dictionary that keeps everything it is told."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from retrieval.values.query import LOCAL_OPERATOR, Filter
from retrieval.values.study import State, View
from tests.contracts.conftest import DATABASES
from tests.retrieval.catalog_examples import (
    ENCODER,
    make_clip,
    make_entry,
    make_estimates,
    make_machine_finding,
    make_report,
    make_rows,
    study_id,
)

STUDIES = st.integers(0, 2)
SLICES = st.frozensets(st.integers(0, 2), max_size=3)
NUMBERS = st.none() | st.sampled_from(["A", "B"])
TEXTS = st.sampled_from(["Scar.", "No scar.", "Effusion."])


class Model:
    """What a catalog should know, as plain dictionaries and lists."""

    def __init__(self):
        self.entries = {}
        self.deleted = set()
        self.vectors = {}  # key -> row
        self.estimates = {}  # (study, quantity) -> row
        self.machine_found = {}  # (study, name) -> finding
        self.done = set()
        self.arrived = []

    def put(self, entry):
        study = entry.study.id
        before, after = self.clips(study), {c.id for c in entry.clips}
        self.entries[study] = entry
        if before == after:
            return
        self.done.discard(study)
        self.vectors = {
            k: r for k, r in self.vectors.items() if r.study != study or r.clip in after
        }
        self.estimates = {k: r for k, r in self.estimates.items() if r.study != study}
        self.machine_found = {k: f for k, f in self.machine_found.items() if k[0] != study}

    def clips(self, study):
        return {c.id for c in self.entries[study].clips} if study in self.entries else None

    def live(self):
        return {
            s
            for s, e in self.entries.items()
            if e.study.state is State.INDEXED and s not in self.deleted
        }

    def chain(self, study):
        number = self.entries[study].accession_key
        texts = [
            r.text
            for r in self.arrived
            if r.study == study
            or (r.study is None and number is not None and r.accession_key == number)
        ]
        return list(dict.fromkeys(texts))


class History(RuleBasedStateMachine):
    open_catalog = None

    def __init__(self):
        super().__init__()
        self.catalog = type(self).open_catalog()
        self.model = Model()

    @rule(
        n=STUDIES,
        slices=SLICES,
        lvot=st.booleans(),
        state=st.sampled_from(State),
        number=NUMBERS,
        again=st.booleans(),
    )
    def put_study(self, n, slices, lvot, state, number, again):
        clips = [make_clip(n, index=i) for i in slices]
        clips += [make_clip(n, view=View.LVOT)] if lvot else []
        entry = make_entry(n, clips, state=state, accession=number)
        self.model.put(entry)
        for _ in range(1 + again):
            self.catalog.put_study(entry)

    @rule(n=STUDIES, every=st.booleans(), estimated=st.integers(0, 8))
    def embed(self, n, every, estimated):
        entry = self.model.entries.get(study_id(n))
        if entry is None or not entry.clips:
            return
        rows = make_rows(entry, sees=lambda c: every or c.view is View.SHORT_AXIS)
        estimates = make_estimates(entry)[:estimated]
        self.catalog.put_embeddings(rows, estimates)
        named = {(r.study, r.estimate.quantity): r for r in estimates}
        self.model.estimates = named | self.model.estimates
        self.model.vectors = {int(r.key): r for r in rows} | self.model.vectors
        self.model.done.add(entry.study.id)

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data(), name=st.sampled_from("ab"), score=st.integers(0, 9))
    def classify(self, data, name, score):
        numbers = [n for n in range(3) if study_id(n) in self.model.entries]
        some = data.draw(st.sets(st.sampled_from(numbers), min_size=1))
        rows = [make_machine_finding(n, name=name, score=float(score)) for n in sorted(some)]
        self.catalog.put_machine_findings(rows)
        kept = {k: f for k, f in self.model.machine_found.items() if k[1] != name}
        self.model.machine_found = kept | {(r.study, name): r.finding for r in rows}

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data(), deleted=st.booleans())
    def delete(self, data, deleted):
        some = data.draw(st.sets(st.sampled_from(sorted(self.model.entries))))
        self.catalog.set_deleted(some, deleted=deleted)
        self.model.deleted = self.model.deleted | some if deleted else self.model.deleted - some

    @rule(text=TEXTS, n=st.none() | STUDIES, number=NUMBERS)
    def report(self, text, n, number):
        if n is None and number is None:
            return
        report = make_report(text, study=n, accession=number)
        self.catalog.put_report(report)
        self.model.arrived.append(report)

    @invariant()
    def eligible(self):
        assert self.catalog.eligible(Filter(), access=LOCAL_OPERATOR) == self.model.live()

    @invariant()
    def vectors(self):
        live = self.model.live()
        expected = {k: r.vector.tobytes() for k, r in self.model.vectors.items() if r.study in live}
        found = {
            key: vector.tobytes()
            for keys, embeddings in self.catalog.embeddings(ENCODER)
            for key, vector in zip(keys.tolist(), embeddings.vectors, strict=True)
        }
        assert found == expected
        assert set(self.catalog.keys(Filter(), ENCODER, access=LOCAL_OPERATOR)) == set(expected)
        assert self.catalog.studies_without(ENCODER) == sorted(live - self.model.done)
        assert self.catalog.counts()["embeddings"] == len(self.model.vectors)

    @invariant()
    def estimates(self):
        live = self.model.live()
        found = self.catalog.estimates(ENCODER, access=LOCAL_OPERATOR)
        assert {(study, e.quantity): e for study, all_ in found.items() for e in all_} == {
            name: r.estimate for name, r in self.model.estimates.items() if r.study in live
        }

    @invariant()
    def machine_findings(self):
        found = {
            (study, f.name): f
            for study in set(self.model.entries) - self.model.deleted
            for f in self.catalog.machine_findings(study, ENCODER, access=LOCAL_OPERATOR)
        }
        told = self.model.machine_found
        assert found == {k: f for k, f in told.items() if k[0] not in self.model.deleted}

    @invariant()
    def reports(self):
        for study in set(self.model.entries) - self.model.deleted:
            chain = self.model.chain(study)
            found = self.catalog.report(study, access=LOCAL_OPERATOR)
            if not chain:
                assert found is None
                continue
            assert (found.text, found.version) == (chain[-1], len(chain))
            before = make_report(chain[-2], study=0).digest if len(chain) > 1 else None
            assert found.supersedes == before

    @invariant()
    def searched(self):
        found = self.catalog.search_reports("scar", Filter(), limit=None, access=LOCAL_OPERATOR)
        chains = {s: self.model.chain(s) for s in self.model.live()}
        expected = {(s, c[-1]) for s, c in chains.items() if c and "scar" in c[-1].lower()}
        assert {(study, sentence) for study, _, sentence in found} == expected

    @invariant()
    def totals(self):
        counts = self.catalog.counts()
        states = [e.study.state for e in self.model.entries.values()]
        assert {s: counts[s] for s in State} == {s: states.count(s) for s in State}
        assert counts["clips"] == sum(len(e.clips) for e in self.model.entries.values())
        assert counts["reports_seen"] == counts["reports_matched"] + counts["reports_unmatched"]
        used, unused, _ = self.catalog.file_counts()
        files = [f for e in self.model.entries.values() for f in e.files]
        assert (used, unused) == (sum(f.used for f in files), sum(not f.used for f in files))


@pytest.mark.parametrize("kind", DATABASES)
def test_random_histories_agree_with_a_dictionary(opened, kind):
    class OnThis(History):
        @staticmethod
        def open_catalog():
            return opened(kind)

    examples = 40 if kind == "sqlite" else 15
    run_state_machine_as_test(
        OnThis, settings=settings(deadline=None, max_examples=examples, stateful_step_count=15)
    )
