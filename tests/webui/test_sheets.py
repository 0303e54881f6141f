"""Pictures travel with their facts in one message."""

import json
from dataclasses import replace

import fake_archive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.values.clip import ClipId
from retrieval.values.query import FILTER, Further, Said, Verdict
from retrieval.values.reliability import Badge, Belief
from webui import words
from webui.cards import belief, card, clips_of, further_name
from webui.sheets import SheetReader, pack, tile, unpack

HEART = fake_archive.heart(0)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.integers()), st.lists(st.binary()))
def test_a_message_is_taken_apart_as_it_was_put_together(content, blobs):
    back, body = unpack(pack(content, blobs))
    assert back == content
    assert bytes(body) == b"".join(blobs)


def test_every_sheet_lies_where_the_message_says_and_is_sent_and_read_once():
    clips = fake_archive.FakeClips([HEART])
    ids = [c.id for c in HEART.clips[:3]]
    reader = SheetReader(clips)
    content, body = unpack(reader.pack({"a": 1}, [*ids, ids[0]]))
    assert content["a"] == 1
    for clip in ids:
        offset, length = content["sheets"][clip]
        assert bytes(body[offset : offset + length]) == clips.read_preview(clip)
    assert len(body) == sum(length for _, length in content["sheets"].values())
    before = clips.reads
    reader.pack({}, ids)
    assert clips.reads == before


def test_a_lost_sheet_costs_its_own_picture_only():
    ids = [HEART.clips[0].id, ClipId("0" * 24)]
    content, _ = unpack(SheetReader(fake_archive.FakeClips([HEART])).pack({}, ids))
    assert list(content["sheets"]) == [ids[0]]
    assert "has no file" in content["lost"][ids[1]]


def test_a_tile_says_how_to_cut_and_time_the_sheet():
    clip = HEART.clips[0]
    told = tile(clip, None)
    assert (told["columns"], told["size"], told["mm"]) == (5, 160, 1.25)
    assert (told["phases"], told["bpm"], told["beat"]) == (20, 48, 1250.0)
    assert told["starts"][:3] == pytest.approx([0, 0.05, 0.1])


def first_card(said=(), channels=("words",), chips=()):
    catalog = fake_archive.reading().catalog
    query = fake_archive.Query(text="large", limit=1)
    ranking = fake_archive.FakeSearcher(catalog).search(query, access=None)
    ranking = replace(ranking, channels=channels, chips=chips)
    hit = replace(ranking.hits[0], said=said)
    clips = catalog.clips(hit.study.id, access=None)
    return hit, card(hit, clips, fake_archive.address_of(hit.study.id), ranking)


def test_a_card_of_a_list_claims_no_likeness():
    hit, made = first_card(channels=(FILTER,))
    content = json.loads(json.dumps(made.content))
    assert (content["score"], content["source"]) == ("", "")
    assert content["evidence"].startswith("Shown: ")
    assert hit.evidence.score is not None  # so it could have been claimed


def test_a_card_says_what_the_hit_says():
    hit, made = first_card()
    content = json.loads(json.dumps(made.content))
    assert content["score"] == f"similarity {hit.score:.3f}"
    assert (content["source"], content["note"]) == ("images only", {})
    assert content["impression"] == hit.impression
    assert content["main"]["label"] == "SAX mid · cine"
    assert content["main"]["clip"] == hit.evidence.clip.id
    assert content["evidence"] == f"Best clip: SAX mid · cine, {hit.evidence.score:.3f}"
    assert content["params"] == {"study": hit.study.id}


