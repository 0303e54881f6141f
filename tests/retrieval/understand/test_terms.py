"""The table of terms: its relations, and what a broken site file is told."""

import logging
from pathlib import Path

import lark
import pytest

from retrieval.errors import UsageError
from retrieval.search.understand import scan
from retrieval.search.understand.lines import chip_line
from retrieval.search.understand.query import understand
from retrieval.search.understand.table import load_terms, make_terms, shipped_terms
from retrieval.search.understand.terms import Kind
from retrieval.values.finding import FindingName


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text, "utf-8")
    return path


def test_only_synonyms_and_narrower_terms_expand():
    terms = shipped_terms()
    assert set(terms.expansion("hcm")) == {"hcm", "hocm", "apical_hcm"}
    assert "septal_hypertrophy" not in terms.expansion("hcm")
    assert "septal_hypertrophy" in terms.expansion("lv_hypertrophy")
    assert "hcm" in terms["septal_hypertrophy"].suggests
    assert "lv_dilation" not in terms.expansion("dcm")
    assert "dcm" not in terms.expansion("lv_dilation")
    assert terms.expansion("late_enhancement")[0] == "late_enhancement"
    assert {"scar", "infarct", "acute_infarct"} <= set(terms.expansion("late_enhancement"))
    assert not {"amyloid", "myocarditis"} & set(terms.expansion("late_enhancement"))
    assert "late_enhancement" not in terms.expansion("scar")


def test_every_finding_that_reports_are_read_for_has_a_term():
    named = {term.finding for term in shipped_terms().of_kind(Kind.FINDING)}
    assert set(FindingName) <= named


def test_every_measurement_can_be_judged_and_every_technique_has_its_value():
    terms = shipped_terms()
    for term in terms.of_kind(Kind.MEASUREMENT):
        assert len(term.plausible) == 2, term.id
        assert term.unit, term.id
    for kind in (Kind.TECHNIQUE, Kind.VIEW, Kind.SEX, Kind.COMPARISON, Kind.BOUND):
        assert all(term.code for term in terms.of_kind(kind))


def test_a_site_adds_words_and_terms(tmp_path: Path):
    terms = load_terms(
        site(
            tmp_path,
            """
            [finding.hcm]
            synonyms = ["maron heart"]
            [finding.danon]
            name = "Danon disease"
            narrower_than = ["cardiomyopathy"]
            [spellings]
            oedeem = "oedema"
            """,
        )
    )
    query = understand("Maron heart, no Danon disease, no oedeem", terms)
    assert [chip_line(c) for c in query.chips] == [
        "finding:hcm",
        "-finding:danon",
        "-finding:oedema",
    ]
    assert "danon" in terms.expansion("cardiomyopathy")
    assert understand("Danon disease").chips == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[illness.flu]\nname = 'flu'", ["unknown kind", "[illness]", "finding", "[kind.ident"]),
        ("finding = 3", ["[finding] holds no terms", "head each term"]),
        ("[finding]\nname = 'flu'", ["bare name", "[finding.identifier]"]),
        (
            """
            [finding]
            a = {name = "aa", narrower_than = ["b"]}
            b = {name = "bb", narrower_than = ["c"]}
            c = {name = "cc", narrower_than = ["b"]}
            """,
            ["circle", "b -> c -> b", "remove one"],
        ),
        ("[finding.a]\nname='aa'\nnarrower_than=['a']", ["circle", "a -> a"]),
        (
            "[finding.a]\nname='aa'\nsynonyms=['HCM']",
            ["'HCM'", "claimed by hcm and by a", "remove it"],
        ),
        (
            "[finding.a]\nname='aa'\nsynonyms=['myocardial edema']",
            ["'myocardial edema'", "claimed by oedema"],
        ),
        ("[finding.a]\nname='aa'\nsuggests=['bb']", ["names bb", "no file defines", "define it"]),
        ("[finding.a]\nname='aa'\ncolour='red'", ["unknown field colour", "known are kind, name"]),
        ("[finding.a]\nname='aa'\nsynonyms='b'", ["synonyms = 'b'", "a list of texts"]),
        ("[finding.a]\nname=''", ["name = ''", "a text"]),
        ("[finding.a]\nname='aa'\nfinding='gout'", ["finding = 'gout'", "LV dilation"]),
        ("[unit.a]\nname='aa'\nfactor='x'", ["factor = 'x'", "a number"]),
        ("[measurement.a]\nname='aa'\nplausible=['x']", ["plausible", "a list of numbers"]),
        ("[finding.a]\nname='aa'\nlimits=3", ["limits = 3", "a table of severities"]),
        (
            "[finding.a]\nname='aa'\nlimits={mild=['nowhere']}",
            ["limits ['nowhere'] for mild", "lv_dilated"],
        ),
        (
            "[finding.a]\nname='aa'\nlimits={odd=['lv_dilated']}",
            ["limits for odd", "no severity", "mild"],
        ),
        (
            "[finding.a]\nname='aa'\nlimits={mild=['lv_dilated','rv_dilated']}",
            ["lvedv_index, rvedv_index", "one quantity"],
        ),
        ("[finding.hcm]\nname='other'", ["hcm has name", "cannot become 'other'", "lists only"]),
        ("[finding.'A b']\nname='aa'", ["'A b'", "lower-case"]),
        (
            "[finding.lv_dilation]\ndenied=['lv dilation']",
            ["dilation + lv", "both states and denies lv_dilation"],
        ),
        ("[spellings]\nEdema = 'oedema'", ["[spellings]", "lower case"]),
        ("[finding.a", ["site.toml is no TOML", "correct that line"]),
    ],
)
def test_a_broken_site_file_says_what_is_wrong_and_what_to_do(
    tmp_path: Path, text: str, told: list[str]
):
    with pytest.raises(UsageError) as caught:
        load_terms(site(tmp_path, text))
    for part in told:
        assert part in str(caught.value)


def test_a_site_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        load_terms(tmp_path / "none.toml")


def test_an_empty_table_knows_nothing():
    query = understand("dilated LV", make_terms({}))
    assert (query.chips, query.free_text) == ((), "dilated LV")


def test_the_grammar_is_unambiguous(caplog: pytest.LogCaptureFixture):
    text = Path(scan.__file__).with_name("grammar.lark").read_text("utf-8")
    with caplog.at_level(logging.DEBUG, logger=lark.logger.name):
        lark.Lark(text, parser="lalr", lexer="basic", debug=True)
    assert "conflict" not in caplog.text
