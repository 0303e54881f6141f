"""A simulated archive from end to end, through the doors."""

import csv
import json
import shutil

import pytest

from retrieval.encoder.phantom.encoder import SHIPPED


@pytest.fixture(scope="module")
def indexed(make_home, phantoms):
    home = make_home("indexed")
    done = home.index("run", phantoms, "--reports", phantoms / "reports.jsonl", "--json")
    assert done.code == 0, done.err
    return home, done.json


def test_every_study_and_file_is_accounted_for(indexed):
    _, summary = indexed
    assert summary["studies"]["found"] == summary["studies"]["indexed"] == 12
    assert summary["files"]["seen"] == summary["files"]["used"] + summary["files"]["unused"]
    assert summary["reports"] == {"seen": 12, "matched": 12, "unmatched": 0, "superseded": 0}
    assert summary["work"]["read"] == 12
    assert summary["work"]["clips"] == summary["clips"]
    assert summary["work"]["published"] == 1


def test_again_is_no_work(indexed, phantoms):
    home, before = indexed
    digest = home.index("digest", "--json").json["digest"]
    done = home.index("run", phantoms, "--reports", phantoms / "reports.jsonl", "--json")
    assert done.code == 0
    assert set(done.json["work"].values()) == {0}
    same = ("studies", "files", "clips", "embeddings", "encoder", "generation", "reports")
    assert {k: done.json[k] for k in same} == {k: before[k] for k in same}
    assert home.index("digest", "--json").json["digest"] == digest


def test_what_images_are_worth_is_assessed_when_vectors_or_reports_change(
    make_home, phantoms, tmp_path
):
    home = make_home("assessed")
    first = home.index("run", phantoms, "--json").json
    kept = home.folder / "generations" / first["generation"] / "reliability.json"
    assert first["work"]["assessed"] == 1
    assert json.loads(kept.read_text())["findings"] == {}
    told = home.index("run", phantoms, "--reports", phantoms / "reports.jsonl", "--json").json
    assert (told["work"]["published"], told["work"]["assessed"]) == (0, 1)
    counts = json.loads(kept.read_text())["too_few"].values()
    assert sum(stated + denied for stated, denied in counts) > 0
    found = home.ask("search", "dilated left ventricle", "--json").json
    assert found["badges"] == [{"chip": "finding:lv_dilation;at=lv", "images": "not assessed"}]
    assert found["conviction"] in ("convincing", "no convincing match")
    kept.write_text("{")
    broken = home.ask("search", "dilated left ventricle")
    assert broken.code == 1
    assert "cineseek-index assess" in broken.err
    mended = home.index("assess")
    assert mended.code == 0, mended.err
    assert "LV dilation" in mended.out
    assert home.ask("search", "dilated left ventricle").code == 0


def test_views_and_techniques_are_recognised(indexed):
    home, _ = indexed
    studies = home.index("ledger", "--json").json["studies"]
    found = {(x["view"], x["technique"]) for s in studies for x in s["series"] if x["clips"]}
    assert {(v, "cine") for v in ("SAX", "2CH", "3CH", "4CH")} <= found
    assert ("SAX", "LGE") in found
    kept = [x for s in studies for x in s["series"] if x["clips"]]
    assert all(x["state"] == "indexed" for x in kept)
    assert not [x for x in kept if x["technique"] == "unknown" or x["view"] == "other"]


def test_search_shows_every_eligible_study_once_in_order(indexed):
    home, _ = indexed
    found = home.ask("search", "dilated left ventricle", "--limit", "all", "--json").json
    hits = found["hits"]
    assert found["eligible"] == len(hits) == len({h["study"] for h in hits}) == 12
    assert [h["rank"] for h in hits] == list(range(1, 13))
    assert [h["score"] for h in hits] == sorted((h["score"] for h in hits), reverse=True)
    assert all(h["impression"] for h in hits)
    few = home.ask("search", "dilated left ventricle", "--limit", 5, "--json").json["hits"]
    assert few == hits[:5]


