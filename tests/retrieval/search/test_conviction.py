"""What an answer is worth: probabilities of its hits, and whether any convinces."""

import pytest

from retrieval.search.relevance import sampled, unrelated
from retrieval.search.understand.query import understand
from retrieval.search.verdicts import told_in_words
from retrieval.search.views import percent
from retrieval.values.query import Channel, Filter
from retrieval.values.reliability import Badge, Conviction
from tests.doubles import hexname
from tests.wing import Wing

SCAR = ("Scar in the septum.", "No myocardial scar.")
ODD = "heart seen in a mirror"


@pytest.fixture
def wing() -> Wing:
    """Sixteen hearts with scar and sixteen without, all with a report; scores tell them apart."""
    made = Wing()
    for n in range(16):
        made.add(f"has {n}", 0.80 - n / 100, SCAR[0])
        made.add(f"lacks {n}", 0.40 - n / 100, SCAR[1])
    return made


def beliefs(ranking) -> dict[str, float]:
    return {hit.study.id: one.probability for hit in ranking.hits for one in hit.beliefs}


def test_hits_carry_a_probability_that_follows_their_score(wing):
    ranking = wing.ask("myocardial scar", wing.assess(), limit=None)
    found = beliefs(ranking)
    assert len(found) == 32
    assert found[hexname("has 0")] > 0.9 > 0.1 > found[hexname("lacks 15")]
    by_score = sorted(found, key=lambda s: -found[s])
    assert by_score[:2] == [hexname("has 0"), hexname("has 1")]
    assert ranking.badges == (("finding:scar", Badge.GOOD),)
    assert {one.term for hit in ranking.hits for one in hit.beliefs} == {"scar"}


def test_without_an_assessment_nothing_is_claimed(wing):
    ranking = wing.ask("myocardial scar", None)
    assert beliefs(ranking) == {}
    assert ranking.badges == (("finding:scar", Badge.NOT_ASSESSED),)
    assert ranking.conviction is Conviction.CONVINCING  # by its reports


def test_what_is_silent_is_judged_by_the_share_among_the_silent(wing):
    known = wing.assess()
    for n in range(200):
        wing.add(f"mute {n}", 0.3, "Normal atria.")
    wing.add("mute", 0.6, "Normal atria.")
    rare = beliefs(wing.ask("myocardial scar", known, limit=None))[hexname("mute")]
    for n in range(200):
        wing.add(f"mute too {n}", 0.9, "Normal atria.")
    common = beliefs(wing.ask("myocardial scar", known, limit=None))[hexname("mute")]
    assert rare < common


def test_who_was_never_imaged_for_it_is_not_judged(wing):
    known = wing.assess()
    wing.add("blind", 0.9, late=False)
    found = beliefs(wing.ask("myocardial scar", known, limit=None))
    assert hexname("blind") not in found
    assert hexname("has 0") in found


def test_images_convince_where_reports_are_silent():
    made = Wing()
    for n in range(16):
        made.add(f"has {n}", 0.8 - n / 100, SCAR[0])
        made.add(f"lacks {n}", 0.4 - n / 100, SCAR[1])
    known = made.assess()
    silent = Wing()
    for n in range(20):
        silent.add(f"mute {n}", 0.3)
    assert silent.ask("myocardial scar", known).conviction is Conviction.NOTHING
    silent.add("has it", 0.9)
    assert silent.ask("myocardial scar", known).conviction is Conviction.CONVINCING
    assert silent.ask("severe transmural scar", known).conviction is Conviction.NOTHING


def test_a_contradicted_hit_does_not_convince(wing):
    known = wing.assess()
    other = Wing()
    other.add("says no", 0.95, SCAR[1])
    for n in range(20):
        other.add(f"no {n}", 0.3, SCAR[1])
    ranking = other.ask("myocardial scar", known)
    assert ranking.conviction is Conviction.NOTHING
    assert len(ranking.hits) == 12


