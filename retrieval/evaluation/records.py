"""Tables that people bring: CSV with a heading, or JSON Lines."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from retrieval.errors import UsageError

Record = Mapping[str, Any]


def read_json_lines(path: Path) -> Iterator[tuple[str, Record]]:
    """Walk the objects of a JSON Lines file with their places ("file:line"); blank lines pass."""
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{path.name}:{number}"
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{where}: not JSON ({error.msg}); one object a line is needed"
            ) from error
        if not isinstance(record, dict):
            raise UsageError(f"{where}: not an object; one object a line is needed")
        yield where, record


def read_table(path: Path) -> Iterator[tuple[str, Record]]:
    """Walk the rows of a CSV or JSON Lines file, told apart by the name's ending."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from read_json_lines(path)
        return
    if path.suffix.lower() != ".csv":
        raise UsageError(
            f"{path.name}: give a .csv or .jsonl file, or a folder with Info.cfg files"
        )
    for number, row in enumerate(csv.DictReader(_text(path).splitlines()), start=2):
        yield f"{path.name}:{number}", row


def pick(record: Record, names: Sequence[str], *, where: str) -> Any:  # noqa: ANN401 - a JSON value
    """Return the first of several columns that a record has, upper or lower case."""
    folded = {str(key).strip().lower(): value for key, value in record.items()}
    for name in names:
        if folded.get(name) not in (None, ""):
            return folded[name]
    raise UsageError(f"{where}: no {names[0]}; a column {' or '.join(names)} is needed")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist; give a file that does") from error
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a text file in UTF-8") from error
