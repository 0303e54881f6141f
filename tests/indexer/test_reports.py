from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.raw import RawReport
from indexer.reports import make_report, read_reports
from retrieval.errors import MalformedReport, UnreadableFile
from retrieval.values.finding import FindingName, Polarity
from retrieval.vault.keys import open_keys
from retrieval.vault.pseudonyms import Pseudonyms


def read(folder: Path, content: str | bytes, name: str = "reports.any") -> list[object]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_reports(path))


@pytest.fixture(scope="module")
def pseudonyms(tmp_path_factory: pytest.TempPathFactory) -> Pseudonyms:
    return Pseudonyms(open_keys(tmp_path_factory.mktemp("keys") / "key", create=True))


@pytest.mark.parametrize(
    "content",
    [
        "StudyInstanceUID,text\n1.2.3,LV dilaté\n",
        "study_uid;report\n1.2.3;LV dilaté\n",
        "Report_Text\tStudy UID\nLV dilaté\t1.2.3\n",
        "report text|STUDYINSTANCEUID\r\nLV dilaté|1.2.3\r\n",
        '{"StudyInstanceUID": "1.2.3", "report_text": "LV dilaté"}\n',
        '{"text": "LV dilaté", "study_uid": "1.2.3"}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_any_usual_table_is_read(tmp_path: Path, content: str, encoding: str) -> None:
    (report,) = read(tmp_path, content.encode(encoding))
    assert isinstance(report, RawReport)
    assert (report.study_uid, report.text) == ("1.2.3", "LV dilaté")
    assert report.where.startswith("reports.any, line ")


def test_accession_numbers_and_texts_over_several_lines(tmp_path: Path) -> None:
    content = 'AccessionNumber,text\nA1,"Findings: ""x"".\nImpression: y"\n007,z\n'
    first, second = read(tmp_path, content)
    assert (first.accession, first.text) == ("A1", 'Findings: "x".\nImpression: y')
    assert (second.accession, second.where) == ("007", "reports.any, line 4")


def test_sections_in_columns_become_one_text(tmp_path: Path) -> None:
    (report,) = read(tmp_path, "impression,accession,findings\nDCM,A1,Big LV\n")
    assert report.text == "Findings:\nBig LV\n\nImpression:\nDCM"


def test_malformed_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    content = "accession,text\nA1,x\nA2\n,y\nA4,\nA5,a,b\n\nA6,z\n"
    found = read(tmp_path, content)
    assert [f.where for f in found] == [f"reports.any, line {n}" for n in (2, 3, 4, 5, 6, 8)]
    assert [isinstance(f, MalformedReport) for f in found] == [False, True, True, True, True, False]


def test_a_broken_quote_does_not_end_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, 'accession,text\nA1,"a" b\nA2,ok\n')
    assert isinstance(found[0], MalformedReport)
    assert found[1].accession == "A2"


def test_malformed_json_lines_are_named(tmp_path: Path) -> None:
    good = '{"accession": "A1", "text": "x"}', '{"accession": 7, "text": "z"}'
    content = "\n".join((good[0], '{"accession": ', "", "[1]", '{"text": "y"}', good[1]))
    found = read(tmp_path, content)
    assert [isinstance(f, MalformedReport) for f in found] == [False, True, True, True, False]
    assert found[1].where == "reports.any, line 2"
    assert found[-1].accession == "7"


@pytest.mark.parametrize("content", ["", " \n", "name,colour\nx,y\n", "CANARY,1234\n"])
def test_a_file_that_holds_no_reports_is_refused_without_quoting_it(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(UnreadableFile) as error:
        read(tmp_path, content)
    assert "CANARY" not in str(error.value)


def test_messages_of_malformed_lines_quote_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, '{"CANARY": 1}\n{"text": "CANARY"\n{"accession": "CANARY"}\n')
    assert len(found) == 3
    assert not any("CANARY" in str(f) for f in found)


CELL = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), max_codepoint=0x2FF), min_size=1, max_size=30
).filter(lambda s: s.strip() == s)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6))
def test_every_row_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    def quoted(cell: str) -> str:
        doubled = cell.replace('"', '""')
        return f'"{doubled}"'

    lines = ["accession;text", *(f"{quoted(a)};{quoted(t)}" for a, t in rows)]
    found = read(tmp_path_factory.mktemp("rows"), "\n".join(lines))
    assert [(f.accession, f.text) for f in found] == rows


def test_a_report_is_cleaned_and_understood(pseudonyms: Pseudonyms) -> None:
    raw = RawReport(
        accession="ACC4711",
        text="Indication: scar?\nFindings: LV dilated (ACC4711, Mr Canary).\n\n"
        "Impression:\n1. No scar.",
        where="x",
    )
    report = make_report(raw, pseudonyms, ("CANARY^A",))
    assert report.study is None
    assert report.accession_key == pseudonyms.accession("ACC4711")
    assert "canary" not in report.text.lower()
    assert "4711" not in repr(report)
    assert report.impression == "1. No scar."
    assert [(f.name, f.polarity) for f in report.findings] == [
        (FindingName.LV_DILATION, Polarity.PRESENT),
        (FindingName.SCAR, Polarity.ABSENT),
    ]
    sentences = [report.text[f.start : f.end] for f in report.findings]
    assert sentences == ["LV dilated ([id], Mr [name]).", "No scar."]


def test_the_digest_is_that_of_the_cleaned_text(pseudonyms: Pseudonyms) -> None:
    one, two = (
        make_report(
            RawReport(study_uid=uid, text=f"{name}: no scar.", where=""), pseudonyms, (name,)
        )
        for uid, name in (("1.2", "CANARY"), ("1.3", "ZEBRA"))
    )
    assert one.digest == two.digest
    assert len(one.digest) == 64
    assert one.study != two.study


def test_nul_and_halves_of_surrogate_pairs_are_dropped_from_texts(
    tmp_path: Path, pseudonyms: Pseudonyms
) -> None:
    content = '{"study": "1.2.3\\u0000", "text": "Big\\u0000 LV\\ud800.\\udc00 \\ud83d\\ude00"}'
    (report,) = read(tmp_path, content)
    assert isinstance(report, RawReport)
    assert (report.study_uid, report.text) == ("1.2.3", "Big LV. \U0001f600")
    from_a_scanner = RawReport(study_uid="1.2.3", text="Big\0 LV\udcff", where="a file")
    assert make_report(from_a_scanner, pseudonyms, []).text == "Big LV"


@pytest.mark.parametrize(
    "line",
    [
        '{"study": "1\\ud800", "text": "x"}',
        '{"accession": "1\\u0000" , "study": "\\udfff", "text": "x"}',
        '{"study": "1", "text": "\\u0000\\ud800"}',
        '{"study": 1, "text": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"study": "1", "text": {"a": "b"}}',
        '{"study": NaN, "text": "x"}',
    ],
)
def test_hostile_json_is_a_malformed_record(tmp_path: Path, line: str) -> None:
    good, bad = read(tmp_path, '{"study": "0", "text": "a"}\n' + line)
    assert isinstance(bad, MalformedReport)
    assert "line 2" in bad.where
    assert isinstance(good, RawReport)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"\xff\xfe\x00\xd8", b"study," + b"x" * 11_000_000 + b",text\n1,2,3"],
)
def test_files_that_are_no_table_are_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableFile):
        read(tmp_path, content)
    with pytest.raises(UnreadableFile, match="cannot be opened"):
        list(read_reports(tmp_path))
