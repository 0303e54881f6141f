"""What holds for any text at all."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.errors import UsageError
from retrieval.search.understand.chips import (
    AgeChip,
    DateChip,
    FieldStrengthChip,
    FindingChip,
    LikeChip,
    MeasurementChip,
    SexChip,
    TechniqueChip,
    VendorChip,
    ViewChip,
)
from retrieval.search.understand.interval import Interval
from retrieval.search.understand.lines import chip_line, read_chip
from retrieval.search.understand.query import (
    added,
    flipped,
    understand,
    without,
)
from retrieval.search.understand.severity import severity_range
from retrieval.search.understand.table import shipped_terms
from retrieval.search.understand.terms import Kind
from retrieval.search.understand.words import words_of
from retrieval.values.finding import Polarity
from retrieval.values.study import Sex, StudyId, Technique, View

TERMS = shipped_terms()
JOINING = {
    "", "AND", "OR", "NOR", "BUT", "WITH", "COMMA", "IS", "OF", "IN", "AT", "STOP", "PERSON",
    "OPENING", "CLOSING", "THEIR", "SOME", "ACQUIRED",
}  # fmt: skip
HYPHENS = "-\u2010\u2011\u2012\u2013\u2014"

phrases = st.sampled_from(sorted({p for term in TERMS.terms.values() for p in term.phrases}))
scraps = st.one_of(
    phrases,
    st.sampled_from(["35", "2019", "60", "0.4", "%", "ml/m2", "zebra", "(", ")", "-", "\u00a0"]),
    st.text(max_size=8),
)
sentences = st.lists(scraps, max_size=14).map(" ".join)
texts = st.one_of(st.text(max_size=120), sentences)


@settings(deadline=None, max_examples=400)
@given(texts)
def test_every_character_is_a_chips_or_free_or_joins(text: str):
    query = understand(text)
    spans = sorted({chip.span for chip in query.chips})
    pieces = sorted([*spans, *query.free])
    assert all(one[1] <= other[0] for one, other in pairwise(pieces))
    ends = [0, *(end for _, end in pieces)]
    starts = [*(start for start, _ in pieces), len(text)]
    words = words_of(text, TERMS)
    for start, end in zip(ends, starts, strict=True):
        inside = [word for word in words if start <= word.start < end]
        assert all(word.terminal in JOINING for word in inside)
        covered = {i for word in inside for i in range(word.start, word.end)}
        # A hyphen beside a letter parts words and is none.
        left = {text[i] for i in range(start, end) if i not in covered}
        assert all(c.isspace() or c in HYPHENS for c in left)


@settings(deadline=None, max_examples=200)
@given(texts)
def test_reading_is_deterministic_and_its_chips_can_be_written(text: str):
    query = understand(text)
    assert understand(text) == query
    for chip in query.chips:
        read = read_chip(chip_line(chip))
        assert chip_line(read) == chip_line(chip)
        assert type(read) is type(chip)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_is_not_recognised_stays_as_it_is(text: str):
    query = understand(text)
    if not query.chips:
        assert query.free_text == text.strip()


numbers = st.one_of(st.integers(-50, 500), st.floats(-1e6, 1e6, allow_nan=False))


@st.composite
def intervals(draw) -> Interval:
    low, high = draw(st.none() | numbers), draw(st.none() | numbers)
    if low is not None and high is not None and low >= high:
        return Interval.closed(low, low)
    return Interval(
        low,
        high,
        low is not None and draw(st.booleans()),
        high is not None and draw(st.booleans()),
    )


def ids(*kinds: Kind) -> st.SearchStrategy[str]:
    return st.sampled_from([term.id for kind in kinds for term in TERMS.of_kind(kind)])


def several(*kinds: Kind) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(ids(*kinds), max_size=2, unique=True).map(tuple)


@st.composite
def finding_chips(draw) -> FindingChip:
    term = TERMS[draw(ids(Kind.FINDING))]
    severity = draw(several(Kind.SEVERITY, Kind.SIZE))
    return FindingChip(
        term=term.id,
        finding=term.finding,
        anatomy=draw(several(Kind.ANATOMY) | st.just(("segment_17",))),
        pattern=draw(several(Kind.PATTERN)),
        severity=severity,
        certainty=draw(st.just("") | ids(Kind.CERTAINTY)),
        range=severity_range(term, severity),
    )


@st.composite
def measurement_chips(draw) -> MeasurementChip:
    term = TERMS[draw(ids(Kind.MEASUREMENT))]
    values = draw(intervals())
    low, high = term.plausible
    ends = [end for end in (values.low, values.high) if end is not None]
    return MeasurementChip(
        quantity=term.id,
        values=values,
        unit=TERMS[term.unit].name,
        plausible=all(low <= end <= high for end in ends),
    )


days = st.none() | st.dates(date(1980, 1, 1), date(2099, 12, 31))
chips = st.one_of(
    finding_chips(),
    measurement_chips(),
    st.builds(ViewChip, views=st.lists(st.sampled_from(View), min_size=1, max_size=3).map(tuple)),
    st.builds(TechniqueChip, technique=st.sampled_from(Technique)),
    st.builds(SexChip, sex=st.sampled_from(Sex)),
    st.builds(AgeChip, values=intervals()),
    st.builds(FieldStrengthChip, values=intervals()),
    st.builds(VendorChip, vendor=st.sampled_from([t.name for t in TERMS.of_kind(Kind.VENDOR)])),
    st.builds(DateChip, first=days, last=days),
    st.builds(LikeChip, study=st.none() | st.just(StudyId("0123456789abcdef01234567"))),
)


@settings(deadline=None, max_examples=300)
@given(chips, st.booleans(), st.sampled_from([Polarity.PRESENT, Polarity.ABSENT]))
def test_a_chip_survives_its_line(chip, on, polarity):
    query = added(understand(""), chip)
    query = query if on else without(query, 0)
    (chip,) = (query if polarity is Polarity.PRESENT else flipped(query, 0)).chips
    assert read_chip(chip_line(chip)) == chip
    assert "\n" not in chip_line(chip)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("scar", "write one as KIND:VALUE"),
        ("colour:red", "one of finding, measurement"),
        ("finding:dragon", "no finding 'dragon'"),
        ("finding:sax", "no finding 'sax'"),
        ("finding:scar;size=large", "none of at, pattern, severity, certainty"),
        ("finding:scar;at=septum;at=apex", "each once"),
        ("finding:scar;at=", "no anatomy ''"),
        ("finding:scar;at=segment_18", "no anatomy 'segment_18'"),
        ("measurement:lvef:35", "no interval"),
        ("measurement:lvef:(50,40)", "is empty"),
        ("age:[,60)", "holds an end"),
        ("view:5CH", "5CH"),
        ("vendor:Acme", "it has Siemens"),
        ("date:2019", "FIRST..LAST"),
        ("date:2019-02-30..", "2019-02-30"),
    ],
)
def test_a_broken_line_says_what_is_wrong(line: str, told: str):
    with pytest.raises(UsageError) as caught:
        read_chip(line)
    assert line in str(caught.value)
    assert told in str(caught.value)


def test_chips_are_turned_off_flipped_and_added():
    query = understand("scar, women over 60")
    off = without(query, 0)
    assert [chip.on for chip in off.chips] == [False, True, True]
    assert flipped(query, 0).chips[0].polarity is Polarity.ABSENT
    assert flipped(flipped(query, 0), 0) == query
    more = added(query, read_chip("-finding:oedema"))
    assert more.chips[:-1] == query.chips
    assert chip_line(more.chips[-1]) == "-finding:oedema"


@pytest.mark.parametrize("i", [-1, 1])
def test_a_chip_that_is_not_there_is_refused(i: int):
    with pytest.raises(UsageError, match=f"no chip {i + 1}; the query has 1"):
        flipped(understand("scar"), i)
