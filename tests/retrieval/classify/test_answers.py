"""Studies placed by words and by examples, over doubles that are held to the contracts."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import rankdata
from scipy.stats import t as student
from sklearn.linear_model import LogisticRegression

from retrieval.classify import by_examples as by_examples_module
from retrieval.classify.by_examples import Examples, by_examples
from retrieval.classify.by_words import by_words
from retrieval.errors import StudyNotFound, UsageError
from retrieval.search.asked import Asked, asked_vector
from retrieval.search.plan import plan
from retrieval.search.searcher import Searcher
from retrieval.values.embedding import StudyEmbedding, rows_of, unit_rows
from retrieval.values.machine_finding import Method
from retrieval.values.query import LOCAL_OPERATOR, Access, Channel, Filter, Query
from retrieval.values.study import Patient, PatientId, Sex, StudyId, Technique, View
from tests.doubles import ENCODER, DictCatalog, DictIndex, WordEncoder, a_clip, a_study, hexname

DIM = 6
FINDING = "dilated left ventricle"
BOTH = [Method.PROTOTYPES, Method.LOGISTIC]


class Archive:
    """`count` studies with random vectors; the last has clips alone, "none" has no vector."""

    def __init__(self, count: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.catalog, vectors = DictCatalog(), {}
        self.ids = [StudyId(hexname(f"s{n}")) for n in range(count)]
        self.rows: dict[StudyId, np.ndarray] = {}
        for n in range(count):
            person = Patient(id=PatientId(hexname(f"p{n // 2}")), sex=[Sex.FEMALE, Sex.MALE][n % 2])
            study = a_study(f"s{n}", person=person, site=["north", "south"][n % 2])
            clips = [a_clip(study), a_clip(study, View.FOUR_CHAMBER, Technique.LGE)]
            rows = unit_rows(rng.normal(size=(3, DIM)) + np.eye(DIM)[0])
            whole = n < count - 1
            made = StudyEmbedding(
                study=study.id,
                encoder_id=ENCODER,
                whole=rows[0] if whole else None,
                clips={clip.id: row for clip, row in zip(clips, rows[1:], strict=True)},
                inputs=tuple(clip.id for clip in clips),
            )
            self.catalog.add(study, clips, rows_of(made))
            vectors |= {row.key: row.vector for row in rows_of(made)}
            mean = unit_rows(rows[1:].mean(axis=0, keepdims=True))[0]
            self.rows[study.id] = (rows[0] if whole else mean).astype(np.float64)
        self.catalog.add(a_study("none", site="north"), [a_clip(a_study("none"))])
        self.texts = WordEncoder(dim=DIM)
        self.searcher = Searcher(self.texts, DictIndex(vectors), self.catalog)

    def ask(self, finding=FINDING, where=None, access=LOCAL_OPERATOR):
        return by_words(self.searcher, finding, where or Filter(), access=access)

    def like(self, like, unlike=(), method=Method.PROTOTYPES, where=None, access=LOCAL_OPERATOR):
        examples = Examples(like=frozenset(like), unlike=frozenset(unlike))
        return by_examples(
            self.searcher, self.catalog, examples, method, where or Filter(), access=access
        )


@pytest.fixture(scope="module")
def archive() -> Archive:
    return Archive(9)


def percentiles(scores: np.ndarray) -> np.ndarray:
    return 100 * (rankdata(scores) - 0.5) / len(scores)


class TestWords:
    def test_the_score_is_the_cosine_that_the_searcher_ranks_by(self, archive: Archive):
        answer = archive.ask()
        query = Query(text=FINDING, limit=None, channel=Channel.VIDEO)
        order = archive.searcher.rank(query, access=LOCAL_OPERATOR)
        assert {p.study: p.score for p in answer.places} == dict(order.studies)
        assert (answer.eligible, answer.missing) == (order.eligible, order.missing) == (10, 1)
        assert [p.score for p in answer.places] == [score for _, score in order.studies]

    def test_places_are_mid_ranks_and_intervals_the_range_over_phrasings(self):
        archive = Archive(24)
        answer = archive.ask()
        asked = plan(Query(text=FINDING)).asked
        assert set(answer.asked) == {one for group in asked for one in group.phrasings}
        directions = [asked_vector(archive.texts, asked)]
        directions += [asked_vector(archive.texts, [Asked((one,))]) for one in answer.asked]
        pool = archive.searcher.compared(Query(limit=None), access=LOCAL_OPERATOR)[2]
        studies = [p.study for p in answer.places]
        found = []
        for direction in directions:
            scores = dict(pool.nearest(direction, None))
            found.append(percentiles(np.array([scores[s] for s in studies])))
        low, high = np.min(found, axis=0), np.max(found, axis=0)
        np.testing.assert_allclose([p.percentile for p in answer.places], found[0])
        np.testing.assert_allclose(
            [p.interval for p in answer.places], np.stack([low, high], axis=1)
        )
        # Some study stands where no phrasing alone puts it, so the mean has to be in the range.
        assert (high > np.max(found[1:], axis=0)).any() or (low < np.min(found[1:], axis=0)).any()

    def test_one_phrasing_has_no_interval_and_says_so(self, archive: Archive):
        answer = archive.ask("quux zork")
        assert answer.asked == ("quux zork",)
        assert all(p.interval is None for p in answer.places)
        assert "no interval" in answer.spread
        assert not answer.recognised
        assert archive.ask().recognised

    def test_filters_and_permissions_decide_who_is_compared(self, archive: Archive):
        men = archive.ask(where=Filter(sexes=frozenset({Sex.MALE})))
        assert {p.study for p in men.places} == set(archive.ids[1::2])
        north = archive.ask(access=Access(sites=frozenset({"north"}), unreleased=True))
        assert {p.study for p in north.places} == set(archive.ids[0::2])
        assert max(p.percentile for p in men.places) == 100 * (1 - 0.5 / 4)

    def test_words_that_are_a_filter_are_told(self, archive: Archive):
        answer = archive.ask("scar in women on LGE")
        assert {p.study for p in answer.places} == set(archive.ids[0::2])
        assert answer.narrowed
        assert not any("women" in one for one in answer.asked)

    @pytest.mark.parametrize("text", ["no scar", f"dilated left ventricle like {'0' * 24}", "  "])
    def test_what_asks_nothing_of_the_images_is_refused(self, archive: Archive, text: str):
        with pytest.raises((UsageError, StudyNotFound), match=r"asks nothing|no study 0"):
            archive.ask(text)

    def test_nobody_to_compare_is_refused(self, archive: Archive):
        with pytest.raises(UsageError, match="no eligible study can be scored for 'dilated"):
            archive.ask(where=Filter(sexes=frozenset({Sex.OTHER})))


def expected(archive: Archive, like, unlike, method: Method) -> dict[StudyId, float]:
    """Each study's score, one at a time and in plain steps."""
    others = [s for s in archive.ids if s not in {*like, *unlike}]
    yes = np.array([archive.rows[s] for s in like])
    no = np.array([archive.rows[s] for s in unlike])
    if not len(no):
        no = np.array([np.mean([archive.rows[s] for s in others], axis=0)] * len(yes))
    centre = (yes.mean(axis=0) + no.mean(axis=0)) / 2

    def unit(row):
        return (row - centre) / np.linalg.norm(row - centre)

    yes, no = np.array([unit(r) for r in yes]), np.array([unit(r) for r in no])
    if method is Method.PROTOTYPES:
        ends = yes.mean(axis=0), no.mean(axis=0)

        def score(row):
            to_yes, to_no = (np.linalg.norm(unit(row) - end, ord=3) for end in ends)
            return to_no / (to_yes + to_no)
    else:
        model = LogisticRegression(C=1.0, tol=1e-10, solver="newton-cholesky", max_iter=1000)
        model.fit(np.vstack([yes, no]) * np.sqrt(DIM), [1] * len(yes) + [0] * len(no))

        def score(row):
            return model.decision_function(unit(row)[None] * np.sqrt(DIM))[0]

    return {s: float(score(archive.rows[s])) for s in others}


