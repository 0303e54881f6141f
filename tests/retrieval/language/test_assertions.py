"""What reports state, deny, leave open or did not look at, on sentences written by hand.

`assertions.txt` holds one snippet a line: text | finding=polarity, ... In it
"\\n" is a line break, and "everything else=absent" denies every finding not
named. The second block was written when the reader was finished, and nothing
was mended for it: its figures are what an unseen report may expect.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from retrieval.evaluation.judgments import from_reports
from retrieval.language.findings import find_findings
from retrieval.language.lexicon import lexicon, tokens_of
from retrieval.training.pairs import said_in
from retrieval.values.finding import FindingName, Polarity
from retrieval.values.query import LOCAL_OPERATOR
from retrieval.values.report import Report
from tests.doubles import DictCatalog, a_clip, a_study

Said = frozenset[tuple[FindingName, Polarity]]

REST = "everything else=absent"
OPPOSITE = {Polarity.PRESENT: Polarity.ABSENT, Polarity.ABSENT: Polarity.PRESENT}


def block(text: str) -> list[tuple[str, Said]]:
    """Read the snippets of one block with what they say."""
    rows = (line.rpartition("|") for line in text.splitlines() if line and line[0] != "#")
    return [(said.strip().replace("\\n", "\n"), expected(says)) for said, _, says in rows]


def expected(says: str) -> Said:
    """Read a list such as "scar=absent, LV dilation=present"."""
    listed = [one.strip() for one in says.split(",") if one.strip()]
    named = [one.split("=") for one in listed if one != REST]
    wanted = {(FindingName(name), Polarity(polarity)) for name, polarity in named}
    if REST in listed:
        others = set(FindingName) - {name for name, _ in wanted}
        wanted |= {(name, Polarity.ABSENT) for name in others}
    return frozenset(wanted)


FIRST, SECOND = (
    block(part)
    for part in Path(__file__).with_name("assertions.txt").read_text("utf-8").split("## second")
)


def read(text: str) -> Said:
    """Findings of a snippet as (finding, polarity)."""
    return frozenset((f.name, f.polarity) for f in find_findings(text))


def measured(rows: Sequence[tuple[str, Said]], name: str) -> tuple[float, float]:
    """Precision and recall over (snippet, finding, polarity); prints them for each polarity too."""
    pairs = [(read(text), wanted) for text, wanted in rows]
    got, due, both = (
        Counter(polarity for said in sets for _, polarity in said)
        for sets in (
            [found for found, _ in pairs],
            [wanted for _, wanted in pairs],
            [found & wanted for found, wanted in pairs],
        )
    )
    wrong = sum(found != wanted for found, wanted in pairs)
    print(f"\n{name}: {len(rows)} snippets, {wrong} not read exactly")
    for polarity in Polarity:
        print(f"  {polarity:<13}{_figures(got[polarity], due[polarity], both[polarity])}")
    print(f"  {'all':<13}{_figures(got.total(), due.total(), both.total())}")
    return both.total() / got.total(), both.total() / due.total()


def _figures(got: int, due: int, both: int) -> str:
    precision, recall = both / max(got, 1), both / max(due, 1)
    return f"precision {precision:.3f} ({both}/{got}), recall {recall:.3f} ({both}/{due})"


def turned_round(rows: Iterable[tuple[str, Said]]) -> list[tuple[str, FindingName]]:
    """Snippets read as stating what they deny, or denying what they state."""
    return [
        (text, name)
        for text, wanted in rows
        for name, polarity in read(text)
        if polarity in OPPOSITE and (name, OPPOSITE[polarity]) in wanted - read(text)
    ]


def test_there_are_enough_snippets_for_every_finding_and_polarity() -> None:
    assert len(FIRST) >= 320
    assert len(SECOND) >= 60
    assert len({text for text, _ in FIRST + SECOND}) == len(FIRST) + len(SECOND)
    told = Counter(one for _, wanted in FIRST + SECOND for one in wanted)
    for name in FindingName:
        assert told[name, Polarity.PRESENT] >= 4, name
        assert told[name, Polarity.ABSENT] >= 4, name
    for polarity in Polarity:
        assert sum(told[name, polarity] for name in FindingName) >= 40, polarity


def test_no_snippet_is_a_phrase_of_the_lexicon() -> None:
    for text, _ in FIRST + SECOND:
        assert tuple(tokens_of(text.rstrip("."))) not in lexicon().phrases, text


def test_findings_are_read_as_they_are_meant() -> None:
    precision, recall = measured(FIRST, "first block")
    assert precision >= 0.97
    assert recall >= 0.95


def test_stated_and_denied_are_never_confused() -> None:
    assert turned_round(FIRST) == []


def test_unseen_sentences_are_read_about_as_well() -> None:
    precision, recall = measured(SECOND, "second block, written afterwards")
    assert precision >= 0.91
    assert recall >= 0.88
    assert len(turned_round(SECOND)) <= 2


def test_what_was_not_assessed_trains_neither_way() -> None:
    scar = list(FindingName).index(FindingName.SCAR)
    assert said_in(find_findings("Non-contrast study."))[scar] == 0
    assert said_in(find_findings("LGE not performed. On the stress images no scar."))[scar] == -1
    assert said_in(find_findings("No gadolinium given. Scar cannot be excluded."))[scar] == 0
    assert said_in(find_findings("LGE was limited. Scar of the septum."))[scar] == 1


def test_what_was_not_assessed_is_not_judged() -> None:
    catalog = DictCatalog()
    for name, text in {"a": "Septal scar.", "b": "No scar.", "c": "LGE not performed."}.items():
        study = catalog.add(a_study(name), [a_clip(a_study(name))])
        catalog.reports[study.id] = Report(
            digest=name, study=study.id, text=text, impression=text, findings=find_findings(text)
        )
    (judgment,) = from_reports(catalog, access=LOCAL_OPERATOR)
    assert judgment.relevant == {a_study("a").id}
    assert judgment.among == {a_study("a").id, a_study("b").id}
