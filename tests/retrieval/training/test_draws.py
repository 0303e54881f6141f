"""A step's draws follow from seed and step; an epoch asks every study once."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from retrieval.training.draws import Draw, Loader, Schedule, targets
from retrieval.training.pairs import Pair, Text
from retrieval.training.recipe import Loss, Recipe, Texts
from retrieval.values.clip import ClipId
from retrieval.values.finding import FindingName
from retrieval.values.study import PatientId, StudyId
from tests.doubles import hexname

F = len(FindingName)
RECIPE = Recipe(batch=4, part=3, texts=Texts(sentences=0.5, longest=2))


def said(*values):
    return np.array([*values, *[0] * (F - len(values))], np.int8)


def pair(number, *sentences, state=1):
    return Pair(
        study=StudyId(hexname(f"s{number}")),
        patient=PatientId(hexname(f"p{number}")),
        site="local",
        clips=(ClipId(hexname(f"c{number}")),),
        said=said(state),
        impression=Text(f"impression {number}", said(state)),
        sentences=tuple(Text(words, said(0, -1)) for words in sentences),
    )


PAIRS = tuple(pair(n, f"first {n}", f"second {n}", f"third {n}") for n in range(14))


def told(draws):
    return [(draw.pair.study, draw.texts, draw.stream) for draw in draws]


def test_an_epoch_asks_each_study_at_most_once():
    schedule = Schedule(PAIRS, RECIPE)
    assert schedule.per_epoch == 3
    for epoch in range(3):
        drawn = [d.pair.study for s in range(3) for d in schedule.draws(3 * epoch + s)]
        assert len(set(drawn)) == len(drawn) == 12
    first, second = ([d.pair.study for d in schedule.draws(s)] for s in (0, 3))
    assert first != second


def test_a_step_depends_on_nothing_before_it():
    schedule = Schedule(PAIRS, RECIPE)
    straight = [told(schedule.draws(step)) for step in range(6)]
    assert told(Schedule(PAIRS, RECIPE).draws(5)) == straight[5]
    assert told(Schedule(PAIRS, replace(RECIPE, seed=2)).draws(5)) != straight[5]
    assert len({stream for step in straight for _, _, stream in step}) == 24


def test_words_are_the_impression_or_some_sentences_in_order():
    schedule = Schedule(PAIRS, RECIPE)
    drawn = [draw.texts for step in range(200) for draw in schedule.draws(step)]
    assert np.mean([texts == (0,) for texts in drawn]) == pytest.approx(0.5, abs=0.07)
    assert {len(texts) for texts in drawn} == {1, 2}
    assert all(list(texts) == sorted(set(texts)) for texts in drawn)
    assert {place for texts in drawn for place in texts} == {0, 1, 2, 3}
    only = Schedule(PAIRS, replace(RECIPE, texts=Texts(sentences=0.0)))
    assert all(draw.texts == (0,) for step in range(20) for draw in only.draws(step))


def test_words_and_what_they_mean_go_together():
    draw = Draw(pair=pair(1, "no scar", "nothing", state=1), texts=(0, 2), stream=(0,))
    assert draw.words == "impression 1 nothing"
    assert draw.meant[:3].tolist() == [1, -1, 0]


def test_targets_are_those_asked_for():
    draws = [Draw(pair=pair(n, state=s), texts=(0,), stream=(n,)) for n, s in enumerate((1, 1, -1))]
    by_findings = targets(draws, RECIPE)
    assert by_findings.truth.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]
    own = targets(draws, replace(RECIPE, loss=Loss(targets="own")))
    assert torch.equal(own.truth, torch.eye(3))
    words = targets(draws, replace(RECIPE, loss=Loss(targets="words")))
    assert words.truth.diagonal().tolist() == [1, 1, 1]


class Given:
    """Inputs that show which draw became what."""

    def variant(self, one, rng):
        study = torch.tensor([int(one.study[:6], 16)])
        return {"study": study, "chance": torch.tensor(rng.uniform())}

    def texts(self, one):
        return [{"ids": torch.tensor([n])} for n in range(len(one.words))]


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_keeps_order_and_cuts_parts(workers):
    schedule = Schedule(PAIRS, RECIPE)
    batches = [schedule.draws(step) for step in range(3)]
    loader = Loader(Given(), replace(RECIPE, workers=workers))
    loaded = list(loader.walk(iter(batches)))
    assert [[len(part.studies) for part in parts] for parts in loaded] == [[3, 1]] * 3
    for draws, parts in zip(batches, loaded, strict=True):
        studies = [s for part in parts for s in part.studies]
        texts = [t["ids"].tolist() for part in parts for t in part.texts]
        assert [int(s["study"]) for s in studies] == [int(d.pair.study[:6], 16) for d in draws]
        assert texts == [list(d.texts) for d in draws]
        chances = [np.random.default_rng([*d.stream]).uniform() for d in draws]
        assert [float(s["chance"]) for s in studies] == pytest.approx(chances)
