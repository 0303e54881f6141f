"""The script that Streamlit runs, without a browser."""

import json
from dataclasses import replace
from pathlib import Path

import fake_archive
import pytest
from streamlit.testing.v1 import AppTest

from retrieval.errors import ClipCorrupt, GenerationCorrupt, NothingPublished, UsageError
from retrieval.values.query import Filter, Query, Said, Verdict
from retrieval.values.reliability import Badge, Belief, Conviction
from retrieval.values.study import Technique
from webui import backend, server
from webui.screens.study import left_out
from webui.sheets import unpack


def visit(archive, **params):
    """Run the page at an address; returns the test and what was shown, by kind."""
    backend.use(archive)
    test = AppTest.from_file(str(server.SCRIPT), default_timeout=30)
    for name, value in params.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception
    return test


def html(test):
    return "\n".join(element.proto.body for element in test.get("html"))


def parts(test):
    """Content of every component on the page, by name."""
    found = {}
    for element in test.get("bidi_component"):
        proto = element.proto
        if proto.bytes:
            found[proto.component_name] = unpack(proto.bytes)[0]
        else:
            found[proto.component_name] = json.loads(proto.json)
    return found


@pytest.fixture
def archive():
    return fake_archive.backend_of(24)


def test_a_search_shows_twelve_cards_best_first_and_what_was_compared(archive):
    test = visit(archive, q="large heart")
    shown = parts(test)
    cards = shown["cineseek_results"]["cards"]
    assert [card["rank"] for card in cards] == list(range(1, 13))
    assert shown["cineseek_results"]["pages"] == 2
    assert "<b>12 of 24 eligible</b>" in html(test)
    assert "every eligible study was compared" in html(test)
    assert "3 studies not indexed" in html(test)
    assert "24 of 27 studies searchable · index g1" in html(test)
    assert shown["cineseek_query"]["text"] == "large heart"
    assert not shown["cineseek_query"]["focus"]


def understood(monkeypatch, **found):
    """Have every answer say that the query was understood like this."""
    asked = fake_archive.FakeSearcher.search

    def search(self, query, *, access):
        return replace(asked(self, query, access=access), **found)

    monkeypatch.setattr(fake_archive.FakeSearcher, "search", search)


def test_the_meaning_of_the_query_stands_below_it_and_can_be_changed(archive, monkeypatch):
    chips = ("finding:lv_dilation;at=lv", "-finding:scar", "sex:F")
    understood(monkeypatch, chips=chips, free="baggy", set_aside=3)
    test = visit(archive, q="baggy dilated LV without scar, women")
    row = parts(test)["cineseek_chips"]
    assert [(c["label"], c["absent"], c["source"]) for c in row["chips"]] == [
        ("LV dilation", False, "images + report"),
        ("scar", True, "report"),
        ("women", False, "filter"),
    ]
    assert [c["toggled"] for c in row["chips"]] == [f"~{line}" for line in chips]
    assert [c["flipped"] for c in row["chips"]] == [
        "-finding:lv_dilation;at=lv", "finding:scar", "-sex:F",
    ]  # fmt: skip
    assert row["free"] == "baggy"
    assert row["note"].startswith("Absence is read from reports")
    assert "3 studies set aside: the report says otherwise" in html(test)


def judged(*probabilities, badge=Badge.GOOD, term="lv_dilation"):
    """Have hits carry beliefs, as many as there are probabilities."""
    return tuple(Belief(term=term, probability=p, badge=badge) for p in probabilities)


