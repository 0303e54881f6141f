"""Ranking and evidence, over doubles that are themselves held to the contracts."""

import logging
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from retrieval.errors import EncoderMismatch, StoreError, StudyNotFound, UsageError
from retrieval.language.findings import find_findings
from retrieval.language.measurements import find_measurements
from retrieval.search.searcher import Searcher
from retrieval.search.views import ranking_json, ranking_rows, ranking_summary
from retrieval.values.clip import ClipRecord
from retrieval.values.embedding import (
    EncoderId,
    StudyEmbedding,
    embedding_key,
    rows_of,
    unit_rows,
)
from retrieval.values.query import (
    LOCAL_OPERATOR,
    Access,
    Channel,
    Filter,
    Query,
    Ranking,
    Verdict,
)
from retrieval.values.report import Report
from retrieval.values.study import Patient, PatientId, Sex, State, Study, StudyId, Technique, View
from tests.doubles import (
    ENCODER,
    DictCatalog,
    DictIndex,
    WordEncoder,
    a_clip,
    a_study,
    exact_score,
    hexname,
)

EVERYTHING = LOCAL_OPERATOR
WANTED = "dilated left ventricle"
DIRECTION = [1.0, 0.0, 0.0, 0.0]


def towards(cosine: float, side: int = 1) -> np.ndarray:
    """A unit vector at a chosen cosine from DIRECTION."""
    row = np.zeros((1, 4))
    row[0, 0], row[0, side] = cosine, np.sqrt(1 - cosine**2)
    return unit_rows(row)[0]


class Archive:
    """A catalog that is filled study by study, and an index over all or some of it."""

    def __init__(self) -> None:
        self.catalog = DictCatalog()
        self.vectors: dict[int, np.ndarray] = {}

    def add(
        self,
        name: str,
        whole: float | None,
        clips: dict[ClipRecord, float | None] | None = None,
        *,
        report: str = "",
        study: Study | None = None,
        indexed: bool = True,
    ) -> StudyId:
        study = study or a_study(name)
        given = clips or {}
        records = [replace(clip, study=study.id) for clip in given]
        if not records:
            records = [a_clip(study)]
        own = {
            record.id: towards(cosine, 2)
            for record, cosine in zip(records, given.values(), strict=False)
            if cosine is not None
        }
        rows = rows_of(
            StudyEmbedding(
                study=study.id,
                encoder_id=ENCODER,
                whole=None if whole is None else towards(whole),
                clips=own,
                inputs=tuple(own),
            )
        )
        self.catalog.add(study, records, rows)
        if indexed:
            self.vectors |= {row.key: row.vector for row in rows}
        if report:
            self.catalog.reports[study.id] = Report(
                digest=name,
                study=study.id,
                text=report,
                impression=f"Impression of {name}.",
                findings=find_findings(report),
                measurements=find_measurements(report),
            )
        return study.id

    def searcher(self) -> Searcher:
        return Searcher(WordEncoder({WANTED: DIRECTION}), DictIndex(self.vectors), self.catalog)

    def ask(self, text: str = WANTED, access: Access = EVERYTHING, **given) -> Ranking:
        """Ask the words as they stand, as most of these tests want it."""
        query = Query(text=text, **({"literal": True, "channel": Channel.VIDEO} | given))
        return self.searcher().search(query, access=access)


def own_clips(name: str, *kinds: tuple[View, Technique, float | None]):
    return {a_clip(a_study(name), view, technique): cosine for view, technique, cosine in kinds}


def order(ranking: Ranking) -> list[StudyId]:
    return [hit.study.id for hit in ranking.hits]


@pytest.fixture
def archive() -> Archive:
    return Archive()