def test_filters_bind_eligibility_and_evidence(indexed):
    home, _ = indexed
    command = ("search", "scar", "--limit", "all", "--json")
    everyone = home.ask(*command).json
    lge = home.ask(*command, "--technique", "LGE").json
    assert 0 < lge["eligible"] <= everyone["eligible"]
    assert {h["evidence"]["technique"] for h in lge["hits"]} == {"LGE"}
    women = home.ask(*command, "--sex", "F").json
    men = home.ask(*command, "--sex", "M").json
    assert women["eligible"] + men["eligible"] == everyone["eligible"]
    order = [h["study"] for h in everyone["hits"]]
    chosen = [h["study"] for h in women["hits"]]
    assert chosen == [s for s in order if s in set(chosen)]


def test_similar_leaves_the_example_out(indexed):
    home, _ = indexed
    first = home.ask("search", "normal heart", "--limit", 1, "--json").json["hits"][0]["study"]
    found = home.ask("similar", first, "--limit", "all", "--json").json
    assert found["eligible"] - 1 == len(found["hits"]) or found["eligible"] == len(found["hits"])
    assert first not in {h["study"] for h in found["hits"]}
    assert home.ask("show", first, "--json").code == 0


def test_reports_are_a_channel_of_their_own(indexed):
    home, _ = indexed
    said = home.ask("search", "ventricle", "--channels", "report", "--json").json
    assert said["hits"]
    both = home.ask("search", "dilated ventricle", "--channels", "all", "--limit", "all", "--json")
    assert len(both.json["hits"]) == 12


def test_reports_may_come_first_and_by_accession_number(home, phantoms, tmp_path):
    """The report waits, unread, until its study is there."""
    records = [json.loads(x) for x in (phantoms / "reports.jsonl").read_text().splitlines()]
    table = tmp_path / "reports.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Report Text", "AccessionNumber"])
        rows.writerows([r["text"], r["accession"]] for r in records)
    studies = sorted(p for p in phantoms.iterdir() if p.is_dir())
    for part in (studies[:1], studies[1:3]):
        for study in part:
            shutil.copytree(study, tmp_path / "some" / study.name)
        done = home.index("ingest", tmp_path / "some", "--reports", table, "--json", "--quiet")
        assert done.code == 0, done.err
        there = done.json["studies"]["indexed"]
        assert done.json["reports"]["matched"] == there
        assert done.json["reports"]["unmatched"] == len(records) - there
    assert done.json["reports"]["superseded"] == 0


def test_bad_usage_says_what_to_do(indexed, home, tmp_path):
    known, _ = indexed
    for done, words in (
        (known.ask("search", "x", "--view", "5CH"), "SAX"),
        (known.ask("search", ""), "some words"),
        (known.index("run", tmp_path / "nowhere"), "does not exist"),
        (known.index("run", tmp_path, "--encoder", tmp_path / "none"), "none"),
    ):
        assert done.code == 2, done.err
        assert words in done.err
        assert "Traceback" not in done.err
    nothing = home.ask("search", "x")
    assert nothing.code != 0
    assert "cineseek-index run" in nothing.err


def test_another_encoder_is_refused_until_reindexed(indexed, phantoms, tmp_path):
    """A copy of the weights with other notes in its contract is another encoder."""
    home, before = indexed
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    config = json.loads((other / "config.json").read_text())
    config["contract"]["inputs"]["stack_limit"] -= 1
    (other / "config.json").write_text(json.dumps(config))
    refused = home.index("run", phantoms, "--encoder", other, "--quiet")
    assert refused.code == 2
    assert f"reindex --encoder {other}" in refused.err
    moved = home.index("reindex", "--encoder", other, "--json", "--quiet")
    assert moved.code == 0, moved.err
    assert moved.json["encoder"] != before["encoder"]
    found = home.ask("search", "dilated left ventricle", "--json").json
    assert (found["encoder"], found["generation"]) == (
        moved.json["encoder"],
        moved.json["generation"],
    )
    back = home.index("reindex", "--encoder", "phantom", "--json", "--quiet").json
    assert back["generation"] == before["generation"]
    assert back["work"] == {"embedded": 0, "published": 1}


def test_a_wrong_key_is_refused(indexed, phantoms, tmp_path):
    home, _ = indexed
    right, home.key = home.key, tmp_path / "other" / "key"
    try:
        home.key.parent.mkdir(mode=0o700)
        home.key.write_bytes(bytes(32))
        home.key.chmod(0o600)
        done = home.index("run", phantoms)
    finally:
        home.key = right
    assert done.code == 2
    assert "CINESEEK_KEY_FILE" in done.err