def test_a_card_says_how_likely_it_is_by_images_and_how_far_to_trust_that(archive, monkeypatch):
    asked = fake_archive.FakeSearcher.search

    def search(self, query, *, access):
        ranking = asked(self, query, access=access)
        first, second, *rest = ranking.hits
        first = replace(first, beliefs=judged(0.97))
        second = replace(
            second, beliefs=(*judged(0.5), *judged(0.8, badge=Badge.FAIR, term="scar"))
        )
        return replace(ranking, hits=(first, second, *rest))

    monkeypatch.setattr(fake_archive.FakeSearcher, "search", search)
    one, two, three, *_ = parts(visit(archive, q="x"))["cineseek_results"]["cards"]
    assert (one["belief"]["word"], one["belief"]["percent"]) == ("Very likely", "97 %")
    assert (one["belief"]["steps"], one["belief"]["badge"]) == (3, "good")
    assert (two["belief"]["word"], two["belief"]["percent"]) == ("Possible", "50 %")
    assert (two["belief"]["steps"], two["belief"]["badge"]) == (2, "fair")
    assert "LV dilation 50 % (images: good); scar 80 % (images: fair)" in two["belief"]["title"]
    assert three["belief"] is None


@pytest.mark.parametrize(
    ("badge", "source"),
    [
        (Badge.GOOD, "images + report"),
        (Badge.FAIR, "report + images (fair)"),
        (Badge.POOR, "report; images unreliable"),
        (Badge.NOT_ASSESSED, "report; images untested"),
    ],
)
def test_a_chip_says_whether_images_can_answer_it_here(archive, monkeypatch, badge, source):
    line = "finding:lv_dilation;at=lv"
    understood(monkeypatch, chips=(line,), badges=((line, badge),))
    row = parts(visit(archive, q="dilated LV"))["cineseek_chips"]
    assert [c["source"] for c in row["chips"]] == [source]


def test_nothing_convincing_says_why_what_to_try_and_shows_the_nearest(archive, monkeypatch):
    line = "finding:lv_dilation;at=lv;severity=severe"
    found = {"conviction": Conviction.NOTHING, "chips": (line,), "badges": ((line, Badge.POOR),)}
    understood(monkeypatch, **found)
    test = visit(archive, q="severely dilated LV", sex="F")
    shown = html(test)
    assert '<section class="cs-nomatch"><h1>No convincing match in 12 eligible studies' in shown
    assert "images have not been shown to recognise it on this archive" in shown
    assert "That does not mean there is none." in shown
    assert 'q=LV+dilation&amp;sex=F" target="_self">LV dilation</a>' in shown
    assert "q=chamber+dilation" in shown
    assert 'href="?q=severely+dilated+LV" target="_self">Any sex</a></span><span>24 el' in shown
    assert "Without any filter" not in shown
    assert "Nearest anyway" in shown
    assert len(parts(test)["cineseek_results"]["cards"]) == 12


def test_each_filter_can_be_taken_away_and_says_what_that_gives(archive, monkeypatch):
    understood(monkeypatch, conviction=Conviction.NOTHING)
    shown = html(visit(archive, q="large", sex="F", technique="LGE", year="2010-2012"))
    hearts = archive.desk().reading.catalog.hearts.values()
    where = Filter(
        sexes=frozenset("F"), techniques=frozenset({Technique.LGE}), year_from=2010, year_to=2012
    )
    free = {
        "Any sex": {"sexes": frozenset()},
        "Any technique": {"techniques": frozenset()},
        "Any year": {"year_from": None, "year_to": None},
    }
    for name, looser in free.items():
        number = sum(fake_archive.passes(heart, replace(where, **looser)) for heart in hearts)
        assert f">{name}</a></span><span>{number} eligible</span>" in shown
    assert ">Without any filter</a></span><span>24 eligible</span>" in shown
    assert shown.count(" eligible</span>") == len(free) + 1


@pytest.mark.parametrize(("chip", "told"), [("sex:F", False), ("~sex:F", True)])
def test_no_count_is_given_where_words_filter_as_well(archive, monkeypatch, chip, told):
    understood(monkeypatch, conviction=Conviction.NOTHING, chips=(chip,))
    shown = html(visit(archive, q="large, women", technique="LGE"))
    assert ">Any technique</a></span>" in shown
    assert (" eligible</span>" in shown) is told


def test_words_like_unrelated_ones_are_told_so(archive, monkeypatch):
    understood(monkeypatch, conviction=Conviction.NOTHING, above_unrelated=0.4)
    shown = html(visit(archive, q="purple elephant"))
    assert "unrelated words (40 % of those match worse)" in shown
    assert "No wider term is known" in shown
    assert "No filter is set." in shown