def test_studies_are_ranked_by_their_own_vector_and_not_by_a_better_clip(archive: Archive):
    low = archive.add("low", 0.5, own_clips("low", (View.SHORT_AXIS, Technique.CINE, 0.99)))
    high = archive.add("high", 0.6, own_clips("high", (View.SHORT_AXIS, Technique.CINE, 0.1)))
    ranking = archive.ask()
    assert order(ranking) == [high, low]
    assert [hit.score for hit in ranking.hits] == [0.6, 0.5]
    assert [hit.rank for hit in ranking.hits] == [1, 2]
    assert [hit.evidence.score for hit in ranking.hits] == [0.1, 0.99]
    assert (ranking.eligible, ranking.missing) == (2, 0)
    assert (ranking.encoder_id, ranking.generation) == (ENCODER, "g1")


def test_without_vectors_of_their_own_studies_are_ranked_by_their_best_clip(archive: Archive):
    many = own_clips(
        "many", *[(view, Technique.CINE, 0.9 - i / 100) for i, view in enumerate(View)]
    )
    first = archive.add("many", None, many)
    second = archive.add(
        "second", None, own_clips("second", (View.SHORT_AXIS, Technique.CINE, 0.3))
    )
    third = archive.add("third", None, own_clips("third", (View.SHORT_AXIS, Technique.CINE, 0.2)))
    for limit, expected in [(1, [first]), (2, [first, second]), (None, [first, second, third])]:
        ranking = archive.ask(limit=limit)
        assert order(ranking) == expected
    assert ranking.hits[0].evidence.clip.view is View.SHORT_AXIS
    assert [hit.score for hit in ranking.hits] == [0.9, 0.3, 0.2]


def test_the_evidence_is_the_best_clip_that_meets_the_filter(archive: Archive):
    archive.add(
        "s",
        0.5,
        own_clips(
            "s",
            (View.SHORT_AXIS, Technique.CINE, 0.9),
            (View.FOUR_CHAMBER, Technique.CINE, 0.4),
            (View.FOUR_CHAMBER, Technique.LGE, 0.7),
            (View.TWO_CHAMBER, Technique.LGE, 0.8),
        ),
    )

    def evidence(**where):
        (hit,) = archive.ask(where=Filter(**where)).hits
        return hit.evidence.clip.view, hit.evidence.clip.technique, hit.evidence.score

    assert evidence() == (View.SHORT_AXIS, Technique.CINE, 0.9)
    four = frozenset([View.FOUR_CHAMBER])
    assert evidence(views=four) == (View.FOUR_CHAMBER, Technique.LGE, 0.7)
    cine = frozenset([Technique.CINE])
    assert evidence(views=four, techniques=cine) == (View.FOUR_CHAMBER, Technique.CINE, 0.4)
    assert (
        archive.ask(where=Filter(views=frozenset([View.TWO_CHAMBER]), techniques=cine)).hits == ()
    )


def test_where_clips_have_no_vectors_one_represents_the_study(archive: Archive):
    study = a_study("s")
    stack = [a_clip(study, slice_index=i, slice_count=9) for i in (0, 4, 8)]
    lge = a_clip(study, View.SHORT_AXIS, Technique.LGE)
    four = a_clip(study, View.FOUR_CHAMBER)
    archive.add("s", 0.5, dict.fromkeys([lge, four, stack[2], stack[1], stack[0]]))
    (hit,) = archive.ask().hits
    assert (hit.evidence.clip.id, hit.evidence.score) == (stack[1].id, None)
    (hit,) = archive.ask(where=Filter(views=frozenset([View.FOUR_CHAMBER]))).hits
    assert hit.evidence.clip.id == four.id
    (hit,) = archive.ask(where=Filter(techniques=frozenset([Technique.LGE]))).hits
    assert hit.evidence.clip.id == lge.id


def test_a_study_without_any_clip_is_a_fault_of_ours(archive: Archive):
    archive.add("s", 0.5)
    archive.catalog.clip_records.clear()
    with pytest.raises(StoreError, match="has no clip that does"):
        archive.ask()