def test_where_nobody_looked_nobody_can_say():
    made = Wing()
    for n in range(6):
        made.add(f"mute {n}", 0.9)
    assert made.ask("myocardial scar", None).conviction is Conviction.UNKNOWN
    for n in range(5):
        made.add(f"denies {n}", 0.2, SCAR[1])
    assert made.ask("myocardial scar", None).conviction is Conviction.UNKNOWN  # 5 of 11 reported
    made.add("denies", 0.2, SCAR[1])
    assert made.ask("myocardial scar", None).conviction is Conviction.NOTHING


def test_all_that_is_wanted_must_be_in_one_heart():
    made = Wing()
    made.add("dilated", 0.9, "The left ventricle is dilated. No myocardial scar.")
    made.add("scarred", 0.9, "The left ventricle is not dilated. Scar in the septum.")
    text = "dilated left ventricle with myocardial scar"
    assert made.ask(text, None).conviction is Conviction.NOTHING
    made.add("both", 0.1, "The left ventricle is dilated. Scar in the septum.")
    assert made.ask(text, None).conviction is Conviction.CONVINCING


def test_denials_and_numbers_convince_by_reports_alone(wing):
    assert wing.ask("no scar", wing.assess()).conviction is Conviction.CONVINCING
    made = Wing()
    made.add("has", 0.9, SCAR[0])
    assert made.ask("no scar", None).conviction is Conviction.NOTHING


def test_words_nobody_knows_are_held_against_unrelated_ones():
    made = Wing(asked=[ODD])
    for n in range(30):
        made.add(f"study {n}", 0.2)
    ranking = made.ask(ODD, None)
    assert ranking.chips == ()
    assert ranking.conviction is Conviction.NOTHING
    assert ranking.above_unrelated is not None
    assert 0 < ranking.above_unrelated < 1  # as near as chance has it
    made.add("near", 1.0)
    ranking = made.ask(ODD, None)
    assert (ranking.conviction, ranking.above_unrelated) == (Conviction.CONVINCING, 1.0)
    assert made.ask(ODD, None, channel=Channel.REPORT).conviction is Conviction.NOTHING


def test_words_that_a_report_says_convince():
    made = Wing(asked=[ODD])
    for n in range(30):
        made.add(f"study {n}", 0.2)
    made.add("told", 0.1, "The heart was seen as if in a mirror.")
    ranking = made.ask(ODD, None)
    assert (ranking.conviction, ranking.above_unrelated) == (Conviction.CONVINCING, None)


def test_where_nothing_was_compared_nothing_is_judged(wing):
    for text in ("myocardial scar", "no scar", ODD):
        ranking = wing.ask(text, wing.assess(), where=Filter(age_from=200))
        assert (ranking.eligible, ranking.conviction) == (0, None)


def test_an_example_alone_is_not_judged(wing):
    assert wing.ask("", wing.assess(), like=hexname("has 0")).conviction is None


@pytest.mark.parametrize(
    ("text", "sentence", "told"),
    [
        ("pectus excavatum", "Displaced by a pectus excavatum.", True),
        ("pectus excavatum", "A pectus carinatum.", False),
        ("pericardial cysts", "There is a pericardial cyst", True),
        ("the of with", "the of with", False),
        ("", "Anything.", False),
    ],
)
def test_a_sentence_holds_all_words_that_say_something(text, sentence, told):
    assert told_in_words(text, sentence) is told


def test_unrelated_texts_say_nothing_of_a_heart():
    assert len(unrelated()) >= 60
    assert len(set(unrelated())) == len(unrelated())
    assert [text for text in unrelated() if understand(text).chips] == []


def test_a_sample_is_all_of_few_and_some_of_many():
    names = [hexname(str(n)) for n in range(5001)]
    assert sampled(names[:10]) == sorted(names[:10])
    assert 1600 < len(sampled(names)) <= 2000
    assert set(sampled(names)) < set(names)


@pytest.mark.parametrize(
    ("probability", "told"), [(0.004, "< 1 %"), (0.5, "50 %"), (0.994, "> 99 %"), (0.01, "1 %")]
)
def test_per_cents_are_never_certain(probability, told):
    assert percent(probability) == told
