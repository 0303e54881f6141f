"""Reading of a report as a whole, and which reader did it."""

import hashlib
from functools import cache
from importlib.resources import files

from retrieval.language.findings import find_findings
from retrieval.language.measurements import find_measurements
from retrieval.values.report import Statements

_READING = (".py", ".toml")


def read_statements(text: str) -> Statements:
    """Read what a report states."""
    return Statements(
        findings=find_findings(text), measurements=find_measurements(text), reader=reader_digest()
    )


@cache
def reader_digest() -> str:
    """24 hexadecimal digits that change whenever code or tables of this package do.

    Two readings by readers of one digest are equal, so a report need not be
    read again.
    """
    whole = hashlib.sha256()
    for entry in sorted(files("retrieval.language").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(_READING):
            whole.update(entry.name.encode() + b"\0")
            whole.update(hashlib.sha256(entry.read_bytes()).digest())
    return whole.hexdigest()[:24]