@pytest.mark.parametrize("limit", [1, 3, 7, None])
def test_a_filter_leaves_the_full_ranking_minus_what_it_rejects(archive: Archive, limit):
    rng = np.random.default_rng(0)
    for i in range(20):
        study = a_study(f"s{i}", year=2000 + i % 4)
        archive.add(f"s{i}", float(rng.uniform(-0.9, 0.9)), study=study)
    where = Filter(year_from=2001, year_to=2002)
    everything = archive.ask(limit=None)
    years = {hit.study.id: hit.study.year for hit in everything.hits}
    expected = [s for s in order(everything) if years[s] in (2001, 2002)]
    ranking = archive.ask(limit=limit, where=where)
    assert ranking.eligible == len(expected) == 10
    assert order(ranking) == expected[:limit]


def test_permissions_hold_in_every_channel(archive: Archive):
    text = "The left ventricle is dilated."
    mine = archive.add("mine", 0.1, study=a_study("mine", site="A"), report=text)
    archive.add("other", 0.9, study=a_study("other", site="B"), report=text)
    held = archive.add("held", 0.8, study=a_study("held", site="A"), report=text)
    archive.catalog.unreleased.add(held)
    at_a = Access(sites=frozenset(["A"]))
    for channel in Channel:
        ranking = archive.ask(access=at_a, channel=channel)
        assert (order(ranking), ranking.eligible) == ([mine], 1)


def test_excluded_studies_are_not_eligible(archive: Archive):
    archive.add("bad", 0.9, study=a_study("bad", state=State.EXCLUDED))
    good = archive.add("good", 0.1)
    ranking = archive.ask(limit=None)
    assert (order(ranking), ranking.eligible) == ([good], 1)


def test_studies_embedded_after_publication_are_counted_not_hidden(archive: Archive, caplog):
    known = archive.add("known", 0.1)
    archive.add("late", 0.9, indexed=False)
    with caplog.at_level(logging.WARNING):
        ranking = archive.ask(limit=None)
    assert (order(ranking), ranking.eligible, ranking.missing) == ([known], 2, 1)
    assert "1 of 2 eligible studies have no vector in generation g1" in caplog.text


def test_equal_scores_come_in_the_order_of_their_keys(archive: Archive):
    names = [f"s{i}" for i in range(12)]
    ids = [archive.add(name, 0.5) for name in names]
    inputs = [row.input_digest for row in archive.catalog.rows]
    keys = [embedding_key(i, None, d, ENCODER) for i, d in zip(ids, inputs, strict=True)]
    expected = [study for _, study in sorted(zip(keys, ids, strict=True))]
    assert order(archive.ask(limit=None)) == expected
    assert order(archive.ask(limit=5)) == expected[:5]


@settings(deadline=None, max_examples=40)
@given(
    cosines=st.lists(st.integers(-9, 9).map(lambda i: i / 10), min_size=1, max_size=12),
    small=st.integers(1, 12),
    more=st.integers(0, 12),
)
def test_a_larger_limit_never_reorders_the_top(cosines: list[float], small: int, more: int):
    archive = Archive()
    for i, cosine in enumerate(cosines):
        archive.add(f"s{i}", cosine)
    few, many = archive.ask(limit=small), archive.ask(limit=small + more)
    assert order(many)[:small] == order(few)
    assert len(few.hits) == min(small, len(cosines))
    assert few.eligible == len(cosines)


def test_impressions_and_sentences_come_with_the_hits(archive: Archive):
    archive.add("a", 0.9, report="Normal aorta. The left ventricle is dilated. No effusion.")
    archive.add("b", 0.8)
    first, second = archive.ask(channel=Channel.ALL).hits
    assert first.impression == "Impression of a."
    assert first.evidence.sentence == "The left ventricle is dilated."
    assert second.impression is None
    assert second.evidence.sentence is None
    assert archive.ask().hits[0].evidence.sentence is None