def jackknifed(archive: Archive, like, unlike, method: Method) -> np.ndarray:
    """(N, 2) intervals, by the textbook."""
    others = [s for s in archive.ids if s not in {*like, *unlike}]

    def place(yes, no):
        # The examples left out stay out of the archive's mean.
        scores = expected_from(archive, others, yes, no, method)
        return percentiles(np.round(scores, 9))

    total = np.zeros(len(others))
    for side in ("like", "unlike"):
        given_ = like if side == "like" else unlike
        left = []
        for out in given_:
            yes = [s for s in like if s != out]
            no = [s for s in unlike if s != out]
            left.append(place(yes, no))
        if left:
            n = len(left)
            total += (n - 1) / n * np.sum((left - np.mean(left, axis=0)) ** 2, axis=0)
    smaller = min(len(like), len(unlike) or len(like))
    reach = student.ppf(0.95, smaller - 1) * np.sqrt(total)
    middle = place(like, unlike)
    return np.clip(np.stack([middle - reach, middle + reach], axis=1), 0, 100)


def expected_from(archive: Archive, others, like, unlike, method: Method) -> np.ndarray:
    smaller = Archive.__new__(Archive)
    smaller.ids, smaller.rows = [*others, *like, *unlike], archive.rows
    found = expected(smaller, like, unlike, method)
    return np.array([found[s] for s in others])


