"""The pages serve what is live, and notice when that changes."""

from dataclasses import replace

import fake_archive
import pytest

from retrieval.errors import NothingPublished
from retrieval.settings import Settings
from retrieval.values.study import State
from webui import archive
from webui.backend import READER, Backend, coverage_of


def test_a_new_generation_is_opened_when_it_goes_live_and_not_before():
    opened, live = [], ["g1"]

    def open_reading():
        opened.append(live[0])
        return replace(fake_archive.reading(2), generation=live[0])

    backend = Backend(open_reading, lambda: live[0])
    first = backend.desk()
    assert backend.desk() is first
    live[0] = "g2"
    assert backend.desk().reading.generation == "g2"
    assert opened == ["g1", "g2"]


def test_research_is_off_unless_the_settings_turn_it_on(tmp_path, monkeypatch):
    def opened(**given):
        made = archive.open_archive(Settings(home=tmp_path, **given))
        return made.desk().research

    monkeypatch.setattr("retrieval.wiring.open_explaining", lambda _: fake_archive.reading(1))
    monkeypatch.setattr("webui.archive.generation.current", lambda _: "g1")
    assert not opened()
    assert opened(research=True)


def test_nothing_published_is_asked_again_at_every_visit(tmp_path):
    answers = [NothingPublished(tmp_path), fake_archive.reading(1)]

    def open_reading():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    backend = Backend(open_reading, lambda: "g1")
    with pytest.raises(NothingPublished):
        backend.desk()
    assert backend.desk().reading.generation == "g1"


def test_coverage_adds_up_and_names_reasons():
    coverage = coverage_of(fake_archive.reading().catalog, READER)
    assert (coverage.found, coverage.indexed, coverage.not_indexed) == (27, 24, 3)
    assert coverage.left_out == (
        (State.EXCLUDED, "no cardiac MR series", 2),
        (State.FAILED, "no decoder for JPEG XL", 1),
    )
    assert len(coverage.ages) == len(coverage.years) == 24


def test_coverage_is_counted_once_in_a_while_and_anew_for_a_new_generation():
    readings = {
        name: replace(fake_archive.reading(n), generation=name)
        for name, n in (("g1", 2), ("g2", 3))
    }
    live = ["g1"]
    backend = Backend(lambda: readings[live[0]], lambda: live[0])
    first = backend.coverage()
    assert backend.coverage() is first
    live[0] = "g2"
    assert backend.coverage().indexed == 3