class TestReportChannel:
    def test_needs_no_encoder_and_ranks_by_the_words_of_reports(self, archive: Archive):
        archive.add("no report", 0.99)
        archive.add("other", 0.98, report="Normal study.")
        weak = archive.add("weak", 0.1, report="The ventricle is normal.")
        strong = archive.add("strong", 0.2, report="Dilated left ventricle.")
        searcher = Searcher(None, DictIndex(archive.vectors), archive.catalog)
        query = Query(text=WANTED, literal=True, channel=Channel.REPORT)
        ranking = searcher.search(query, access=EVERYTHING)
        assert order(ranking) == [strong, weak]
        assert (ranking.eligible, ranking.missing) == (4, 0)
        assert ranking.hits[0].evidence.score is None
        assert order(archive.ask(channel=Channel.REPORT, limit=1)) == [strong]

    def test_obeys_the_filter(self, archive: Archive):
        old = a_study("old", year=1999)
        archive.add("old", 0.1, report="Dilated left ventricle.", study=old)
        new = archive.add("new", 0.1, report="Dilated ventricle.", study=a_study("new", year=2020))
        ranking = archive.ask(channel=Channel.REPORT, where=Filter(year_from=2000))
        assert order(ranking) == [new]


def test_all_channels_are_fused_by_rank(archive: Archive):
    video = archive.add("video", 0.9)
    both = archive.add("both", 0.8, report="Dilated left ventricle.")
    words = archive.add("words", -0.5, report="The left ventricle, dilated as before.")
    ranking = archive.ask(channel=Channel.ALL)
    assert order(ranking) == [both, words, video]
    expected = [1 / 62 + 1 / 61, 1 / 63 + 1 / 61, 1 / 61]  # the reports say it alike
    assert [hit.score for hit in ranking.hits] == pytest.approx(expected)
    assert order(archive.ask(channel=Channel.ALL, limit=1)) == [both]


class TestLike:
    def ask(self, archive: Archive, like: StudyId, **given) -> Ranking:
        access = given.pop("access", EVERYTHING)
        query = Query(like=like, **given)
        searcher = Searcher(None, DictIndex(archive.vectors), archive.catalog)
        return searcher.search(query, access=access)

    def test_finds_the_nearest_studies_and_leaves_itself_out(self, archive: Archive):
        example = archive.add("example", 0.9)
        near = archive.add("near", 0.8)
        far = archive.add("far", -0.8)
        ranking = self.ask(archive, example, limit=None)
        assert order(ranking) == [near, far]
        assert ranking.eligible == 2
        assert ranking.hits[0].score == exact_score(towards(0.9), towards(0.8))

    def test_the_filter_is_for_the_answers_and_not_for_the_example(self, archive: Archive):
        example = archive.add("example", 0.9, study=a_study("example", year=1990))
        archive.add("old", 0.85, study=a_study("old", year=1991))
        new = archive.add("new", 0.1, study=a_study("new", year=2020))
        ranking = self.ask(archive, example, where=Filter(year_from=2000))
        assert (order(ranking), ranking.eligible) == ([new], 1)

    def test_other_studies_of_the_patient_stay_unless_told_otherwise(self, archive: Archive):
        example = archive.add("one", 0.9, study=a_study("one", patient="p"))
        later = archive.add("two", 0.8, study=a_study("two", patient="p"))
        other = archive.add("three", 0.7)
        assert order(self.ask(archive, example)) == [later, other]
        ranking = self.ask(archive, example, other_patients=True)
        assert (order(ranking), ranking.eligible) == ([other], 1)

    def test_without_a_vector_of_its_own_the_example_is_the_mean_of_its_clips(
        self, archive: Archive
    ):
        kinds = [(View.SHORT_AXIS, Technique.CINE, 1.0), (View.TWO_CHAMBER, Technique.CINE, 0.0)]
        example = archive.add("example", None, own_clips("example", *kinds))
        archive.add("one", None, own_clips("one", kinds[0]))
        ranking = self.ask(archive, example)
        assert ranking.hits[0].score == pytest.approx(np.sqrt(0.5), abs=1e-6)

    def test_an_example_that_may_not_be_seen_is_not_found(self, archive: Archive):
        hidden = archive.add("hidden", 0.9, study=a_study("hidden", site="B"))
        archive.add("near", 0.8, study=a_study("near", site="A"))
        with pytest.raises(StudyNotFound):
            self.ask(archive, hidden, access=Access(sites=frozenset(["A"])))

    def test_an_example_without_a_vector_says_why(self, archive: Archive):
        excluded = archive.add("no", 0.9, study=a_study("no", state=State.EXCLUDED))
        late = archive.add("late", 0.9, indexed=False)
        with pytest.raises(UsageError, match=r"\(excluded\) has no vector in generation g1"):
            self.ask(archive, excluded)
        with pytest.raises(UsageError, match=r"\(indexed\) has no vector"):
            self.ask(archive, late)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (Query(text="  "), "nothing is asked"),
        (Query(text="x", limit=0), "limit is 0"),
        (Query(text="x", limit=-2), "limit is -2"),
        (Query(like=StudyId("y"), channel=Channel.REPORT), "leave the channel"),
    ],
)
def test_what_cannot_be_asked_is_refused(archive: Archive, query: Query, message: str):
    with pytest.raises(UsageError, match=message):
        archive.searcher().search(query, access=EVERYTHING)


