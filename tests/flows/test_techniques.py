"""Every technique that is simulated goes all the way: DICOM, catalog, clips, embedding."""

import json

import pytest

from indexer.simulate import TRUTHS, write_archive
from retrieval.encoder.phantom import load
from retrieval.phantom.contrasts import USUAL

NAMES = {technique.value for technique in USUAL}


@pytest.mark.parametrize("blank", [False, True])
def test_all_techniques_are_ingested_and_embedded(home, tmp_path, blank):
    """With and without descriptions."""
    folder = tmp_path / "archive"
    write_archive(folder, studies=1, seed=11, blank_descriptions=blank, every_technique=True)
    done = home.index("run", folder, "--json", "--quiet")
    assert done.code == 0, done.err
    for study in home.index("ledger", "--json").json["studies"]:
        kept = [s for s in study["series"] if s["clips"]]
        assert {s["technique"] for s in kept} == NAMES
        assert {s["view"] for s in kept if s["technique"] not in ("cine", "LGE")} == {"SAX"}
        passes = [s for s in kept if s["technique"] == "perfusion"]
        assert [s["clips"] for s in passes] == [3, 3]
    for technique in load().contract.techniques[2:4]:
        found = home.ask("search", "normal heart", "--technique", technique, "--json").json
        assert found["eligible"] == 1
        assert {hit["evidence"]["technique"] for hit in found["hits"]} == {technique.value}
    truths = [json.loads(line) for line in (folder / TRUTHS).read_text().splitlines()]
    assert all(t["native_t1_ms"] > 800 and t["native_t2_ms"] > 35 for t in truths)