def test_what_nobody_can_say_is_not_denied(archive, monkeypatch):
    understood(monkeypatch, conviction=Conviction.UNKNOWN)
    shown = html(visit(archive, q="amyloid"))
    assert "Nothing can be said for certain of 24 eligible studies" in shown
    assert "No convincing match" not in shown


def test_a_convincing_answer_has_no_message(archive, monkeypatch):
    understood(monkeypatch, conviction=Conviction.CONVINCING)
    assert '<section class="cs-nomatch">' not in html(visit(archive, q="dilated LV"))


def test_a_query_that_no_chip_stands_for_has_no_row(archive):
    assert "cineseek_chips" not in parts(visit(archive, q="large heart"))


def test_words_that_no_chip_stands_for_are_said_to_be_asked_as_they_are(archive, monkeypatch):
    understood(monkeypatch, free="purple elephant")
    row = parts(visit(archive, q="purple elephant"))["cineseek_chips"]
    assert (row["lead"], row["free"], row["chips"]) == (
        "No known finding in", "purple elephant", [],
    )  # fmt: skip


def test_what_the_per_cent_are_of_stands_above_them(archive, monkeypatch):
    asked = fake_archive.FakeSearcher.search
    lines = ("finding:lv_dilation;at=lv", "finding:scar")

    def search(self, query, *, access):
        ranking = asked(self, query, access=access)
        hits = [replace(hit, beliefs=judged(0.9)) for hit in ranking.hits]
        badges = ((lines[0], Badge.GOOD), (lines[1], Badge.NOT_ASSESSED))
        return replace(ranking, hits=tuple(hits), chips=lines, badges=badges)

    assert "%: chance" not in html(visit(archive, q="dilated LV"))
    monkeypatch.setattr(fake_archive.FakeSearcher, "search", search)
    shown = html(visit(archive, q="dilated LV, scar"))
    assert "%: chance, by images, that a reader would call it LV dilation; scar: by rep" in shown


def test_words_that_leave_nothing_are_named(archive, monkeypatch):
    understood(monkeypatch, narrowed=("women over 60", "<3 T>"))
    nothing = html(visit(archive, q="large heart, women over 60", year="1900-1901"))
    assert "passes these filters and is meant by “women over 60 · &lt;3 T&gt;”" in nothing


def test_what_cannot_be_asked_keeps_the_query_and_the_filters(archive, monkeypatch):
    def refuse(self, query, *, access):
        raise UsageError("no study has vendor <Philips>; there are Siemens")

    monkeypatch.setattr(fake_archive.FakeSearcher, "search", refuse)
    test = visit(archive, q="scar, Philips")
    assert "This cannot be asked" in html(test)
    assert "no study has vendor &lt;Philips&gt;; there are Siemens" in html(test)
    assert parts(test)["cineseek_query"]["text"] == "scar, Philips"
    assert "cineseek_filters" in parts(test)


def test_a_list_says_that_nothing_was_compared(archive, monkeypatch):
    understood(monkeypatch, channels=("filter",))
    assert "listed, the newest first; nothing was compared" in html(visit(archive, q="women"))


def test_what_only_reports_can_say_says_so_where_none_does(archive, monkeypatch):
    understood(monkeypatch, hits=(), channels=(), chips=("-finding:scar",))
    shown = html(visit(archive, q="no scar"))
    assert "None of the 24 studies has a report that says so." in shown


def test_the_second_page_goes_on_where_the_first_ended(archive):
    test = visit(archive, q="large heart", page="2")
    ranks = [card["rank"] for card in parts(test)["cineseek_results"]["cards"]]
    assert ranks == list(range(13, 25))
    assert "<b>13 to 24 of 24 eligible</b>" in html(test)