class TestExamples:
    @pytest.mark.parametrize("method", BOTH)
    @pytest.mark.parametrize(("like", "unlike"), [(1, 0), (3, 0), (1, 1), (2, 3), (3, 1)])
    def test_scores_are_those_of_plain_steps(self, archive, method, like, unlike):
        yes, no = archive.ids[:like], archive.ids[like : like + unlike]
        answer = archive.like(yes, no, method)
        told = expected(archive, yes, no, method)
        assert {p.study for p in answer.places} == set(told)
        for place in answer.places:
            assert place.score == pytest.approx(told[place.study], abs=1e-6)
        assert (answer.eligible, answer.missing) == (10 - like - unlike, 1)
        assert [p.score for p in answer.places] == sorted(
            (p.score for p in answer.places), reverse=True
        )

    @pytest.mark.parametrize("method", BOTH)
    @pytest.mark.parametrize(("like", "unlike"), [(2, 0), (3, 0), (2, 2), (3, 2)])
    def test_intervals_are_jackknifed_over_the_examples(self, archive, method, like, unlike):
        yes, no = archive.ids[:like], archive.ids[like : like + unlike]
        answer = archive.like(yes, no, method)
        found = {p.study: p.interval for p in answer.places}
        told = jackknifed(archive, yes, no, method)
        others = [s for s in archive.ids if s not in {*yes, *no}]
        np.testing.assert_allclose([found[s] for s in others], told, atol=1e-9)
        assert "90 % intervals" in answer.spread

    @pytest.mark.parametrize("unlike", [0, 1, 3])
    def test_one_example_of_a_kind_has_no_interval_and_says_so(self, archive, unlike):
        for like in (1, 2):
            if like == 2 and unlike != 1:
                continue
            answer = archive.like(archive.ids[:like], archive.ids[5 : 5 + unlike])
            assert all(p.interval is None for p in answer.places)
            assert "one example tells nothing of its own spread" in answer.spread

    @settings(deadline=None, max_examples=15)
    @given(data=st.data(), method=st.sampled_from(BOTH))
    def test_order_and_repetition_of_examples_change_nothing(self, archive, data, method):
        like = data.draw(st.permutations(archive.ids[:3]))
        unlike = data.draw(st.permutations(archive.ids[3:5]))
        again = archive.like([*like, like[0]], [*unlike, unlike[0]], method)
        assert again == archive.like(archive.ids[:3], archive.ids[3:5], method)

    @pytest.mark.parametrize("method", BOTH)
    def test_blocks_change_nothing(self, archive, method, monkeypatch):
        whole = archive.like(archive.ids[:3], (), method)
        monkeypatch.setattr(by_examples_module, "BLOCK", 2)
        assert archive.like(archive.ids[:3], (), method) == whole

    def test_examples_are_not_scored_and_their_patients_are_marked(self, archive: Archive):
        answer = archive.like([archive.ids[0]], [archive.ids[5]])
        assert {p.study for p in answer.places} == set(archive.ids) - {
            archive.ids[0], archive.ids[5],
        }  # fmt: skip
        assert {p.study for p in answer.places if p.kin} == {archive.ids[1], archive.ids[4]}

    def test_the_filter_is_for_the_answers_and_not_for_the_examples(self, archive: Archive):
        answer = archive.like([archive.ids[0]], where=Filter(sexes=frozenset({Sex.MALE})))
        assert {p.study for p in answer.places} == set(archive.ids[1::2])

    def test_an_example_that_may_not_be_seen_is_not_found(self, archive: Archive):
        north = Access(sites=frozenset({"north"}), unreleased=True)
        for like, unlike in (([1], []), ([0, 1], []), ([0], [1])):
            with pytest.raises(StudyNotFound, match=archive.ids[1]):
                archive.like(
                    [archive.ids[n] for n in like], [archive.ids[n] for n in unlike], access=north
                )
        seen = archive.like([archive.ids[0]], access=north)
        assert {p.study for p in seen.places} == set(archive.ids[2::2])

    def test_what_cannot_be_asked_is_refused(self, archive: Archive):
        with pytest.raises(UsageError, match="no example has what is looked for"):
            archive.like([], [archive.ids[0]])
        with pytest.raises(UsageError, match=f"{archive.ids[0]} is given as like and as unlike"):
            archive.like(archive.ids[:2], archive.ids[:1])
        with pytest.raises(UsageError, match="has no vector in generation g1"):
            archive.like([StudyId(hexname("none"))])
        with pytest.raises(UsageError, match="no eligible study is left"):
            archive.like(archive.ids)

    def test_likeness_is_found(self, archive: Archive):
        """The study whose vector is nearest to the one example is placed first by both."""
        example = archive.ids[2]
        others = [s for s in archive.ids if s != example]
        mean = np.mean([archive.rows[s] for s in others], axis=0)
        centre = (archive.rows[example] + mean) / 2

        def nearness(study):
            row = archive.rows[study] - centre
            return row @ (archive.rows[example] - mean) / np.linalg.norm(row)

        best = max(others, key=nearness)
        assert archive.like([example], method=Method.LOGISTIC).places[0].study == best