def test_a_card_names_what_lies_under_it():
    hit, made = first_card()
    assert [made.content[k] for k in ("further", "furtherNote", "furtherName")] == [[], "", ""]
    older = fake_archive.heart(7).study
    under = (
        Further(rank=4, score=0.21, study=older, copy=False),
        Further(rank=9, score=0.1, study=fake_archive.heart(8).study, copy=False),
        Further(rank=11, score=0.05, study=fake_archive.heart(9).study, copy=True),
    )
    catalog = fake_archive.reading().catalog
    query = fake_archive.Query(text="large", limit=1)
    ranking = fake_archive.FakeSearcher(catalog).search(query, access=None)
    address = fake_archive.address_of(hit.study.id)
    told = card(replace(hit, others=under), (), address, ranking).content
    assert told["furtherNote"] == (
        "2 further studies of this patient · 1 study with the same images"
    )
    assert told["further"][0] == {
        "study": older.id,
        "text": f"{words.study_name(older.id)} · {older.year} · similarity 0.210",
        "title": "the same patient; place 4 of all studies",
        "params": {"study": older.id},
    }
    assert [one["text"].split(" · ")[2] for one in told["further"]] == [
        "similarity 0.210", "similarity 0.100", "same images",
    ]  # fmt: skip
    assert further_name(under) == told["furtherName"] == "3 further studies"
    assert [further_name(some) for some in (under[:1], under[:2], under[2:])] == [
        "1 repeat scan", "2 repeat scans", "sent twice",
    ]  # fmt: skip
    assert told["further"][2]["title"].startswith("the same images, under another name")


SCAR, DILATED = "-finding:scar", "finding:lv_dilation;at=lv"


def said(chip, verdict, sentence="A sentence."):
    return Said(chip=chip, verdict=verdict, sentence=sentence)


@pytest.mark.parametrize(
    ("told", "kind", "text"),
    [
        ([said(DILATED, Verdict.AGREES)], "agrees", "Report agrees"),
        ([said(SCAR, Verdict.NOT_ASSESSED)], "open", "Not assessed: no scar"),
        ([said(DILATED, Verdict.LEFT_OPEN)], "open", "Left open: “A sentence.”"),
        (
            [said(SCAR, Verdict.AGREES), said(DILATED, Verdict.CONTRADICTS, "Normal LV.")],
            "against",
            "Report: “Normal LV.”",
        ),
    ],
)
def test_a_card_says_whether_the_report_agrees(told, kind, text):
    _, made = first_card(tuple(told), channels=("words", "reports"))
    assert made.content["note"] == {"kind": kind, "text": text}
    assert made.content["score"] == ""


@pytest.mark.parametrize("chip", [SCAR, "measurement:lvef:(,35)"])
def test_a_card_says_what_the_report_does_not(chip):
    label = {SCAR: "no scar"}.get(chip, "LVEF < 35 %")
    _, made = first_card(channels=("words",), chips=(DILATED, chip, f"~{chip}", "sex:F"))
    assert made.content["note"] == {"kind": "open", "text": f"The report does not say: {label}"}
    _, made = first_card((said(chip, Verdict.AGREES),), chips=(DILATED, chip))
    assert made.content["note"]["kind"] == "agrees"


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.8, 0.99])
def test_what_the_report_contradicts_is_never_called_likely(probability):
    believed = (Belief(term="lv_dilation", probability=probability, badge=Badge.GOOD),)
    told = said(DILATED, Verdict.CONTRADICTS)
    hit, _ = first_card((told, said(SCAR, Verdict.AGREES)))
    hit = replace(hit, beliefs=believed)
    ranking = fake_archive.FakeSearcher(fake_archive.reading().catalog).search(
        fake_archive.Query(text="large", limit=1), access=None
    )
    shown = card(hit, (), fake_archive.address_of(hit.study.id), ranking).content["belief"]
    usual = belief(believed, contradicted=False)
    assert shown == usual | {"word": "By images"}
    assert usual["word"] == words.likelihood(probability)


def test_a_card_shows_the_sentences_that_agree_and_where_it_comes_from():
    told = (
        said(SCAR, Verdict.AGREES, "No scar."),
        said(DILATED, Verdict.AGREES, "Large LV."),
        said("finding:hcm", Verdict.LEFT_OPEN, "HCM?"),
    )
    _, made = first_card(told, channels=("words", "reports"))
    assert made.content["impression"] == "No scar. Large LV."
    assert made.content["source"] == "images + report"
    _, made = first_card(told, channels=("reports",))
    assert (made.content["source"], made.content["score"]) == ("report only", "")


def test_the_best_matching_clips_are_sent_first():
    _, made = first_card()
    shown = clips_of([made, made])
    assert shown[:2] == [made.main, made.main]
    assert set(shown[2:]) == set(made.others)