def test_an_encoder_that_did_not_make_the_index_is_refused_at_once(archive: Archive):
    with pytest.raises(EncoderMismatch):
        Searcher(WordEncoder(encoder_id=EncoderId("other@2")), DictIndex({}), archive.catalog)


def test_words_need_an_encoder(archive: Archive):
    archive.add("s", 0.5)
    searcher = Searcher(None, DictIndex(archive.vectors), archive.catalog)
    with pytest.raises(ValueError, match="without a text encoder"):
        searcher.search(Query(text=WANTED), access=EVERYTHING)


def test_an_empty_archive_answers_with_nothing(archive: Archive):
    for channel in Channel:
        ranking = archive.ask(channel=channel)
        assert (ranking.hits, ranking.eligible, ranking.missing) == ((), 0, 0)


def test_a_filter_on_the_unknown_lets_nobody_pass(archive: Archive):
    archive.add("s", 0.5)
    assert archive.ask(where=Filter(sexes=frozenset([Sex.FEMALE]))).eligible == 0


def people() -> Archive:
    archive = Archive()
    for name, cosine, sex, age in (
        ("old woman", 0.5, Sex.FEMALE, 71),
        ("young woman", 0.9, Sex.FEMALE, 30),
        ("old man", 0.8, Sex.MALE, 72),
    ):
        patient = replace(a_study(name).patient, sex=sex, age_years=age)
        archive.add(name, cosine, study=a_study(name, person=patient), report="Scar of the septum.")
    return archive


@pytest.mark.parametrize("channel", list(Channel))
def test_words_about_people_are_a_filter_in_every_channel(channel: Channel) -> None:
    archive = people()
    query = Query(text=f"{WANTED} scar, women over 60", channel=channel)
    found = archive.searcher().search(query, access=EVERYTHING)
    assert found.narrowed == ("women over 60",)
    assert found.query == query
    assert found.eligible == 1
    assert [hit.study.id for hit in found.hits] == [a_study("old woman").id]


def test_what_the_encoder_is_asked_holds_no_filter_words() -> None:
    plain, told = (
        people().searcher().search(Query(text=text, where=where), access=EVERYTHING)
        for text, where in (
            (WANTED, Filter(sexes=frozenset({Sex.FEMALE}))),
            (f"{WANTED}, women", Filter()),
        )
    )
    assert [(h.study.id, h.score) for h in told.hits] == [(h.study.id, h.score) for h in plain.hits]
    assert (plain.narrowed, told.narrowed) == ((), ("women",))


