"""Every scoring is written down, so that looks at a development set can be counted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retrieval.evaluation.records import read_json_lines

FILE = "evaluations.jsonl"
"""Inside the home; one object a line, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """Earlier scorings against the same judgments.

    Attributes
    ----------
    count
        How many.
    encoders
        Of how many different encoders.
    """

    count: int
    encoders: int


def looks(home: Path, judged: str) -> Looks:
    """Count the earlier scorings against judgments of this digest.

    Raises
    ------
    UsageError
        The log holds a line that is no object.
    """
    log = home / FILE
    if not log.is_file():
        return Looks(count=0, encoders=0)
    encoders = [e["encoder"] for _, e in read_json_lines(log) if e.get("judged") == judged]
    return Looks(count=len(encoders), encoders=len(set(encoders)))


def note(home: Path, *, encoder: str, judged: str, told: Mapping[str, Any]) -> None:
    """Append one scoring.

    Parameters
    ----------
    judged
        Digest of the judgments.
    told
        What was reported: generation, questions and figures, as plain values.
    """
    entry = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "encoder": encoder,
        "judged": judged,
        **told,
    }
    with (home / FILE).open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")
