"""Every technique that is simulated goes all the way: DICOM, catalog, clips, embedding."""

import json

from indexer.simulate import TRUTHS, write_archive
from retrieval.encoder.phantom import load
from retrieval.phantom.contrasts import USUAL


def test_all_techniques_are_ingested_and_embedded(home, tmp_path):
    folder = tmp_path / "archive"
    write_archive(folder, studies=1, seed=11, every_technique=True)
    done = home.index("run", folder, "--json", "--quiet")
    assert done.code == 0, done.err
    (study,) = home.index("ledger", "--json").json["studies"]
    kept = [s for s in study["series"] if s["clips"]]
    assert {s["technique"] for s in kept} == {technique.value for technique in USUAL}
    assert {s["view"] for s in kept if s["technique"] not in ("cine", "LGE")} == {"SAX"}
    assert [s["clips"] for s in kept if s["technique"] == "perfusion"] == [3, 3]
    for technique in load().contract.techniques[2:4]:
        found = home.ask("search", "normal heart", "--technique", technique, "--json").json
        assert {hit["evidence"]["technique"] for hit in found["hits"]} == {technique.value}
    (truth,) = [json.loads(line) for line in (folder / TRUTHS).read_text().splitlines()]
    assert truth["native_t1_ms"] > 800
    assert truth["native_t2_ms"] > 35
