"""Reports from outside DICOM: CSV and JSON Lines, keyed by StudyInstanceUID or AccessionNumber."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from indexer.cleaning import clean_text
from indexer.raw import RawReport
from retrieval.errors import MalformedReport, UnreadableFile
from retrieval.language.reader import read_statements
from retrieval.language.sections import impression_of
from retrieval.values.report import Report
from retrieval.vault.pseudonyms import Pseudonyms

_STUDY = ("studyinstanceuid", "studyuid", "study", "uid", "studyinstance", "originalstudyuid")
_ACCESSION = ("accessionnumber", "accession", "accno", "accessionno", "acc", "accessionid")
_TEXT = ("text", "report", "reporttext", "fulltext", "body", "content", "fullreport", "reportbody")
_IMPRESSION = ("impression", "impressions", "conclusion", "conclusions", "summary")
_FINDINGS = ("findings", "finding")
_HEADED = (("Findings", _FINDINGS), ("Impression", _IMPRESSION))
"""Columns that hold one section each, and the heading they get where there is no whole text."""

DELIMITERS = ",;\t|"
LONGEST_FIELD = 10_000_000
"""Characters of one CSV field; the default of 131,072 is less than some reports."""

_PADDING = " \0\t\r\n\v\f"
_ILLEGIBLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL refuses, and halves of surrogate pairs, which no encoding takes."""


def read_reports(path: Path) -> Iterator[RawReport | MalformedReport]:
    """Read a file of reports, one record at a time.

    Column and key names may be in any order, case and usual spelling. Text
    is UTF-8, with or without a byte order mark, or else Latin-1. A record
    that cannot be used comes as a MalformedReport (not raised) that names its
    line, so that it can be counted.

    Raises
    ------
    UnreadableFile
        The file holds no table of reports at all.
    """
    where = path.name
    text = _decode(_bytes(path), where)
    if not text.strip():
        raise UnreadableFile(f"{where} is empty; a CSV or JSON Lines file was needed")
    if text.lstrip()[0] == "{":
        yield from _json_lines(text, where)
    else:
        yield from _table(text, where)


def make_report(raw: RawReport, pseudonyms: Pseudonyms, identifiers: Collection[str]) -> Report:
    """Clean a report and read it.

    Parameters
    ----------
    identifiers
        Texts of the study's headers that name somebody, as in
        `RawStudy.identifiers`; empty where the study is not known.

    Returns
    -------
    Report
        Version 1; the catalog knows what it supersedes.
    """
    own = [key for key in (raw.accession, raw.study_uid) if key]
    text = clean_text(_legible(raw.text), [*identifiers, *own]).strip()
    stated = read_statements(text)
    return Report(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        study=pseudonyms.study(raw.study_uid) if raw.study_uid else None,
        accession_key=pseudonyms.accession(raw.accession) if raw.accession else None,
        text=text,
        impression=impression_of(text),
        findings=stated.findings,
        measurements=stated.measurements,
        reader=stated.reader,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be opened: {error.strerror}") from error


def _decode(data: bytes, where: str) -> str:
    """UTF-16 if it is marked so, UTF-8 if it is that, else Latin-1, which any bytes are."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise UnreadableFile(
                f"{where} is marked as UTF-16 and is not ({error.reason})"
            ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _json_lines(text: str, where: str) -> Iterator[RawReport | MalformedReport]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        at = f"{where}, line {number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            yield MalformedReport(at, f"not JSON ({error.msg} at column {error.colno})")
            continue
        except (RecursionError, ValueError):  # nested, or a number, beyond what Python takes
            yield MalformedReport(at, "JSON nested too deep, or a number of too many digits")
            continue
        if not isinstance(record, dict):
            yield MalformedReport(at, "not a JSON object with a key and a text")
            continue
        yield _record(record.items(), at)


def _table(text: str, where: str) -> Iterator[RawReport | MalformedReport]:
    header, rest = text.lstrip("\n\r").split("\n", 1) if "\n" in text.strip() else (text, "")
    delimiter = max(DELIMITERS, key=header.count)
    csv.field_size_limit(LONGEST_FIELD)
    columns = _columns(header.rstrip("\r"), delimiter, where)
    known = {*_STUDY, *_ACCESSION} & set(columns), {*_TEXT, *_IMPRESSION, *_FINDINGS} & set(columns)
    if not all(known):
        raise UnreadableFile(
            f"the first line of {where} does not name the columns; needed are "
            "StudyInstanceUID or AccessionNumber, and text"
        )
    skipped = text.index(header) and text[: text.index(header)].count("\n")
    rows = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter, strict=True)
    line = 2 + skipped
    while True:
        at = f"{where}, line {line}"
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield MalformedReport(at, f"not CSV ({error})")
            line = 2 + skipped + rows.line_num
            continue
        line = 2 + skipped + rows.line_num
        if any(cell.strip() for cell in row):
            yield _row(columns, row, at)


def _columns(header: str, delimiter: str, where: str) -> list[str]:
    try:
        return [_plain(name) for row in csv.reader([header], delimiter=delimiter) for name in row]
    except csv.Error as error:
        raise UnreadableFile(f"the first line of {where} names no columns ({error})") from error


def _row(columns: list[str], row: list[str], at: str) -> RawReport | MalformedReport:
    if len(row) != len(columns):
        return MalformedReport(at, f"{len(row)} fields where the header has {len(columns)}")
    return _record(zip(columns, row, strict=True), at)


def _record(items: Iterable[tuple[str, object]], at: str) -> RawReport | MalformedReport:
    """Make a report of one record's fields."""
    fields: dict[str, str] = {}
    for name, value in items:
        if isinstance(value, str | int) and not isinstance(value, bool):
            fields[_plain(name)] = str(value).strip(_PADDING)
    study, accession = _first(fields, _STUDY), _first(fields, _ACCESSION)
    if not (study or accession):
        return MalformedReport(at, "neither StudyInstanceUID nor AccessionNumber")
    if _ILLEGIBLE.search(study + accession):
        return MalformedReport(at, "StudyInstanceUID or AccessionNumber holds no proper text")
    text = _legible(_first(fields, _TEXT) or _from_sections(fields)).strip()
    if not text:
        return MalformedReport(at, "no text")
    return RawReport(study_uid=study, accession=accession, text=text, where=at)


def _from_sections(fields: Mapping[str, str]) -> str:
    parts = ((heading, _first(fields, names)) for heading, names in _HEADED)
    return "\n\n".join(f"{heading}:\n{text}" for heading, text in parts if text)


def _first(fields: Mapping[str, str], names: Iterable[str]) -> str:
    return next((fields[n] for n in names if fields.get(n)), "")


def _legible(text: str) -> str:
    return _ILLEGIBLE.sub("", text)


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