def test_a_page_beyond_the_last_says_how_many_there_are(archive):
    test = visit(archive, q="large heart", page="9")
    assert "There are 2 pages of results." in html(test)
    test.button[0].click().run()
    assert test.query_params.get("page") is None
    assert len(parts(test)["cineseek_results"]["cards"]) == 12


def test_filters_narrow_the_answer_and_its_evidence(archive):
    test = visit(archive, q="large", sex="F", technique="LGE", view="4CH")
    cards = parts(test)["cineseek_results"]["cards"]
    assert {card["main"]["label"] for card in cards} == {"4CH · LGE"}
    assert all(card["facts"].startswith("F ") for card in cards)
    assert f"of {len(cards)} eligible" in html(test)


def test_filters_that_leave_nothing_offer_the_way_out(archive):
    test = visit(archive, q="large", year="1990-1991")
    assert "<b>0 of 0 eligible</b>" in html(test)
    assert "No indexed study passes these filters." in html(test)
    test.button[0].click().run()
    assert "<b>12 of 24 eligible</b>" in html(test)


def test_what_the_address_says_in_vain_is_named(archive):
    assert "view=5CH" in html(visit(archive, q="large", view="5CH"))


def test_more_like_this_leaves_the_example_out_and_names_it(archive):
    study = fake_archive.heart(0).study.id
    shown = parts(visit(archive, like=study))
    assert shown["cineseek_query"]["like"] == "AD98 595A"
    assert study not in [card["study"] for card in shown["cineseek_results"]["cards"]]


def test_eligible_studies_outside_the_index_are_counted():
    reading = fake_archive.reading(24)
    search = reading.searcher.search
    reading.searcher.search = lambda q, access: replace(search(q, access=access), missing=2)
    test = visit(backend.Backend(lambda: reading, lambda: "g1"), q="large")
    assert "22 compared, 2 not in index g1 yet" in html(test)


def test_the_first_visit_asks_and_shows_examples_of_this_archive(archive):
    test = visit(archive)
    shown = parts(test)
    assert "24 studies, 2010 to 2021, all compared on every search." in html(test)
    assert shown["cineseek_query"]["focus"]
    assert len(shown["cineseek_examples"]["examples"]) == 6
    scar = shown["cineseek_examples"]["examples"][2]
    assert (scar["text"], scar["main"]["label"][-3:]) == ("scar on late enhancement", "LGE")


def test_examples_that_the_archive_cannot_answer_are_not_offered():
    hearts = [fake_archive.heart(2), fake_archive.heart(5)]  # neither has late enhancement
    catalog = fake_archive.FakeCatalog(hearts)
    reading = fake_archive.FakeReading(
        catalog, fake_archive.FakeClips(hearts), fake_archive.FakeSearcher(catalog)
    )
    shown = parts(visit(backend.Backend(lambda: reading, lambda: "g1")))
    texts = [example["text"] for example in shown["cineseek_examples"]["examples"]]
    assert len(texts) == 5
    assert "scar on late enhancement" not in texts


def test_a_study_page_shows_all_clips_the_report_and_the_nearest_cases(archive):
    heart = fake_archive.heart(4)
    test = visit(archive, q="large heart", study=heart.study.id)
    told = parts(test)["cineseek_player"]
    assert len(told["sheets"]) >= len(heart.clips)
    assert not told["lost"]
    assert len(told["near"]) == 5
    driving = [i for i in told["cine"]["short"] if i["driving"]]
    assert len(driving) == 1
    body = html(test)
    assert "Study 793C 7B55" in body
    assert "version 2, replaces version 1" in body
    assert "fake@0123456789ab" in body
    assert "1 series: localiser" in body
    assert test.button[0].label == "Results, 5 of 24"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", "1 series: localiser"),
        ("localiser: not kept", "1 series: localiser: not kept"),
        ("too few frames", "1 series: localiser, too few frames"),
    ],
)
def test_a_series_that_is_left_out_names_its_kind_once(reason, told):
    study = fake_archive.heart(4).study
    left = replace(study.series[-1], reason=reason)
    assert left_out(replace(study, series=(*study.series[:-1], left))) == [told]