def test_a_vendor_that_no_study_has_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no study has vendor Philips"):
        people().searcher().search(Query(text=f"{WANTED}, Philips"), access=EVERYTHING)


# --- understood queries -----------------------------------------------------------------------


def reported(**reports: str) -> Archive:
    """Studies by name, each with a report; the later, the nearer to every direction."""
    archive = Archive()
    for n, (name, text) in enumerate(reports.items()):
        study = a_study(name)
        clips = {a_clip(study, View.SHORT_AXIS, technique): 0.5 for technique in TECHNIQUES}
        archive.add(name, n / 10, clips, report=text, study=study)
    return archive


TECHNIQUES = (Technique.CINE, Technique.LGE)
NAMES = ("silent", "denies", "states", "unsure", "declined")
SCAR = reported(
    silent="Normal aorta.",
    denies="No myocardial scar. LVEF 60 %.",
    states="Septal scar. LVEF 28 %.",
    unsure="Possible scar. LVEF 34 to 38 %.",
    declined="Late enhancement was not performed.",
)


def names(ranking: Ranking) -> list[str]:
    by_id = {a_study(name).id: name for name in NAMES}
    return [by_id[hit.study.id] for hit in ranking.hits]


def verdicts(ranking: Ranking) -> dict[str, list[Verdict]]:
    told = zip(names(ranking), ranking.hits, strict=True)
    return {name: [one.verdict for one in hit.said] for name, hit in told}


def understood(archive: Archive, text: str, **given) -> Ranking:
    return archive.ask(text, **({"literal": False, "channel": Channel.ALL} | given))


def test_a_denial_is_answered_by_the_reports_that_deny_and_by_no_other():
    ranking = understood(SCAR, "no late gadolinium enhancement")
    assert names(ranking) == ["denies"]
    assert (ranking.channels, ranking.set_aside, ranking.eligible) == (("reports",), 1, 5)
    assert ranking.hits[0].evidence.sentence == "No myocardial scar."


def test_a_denial_counts_only_where_the_technique_was_acquired():
    archive = Archive()
    study = a_study("blind")
    archive.add("blind", 0.5, {a_clip(study): 0.5}, report="No scar.", study=study)
    assert understood(archive, "no scar").hits == ()
    (hit,) = understood(archive, f"{WANTED}, no scar").hits
    assert [one.verdict for one in hit.said] == [Verdict.NOT_ASSESSED]


def test_what_reports_agree_with_comes_first_and_what_they_deny_last():
    ranking = understood(SCAR, "myocardial scar", limit=None)
    assert names(ranking)[0] == "states"
    assert names(ranking)[-1] == "denies"
    assert verdicts(ranking) == {
        "states": [Verdict.AGREES],
        "denies": [Verdict.CONTRADICTS],
        "unsure": [Verdict.LEFT_OPEN],
        "declined": [Verdict.NOT_ASSESSED],
        "silent": [],
    }
    assert ranking.channels == ("words", "reports")
    assert names(understood(SCAR, "myocardial scar", limit=2)) == names(ranking)[:2]


@pytest.mark.parametrize(
    ("text", "answers"),
    [("no scar", 3), ("dilated left ventricle", 4), ("LV dilation, no scar", 3)],
)
def test_how_many_answers_there_are_does_not_depend_on_the_limit(text: str, answers: int):
    archive = reported(a="No scar.", b="No scar.", c="No scar.", d="Septal scar.")
    for limit in (1, 2, None):
        ranking = understood(archive, text, limit=limit)
        assert ranking.answers == answers
    assert len(ranking.hits) == answers