def why_of(test):
    return parts(test)["cineseek_player"].get("why")


def test_why_is_asked_of_the_best_clip_and_said_on_the_page(archive):
    heart = fake_archive.heart(4)
    test = visit(archive, q="large heart", study=heart.study.id)
    assert why_of(test) is None
    assert archive.desk().reading.explainer.maps == []
    next(b for b in test.button if b.label == "Why").click().run()
    clip = test.query_params["why"]
    assert clip == fake_archive.best(heart, Filter()).id
    told = why_of(test)
    assert told["tile"]["clip"] == clip
    assert told["carried"] == "SAX mid · cine matches best, 0.300; the whole study 0.250"
    assert [(v["label"], v["on"]) for v in told["views"]][:2] == [
        ("SAX · cine", True),
        ("2CH · cine", False),
    ]
    assert [v["share"] for v in told["views"]][:: len(told["views"]) - 1] == [1.0, 0.0]
    assert len(told["map"]) == told["size"] ** 2
    assert told["map"].index(max(told["map"])) == 19 * told["size"] + 19  # the middle
    assert 100 < max(told["map"]) <= 127
    assert told["scale"] == "Full colour: 0.100 of the clip's 0.300"
    assert [(g["from"], g["to"], g["share"]) for g in told["groups"]] == [
        (0, 4, 1.0),
        (4, heart.clips[0].phases, -0.25),
    ]
    assert "Why" not in [b.label for b in test.button]


def test_why_says_what_the_report_says_contradictions_first(archive, monkeypatch):
    asked = fake_archive.FakeSearcher.search
    told = (
        Said(chip="-finding:scar", verdict=Verdict.AGREES, sentence="No scar."),
        Said(chip="finding:lv_dilation", verdict=Verdict.CONTRADICTS, sentence="Normal LV."),
    )

    def search(self, query, *, access):
        ranking = asked(self, query, access=access)
        return replace(ranking, hits=tuple(replace(hit, said=told) for hit in ranking.hits))

    heart = fake_archive.heart(4)
    clip = fake_archive.best(heart, Filter()).id
    assert why_of(visit(archive, q="large", study=heart.study.id, why=clip))["said"] == []
    monkeypatch.setattr(fake_archive.FakeSearcher, "search", search)
    shown = why_of(visit(archive, q="large", study=heart.study.id, why=clip))["said"]
    assert [(one["kind"], one["text"], one["sentence"]) for one in shown] == [
        ("against", "Says otherwise: LV dilation", "Normal LV."),
        ("agrees", "Agrees: no scar", "No scar."),
    ]


def test_a_clip_that_the_encoder_does_not_look_at_has_views_and_no_map(archive):
    heart = fake_archive.heart(4)
    late = next(c for c in heart.clips if c.technique is Technique.LGE)
    told = why_of(visit(archive, q="large heart", study=heart.study.id, why=late.id))
    assert told["map"] == []
    assert told["trouble"] == "No map: this encoder does not look at late enhancement."
    assert len(told["views"]) == 6


def test_why_needs_a_question_and_a_clip_of_the_study(archive):
    heart, other = fake_archive.heart(4), fake_archive.heart(3)
    clip = heart.clips[0].id
    alone = visit(archive, study=heart.study.id, why=clip)
    assert why_of(alone) is None
    assert "Why" not in [b.label for b in alone.button]
    assert why_of(visit(archive, q="large", study=heart.study.id, why=other.clips[0].id)) is None


def test_why_is_not_offered_where_reports_alone_answer(archive, monkeypatch):
    understood(monkeypatch, channels=("reports",))
    test = visit(archive, q="no scar", study=fake_archive.heart(4).study.id)
    assert "Why" not in [b.label for b in test.button]


def test_studies_that_are_folded_are_counted(archive, monkeypatch):
    understood(monkeypatch, folded=2, answers=22)
    assert "2 studies folded as repeat scans" in html(visit(archive, q="large"))