def test_the_more_a_report_denies_the_later_its_study_comes():
    archive = reported(
        one="Dilated left ventricle. No scar.",
        both="No LV dilation. No scar. No effusion.",
        none="Normal aorta.",
    )
    ranking = understood(archive, "dilated left ventricle with scar, no effusion", limit=None)
    assert [hit.study.id for hit in ranking.hits] == [
        a_study(name).id for name in ("none", "one", "both")
    ]


def test_reports_have_no_say_in_the_video_channel():
    ranking = understood(SCAR, "myocardial scar", channel=Channel.VIDEO, limit=None)
    assert ranking.channels == ("words",)
    scores = [hit.score for hit in ranking.hits]
    assert scores == sorted(scores, reverse=True)
    assert verdicts(ranking)["denies"] == [Verdict.CONTRADICTS]


@pytest.mark.parametrize(
    ("text", "hits", "aside"),
    [
        ("LVEF < 35 %", ["states"], 1),
        ("LVEF over 50 %", ["denies"], 2),
        ("LVEF between 30 and 40 %", ["unsure"], 2),
        ("LVEF < 35 %, scar", ["states"], 1),
    ],
)
def test_numbers_are_answered_by_measurements(text: str, hits: list[str], aside: int):
    ranking = understood(SCAR, text, limit=None)
    assert names(ranking)[: len(hits)] == hits
    assert (ranking.set_aside, len(ranking.hits)) == (aside, 5 - aside)
    assert names(understood(SCAR, text, channel=Channel.REPORT))[: len(hits)] == hits


def test_a_chip_that_is_off_has_no_say():
    query = {"chips": ("finding:scar", "~measurement:lvef:(,35)")}
    ranking = understood(SCAR, "scar, LVEF < 35 %", limit=None, **query)
    assert ranking.set_aside == 0
    assert ranking.chips == query["chips"]
    assert len(ranking.hits) == 5


def test_severity_is_decided_by_the_sentence_or_by_the_number():
    archive = reported(
        mild="Mildly dilated left ventricle.",
        severe="Severely dilated left ventricle.",
        plain="Dilated left ventricle.",
        number="Dilated left ventricle. LVEDV 190 mL/m2.",
    )
    ranking = understood(archive, "severe LV dilation", limit=None)
    by_id = {a_study(name).id: name for name in ("mild", "severe", "plain", "number")}
    told = {by_id[hit.study.id]: hit.said[0].verdict for hit in ranking.hits}
    assert told == {
        "severe": Verdict.AGREES,
        "number": Verdict.AGREES,
        "plain": Verdict.LEFT_OPEN,
        "mild": Verdict.CONTRADICTS,
    }
    assert ranking.hits[-1].said[0].sentence == "Mildly dilated left ventricle."
    assert ranking.hits[0].evidence.sentence in (
        "LVEDV 190 mL/m2.",
        "Severely dilated left ventricle.",
    )


def test_terms_that_reports_are_not_read_for_are_found_by_their_words():
    archive = reported(
        yes="Findings of takotsubo cardiomyopathy.",
        no="No takotsubo cardiomyopathy.",
        other="Dilated cardiomyopathy.",
    )
    ranking = understood(archive, "takotsubo", limit=None)
    assert ranking.hits[0].study.id == a_study("yes").id
    assert [[one.verdict for one in hit.said] for hit in ranking.hits] == [
        [Verdict.AGREES], [], [Verdict.CONTRADICTS],
    ]  # fmt: skip


def test_like_a_study_but_without_what_its_report_states():
    ranking = understood(SCAR, "like this, but without scar", like=a_study("states").id, limit=None)
    assert "states" not in names(ranking)
    assert names(ranking)[0] == "denies"
    assert ranking.channels == ("example", "reports")


def test_evidence_comes_from_a_technique_that_shows_what_is_wanted():
    archive = Archive()
    archive.add(
        "s",
        0.5,
        own_clips(
            "s",
            (View.SHORT_AXIS, Technique.CINE, 0.9),
            (View.SHORT_AXIS, Technique.LGE, 0.2),
        ),
    )
    (scar,) = understood(archive, "myocardial scar").hits
    (lv,) = understood(archive, "dilated left ventricle").hits
    assert scar.evidence.clip.technique is Technique.LGE
    assert lv.evidence.clip.technique is Technique.CINE


def test_studies_that_are_denied_by_scanner_or_age_are_not_eligible():
    archive = Archive()
    for name, tesla in (("low", 1.5), ("high", 3.0)):
        study = a_study(name)
        scanner = replace(study.scanner, field_strength_t=tesla)
        archive.add(name, 0.5, study=replace(study, scanner=scanner))
    assert len(understood(archive, f"{WANTED} not at 3 T").hits) == 1
    assert len(understood(archive, f"{WANTED} above 1.5 T").hits) == 1
    with pytest.raises(UsageError, match=r"there are 1.5, 3"):
        understood(archive, f"{WANTED} above 5 T")


def a_person(name: str, sex: Sex) -> Patient:
    return Patient(id=PatientId(hexname(name)), sex=sex)


@pytest.mark.parametrize("channel", list(Channel))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(years=st.lists(st.none() | st.integers(2015, 2018), min_size=1, max_size=6))
def test_a_query_that_says_only_whose_studies_lists_them_all_newest_first(
    channel: Channel, years: list[int | None]
):
    archive = Archive()
    for n, year in enumerate(years):
        woman = a_study(f"w{n}", person=a_person(f"w{n}", Sex.FEMALE), year=year)
        # Not all of them have a vector: nothing is compared.
        archive.add(f"w{n}", 0.1 * n, report="Scans of women.", study=woman, indexed=n % 2 == 0)
    archive.add("m", 0.9, study=a_study("m", person=a_person("m", Sex.MALE)))
    ranking = archive.searcher().search(
        Query(text="scans of women", channel=channel, limit=None), access=EVERYTHING
    )
    women = archive.catalog.studies([hit.study.id for hit in ranking.hits], access=EVERYTHING)
    assert len(women) == ranking.eligible == ranking.answers == len(years)
    expected = sorted(women, key=lambda s: (-(s.year or 0), s.id))
    assert [hit.study.id for hit in ranking.hits] == [study.id for study in expected]
    assert ranking.listed
    assert (ranking.missing, ranking.conviction) == (0, None)
    assert ranking_json(ranking)["hits"][0]["score"] is None
    assert {row[1] for row in ranking_rows(ranking)} == {""}
    assert "nothing compared" in ranking_summary(ranking)


def test_a_list_ends_at_its_limit(archive: Archive):
    for n in range(4):
        archive.add(f"w{n}", None, study=a_study(f"w{n}", person=a_person(f"w{n}", Sex.FEMALE)))
    ranking = archive.searcher().search(Query(text="women", limit=3), access=EVERYTHING)
    assert (len(ranking.hits), ranking.answers) == (3, 4)


def test_low_normal_is_a_band_and_no_ordinary_normal(archive: Archive):
    reports = {
        "words": "LV systolic function is low normal.",
        "inside": "LVEF 53 %.",
        "above": "LVEF 62 %.",
        "below": "LVEF 44 %.",
        "ordinary": "LV systolic function is normal.",
    }
    ids = {name: archive.add(name, 0.1, report=said) for name, said in reports.items()}
    ranking = archive.searcher().search(
        Query(text="low-normal ejection fraction", channel=Channel.ALL), access=EVERYTHING
    )
    said = {
        name: {one.verdict for hit in ranking.hits if hit.study.id == study for one in hit.said}
        for name, study in ids.items()
    }
    assert said == {
        "words": {Verdict.AGREES},
        "inside": {Verdict.AGREES},
        "above": {Verdict.CONTRADICTS},
        "below": {Verdict.CONTRADICTS},
        "ordinary": set(),
    }