def test_machine_estimates_are_shown_for_research_alone(archive):
    study = fake_archive.heart(4).study.id
    assert "machine estimate" not in html(visit(archive, study=study)).lower()
    body = html(visit(fake_archive.backend_of(24, research=True), study=study))
    assert "Research: machine estimates" in body
    assert "percentiles of 20 studies" in body
    assert body.count('class="cs-bar"') == 8 + 2
    assert body.index("<h2>Report") < body.index("<h2>Research") < body.index("<h2>Provenance")


def test_machine_findings_are_shown_for_research_alone(archive):
    study = fake_archive.heart(4).study.id
    assert "machine finding" not in html(visit(archive, study=study)).lower()
    body = html(visit(fake_archive.backend_of(24, research=True), study=study))
    assert "Research: machine findings" in body
    assert body.index("machine estimates") < body.index("machine findings")
    assert body.index("<h2>Research: machine findings") < body.index("<h2>Provenance")
    other = fake_archive.heart(5).study.id
    body = html(visit(fake_archive.backend_of(24, research=True), study=other))
    assert "machine findings" not in body


def test_a_study_without_machine_estimates_says_so():
    study = fake_archive.heart(5).study.id
    body = html(visit(fake_archive.backend_of(24, research=True), study=study))
    assert f"Encoder <code>{fake_archive.ENCODER}</code> estimates nothing of this study." in body


def test_leaving_a_study_goes_back_to_its_results_with_its_card_in_focus(archive):
    study = fake_archive.heart(4).study.id
    test = visit(archive, q="large heart", study=study)
    test.session_state["last study"] = study
    test.button[0].click().run()
    assert test.query_params == {"q": "large heart"}
    assert parts(test)["cineseek_results"]["selected"] == study


def test_more_like_a_study_is_one_click_from_its_page(archive):
    study = fake_archive.heart(4).study.id
    test = visit(archive, study=study, sex="F")
    test.button[1].click().run()
    assert test.query_params == {"like": study, "sex": "F"}


def test_a_study_that_is_not_there_keeps_the_query_and_shows_the_way_back(archive):
    test = visit(archive, q="large heart", study="0" * 24)
    body = html(test)
    assert "This could not be shown" in body
    assert f"no study {'0' * 24} in the catalog" in body
    assert "Your query is kept: “large heart”" in body
    assert "?q=large+heart" in body


def test_an_empty_home_says_which_command_fills_it(tmp_path):
    def nothing():
        raise NothingPublished(tmp_path)

    body = html(visit(backend.Backend(nothing, lambda: None), q="scar"))
    assert "No archive to search yet" in body
    assert f"cineseek-index run ARCHIVE --home {tmp_path}" in body


def test_a_damaged_index_is_said_and_the_query_kept():
    def damaged():
        raise GenerationCorrupt("g7", "checksum")

    body = html(visit(backend.Backend(damaged, lambda: "g7"), q="<b>scar"))
    assert "generation g7 is damaged" in body
    assert "&lt;b&gt;scar" in body


def test_a_lost_preview_costs_one_picture_and_not_the_page():
    reading = fake_archive.reading(3)
    lost = reading.searcher.search(Query(text="large"), access=None).hits[1].evidence.clip.id
    read = reading.clips.read_preview

    def sometimes(clip):
        if clip == lost:
            raise ClipCorrupt(clip, "checksum")
        return read(clip)

    reading.clips.read_preview = sometimes
    test = visit(backend.Backend(lambda: reading, lambda: "g1"), q="large")
    told = parts(test)["cineseek_results"]
    assert list(told["lost"]) == [lost]
    assert len(told["cards"]) == 3


def test_no_picture_goes_through_streamlit_s_media_files(archive):
    for params in ({"q": "large"}, {}, {"study": fake_archive.heart(0).study.id}):
        test = visit(archive, **params)
        assert not test.get("imgs")
        assert not test.get("image")
    source = [p.read_text() for p in Path(server.SCRIPT).parent.rglob("*.py")]
    assert not [
        word for word in ("st.image", "st.video", "st.audio") if any(word in s for s in source)
    ]
